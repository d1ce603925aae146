//! What is installed, used as others use it: outside the checkout, and after the prefix was moved.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use clazar_auth::sandbox::{Answer, Sandbox};

use crate::programs::{Sanitizer, checked, clear_environment, root, skipped};
use test_support::server::{Server, answer_with, ok};

/// A folder outside the checkout, removed at the end.
struct Outside(PathBuf);

impl Outside {
    fn new(name: &str) -> Self {
        let name = format!("clazar-auth-{name}-{}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn join(&self, path: &str) -> PathBuf {
        self.0.join(path)
    }

    /// Installs with `make install` into a prefix, and moves that.
    fn installed(&self, libdir: &str) -> PathBuf {
        let mut make = make("install");
        make.arg(format!("DESTDIR={}", self.join("staging").display()));
        make.args(["PREFIX=/opt/first".into(), format!("LIBDIR={libdir}")]);
        checked(make);
        let moved = self.join("moved");
        fs::rename(self.join("staging/opt/first"), &moved).unwrap();
        moved
    }

    /// Copies the examples, so that nothing of the checkout is found beside them.
    fn examples(&self) -> PathBuf {
        let folder = self.join("examples");
        let mut copy = Command::new("cp");
        checked({
            copy.arg("-r").arg(root().join("examples")).arg(&folder);
            copy
        });
        folder
    }
}

impl Drop for Outside {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// `make` in the checkout, without what an outer one says.
fn make(target: &str) -> Command {
    let mut make = Command::new("make");
    make.current_dir(root()).args(["--no-print-directory", target]);
    make.env_remove("MAKEFLAGS").env_remove("MFLAGS").env_remove("MAKELEVEL");
    make
}

/// The paths below a folder for which these conditions of `find` hold.
fn found(folder: &Path, conditions: &[&str]) -> String {
    let mut find = Command::new("find");
    find.arg(folder).args(conditions);
    String::from_utf8(checked(find).stdout).unwrap().trim().to_owned()
}

fn pkg_config(libraries: &Path, arguments: &[&str]) -> Vec<String> {
    let mut command = Command::new("pkg-config");
    command.args(arguments).env("PKG_CONFIG_PATH", libraries.join("pkgconfig"));
    let output = String::from_utf8(checked(command).stdout).unwrap();
    output.split_whitespace().map(str::to_owned).collect()
}

fn example(program: &mut Command, url: &str, sandbox: &Sandbox, libraries: &Path) -> Output {
    set_up(program.arg(url), sandbox, libraries).output().unwrap()
}

/// Gives an example what it is to find in its environment.
fn set_up<'a>(program: &'a mut Command, sandbox: &Sandbox, libraries: &Path) -> &'a mut Command {
    clear_environment(program);
    // The examples keep the token from a proxy that could read it.
    program.env("http_proxy", "http://127.0.0.1:9");
    program.env("LD_LIBRARY_PATH", libraries);
    program.env("CLAZAR_AUTH_URL", sandbox.auth_url());
    program.env("CLAZAR_CLIENT_ID", sandbox.client_id());
    program.env("CLAZAR_CLIENT_SECRET", sandbox.client_secret())
}

/// The example gets the listings, also when the API refuses its first token, but asks no third time.
fn check_example(make: impl Fn() -> Command, libraries: &Path) {
    for (refusals, succeeds, requests) in [(0, true, 1), (1, true, 2), (2, false, 2)] {
        let sandbox = Sandbox::start().unwrap();
        for _ in 0..refusals {
            sandbox.answer_next("/listings/", Answer::new(401, "{}")).unwrap();
        }
        let output = example(&mut make(), &listings(&sandbox), &sandbox, libraries);
        assert_eq!(output.status.success(), succeeds, "{:?}: {output:?}", make());
        let shown = String::from_utf8_lossy(&output.stdout).contains("listings-1");
        assert_eq!(shown, succeeds, "{:?}: {output:?}", make());
        assert_eq!(sandbox.requests("/authenticate/"), requests, "{:?}", make());
        assert_eq!(sandbox.requests("/listings/"), requests, "{:?}", make());
    }
    check_that_the_token_stays(make, libraries);
}

fn listings(sandbox: &Sandbox) -> String {
    format!("{}/listings/", sandbox.url().trim_end_matches('/'))
}

