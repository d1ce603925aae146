//! The headers for C: one for compilers, one for parsers that have no preprocessor, and one for `dlopen`.

use std::fs;

use cbindgen::{Config, FunctionConfig};
use test_support::sources::sources;

use crate::{c, file, root};

const WIDTH: usize = 100;
/// Files of `src/capi` in the order in which a reader needs them, and what their functions are about.
const SOURCES: [(&str, &str); 16] = [
    ("status", ""),
    ("failure", ""),
    ("config", "Configurations"),
    ("options", "Options"),
    ("event_numbers", ""),
    ("event_info", ""),
    ("event", "Events"),
    ("provider", "Providers"),
    ("authorization", "The value of the header"),
    ("seal", "Sealed tokens"),
    ("token_async", "Waiting without blocking"),
    ("token", "Tokens"),
    ("stats_fields", ""),
    ("stats", "Statistics"),
    ("error", "Errors"),
    ("library", "The library itself"),
];

pub fn generate() {
    file("include/clazar_auth.h", &full());
    let plain = plain();
    file("include/clazar_auth.ffi.h", &plain);
    file("include/clazar_auth_dlopen.h", &pointers(&plain));
}

fn config() -> Config {
    Config::from_file(root().join("cbindgen.toml")).unwrap()
}

fn bindings(config: Config) -> String {
    let mut builder = cbindgen::Builder::new().with_config(config);
    for (file, _) in SOURCES {
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

fn full() -> String {
    let config = config();
    let macros = config.after_includes.as_deref().unwrap();
    let macros = format!("{}\n{macros}\n\n{}", version(), heading("Types and constants"));
    let text = bindings(Config { after_includes: Some(macros), ..config });
    let stats = "} clazar_stats;";
    let text = text.replace(stats, &format!("{stats}\n\n{}", c::initializer_of_statistics()));
    let (text, _) = text.rsplit_once("#endif  /* CLAZAR_AUTH_H */").unwrap();
    let blocks: Vec<_> = text.split("\n\n").map(with_hints).collect();
    blocks.join("\n\n")
        + "#if defined(__clang__)\n#pragma clang diagnostic pop\n\
           #elif defined(__GNUC__) && !defined(__cplusplus)\n#pragma GCC diagnostic pop\n#endif\n\n\
           #endif  /* CLAZAR_AUTH_H */\n"
}

/// The parts of the version in `Cargo.toml`.
fn version_parts() -> [u8; 3] {
    let parts = [
        env!("CARGO_PKG_VERSION_MAJOR"),
        env!("CARGO_PKG_VERSION_MINOR"),
        env!("CARGO_PKG_VERSION_PATCH"),
    ];
    parts.map(|part| part.parse().unwrap())
}

/// All three in one.
fn version_number() -> String {
    let [major, minor, patch] = version_parts();
    format!("0x{major:02x}{minor:02x}{patch:02x}")
}

/// The version, for a program to compare with.
fn version() -> String {
    let [major, minor, patch] = version_parts();
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
            version_number(),
        ),
    ]
    .concat()
        + "\n/** Whether this header is of the version that is given or of a later one, for an `#if`. */\n\
           #define CLAZAR_AUTH_AT_LEAST(major, minor, patch) \\\n    \
           (CLAZAR_AUTH_VERSION_NUMBER >= ((major) << 16 | (minor) << 8 | (patch)))"
}

