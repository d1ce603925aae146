//! Who may use whom in `src`: each module only what stands before it, and the files of one folder not in
//! circles.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use test_support::sources::sources;

/// From the ground up. The bindings stand side by side: they share `binding` and what is public.
const LAYERS: [&str; 22] = [
    "interface",
    "text",
    "error",
    "sys",
    "sync",
    "unix_time",
    "random",
    "backoff",
    "env",
    "queue",
    "secret",
    "option_values",
    "token",
    "credentials",
    "trust",
    "resolver",
    "request",
    "store",
    "provider",
    "sandbox",
    "doctor",
    "binding",
];
const BINDINGS: [&str; 2] = ["capi", "python"];

/// What follows `prefix` in the code of a file: the names of modules, or of what lies in the root.
fn used(code: &str, prefix: &str) -> BTreeSet<String> {
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    let code = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    let code: String = code.collect::<Vec<_>>().join("\n");
    let mut names = BTreeSet::new();
    for (at, _) in code.match_indices(prefix) {
        if code[..at].ends_with(is_name) || code[..at].ends_with("::") {
            continue;
        }
        let rest = &code[at + prefix.len()..];
        match rest.strip_prefix('{') {
            Some(list) => {
                let list = list.split_once('}').map_or(list, |(list, _)| list);
                let firsts = list.split(',').map(|item| item.trim().split("::").next().unwrap());
                names.extend(firsts.filter(|name| !name.is_empty()).map(str::to_owned));
            }
            None => drop(names.insert(rest.chars().take_while(|&c| is_name(c)).collect())),
        }
    }
    names
}

/// What tests a module may use all others.
fn is_test(file: &Path) -> bool {
    file.ends_with("tests.rs") || file.iter().any(|part| part == "tests")
}

/// The module right below the root that a file belongs to.
fn module(file: &Path) -> String {
    let first = file.strip_prefix("src").unwrap().iter().next().unwrap();
    first.to_str().unwrap().trim_end_matches(".rs").to_owned()
}

#[test]
fn each_module_uses_only_those_below_it() {
    let mut upwards = Vec::new();
    for file in sources(Path::new("src")) {
        let module = module(&file);
        if ["lib", "bin"].contains(&&*module) || is_test(&file) {
            continue;
        }
        let is_binding = BINDINGS.contains(&&*module);
        let own = LAYERS.iter().position(|&layer| layer == module);
        assert!(own.is_some() || is_binding, "{module} is not in LAYERS; say where it belongs");
        for other in used(&fs::read_to_string(&file).unwrap(), "crate::") {
            let is_allowed = if is_binding {
                let is_public = other.starts_with(char::is_uppercase) || other == "authenticate";
                is_public || [&*module, "binding", "sandbox"].contains(&&*other)
            } else {
                LAYERS.iter().position(|&layer| layer == other) <= own && LAYERS.contains(&&*other)
            };
            if !is_allowed {
                upwards.push(format!("{}: crate::{other}", file.display()));
            }
        }
    }
    assert!(upwards.is_empty(), "\n{}", upwards.join("\n"));
}

#[test]
fn no_files_of_a_folder_use_each_other_in_a_circle() {
    let mut graphs = BTreeMap::<PathBuf, BTreeMap<String, BTreeSet<String>>>::new();
    for file in sources(Path::new("src")) {
        let name = file.file_stem().unwrap().to_str().unwrap().to_owned();
        if !["mod", "lib", "tests"].contains(&&*name) {
            let used = used(&fs::read_to_string(&file).unwrap(), "super::");
            graphs.entry(file.parent().unwrap().to_owned()).or_default().insert(name, used);
        }
    }
    for (folder, mut graph) in graphs {
        // Take away what uses nothing that is left, again and again.
        while let Some(name) = graph
            .iter()
            .find(|(name, used)| {
                used.iter().all(|other| other == *name || !graph.contains_key(other))
            })
            .map(|(name, _)| name.clone())
        {
            graph.remove(&name);
        }
        let left: Vec<_> = graph.keys().collect();
        assert!(left.is_empty(), "{}: {left:?} use each other in a circle", folder.display());
    }
}