/// No host gets the token that is not allowed to, whatever its URL looks like or a redirect says.
fn check_that_the_token_stays(make: impl Fn() -> Command, libraries: &Path) {
    let sandbox = Sandbox::start().unwrap();
    let other = Server::on("127.0.0.2", answer_with(ok("{}")));
    let port = other.port();
    for (url, why) in [
        (format!("http://127.0.0.1:x@127.0.0.2:{port}/"), "user information"),
        (format!("http://127.0.0.2:{port}/"), "allowed_hosts"),
        (format!("https://127.0.0.2:{port}/"), "allowed_hosts"),
        ("http://api.clazar.io/".into(), "plain http"),
    ] {
        let output = example(&mut make(), &url, &sandbox, libraries);
        assert!(!output.status.success(), "{url}: {output:?}");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(stderr.contains(why), "{:?}: {stderr}", make());
        assert_eq!(sandbox.requests("/authenticate/"), 0, "{url}");
    }
    let elsewhere = Answer::new(302, "").header("Location", other.url());
    sandbox.answer_next("/listings/", elsewhere).unwrap();
    let output = example(&mut make(), &listings(&sandbox), &sandbox, libraries);
    assert!(!output.status.success(), "{output:?}");
    assert_eq!(other.connections(), 0, "{:?}", make());
}

fn is_linked_to_ours(program: &Path, libraries: &Path) -> bool {
    let mut ldd = Command::new("ldd");
    ldd.arg(program).env("LD_LIBRARY_PATH", libraries);
    let found = String::from_utf8(checked(ldd).stdout).unwrap();
    let ours = found.lines().find(|line| line.contains("libclazar_auth"));
    // Found by its soname, in the prefix that was moved.
    if let Some(line) = ours {
        assert!(line.contains("libclazar_auth.so.0 =>"), "{line}");
        assert!(line.contains(libraries.to_str().unwrap()), "{line}");
    }
    ours.is_some()
}

fn check_pkg_config(libraries: &Path, outside: &Outside) {
    let examples = outside.examples();
    for (package, is_shared) in [("clazar_auth", true), ("clazar_auth-static", false)] {
        let flags = pkg_config(libraries, &["--cflags", "--libs", package, "libcurl"]);
        let version = pkg_config(libraries, &["--modversion", package]);
        assert_eq!(version, [env!("CARGO_PKG_VERSION")]);
        let file = libraries.join(format!("pkgconfig/{package}.pc"));
        let text = fs::read_to_string(file).unwrap();
        assert!(text.contains(concat!("\nLicense: ", env!("CARGO_PKG_LICENSE"), "\n")), "{text}");
        assert!(text.contains(concat!("\nURL: ", env!("CARGO_PKG_HOMEPAGE"), "\n")), "{text}");
        for (compiler, standard, source) in
            [("cc", "-std=gnu99", "curl_get.c"), ("c++", "-std=c++17", "curl_get.cpp")]
        {
            let program = outside.join(&format!("{package}-{source}.out"));
            let mut command = Command::new(compiler);
            command.args([standard, "-Wall", "-Wextra", "-Wpedantic", "-Werror"]);
            command.arg(examples.join(source)).arg("-o").arg(&program).args(&flags);
            checked(command);
            assert_eq!(is_linked_to_ours(&program, libraries), is_shared);
            check_example(|| Command::new(&program), libraries);
        }
    }
}

/// What is watched elsewhere is the library; its installation is the same each time.
fn is_watched() -> bool {
    Sanitizer::now() != Sanitizer::Nothing
}

#[test]
fn the_examples_build_with_pkg_config() {
    if !is_watched() {
        let outside = Outside::new("pkg-config");
        let prefix = outside.installed("lib");
        check_pkg_config(&prefix.join("lib"), &outside);
        for file in ["LICENSE-MIT", "LICENSE-APACHE", "THIRD-PARTY-LICENSES"] {
            assert!(prefix.join("share/doc/clazar_auth").join(file).exists(), "{file}");
        }
        let parts = prefix.join("share/doc/clazar_auth/clazar_auth.cyclonedx.json");
        let parts = fs::read_to_string(parts).unwrap();
        assert!(parts.contains("\"pkg:cargo/ring@"), "{parts}");
        assert!(!parts.contains(root().to_str().unwrap()) && !parts.contains("file:"), "{parts}");
        for file in ["tsan.supp", "valgrind.supp"] {
            assert!(prefix.join("share/clazar_auth").join(file).exists(), "{file}");
        }
    }
}

