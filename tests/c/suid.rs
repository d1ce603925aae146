//! A set-user-ID program, whose caller must not choose where its secret goes.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;

use crate::programs::{Sanitizer, checked, clear_environment, compile, skipped, stage};
use test_support::certificates::{Authority, VALID};
use test_support::server::{Server, TOKEN_BODY, http, ok};

const NOBODY: u32 = 65_534;
const SECRET: &str = "not-a-real-secret-0123456789abcdef";

/// The program, and a secret that its owner alone can read, where every user can run it.
struct Victim {
    folder: PathBuf,
    program: PathBuf,
    secret_file: PathBuf,
}

impl Victim {
    fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("clazar-auth-suid-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        fs::set_permissions(&folder, Permissions::from_mode(0o755)).unwrap();
        let (program, secret_file) = (folder.join("program"), folder.join("secret"));
        fs::copy(compile("suid", &stage("stage")), &program).unwrap();
        fs::write(&secret_file, SECRET).unwrap();
        fs::set_permissions(&secret_file, Permissions::from_mode(0o600)).unwrap();
        Self { folder, program, secret_file }
    }

    /// The lines that it prints when `user` runs it, with `variables` in the environment.
    fn run(&self, user: u32, url: &str, variables: &[(&str, &str)]) -> Vec<String> {
        let mut command = Command::new(&self.program);
        clear_environment(&mut command);
        command.env("TEST_URL", url).env("TEST_SECRET_FILE", &self.secret_file);
        command.envs(variables.iter().copied()).current_dir("/").uid(user).gid(user);
        let output = String::from_utf8(checked(command).stdout).unwrap();
        output.lines().map(str::to_owned).collect()
    }
}

impl Drop for Victim {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

#[test]
fn a_set_user_id_program_reads_no_environment() {
    if Sanitizer::now() != Sanitizer::Nothing {
        return; // A watch would be set-user-ID too.
    }
    if !rustix::process::geteuid().is_root() {
        return skipped("no set-user-ID program", "only root can give a program to another user");
    }
    let thief = Authority::new("c-thief");
    let server = thief.server(&["127.0.0.1"], VALID, &ok(TOKEN_BODY));
    let url = format!("https://127.0.0.1:{}/authenticate/", server.port());
    let proxy = Server::answering(http("403 Forbidden", "", ""));
    let proxy_url = format!("http://127.0.0.1:{}", proxy.port());
    fs::set_permissions(&thief.pem_file, Permissions::from_mode(0o644)).unwrap();
    let trust = ("SSL_CERT_FILE", thief.pem_file.to_str().unwrap());
    let way = ("HTTPS_PROXY", proxy_url.as_str());
    let home = ("HOME", "/tmp");

    let victim = Victim::new();
    assert_eq!(victim.run(0, &url, &[trust, home])[..2], ["plain", "CLAZAR_OK "]);
    assert_eq!(server.requests().len(), 1, "its owner's environment has a say");
    victim.run(0, &url, &[trust, way, home]);
    assert_eq!(proxy.requests().len(), 1, "and may name a proxy");

    fs::set_permissions(&victim.program, Permissions::from_mode(0o4755)).unwrap();
    let ours = [
        ("CLAZAR_CLIENT_ID", "not-a-real-client"),
        ("CLAZAR_CLIENT_SECRET", SECRET),
        ("CLAZAR_AUTH_URL", &url),
    ];
    let lines = victim.run(NOBODY, &url, &[&[trust, way, home][..], &ours].concat());
    if lines[0] == "plain" {
        let folder = victim.folder.display();
        return skipped(
            "no set-user-ID program",
            &format!("{folder} or this process allows none (nosuid, no_new_privs)"),
        );
    }
    assert!(lines[1].starts_with("CLAZAR_ERR_TLS "), "{lines:?}");
    assert_eq!(server.requests().len(), 1, "the secret went to who runs it");
    assert_eq!(proxy.requests().len(), 1);
    for (line, missing) in [(&lines[2], "client id"), (&lines[3], "client secret")] {
        assert!(line.starts_with("CLAZAR_ERR_INVALID_ARGUMENT "), "{line}");
        assert!(line.contains(&format!("no {missing} was given")), "{line}");
    }
    assert!(lines[4].starts_with("CLAZAR_ERR_INVALID_ARGUMENT "), "{}", lines[4]);
    for line in &lines[2..] {
        assert!(line.contains("the environment is not read in a set-user-ID process"), "{line}");
    }
}