/// The declarations alone, with the constants in an enum.
fn plain() -> String {
    let text = bindings(Config {
        header: None,
        include_guard: None,
        sys_includes: Vec::new(),
        after_includes: None,
        cpp_compat: false,
        documentation: false,
        function: FunctionConfig::default(),
        ..config()
    });
    let define = |line: &str| Some(line.strip_prefix("#define ")?.replacen(' ', " = ", 1));
    let constants: Vec<_> = text.lines().filter_map(define).collect();
    let mut plain = format!(
        "/* Generated from clazar_auth.h, for parsers without a preprocessor. */\n\
         enum {{ CLAZAR_AUTH_VERSION_NUMBER = {} }};\n\nenum {{\n    {}\n}};\n",
        version_number(),
        constants.join(",\n    ")
    );
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
         *(void **)&get_token = dlsym(library, \"clazar_provider_token\");\n *\n * On Windows it is \
         LoadLibrary(\"clazar_auth.dll\") and GetProcAddress(), which gives a pointer to a\n * \
         function, to be cast to the type.\n */\n\
         #ifndef CLAZAR_AUTH_DLOPEN_H\n#define CLAZAR_AUTH_DLOPEN_H\n\n#include <clazar_auth.h>\n\n\
         #ifdef __cplusplus\nextern \"C\" {\n#endif\n\n",
    );
    for function in plain.split(';').filter_map(Function::parse) {
        let Function { returned, name, parameters } = &function;
        let head = format!("typedef {returned}(*{name}_fn)(");
        let declared = on_lines(&head, parameters);
        text += &format!("/** Points to `{name}`. */\n{declared};\n\n");
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

    /// Its parameters, each with what clang can warn by.
    fn hinted(&self, comment: &str) -> Vec<String> {
        let hinted = self.parameters.iter().map(|parameter| match parameter.rsplit_once('*') {
            Some((kind, name)) if !may_be_null(comment, name) => {
                format!("{kind}*CLAZAR_NONNULL {name}")
            }
            _ => parameter.clone(),
        });
        hinted.collect()
    }

    /// Says which parameter is a buffer: the one before its size.
    fn buffer(&self) -> Option<String> {
        let size = self.parameters.iter().position(|parameter| parameter == "size_t size")?;
        let (kind, name) = self.parameters[size - 1].rsplit_once('*')?;
        let mode = if kind.starts_with("const") { "read_only" } else { "write_only" };
        // Positions are counted from 1.
        Some(format!("\n    CLAZAR_BUFFER({mode}, {size}, {name}, {}, size)", size + 1))
    }

    /// On a line if it fits, else with the attributes on one of their own.
    fn declared(&self, attributes: &str, comment: &str) -> String {
        let head = format!("{}{}(", self.returned, self.name);
        let lines = on_lines(&head, &self.hinted(comment));
        let is_short = !lines.contains('\n') && attributes.len() + 1 + lines.len() < WIDTH;
        let space = if is_short { " " } else { "\n" };
        format!("{attributes}{space}{lines}{};", self.buffer().unwrap_or_default())
    }
}

/// Parameters behind what stands before them: on its line if they fit, else each on one of its own.
fn on_lines(head: &str, parameters: &[String]) -> String {
    let line = format!("{head}{})", parameters.join(", "));
    if line.len() < WIDTH {
        return line;
    }
    let next = format!(",\n{}", " ".repeat(head.len()));
    format!("{head}{})", parameters.join(&next))
}

/// Adds to a function, with its comment, what compilers can warn by.
fn with_hints(block: &str) -> String {
    let Some((comment, declaration)) = block.split_once("\nCLAZAR_API") else {
        return block.to_owned();
    };
    let words: Vec<_> = declaration.trim_end().trim_end_matches(';').split_whitespace().collect();
    let mut declaration = words.join(" ");
    let mut attributes = String::from("CLAZAR_API");
    for (start, end) in [("CLAZAR_MUST_USE", " "), ("CLAZAR_DEPRECATED(\"", "\") ")] {
        if let Some((attribute, rest)) =
            declaration.split_once(end).filter(|_| declaration.starts_with(start))
        {
            attributes += &format!(" {attribute}{}", end.trim_end());
            declaration = rest.to_owned();
        }
    }
    let function = Function::parse(&declaration).unwrap_or_else(|| panic!("{block}"));
    let declared = function.declared(&attributes, comment);
    match SOURCES.iter().find(|(file, _)| first_function(file).as_ref() == Some(&function.name)) {
        Some((_, title)) => format!("{}\n\n{comment}\n{declared}", heading(title)),
        None => format!("{comment}\n{declared}"),
    }
}

fn heading(title: &str) -> String {
    format!("/* ---- {title} ---- */")
}

fn first_function(file: &str) -> Option<String> {
    let code = fs::read_to_string(root().join(format!("src/capi/{file}.rs"))).unwrap();
    let (_, declaration) = code.split_once("extern \"C\" fn clazar_")?;
    Some(format!("clazar_{}", declaration.split_once('(')?.0))
}

/// Whether the comment of a function says that a parameter may be NULL.
fn may_be_null(comment: &str, parameter: &str) -> bool {
    let words: Vec<_> = comment.split_whitespace().filter(|word| *word != "*").collect();
    let text = words.join(" ");
    let start = format!("param {parameter} ");
    let about = text.split('@').find_map(|part| part.strip_prefix(&start));
    let about = about.unwrap_or_else(|| panic!("{parameter} is not described: {comment}"));
    ["may be NULL", "May be NULL", "or NULL"].iter().any(|words| about.contains(words))
}

#[test]
fn the_header_has_the_functions_of_each_source() {
    for path in sources(&root().join("src/capi")) {
        let is_left_out = SOURCES.iter().all(|(file, _)| !path.ends_with(format!("{file}.rs")));
        let code = fs::read_to_string(&path).unwrap();
        assert!(!(is_left_out && code.contains("no_mangle")), "{} is left out", path.display());
    }
}

#[test]
fn a_function_says_what_compilers_can_warn_of() {
    let comment =
        "/**\n * @param to where to\n *   write.\n * @param error an error, or\n *   NULL.\n */";
    let hinted = |declaration: &str| {
        let block = with_hints(&format!("{comment}\n{declaration}"));
        block.strip_prefix(comment).unwrap().trim().to_owned()
    };
    assert_eq!(
        hinted("CLAZAR_API CLAZAR_MUST_USE int32_t f(uint8_t *to,\n  size_t size);"),
        "CLAZAR_API CLAZAR_MUST_USE int32_t f(uint8_t *CLAZAR_NONNULL to, size_t size)\n    \
         CLAZAR_BUFFER(write_only, 1, to, 2, size);"
    );
    assert_eq!(
        hinted("CLAZAR_API\nCLAZAR_DEPRECATED(\"use g, or h\")\nchar *f(char **error);"),
        "CLAZAR_API CLAZAR_DEPRECATED(\"use g, or h\") char *f(char **error);"
    );
    assert_eq!(hinted("CLAZAR_API void f(void);"), "CLAZAR_API void f(void);");
}