/// For all users, whoever installs; over another version; and gone again.
#[test]
fn it_is_installed_for_all_and_uninstalled() {
    if is_watched() {
        return;
    }
    let outside = Outside::new("umask");
    let older = outside.join("opt/lib/libclazar_auth.so.0.0.9");
    fs::create_dir_all(older.parent().unwrap()).unwrap();
    fs::write(&older, "").unwrap();
    let run = |target: &str| {
        let mut sh = Command::new("sh");
        let prefix = outside.join("opt");
        sh.current_dir(root()).args(["-c", "umask 077; exec \"$@\"", "sh", "make", target]);
        sh.arg(format!("PREFIX={}", prefix.display())).env_remove("MAKEFLAGS");
        checked(sh)
    };
    run("install");
    assert!(!older.exists(), "another version with the same soname");
    let prefix = outside.join("opt");
    assert_eq!(found(&prefix, &["-type", "f", "!", "-perm", "644"]), "");
    let foreign = prefix.join("share/doc/clazar_auth/of-somebody-else");
    fs::write(&foreign, "").unwrap();
    run("uninstall");
    assert_eq!(found(&prefix, &["!", "-type", "d"]), foreign.to_str().unwrap());
    fs::remove_file(&foreign).unwrap();
    run("uninstall");
    assert_eq!(found(&prefix, &["-mindepth", "2", "!", "-path", "*/share/doc"]), "");
}

/// What is in the folder of others, or outside the prefix, is not this project's to delete.
#[test]
fn it_is_uninstalled_from_below_the_prefix_only() {
    let outside = Outside::new("uninstall");
    let foreign = outside.join("share/doc/other/readme");
    fs::create_dir_all(foreign.parent().unwrap()).unwrap();
    fs::write(&foreign, "").unwrap();
    let uninstall = |setting: &str| {
        let mut make = make("uninstall");
        make.arg(format!("PREFIX={}", outside.0.display())).arg(setting);
        make.output().unwrap().status.success()
    };
    assert!(uninstall("DOCDIR=share/doc"));
    assert!(foreign.exists());
    for setting in ["DOCDIR=", "LIBDIR=", "INCLUDEDIR=", "DOCDIR=share/../..", "LIBDIR=/lib"] {
        assert!(!uninstall(setting), "{setting}");
    }
}

#[test]
fn the_symbols_stay_in_the_library_for_those_who_split_them_off_themselves() {
    if is_watched() {
        return;
    }
    let outside = Outside::new("symbols");
    let mut install = make("install");
    install.args(["STRIP=", "PREFIX=/usr"]).arg(format!("DESTDIR={}", outside.0.display()));
    checked(install);
    let mut readelf = Command::new("readelf");
    readelf.args(["--sections", "--wide"]).arg(outside.join("usr/lib/libclazar_auth.so"));
    let sections = String::from_utf8(checked(readelf).stdout).unwrap();
    assert!(sections.contains(".symtab") && sections.contains(".debug_line"), "{sections}");
    assert!(!outside.join("usr/lib/.debug").exists());
}

#[test]
fn the_examples_build_with_cmake() {
    if is_watched() {
        return;
    }
    let outside = Outside::new("cmake");
    // As distributions with several architectures have it.
    let libraries = outside.installed("lib/some-triplet").join("lib/some-triplet");
    let build = outside.join("build");
    let mut configure = Command::new("cmake");
    configure.arg("-S").arg(outside.examples()).arg("-B").arg(&build);
    configure.arg(format!("-Dclazar_auth_DIR={}", libraries.join("cmake/clazar_auth").display()));
    checked(configure);
    let mut compile = Command::new("cmake");
    compile.arg("--build").arg(&build);
    checked(compile);
    for (name, is_shared) in [
        ("curl_get_c", true),
        ("curl_get_cpp", true),
        ("curl_multi_c", true),
        ("coroutine_cpp", true),
        ("curl_get_static_c", false),
        ("curl_get_static_cpp", false),
    ] {
        let program = build.join(name);
        assert_eq!(is_linked_to_ours(&program, &libraries), is_shared, "{name}");
        if name.starts_with("curl_get") {
            check_example(|| Command::new(&program), &libraries);
        }
    }
}

