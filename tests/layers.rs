//! Who may use whom in `src`: each module only what stands before it, and the files and folders in one folder
//! not in circles.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{TokenStream, TokenTree};
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

/// Of a module, or of what is in one: the names from the root on.
type Names = Vec<String>;

/// What each module uses, as far as it is ours.
fn uses() -> BTreeMap<Names, BTreeSet<Names>> {
    let files = sources(Path::new("src")).into_iter();
    let modules = files.map(|file| {
        let path = file.strip_prefix("src").unwrap().with_extension("");
        let names = path.iter().map(|name| name.to_str().unwrap().to_owned());
        let module: Names = names.filter(|name| name != "mod").collect();
        let used = used(&fs::read_to_string(&file).unwrap(), &module);
        (module, used)
    });
    // What tests a module may use all others, and so may what makes programs and the library of them.
    let may_use_all = |name: &String| ["tests", "lib", "bin"].contains(&name.as_str());
    modules.filter(|(module, _)| !module.iter().any(may_use_all)).collect()
}

/// What the code of a module uses; where it takes all of a module, that module.
fn used(code: &str, module: &[String]) -> BTreeSet<Names> {
    let mut used = BTreeSet::new();
    look_for_paths(code.parse().unwrap(), module, &mut used);
    used
}

fn look_for_paths(code: TokenStream, module: &[String], used: &mut BTreeSet<Names>) {
    let tokens: Vec<_> = code.into_iter().collect();
    for (i, token) in tokens.iter().enumerate() {
        let rest = &tokens[i + 1..];
        match token {
            TokenTree::Group(group) => match &tokens[..i] {
                [.., before, TokenTree::Ident(name)] if is(before, "mod") => {
                    if name != "tests" {
                        let inner = [module, &[name.to_string()]].concat();
                        look_for_paths(group.stream(), &inner, used);
                    }
                }
                _ => look_for_paths(group.stream(), module, used),
            },
            TokenTree::Ident(name) => {
                // Who may see something is not what is used.
                let is_visibility = matches!(&tokens[..i], [first] if is(first, "in"));
                let is_path = after_colons(rest).is_some() && !is_visibility;
                let is_renamed = rest.first().is_some_and(|next| is(next, "as"));
                if (name == "crate" || name == "super") && (is_path || is_renamed)
                    || name == "self" && is_path
                {
                    follow(&tokens[i..], module.to_vec(), used);
                }
            }
            _ => {}
        }
    }
}

/// Follows a path, or each of a list in braces, from the module `names`.
fn follow(tokens: &[TokenTree], mut names: Names, used: &mut BTreeSet<Names>) {
    match tokens {
        [TokenTree::Group(list), ..] => {
            let list: Vec<_> = list.stream().into_iter().collect();
            for item in list.split(|token| is(token, ",")).filter(|item| !item.is_empty()) {
                follow(item, names.clone(), used);
            }
        }
        [TokenTree::Ident(name), rest @ ..] => {
            match name.to_string().as_str() {
                "crate" => names.clear(),
                "super" => drop(names.pop()),
                "self" => {}
                name => names.push(name.to_owned()),
            }
            match after_colons(rest) {
                Some(rest) => follow(rest, names, used),
                None => drop(used.insert(names)),
            }
        }
        _ => drop(used.insert(names)),
    }
}

fn after_colons(tokens: &[TokenTree]) -> Option<&[TokenTree]> {
    match tokens {
        [first, second, rest @ ..] if is(first, ":") && is(second, ":") => Some(rest),
        _ => None,
    }
}

fn is(token: &TokenTree, text: &str) -> bool {
    token.to_string() == text
}

#[test]
fn each_file_says_first_what_it_does() {
    let says = |file: &PathBuf| fs::read_to_string(file).unwrap().starts_with("//! ");
    let silent: Vec<_> = sources(Path::new("src")).into_iter().filter(|file| !says(file)).collect();
    assert!(silent.is_empty(), "{silent:?}");
}

/// A child could then use its siblings by a name that shows none of them.
#[test]
fn no_module_takes_all_of_one_that_it_is_in() {
    for (module, used) in uses() {
        let around = used.iter().find(|used| used.len() < module.len() && module.starts_with(used));
        assert_eq!(around, None, "in {module:?}: name what is used instead");
    }
}

#[test]
fn each_module_uses_only_those_below_it() {
    let mut upwards = Vec::new();
    for (module, used) in uses() {
        let name = module[0].as_str();
        let is_binding = BINDINGS.contains(&name);
        let own = LAYERS.iter().position(|&layer| layer == name);
        assert!(own.is_some() || is_binding, "{name} is not in LAYERS; say where it belongs");
        for other in used.iter().filter_map(|used| used.first()) {
            let is_allowed = if is_binding {
                let is_public = other.starts_with(char::is_uppercase) || other == "authenticate";
                is_public || [name, "binding", "sandbox"].contains(&other.as_str())
            } else {
                LAYERS.iter().position(|layer| layer == other) <= own
                    && LAYERS.contains(&other.as_str())
            };
            if !is_allowed {
                upwards.push(format!("{}: {other}", module.join("::")));
            }
        }
    }
    assert!(upwards.is_empty(), "\n{}", upwards.join("\n"));
}

