//! `cargo xtask api`: the public API of each published crate, as a text that is reviewed like code.
//!
//! It comes from the JSON that rustdoc writes. Rustdoc offers that to nightly compilers only, so this
//! program stands in for rustdoc and permits it. Cargo and the compiler do not notice, and nothing
//! that other chores have built is built again.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use crate::error::XtaskError;
use crate::workspace::{Package, Workspace, cargo};

/// Set when cargo runs this program as rustdoc.
const AS_RUSTDOC: &str = "AGENTSPAN_XTASK_AS_RUSTDOC";

/// Where the texts are, a file for each crate.
const DIRECTORY: &str = "docs/api";

/// The crates whose items a signature may name without being foreign.
const OWN: [&str; 4] = ["agentspan", "alloc", "core", "std"];

/// Runs rustdoc with the arguments of this program, if cargo asked for that.
#[expect(
    clippy::disallowed_methods,
    reason = "no setting: this program says it to itself"
)]
pub(crate) fn as_rustdoc() -> Option<ExitCode> {
    env::var_os(AS_RUSTDOC)?;
    let rustdoc = Command::new("rustdoc")
        .args(env::args_os().skip(1))
        .env_remove(AS_RUSTDOC)
        .env("RUSTC_BOOTSTRAP", "1")
        .status();
    match rustdoc {
        Ok(status) if status.success() => Some(ExitCode::SUCCESS),
        Ok(_) => Some(ExitCode::FAILURE),
        Err(error) => {
            eprintln!("xtask: cannot start rustdoc: {error}");
            Some(ExitCode::FAILURE)
        }
    }
}

/// Writes the texts; the difference is then reviewed like code.
pub(crate) fn update(workspace: &Workspace) -> Result<(), XtaskError> {
    let directory = workspace.root().join(DIRECTORY);
    fs::create_dir_all(&directory).map_err(|source| file_error(&directory, source))?;
    for (path, text) in texts(workspace)? {
        fs::write(&path, text).map_err(|source| file_error(&path, source))?;
    }
    Ok(())
}

/// Says how the API differs from the texts, and leaves them as they are.
pub(crate) fn check(workspace: &Workspace) -> Result<(), XtaskError> {
    let mut differing = Vec::new();
    let texts = texts(workspace)?;
    for (path, text) in &texts {
        let known = fs::read_to_string(path).unwrap_or_default();
        let changes = changes(&known, text);
        if !changes.is_empty() {
            println!("{}:\n{changes}", path.display());
            differing.push(path.display().to_string());
        }
    }
    let directory = workspace.root().join(DIRECTORY);
    let entries = fs::read_dir(&directory).map_err(|source| file_error(&directory, source))?;
    for entry in entries {
        let path = entry
            .map_err(|source| file_error(&directory, source))?
            .path();
        if !texts.contains_key(&path) {
            differing.push(path.display().to_string());
        }
    }
    println!("{} crates, {} differ", texts.len(), differing.len());
    match differing.is_empty() {
        true => Ok(()),
        false => Err(XtaskError::Api { files: differing }),
    }
}

/// The text of each published crate, and where it belongs.
fn texts(workspace: &Workspace) -> Result<BTreeMap<PathBuf, String>, XtaskError> {
    let packages = || workspace.packages().iter().filter(|p| p.is_published());
    let this_program =
        env::current_exe().map_err(|source| file_error(Path::new("xtask"), source))?;
    cargo(workspace)
        .args([
            "doc",
            "--quiet",
            "--locked",
            "--no-deps",
            "--lib",
            "--all-features",
        ])
        .args(packages().flat_map(|package| ["--package", &package.name]))
        .env("RUSTDOC", this_program)
        .env("RUSTDOCFLAGS", "-Z unstable-options --output-format json")
        .env(AS_RUSTDOC, "1")
        .run()?;
    packages()
        .map(|package| {
            let path = workspace.root().join(DIRECTORY).join(&package.name);
            Ok((path.with_extension("txt"), text(workspace, package)?))
        })
        .collect()
}

fn text(workspace: &Workspace, package: &Package) -> Result<String, XtaskError> {
    let name = package.name.replace('-', "_");
    let json = workspace.target_directory().join("doc").join(&name);
    let json = json.with_extension("json");
    let api = public_api::Builder::from_rustdoc_json(&json)
        .omit_blanket_impls(true)
        .omit_auto_trait_impls(true)
        .omit_auto_derived_impls(true)
        .build()
        .map_err(|source| XtaskError::Output {
            command: format!("rustdoc for {}", package.name),
            source: source.into(),
        })?;
    let items: Vec<String> = api.items().map(ToString::to_string).collect();
    let foreign: BTreeSet<&str> = items.iter().flat_map(|item| foreign_types(item)).collect();
    let names = items.iter().filter(|item| is_at_root(item, &name)).count();
    let mut text = format!(
        "# The public API of {}, all features. `cargo xtask api` writes this file.\n\
         # Names at the root: {names}\n",
        package.name
    );
    for path in foreign {
        // Writing to a `String` cannot fail.
        let _ = writeln!(text, "# foreign: {path}");
    }
    for item in &items {
        text.push_str(item);
        text.push('\n');
    }
    Ok(text)
}