/// Whether CMake configures a project with these lines, and builds it with `program.c`.
fn cmake_takes(outside: &Outside, name: &str, prefix: &Path, lines: &str) -> bool {
    let project = outside.join(name);
    fs::create_dir_all(&project).unwrap();
    let start = "cmake_minimum_required(VERSION 3.19)\nproject(p LANGUAGES C)\n";
    fs::write(project.join("CMakeLists.txt"), format!("{start}{lines}\n")).unwrap();
    let program = "#include <clazar_auth.h>\nint main(void) { return clazar_version() == 0; }\n";
    fs::write(project.join("program.c"), program).unwrap();
    let mut configure = Command::new("cmake");
    configure.arg("-S").arg(&project).arg("-B").arg(project.join("build"));
    configure.arg(format!("-DCMAKE_PREFIX_PATH={}", prefix.display()));
    let mut build = Command::new("cmake");
    build.arg("--build").arg(project.join("build"));
    [configure, build].iter_mut().all(|cmake| cmake.output().unwrap().status.success())
}

#[test]
fn cmake_finds_it_by_the_prefix_and_only_a_version_that_fits() {
    if is_watched() {
        return;
    }
    let outside = Outside::new("find");
    let prefix = outside.installed("lib");
    let [major, minor] = [env!("CARGO_PKG_VERSION_MAJOR"), env!("CARGO_PKG_VERSION_MINOR")];
    let now = env!("CARGO_PKG_VERSION");
    let next = |number: &str| number.parse::<u32>().unwrap() + 1;
    let (next_major, next_minor) = (next(major), format!("{major}.{}", next(minor)));
    for (version, is_found) in [
        ("", true),
        (major, true),
        (&format!("{major}.{minor}"), true),
        (now, true),
        (&format!("{now} EXACT"), true),
        (&format!("0.0.1...{now}"), true),
        (&format!("{major}.{minor}...{next_major}"), true),
        (&next_major.to_string(), false),
        (&next_minor, false),
        ("0.0.9", false),
        (&format!("0.0.1...<{now}"), false),
        (&format!("{next_minor}...{next_major}.9"), false),
    ] {
        let line = format!("find_package(clazar_auth {version} REQUIRED)");
        let is_taken = cmake_takes(&outside, &version.replace(' ', "-"), &prefix, &line);
        assert_eq!(is_taken, is_found, "{version}");
    }
}

/// A library of the project may be called as one of the system's that the static library is linked with.
#[test]
fn cmake_links_the_systems_libraries_and_no_target_of_the_project() {
    if is_watched() {
        return;
    }
    let outside = Outside::new("targets");
    let prefix = outside.installed("lib");
    let traps: String = ["c", "dl", "gcc_s", "m", "pthread", "rt", "util"]
        .map(|name| {
            format!(
                "add_library({name} INTERFACE)\n\
                 target_compile_definitions({name} INTERFACE int=a_surprise)\n"
            )
        })
        .concat();
    for target in ["clazar_auth::clazar_auth", "clazar_auth::static"] {
        let lines = format!(
            "{traps}find_package(clazar_auth REQUIRED)\n\
             add_executable(program program.c)\n\
             target_link_libraries(program PRIVATE {target})"
        );
        let name = target.replace(':', "-");
        assert!(cmake_takes(&outside, &name, &prefix, &lines), "{target}");
    }
}

/// The build fails where the compiler would start; what was built is left alone.
#[test]
fn the_flags_of_the_environment_reach_the_compiler() {
    if is_watched() {
        return;
    }
    let outside = Outside::new("flags");
    let cargo = outside.join("cargo");
    fs::write(&cargo, "#!/bin/sh\n{ env; echo \"$@\"; } >&2\nexit 1\n").unwrap();
    fs::set_permissions(&cargo, fs::Permissions::from_mode(0o755)).unwrap();
    let mut make = make("target/c/built");
    make.args(["--always-make", &format!("CARGO={}", cargo.display())]);
    make.env("RUSTFLAGS", "-C a-flag-of-mine").env("CARGO_TARGET_DIR", "/nowhere");
    let output = make.output().unwrap();
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr);
    let flags =
        said.lines().find_map(|line| line.strip_prefix("RUSTFLAGS=")).unwrap_or_else(|| {
            panic!("{said}");
        });
    assert!(flags.contains("-C a-flag-of-mine"), "{flags}");
    assert!(flags.contains("--remap-path-prefix="), "{flags}");
    assert!(said.contains("\nCARGO_TARGET_DIR=/nowhere\n"), "{said}");
}