#[test]
fn nothing_in_a_folder_is_in_a_circle() {
    assert_eq!(circles(&uses()), [""; 0]);
}

/// Of each folder, the children that use each other in a circle, or use those that do. A folder is one child
/// with all that is in it.
fn circles(uses: &BTreeMap<Names, BTreeSet<Names>>) -> Vec<String> {
    let mut graphs = BTreeMap::<&[String], BTreeMap<&str, BTreeSet<&str>>>::new();
    for (module, used) in uses {
        for depth in 0..module.len() {
            let (folder, name) = (&module[..depth], module[depth].as_str());
            let used = used.iter().filter(|used| used.starts_with(folder));
            let used = used.filter_map(|used| child(uses, folder, used.get(depth)?));
            let graph = graphs.entry(folder).or_default();
            graph.entry(name).or_default().extend(used.filter(|used| *used != name));
        }
    }
    // Take away what uses nothing that is left, again and again.
    for graph in graphs.values_mut() {
        let is_low = |graph: &BTreeMap<&str, BTreeSet<&str>>, used: &BTreeSet<&str>| {
            used.iter().all(|other| !graph.contains_key(other))
        };
        while let Some(name) =
            graph.iter().find(|(_, used)| is_low(graph, used)).map(|(name, _)| *name)
        {
            graph.remove(name);
        }
    }
    let left = graphs.into_iter().filter(|(_, graph)| !graph.is_empty());
    left.map(|(folder, graph)| format!("{}: {:?}", folder.join("::"), graph.keys())).collect()
}

/// The child of a folder that has this name, or that the folder takes what has this name from.
fn child<'a>(
    uses: &'a BTreeMap<Names, BTreeSet<Names>>,
    folder: &[String],
    name: &'a String,
) -> Option<&'a str> {
    if uses.contains_key(&[folder, std::slice::from_ref(name)].concat()) {
        return Some(name);
    }
    let own = uses.get(folder)?.iter();
    let mut own = own.filter(|used| used.len() > folder.len() + 1 && used.starts_with(folder));
    own.find(|used| used.last() == Some(name)).map(|used| used[folder.len()].as_str())
}

fn names(path: &str) -> Names {
    path.split("::").filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

#[test]
fn a_use_is_found_in_each_form() {
    for (module, code, found) in [
        ("text", "use super::provider::Config as _;", "provider::Config"),
        ("request::url", "use super::super::doctor as _;", "doctor"),
        (
            "request::url",
            "fn f() { match x { _ => super::super::doctor::examine() } }",
            "doctor::examine",
        ),
        ("request::url", "use crate::{text::{hex as _}, doctor as _};", "doctor"),
        ("request::url", "use crate::{text::{hex, self}};", "text"),
        ("request", "use self::url::Url;", "request::url::Url"),
        ("text", "log!(\"{}\", crate::doctor::NAME);", "doctor::NAME"),
        ("text", "mod inner { use super::super::doctor; }", "doctor"),
        ("text", "use crate as root;", ""),
        ("request::url", "use super::*;", "request"),
        ("request::url", "use super::{self as around};", "request"),
    ] {
        let used = used(code, &names(module));
        assert!(used.contains(&names(found)), "{code}: {used:?}");
    }
    for code in [
        "// crate::doctor",
        "const A: &str = \"crate::doctor\";",
        "pub(in crate::doctor) fn f() {}",
        "pub(crate) fn f(self) -> i32 { self as i32 }",
        "mod tests { use crate::doctor; }",
    ] {
        assert_eq!(used(code, &names("request::url")), BTreeSet::new(), "{code}");
    }
}

#[test]
fn a_circle_is_found_also_through_a_folder() {
    for (modules, is_circle) in [
        ("p::a > p::b::X, p::b > p::c::f, p::c > p::a::f", true),
        ("p::a > p::b::X, p::b > p::b::c::X, p::b::c > p::d::f, p::d > p::a::f", true),
        ("p::a > p::X, p > p::b::X, p::b > p::a::f", true),
        ("p::a > p::b::X, p > p::a::f, p::b > q::f", false),
        ("p::a > p::a::c::X, p::a::c > p::d::f, p::d > p::d::f", false),
    ] {
        let uses = modules.split(", ").map(|modules| {
            let (module, used) = modules.split_once(" > ").unwrap();
            (names(module), [names(used)].into())
        });
        assert_eq!(!circles(&uses.collect()).is_empty(), is_circle, "{modules}");
    }
}

/// So that another system needs another folder in `sys`, and nothing else.
#[test]
fn only_sys_and_tests_know_which_system_it_is() {
    let words = ["unix", "windows", "target_os", "target_env", "target_vendor", "target_family"];
    let knows = |file: &PathBuf| {
        let code = fs::read_to_string(file).unwrap();
        let asks =
            |line: &str| line.contains("cfg") && words.iter().any(|word| line.contains(word));
        code.contains("std::os::") || code.lines().any(asks)
    };
    let elsewhere =
        |file: &PathBuf| !file.starts_with("src/sys") && !file.iter().any(|name| name == "tests");
    let files = sources(Path::new("src")).into_iter().filter(elsewhere);
    let found: Vec<_> = files.filter(knows).collect();
    assert!(found.is_empty(), "{found:?}");
}