/// The paths in an item that begin with the name of a crate that is neither ours nor the language's.
fn foreign_types(item: &str) -> impl Iterator<Item = &str> {
    let is_of_path = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    item.split(move |c| !is_of_path(c)).filter(|path| {
        let mut parts = path.split("::");
        let (root, name) = (parts.next().unwrap_or_default(), parts.last());
        let is_ours = OWN.contains(&root) || root.starts_with("agentspan_");
        let is_type = name.is_some_and(|name| name.starts_with(char::is_uppercase));
        let is_private = path.contains("::__private::");
        is_type && root.starts_with(char::is_lowercase) && !is_ours && !is_private
    })
}

/// Whether an item is the declaration of a name in the crate's root.
fn is_at_root(item: &str, name: &str) -> bool {
    const KINDS: [&str; 9] = [
        "const", "enum", "fn", "macro", "mod", "struct", "trait", "type", "use",
    ];
    let mut words = item.split(' ').skip_while(|word| *word != "pub").skip(1);
    let Some(kind) = words.find(|word| !matches!(*word, "async" | "unsafe" | "proc")) else {
        return false;
    };
    // A constant function is a function, and a constant has its name behind the word.
    let declared = words.find(|word| !matches!(*word, "fn" | "async"));
    let path = declared.unwrap_or_default();
    let rest = path
        .strip_prefix(name)
        .and_then(|rest| rest.strip_prefix("::"));
    let Some(rest) = rest else { return false };
    let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_'));
    // Behind a type, a colon leads to something that belongs to it. No function begins with a capital.
    let is_within = end.is_some_and(|end| rest[end..].starts_with("::"))
        || (kind != "use" && item.contains("fn ") && rest.starts_with(char::is_uppercase));
    KINDS.contains(&kind) && !is_within
}

/// The lines that only one of two texts has.
fn changes(known: &str, now: &str) -> String {
    let of = |text: &'_ str| text.lines().map(str::to_owned).collect::<BTreeSet<_>>();
    let (known, now) = (of(known), of(now));
    let gone = known.difference(&now).map(|line| format!("-{line}\n"));
    let new = now.difference(&known).map(|line| format!("+{line}\n"));
    gone.chain(new).collect()
}

fn file_error(path: &Path, source: std::io::Error) -> XtaskError {
    XtaskError::File {
        path: path.to_path_buf(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_of_other_crates_are_foreign() {
        let item = "pub fn agentspan_model::Id::to_uuid(&self) -> core::option::Option<uuid::Uuid>";
        assert!(foreign_types(item).eq(["uuid::Uuid"]));
        // What belongs to a parameter is no type of another crate.
        assert_eq!(
            foreign_types("pub fn a_b::f<S: T>(S) where S::Ok: Send").count(),
            0
        );
        assert_eq!(
            foreign_types("impl agentspan::A for alloc::vec::Vec<u8>").count(),
            0
        );
        assert_eq!(foreign_types("pub fn bool::into_text(self)").count(), 0);
    }

    #[test]
    fn declarations_of_the_root_are_its_names() {
        let is_name = |item| is_at_root(item, "a");
        assert!(is_name("pub struct a::B"));
        assert!(is_name("pub struct a::B<'t>(_)"));
        assert!(is_name("#[non_exhaustive] pub enum a::B"));
        assert!(is_name("pub const fn a::b(u8) -> a::c::D"));
        assert!(is_name("pub const a::B: u8"));
        assert!(is_name("pub use a::b"));
        assert!(!is_name("pub mod a"));
        assert!(!is_name("pub fn a::B::new(&self) -> a::B"));
        assert!(!is_name("pub fn a::B<'t, T>::new(T) -> a::B<'t, T>"));
        assert!(!is_name("pub const fn a::B<T>::get(&self) -> &T"));
        assert!(!is_name("pub a::B::Variant"));
        assert!(!is_name("impl a::B"));
    }

    #[test]
    fn new_and_missing_lines_are_changes() {
        assert_eq!(changes("a\nb\n", "b\nc\n"), "-a\n+c\n");
        assert_eq!(changes("a\nb\n", "a\nb\n"), "");
    }
}
