//! The files of the project: those that git tracks, and those that it does not ignore.

use std::fs;

use super::Finding;
use super::source::Source;
use crate::command::Program;
use crate::error::XtaskError;
use crate::workspace::Workspace;

/// The text files of the project, the Rust sources among them also as tokens.
#[derive(Debug)]
pub(super) struct Tree {
    texts: Vec<(String, String)>,
    sources: Vec<Source>,
}

impl Tree {
    /// Reads the files that git lists, and finds those that pretend to be Rust.
    ///
    /// Files that are not UTF-8 are not text and are left out.
    pub(super) fn read(workspace: &Workspace) -> Result<(Self, Vec<Finding>), XtaskError> {
        let listing = Program::new(
            "git",
            workspace.root(),
            "install git from https://git-scm.com",
        )
        .args([
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ])
        .read()?;
        let mut tree = Self {
            texts: Vec::new(),
            sources: Vec::new(),
        };
        let mut findings = Vec::new();
        for path in listing.split('\0').filter(|path| !path.is_empty()) {
            let full_path = workspace.root().join(path);
            if !full_path.is_file() {
                continue;
            }
            let bytes = fs::read(&full_path).map_err(|source| XtaskError::File {
                path: full_path,
                source,
            })?;
            if let Ok(text) = String::from_utf8(bytes) {
                findings.extend(tree.add(path, text));
            }
        }
        Ok((tree, findings))
    }

    fn add(&mut self, path: &str, text: String) -> Option<Finding> {
        let source = path.ends_with(".rs").then(|| Source::parse(path, &text));
        self.texts.push((path.to_owned(), text));
        match source? {
            Ok(source) => {
                self.sources.push(source);
                None
            }
            Err(finding) => Some(finding),
        }
    }

    /// The Rust sources.
    pub(super) fn sources(&self) -> &[Source] {
        &self.sources
    }

    /// Every text file: its path from the root, with `/` between its parts, and its text.
    pub(super) fn texts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.texts
            .iter()
            .map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// The text of one file.
    pub(super) fn text(&self, path: &str) -> Option<&str> {
        self.texts()
            .find(|(candidate, _)| *candidate == path)
            .map(|(_, text)| text)
    }
}
