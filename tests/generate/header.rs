//! The headers for C: one for compilers, one for parsers that have no preprocessor, and one for `dlopen`.

use crate::{file, root};

/// The order in which a reader needs them.
const SOURCES: [&str; 12] = [
    "status",
    "failure",
    "config",
    "options",
    "provider",
    "token",
    "stats_fields",
    "stats",
    "error",
    "event_kind",
    "event",
    "library",
];

pub fn generate() {
    let full = cbindgen::Config { after_includes: Some(version()), ..common() };
    file("include/clazar_auth.h", &bindings(full));
    let plain = plain();
    file("include/clazar_auth.ffi.h", &plain);
    file("include/clazar_auth_dlopen.h", &pointers(&plain));
}

fn bindings(config: cbindgen::Config) -> String {
    let mut builder = cbindgen::Builder::new().with_config(config);
    for file in SOURCES {
        builder = builder.with_src(root().join(format!("src/capi/{file}.rs")));
    }
    let mut text = Vec::new();
    builder.generate().unwrap().write(&mut text);
    with_tags(&String::from_utf8(text).unwrap())
}

/// Gives each struct a name of its own besides that of its type, so that it can be declared elsewhere.
fn with_tags(text: &str) -> String {
    let (start, structs) = text.split_once("typedef struct {").unwrap();
    let tagged = structs.split("typedef struct {").map(|rest| {
        let (_, end) = rest.split_once("\n} ").unwrap();
        let (name, _) = end.split_once(';').unwrap();
        format!("typedef struct {name} {{{rest}")
    });
    start.to_owned() + &tagged.collect::<String>()
}

fn common() -> cbindgen::Config {
    cbindgen::Config::from_file(root().join("cbindgen.toml")).unwrap()
}

/// The version in `Cargo.toml`, for a program to compare with.
fn version() -> String {
    let [major, minor, patch] = [
        env!("CARGO_PKG_VERSION_MAJOR"),
        env!("CARGO_PKG_VERSION_MINOR"),
        env!("CARGO_PKG_VERSION_PATCH"),
    ]
    .map(|part| part.parse::<u8>().unwrap());
    let define = |doc: &str, name: &str, value: String| {
        format!("\n/** {doc} */\n#define CLAZAR_AUTH_VERSION{name} {value}\n")
    };
    [
        define(
            "The version of this header; that of the library is `clazar_version()`.",
            "",
            format!("\"{}\"", env!("CARGO_PKG_VERSION")),
        ),
        define("Its first number.", "_MAJOR", major.to_string()),
        define("Its second number.", "_MINOR", minor.to_string()),
        define("Its third number.", "_PATCH", patch.to_string()),
        define(
            "All three in one: `major << 16 | minor << 8 | patch`, as `clazar_version_number()`.",
            "_NUMBER",
            format!("0x{major:02x}{minor:02x}{patch:02x}"),
        ),
    ]
    .concat()
    .trim_end()
    .to_owned()
}

/// The declarations alone, with the constants in an enum.
fn plain() -> String {
    let text = bindings(cbindgen::Config {
        header: None,
        include_guard: None,
        sys_includes: Vec::new(),
        cpp_compat: false,
        documentation: false,
        ..common()
    });
    let define = |line: &str| Some(line.strip_prefix("#define ")?.replacen(' ', " = ", 1));
    let constants: Vec<_> = text.lines().filter_map(define).collect();
    let mut plain = format!("enum {{\n    {}\n}};\n", constants.join(",\n    "));
    // Without what compilers of C23 alone see, between #if and #else.
    let mut is_skipped = false;
    for line in text.lines() {
        match line.split_once(' ').map_or(line, |(word, _)| word) {
            "#if" => is_skipped = true,
            "#else" | "#endif" => is_skipped = false,
            "#define" => {}
            "" if plain.ends_with("\n\n") => {}
            _ if is_skipped => {}
            _ => plain.extend([line, "\n"]),
        }
    }
    plain.replace("\n {", " {")
}

/// A type for each function of the plain header.
fn pointers(plain: &str) -> String {
    let mut text = String::from(
        "/**\n * @file\n * The types of pointers to the functions of clazar_auth.h, for a program that loads \
         the library\n * with dlopen():\n *\n *     clazar_provider_token_fn get_token;\n *     \
         *(void **)&get_token = dlsym(library, \"clazar_provider_token\");\n */\n\
         #ifndef CLAZAR_AUTH_DLOPEN_H\n#define CLAZAR_AUTH_DLOPEN_H\n\n#include <clazar_auth.h>\n\n\
         #ifdef __cplusplus\nextern \"C\" {\n#endif\n\n",
    );
    for function in plain.split(';').filter_map(Function::parse) {
        let Function { returned, name, parameters } = &function;
        let parameters = parameters.join(", ");
        text += &format!(
            "/** Points to `{name}`. */\ntypedef {returned}(*{name}_fn)({parameters});\n\n"
        );
    }
    text + "#ifdef __cplusplus\n}  // extern \"C\"\n#endif\n\n#endif\n"
}

/// A declaration of the header.
struct Function {
    /// With the space or the `*` before the name.
    returned: String,
    name: String,
    parameters: Vec<String>,
}

impl Function {
    /// None of what declares something else.
    fn parse(declaration: &str) -> Option<Self> {
        let words: Vec<_> = declaration.split_whitespace().collect();
        let declaration = words.join(" ");
        let (head, parameters) = declaration.strip_suffix(')')?.split_once('(')?;
        if head.starts_with("typedef") {
            return None;
        }
        let (returned, name) = head.split_at(head.rfind([' ', '*'])? + 1);
        Some(Self {
            returned: returned.to_owned(),
            name: name.to_owned(),
            parameters: parameters.split(", ").map(str::to_owned).collect(),
        })
    }
}