/// Of a library of one function, so that nothing is compiled.
#[test]
fn the_linker_and_its_flags_are_those_of_the_environment() {
    let outside = Outside::new("linker");
    let script = |name: &str, text: &str| {
        let path = outside.join(name);
        fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    };
    let archive = outside.join("libclazar_auth.a").display().to_string();
    fs::write(outside.join("one.c"), "int clazar_one(void) { return 1; }").unwrap();
    for arguments in ["cc -ffunction-sections -c one.c", &format!("ar rc {archive} one.o")] {
        let mut command = Command::new(arguments.split(' ').next().unwrap());
        command.args(arguments.split(' ').skip(1)).current_dir(&outside.0);
        checked(command);
    }
    let artifact = format!(r#"{{"target":{{"name":"clazar_auth"}},"filenames":["{archive}"]}}"#);
    let libraries = r#"{"message":{"message":"native-static-libs: -lof-the-system"}}"#;
    let cargo = script("cargo", &format!("printf '%s\\n' '{artifact}' '{libraries}'"));
    let linker = script("linker", "echo \"$@\" >&2; exit 1");
    let mut build = Command::new("python3");
    build.arg(root().join("packaging/c.py")).arg("build").arg(outside.join("built")).arg("capi");
    build.env("CARGO", cargo).env("CC", linker).env("LDFLAGS", "-Wl,-z,mine -L/mine");
    let output = build.output().unwrap();
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr);
    for part in [" -Wl,-z,mine -L/mine -lof-the-system ", "-Wl,-soname,libclazar_auth.so.0 "] {
        assert!(said.contains(part), "{said}");
    }
}

#[test]
fn the_tarball_works_where_it_is_unpacked_and_is_the_same_each_time() {
    if is_watched() {
        return;
    }
    let outside = Outside::new("dist");
    let dist = || {
        let output = String::from_utf8(checked(make("dist")).stdout).unwrap();
        root().join(output.lines().last().unwrap())
    };
    let first = fs::read(dist()).unwrap();
    let tarball = dist();
    assert!(first == fs::read(&tarball).unwrap(), "{} differs", tarball.display());
    let mut tar = Command::new("tar");
    tar.arg("-C").arg(&outside.0).args(["--strip-components=1", "-xzf"]).arg(tarball);
    checked(tar);
    check_pkg_config(&outside.join("lib"), &outside);
    assert!(newest_glibc(&outside.join("lib/libclazar_auth.so")) <= vec![2, 17]);
}

/// The newest version of its symbols that a library needs.
fn newest_glibc(library: &Path) -> Vec<u32> {
    let mut readelf = Command::new("readelf");
    readelf.args(["--version-info", "--wide"]).arg(library);
    let versions = String::from_utf8(checked(readelf).stdout).unwrap();
    let versions = versions.split("Name: GLIBC_").skip(1);
    let words = versions.map(|text| text.split_whitespace().next().unwrap());
    words.map(|word| word.split('.').map(|n| n.parse().unwrap()).collect()).max().unwrap()
}

