//! `cargo xtask golden`: the files in `tests/golden/` that fix a wire format, and the pages that print data.
//!
//! The tests compare with these files; under `UPDATE_GOLDEN=1` they rewrite them instead.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::error::XtaskError;
use crate::workspace::{Package, Workspace, cargo};

type Contents = BTreeMap<PathBuf, Vec<u8>>;

/// The directory of pages, some of which print data.
const PAGES: &str = "docs";

/// Rewrites the golden files; the difference is then reviewed like code.
///
/// Tests that compare with them have `golden` in their path. A file that was recorded from a reference
/// package stays as it is: its test does not look at the variable.
pub(crate) fn update(workspace: &Workspace) -> Result<(), XtaskError> {
    cargo(workspace)
        .args(["test", "--quiet", "--workspace", "--locked", "--test", "it"])
        .args(["golden"])
        .env("UPDATE_GOLDEN", "1")
        .run()
}

/// Says which golden files would change, and leaves them as they were.
pub(crate) fn check(workspace: &Workspace) -> Result<(), XtaskError> {
    let before = read_all(workspace)?;
    let updated = update(workspace);
    let after = read_all(workspace)?;
    let files = differing(&before, &after);
    for path in &files {
        restore(path, before.get(path))?;
    }
    updated?;
    println!("{} golden files, {} differ", before.len(), files.len());
    if files.is_empty() {
        return Ok(());
    }
    Err(XtaskError::Golden {
        files: files
            .iter()
            .map(|path| path.display().to_string())
            .collect(),
    })
}

fn directory(workspace: &Workspace, package: &Package) -> PathBuf {
    workspace
        .root()
        .join("crates")
        .join(&package.name)
        .join("tests/golden")
}

fn read_all(workspace: &Workspace) -> Result<Contents, XtaskError> {
    let mut contents = Contents::new();
    for package in workspace.packages() {
        let directory = directory(workspace, package);
        if directory.is_dir() {
            read_directory(&directory, &mut contents)?;
        }
    }
    read_directory(&workspace.root().join(PAGES), &mut contents)?;
    Ok(contents)
}

fn read_directory(directory: &Path, contents: &mut Contents) -> Result<(), XtaskError> {
    for entry in fs::read_dir(directory).map_err(|source| file_error(directory, source))? {
        let path = entry
            .map_err(|source| file_error(directory, source))?
            .path();
        if path.is_dir() {
            read_directory(&path, contents)?;
        } else {
            let bytes = fs::read(&path).map_err(|source| file_error(&path, source))?;
            contents.insert(path, bytes);
        }
    }
    Ok(())
}

/// The files that are not the same in both, the new and the missing ones too.
fn differing(before: &Contents, after: &Contents) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = before
        .iter()
        .filter(|(path, bytes)| after.get(*path) != Some(bytes))
        .map(|(path, _)| path.clone())
        .collect();
    files.extend(
        after
            .keys()
            .filter(|path| !before.contains_key(*path))
            .cloned(),
    );
    files
}

fn restore(path: &Path, bytes: Option<&Vec<u8>>) -> Result<(), XtaskError> {
    match bytes {
        Some(bytes) => fs::write(path, bytes),
        None => fs::remove_file(path),
    }
    .map_err(|source| file_error(path, source))
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

    fn contents(files: &[(&str, &str)]) -> Contents {
        files
            .iter()
            .map(|(path, text)| (PathBuf::from(path), text.as_bytes().to_vec()))
            .collect()
    }

    #[test]
    fn changed_new_and_missing_files_differ() {
        let before = contents(&[("same", "1"), ("changed", "1"), ("missing", "1")]);
        let after = contents(&[("same", "1"), ("changed", "2"), ("new", "1")]);
        let files = differing(&before, &after);
        assert_eq!(files, ["changed", "missing", "new"].map(PathBuf::from));
    }
}
