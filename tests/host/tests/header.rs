//! include/gort.h and src/ffi are of one mind: each function that C is promised is there,
//! with the same parameters under the same names, and the other way round; and so are the
//! structs that both sides see into, and the room for those that one does.
//!
//! The functions in Rust are written down as C would declare them; then the two lists of
//! declarations are compared.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use gort_host_tests::ensure;
use libtest_mimic::{Arguments, Failed, Trial};
use syn::{
    FnArg, GenericArgument, Item, Pat, PathArguments, PointerMutability, ReturnType, Signature,
    Type,
};

/// What C calls the types of Rust.
const TYPES: &[(&str, &str)] = &[
    ("c_char", "char"),
    ("c_int", "int"),
    ("c_void", "void"),
    ("i32", "int"),
    ("i64", "int64_t"),
    ("isize", "ptrdiff_t"),
    ("u32", "uint32_t"),
    ("u64", "uint64_t"),
    ("usize", "size_t"),
];

fn main() {
    let trials = vec![
        Trial::test("functions_are_the_same", functions_are_the_same),
        Trial::test("structs_are_the_same", structs_are_the_same),
        Trial::test("errors_are_linux_s", errors_are_linux_s),
        Trial::test("rust_is_written_as_c", rust_is_written_as_c),
        Trial::test("c_is_read", c_is_read),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

/// Reads all files of a directory that have that extension.
fn read_all(directory: &str, extension: &str) -> Result<Vec<String>, Failed> {
    let mut texts = Vec::new();
    for entry in fs::read_dir(root().join(directory))? {
        let path = entry?.path();
        if path.extension().is_some_and(|found| found == extension) {
            texts.push(read(&path)?);
        }
    }
    Ok(texts)
}

/// Returns what stands at the top level of src/ffi.
fn items() -> Result<Vec<Item>, Failed> {
    let mut items = Vec::new();
    for text in read_all("src/ffi", "rs")? {
        items.extend(syn::parse_file(&text)?.items);
    }
    Ok(items)
}

fn header() -> Result<String, Failed> {
    Ok(code(&read(&root().join("include/gort.h"))?))
}

fn functions_are_the_same() -> Result<(), Failed> {
    let mut defined = BTreeSet::new();
    for item in items()? {
        if let Item::Fn(function) = item
            && function.attrs.iter().any(is_no_mangle)
        {
            defined.insert(prototype(&function.sig)?);
        }
    }
    for text in read_all("asm", "S")? {
        for line in text.lines() {
            if let Some((name, signature)) = line.split_once(": extern \"C\" fn(")
                && let Some(name) = name.strip_prefix(" * gort_")
            {
                let signature = format!("extern \"C\" fn gort_{name}({signature}");
                defined.insert(prototype(&syn::parse_str(&signature)?)?);
            }
        }
    }
    let declared = functions(&header()?);
    ensure!(defined.len() > 10, "only {defined:?} are defined");
    same("functions", &declared, &defined)
}

/// Tells whether an attribute is `unsafe(no_mangle)`.
fn is_no_mangle(attribute: &syn::Attribute) -> bool {
    attribute.path().is_ident("unsafe")
        && attribute
            .parse_args::<syn::Path>()
            .is_ok_and(|path| path.is_ident("no_mangle"))
}

/// The structs that src/ffi defines have the same fields; of those that C must make room
/// for, `room::<Type>(words)` says how much.
fn structs_are_the_same() -> Result<(), Failed> {
    let mut defined = BTreeSet::new();
    for item in items()? {
        match item {
            Item::Struct(of) if of.attrs.iter().any(|attr| attr.path().is_ident("repr")) => {
                let mut text = format!("{} {{", c_name(&of.ident.to_string()));
                for field in &of.fields {
                    let name = field.ident.as_ref().ok_or("a field without a name")?;
                    text += &format!(" {};", declaration(&field.ty, &name.to_string())?);
                }
                defined.insert(text + " }");
            }
            Item::Const(of) => {
                if let syn::Expr::Call(call) = *of.expr
                    && let Some((name, words)) = room(&call)
                {
                    let name = c_name(&name);
                    defined.insert(format!("{name} {{ uint64_t opaque[{words}]; }}"));
                }
            }
            _ => {}
        }
    }
    let mut declared = BTreeSet::new();
    for part in header()?.split("typedef struct ").skip(1) {
        if let Some((text, name)) = part.split_once("} ")
            && part.find('{') < part.find(';')
        {
            let of = text.split_once(' ').map_or("", |(name, _)| name);
            ensure!(name.starts_with(of), "{of} is called something else, too");
            declared.insert(format!("{text}}}"));
        }
    }
    same("structs", &declared, &defined)
}

/// Reads `room::<Type>(words)`.
fn room(call: &syn::ExprCall) -> Option<(String, usize)> {
    let syn::Expr::Path(function) = &*call.func else {
        return None;
    };
    let last = function.path.segments.last()?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else {
        return None;
    };
    let (Some(GenericArgument::Type(Type::Path(of))), Some(syn::Expr::Lit(words))) =
        (arguments.args.first(), call.args.first())
    else {
        return None;
    };
    let syn::Lit::Int(words) = &words.lit else {
        return None;
    };
    let name = of.path.segments.last()?.ident.to_string();
    (last.ident == "room").then_some((name, words.base10_parse().ok()?))
}

/// The numbers in src/ffi/errno.rs are those of this system's headers.
fn errors_are_linux_s() -> Result<(), Failed> {
    let text = read(&root().join("src/ffi/errno.rs"))?;
    let mut count = 0;
    for item in syn::parse_file(&text)?.items {
        let Item::Const(error) = item else { continue };
        let syn::Expr::Lit(number) = *error.expr else {
            return Err(format!("{} is not a number", error.ident).into());
        };
        let syn::Lit::Int(number) = number.lit else {
            return Err(format!("{} is not an integer", error.ident).into());
        };
        let (name, number) = (error.ident.to_string(), number.base10_parse::<i32>()?);
        let kernel = std::io::Error::from_raw_os_error(number);
        let known = match name.as_str() {
            "EAGAIN" => rustix::io::Errno::AGAIN,
            "ENOMEM" => rustix::io::Errno::NOMEM,
            "EBUSY" => rustix::io::Errno::BUSY,
            "EFAULT" => rustix::io::Errno::FAULT,
            "EINVAL" => rustix::io::Errno::INVAL,
            "EPIPE" => rustix::io::Errno::PIPE,
            "ETIMEDOUT" => rustix::io::Errno::TIMEDOUT,
            "EALREADY" => rustix::io::Errno::ALREADY,
            _ => return Err(format!("add {name} to the list here").into()),
        };
        ensure!(
            known.raw_os_error() == number,
            "{name} is {number}: {kernel}"
        );
        count += 1;
    }
    ensure!(count > 0, "there are no errors");
    Ok(())
}

/// Compares what is declared with what is defined.
fn same(what: &str, declared: &BTreeSet<String>, defined: &BTreeSet<String>) -> Result<(), Failed> {
    let only = |one: &BTreeSet<String>, other: &BTreeSet<String>| -> String {
        let only = one.difference(other).map(|text| format!("\n  {text}"));
        only.collect()
    };
    ensure!(
        declared == defined,
        "{what} that gort.h alone has:{}\n{what} that src/ffi alone has:{}",
        only(declared, defined),
        only(defined, declared)
    );
    Ok(())
}

/// Writes a function of Rust's as C declares it.
fn prototype(signature: &Signature) -> Result<String, String> {
    let name = &signature.ident;
    if signature.abi.is_none() {
        return Err(format!("{name} is no function for C"));
    }
    let mut parameters = Vec::new();
    for parameter in &signature.inputs {
        let FnArg::Typed(parameter) = parameter else {
            return Err(format!("{name} is a method"));
        };
        let Pat::Ident(pattern) = &*parameter.pat else {
            return Err(format!("{name} has a parameter without a name"));
        };
        parameters.push(declaration(&parameter.ty, &pattern.ident.to_string())?);
    }
    if parameters.is_empty() {
        parameters.push("void".into());
    }
    let name = format!("{name}({})", parameters.join(", "));
    result(&signature.output, &name)
}

/// Writes what a function returns, and then the function.
fn result(output: &ReturnType, function: &str) -> Result<String, String> {
    match output {
        ReturnType::Default => Ok(format!("void {function}")),
        ReturnType::Type(_, of) => match &**of {
            Type::Never(_) => Ok(format!("GORT_NORETURN void {function}")),
            of => declaration(of, function),
        },
    }
}

/// Writes something of a type, which may have no name.
fn declaration(of: &Type, name: &str) -> Result<String, String> {
    let pointer = |constant: bool, to: &Type, name: &str| {
        let space = if constant { "const " } else { "" };
        match to {
            // `const` stands behind the star that it belongs to.
            Type::Ptr(_) => declaration(to, &format!("{space}*{name}")),
            _ => Ok(format!("{space}{}", declaration(to, &format!("*{name}"))?)),
        }
    };
    match of {
        Type::Ptr(of) => {
            let constant = matches!(of.mutability, PointerMutability::Const(_));
            pointer(constant, &of.elem, name)
        }
        // What it leads to changes under the hand of whoever has the lock.
        Type::Reference(of) => pointer(false, &of.elem, name),
        Type::FnPtr(of) => {
            let mut parameters = Vec::new();
            for parameter in &of.inputs {
                parameters.push(declaration(&parameter.ty, "")?.trim_end().to_string());
            }
            let function = format!("(*{name})({})", parameters.join(", "));
            result(&of.output, &function)
        }
        Type::Path(of) => {
            let segment = of.path.segments.last().ok_or("an empty path")?;
            Ok(format!("{} {name}", c_name(&segment.ident.to_string())))
        }
        _ => Err(format!("{name} is of a type that is not C's")),
    }
}

/// Returns C's name of a type: of those that are gort's, `gort_` and the words, without
/// the `Raw` or `Byte` that says which of several it is.
fn c_name(name: &str) -> String {
    if let Some((_, c)) = TYPES.iter().find(|(rust, _)| *rust == name) {
        return c.to_string();
    }
    let name = name.strip_prefix("Raw").unwrap_or(name);
    let name = name.strip_prefix("Byte").unwrap_or(name);
    format!("gort_{}", name.to_lowercase())
}

/// Returns what a header says to the compiler, in words with one space between them.
fn code(header: &str) -> String {
    let mut parts = header.split("/*");
    let mut code = parts.next().unwrap_or_default().to_string();
    for part in parts {
        code += part.split_once("*/").map_or("", |(_, after)| after);
    }
    let lines = code.lines().filter(|line| !line.starts_with('#'));
    let words: Vec<&str> = lines.flat_map(str::split_whitespace).collect();
    words.join(" ").replace("extern \"C\" {", "")
}

/// Finds the functions of gort's that a header declares.
fn functions(code: &str) -> BTreeSet<String> {
    let statements = code.split(';').map(str::trim);
    statements
        .filter(|text| {
            let name = text.split('(').next().unwrap_or_default();
            let name = name.rsplit([' ', '*']).next().unwrap_or_default();
            text.ends_with(')') && name.starts_with("gort_")
        })
        .map(String::from)
        .collect()
}

fn rust_is_written_as_c() -> Result<(), Failed> {
    for (rust, c) in [
        ("fn a()", "void a(void)"),
        ("fn a(b: c_int) -> !", "GORT_NORETURN void a(int b)"),
        (
            "fn a(b: *const c_void, c: usize) -> isize",
            "ptrdiff_t a(const void *b, size_t c)",
        ),
        (
            "fn a(b: *const *const c_char)",
            "void a(const char *const *b)",
        ),
        (
            "fn a(b: extern \"C\" fn(c: *mut c_void) -> *mut c_void) -> *const c_char",
            "const char *a(void *(*b)(void *))",
        ),
        (
            "fn a(b: &RawMutex, c: *mut ByteChan) -> *mut ByteChan",
            "gort_chan *a(gort_mutex *b, gort_chan *c)",
        ),
    ] {
        let signature = syn::parse_str(&format!("extern \"C\" {rust}"))?;
        let written = prototype(&signature)?;
        ensure!(written == c, "{rust} is written as {written}");
    }
    let rust = "fn a()";
    ensure!(
        prototype(&syn::parse_str(rust)?).is_err(),
        "{rust} is not for C"
    );
    Ok(())
}

fn c_is_read() -> Result<(), Failed> {
    let header = "#ifndef A\nextern \"C\" {\n/* int gort_a(void); */\nint gort_b(int a,\n    \
        void (*f)(void *));\ntypedef struct gort_c gort_c;\nint main_main(void);\n}\n#endif\n";
    let found: Vec<String> = functions(&code(header)).into_iter().collect();
    ensure!(
        found == ["int gort_b(int a, void (*f)(void *))"],
        "found {found:?}"
    );
    Ok(())
}