#[test]
fn the_debian_packages_hold_the_runtime_and_the_rest() {
    if is_watched() || !Path::new("/usr/bin/dpkg-deb").exists() {
        return;
    }
    let outside = Outside::new("deb");
    checked(make("deb"));
    let files = fs::read_dir(root().join("target/deb")).unwrap().map(|file| file.unwrap().path());
    let packages: Vec<_> =
        files.filter(|file| file.extension().is_some_and(|e| e == "deb")).collect();
    let package = |start: &str| {
        let name = |path: &&PathBuf| path.file_name().unwrap().to_str().unwrap().starts_with(start);
        packages.iter().find(name).unwrap()
    };
    let dpkg_deb = |arguments: &[&str], package: &Path, more: &str| {
        let mut command = Command::new("dpkg-deb");
        command.args(arguments).arg(package).arg(more);
        String::from_utf8(checked(command).stdout).unwrap()
    };
    for start in ["libclazar-auth0_", "libclazar-auth0-dbgsym_", "libclazar-auth-dev_"] {
        dpkg_deb(&["-x"], package(start), outside.0.to_str().unwrap());
        let development = outside.join("usr/include/clazar_auth.h").exists();
        assert_eq!(development, start.contains("dev"), "{start}");
    }
    let documents = outside.join("usr/share/doc/libclazar-auth0");
    for file in [
        "copyright",
        "THIRD-PARTY-LICENSES.gz",
        "clazar_auth.cyclonedx.json.gz",
        "changelog.gz",
        "changelog.Debian.gz",
    ] {
        assert!(documents.join(file).exists(), "{file}");
    }
    let mut cc = Command::new("cc");
    cc.arg("-print-multiarch");
    let triplet = String::from_utf8(checked(cc).stdout).unwrap();
    let libraries = outside.join("usr/lib").join(triplet.trim());
    let glibc = newest_glibc(&libraries.join("libclazar_auth.so"));
    let runtime = package("libclazar-auth0_");
    for (field, expected) in
        [("Depends", &*format!("libc6 (>= {}.{})", glibc[0], glibc[1])), ("Multi-Arch", "same")]
    {
        let said = dpkg_deb(&["-f"], runtime, field);
        assert!(said.contains(expected), "{field}: {said}");
    }
    let symbols = dpkg_deb(&["-I"], runtime, "symbols");
    let offered = symbols.lines().filter(|line| line.contains("@CLAZAR_AUTH_0 0.1.0")).count();
    assert!(offered > 40, "{symbols}");
    let mut lintian = Command::new("lintian");
    lintian.args(["--allow-root", "--fail-on", "error,warning"]).args(&packages);
    checked(lintian);
    check_pkg_config(&libraries, &outside);
}

#[test]
fn node_uses_the_c_interface() {
    if is_watched() {
        return;
    }
    let outside = Outside::new("node");
    let libraries = outside.installed("lib").join("lib");
    let script = outside.examples().join("node/get.mjs");
    std::os::unix::fs::symlink(
        root().join("target/node/node_modules"),
        script.with_file_name("node_modules"),
    )
    .unwrap();
    let node = || {
        let mut node = Command::new("node");
        node.arg(&script);
        node
    };
    check_example(node, &libraries);
}

/// Builds the example in Go, if that is installed.
fn go_program(outside: &Outside, libraries: &Path) -> Option<PathBuf> {
    if let Err(error) = Command::new("go").arg("version").output() {
        skipped("no program in Go", &format!("go cannot be started ({error})"));
        return None;
    }
    let program = outside.join("clazar-get");
    let mut go = Command::new("go");
    go.args(["build", "-o"]).arg(&program).arg(".").current_dir(outside.examples().join("go"));
    go.env("PKG_CONFIG_PATH", libraries.join("pkgconfig")).env("GOCACHE", outside.join("cache"));
    // Nothing is fetched.
    go.envs([("CGO_ENABLED", "1"), ("GOFLAGS", "-mod=mod"), ("GOPROXY", "off"), ("GOWORK", "off")]);
    checked(go);
    Some(program)
}

/// The most threads that a process has had until it ends.
fn most_threads(mut process: Child) -> usize {
    let tasks = format!("/proc/{}/task", process.id());
    let mut most = 0;
    while process.try_wait().unwrap().is_none() {
        let count = fs::read_dir(&tasks).map_or(0, Iterator::count);
        most = most.max(count);
        std::thread::sleep(Duration::from_millis(1));
    }
    assert!(process.wait().unwrap().success());
    most
}

#[test]
fn goroutines_wait_for_a_token_without_a_thread_of_their_own() {
    if is_watched() {
        return;
    }
    let outside = Outside::new("go");
    let libraries = outside.installed("lib").join("lib");
    let Some(program) = go_program(&outside, &libraries) else { return };
    check_example(|| Command::new(&program), &libraries);

    let sandbox = Sandbox::start().unwrap();
    sandbox.set_delay(Duration::from_secs(1));
    let mut command = Command::new(&program);
    command.args(vec![listings(&sandbox); 300]).stdout(Stdio::null());
    let most = most_threads(set_up(&mut command, &sandbox, &libraries).spawn().unwrap());
    println!("300 goroutines, {most} threads");
    assert!(most < 100, "{most} threads for 300 goroutines");
    assert_eq!(sandbox.requests("/authenticate/"), 1);
    assert_eq!(sandbox.requests("/listings/"), 300);
}
