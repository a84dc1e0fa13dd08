//! Stores received requests as files, which the other commands can read.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::PathBuf;
use std::time::SystemTime;

use serde_json::{Value, json};

use crate::reading::list;

/// How large one file may become.
const FILE_BYTES: u64 = 64 << 20;

/// Longer lines are divided into one for each span, since readers have a bound.
const LINE_BYTES: usize = 16 << 20;

/// What the names of the files begin and end with. No other file is touched.
const PREFIX: &str = "agentspan-";
const SUFFIX: &str = ".jsonl";

/// A directory of files, of which the oldest go first. Nothing is written elsewhere.
#[derive(Debug)]
pub(crate) struct Archive {
    directory: PathBuf,
    /// How many bytes all files may have.
    limit: u64,
    current: Option<(File, u64)>,
    /// When it was opened, in milliseconds since the Unix epoch.
    opened: u128,
    number: u64,
}

impl Archive {
    /// Makes the directory, if it is not there.
    ///
    /// # Errors
    ///
    /// The system refuses.
    pub(crate) fn open(directory: PathBuf, limit: u64) -> io::Result<Self> {
        fs::create_dir_all(&directory)?;
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        Ok(Self {
            directory,
            limit,
            current: None,
            opened: now.map_or(0, |now| now.as_millis()),
            number: 0,
        })
    }

    /// Keeps a request.
    pub(crate) fn keep(&mut self, body: &Value) -> io::Result<()> {
        let line = body.to_string();
        if line.len() <= LINE_BYTES {
            return self.line(&line);
        }
        for resource in list(body, "resourceSpans") {
            for scope in list(resource, "scopeSpans") {
                for span in list(scope, "spans") {
                    let scope = json!({"scope": scope.get("scope"), "spans": [span]});
                    let of_resource = resource.get("resource");
                    let one = json!({"resource": of_resource, "scopeSpans": [scope]});
                    self.line(&json!({"resourceSpans": [one]}).to_string())?;
                }
            }
        }
        Ok(())
    }

    /// Keeps one line, which has no line break.
    pub(crate) fn line(&mut self, line: &str) -> io::Result<()> {
        let bytes = line.len() as u64 + 1;
        if self
            .current
            .as_ref()
            .is_some_and(|(_, written)| written + bytes > FILE_BYTES)
        {
            self.current = None;
        }
        let (file, written) = match &mut self.current {
            Some(current) => current,
            None => {
                self.make_room()?;
                let file = self.next()?;
                self.current.insert((file, 0))
            }
        };
        // In one piece, so that a reader sees whole lines.
        file.write_all(format!("{line}\n").as_bytes())?;
        *written += bytes;
        Ok(())
    }

    /// A new file, which nobody else can read.
    fn next(&mut self) -> io::Result<File> {
        self.number += 1;
        let (opened, number) = (self.opened, self.number);
        let name = format!("{PREFIX}{opened:015}-{number:06}{SUFFIX}");
        let mut options = OpenOptions::new();
        options.append(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(self.directory.join(name))
    }

    /// Removes the oldest files until there is room for another one.
    fn make_room(&self) -> io::Result<()> {
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.directory)? {
            let entry = entry?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if name.starts_with(PREFIX) && name.ends_with(SUFFIX) {
                files.push((name.into_owned(), entry.path(), entry.metadata()?.len()));
            }
        }
        files.sort();
        let mut bytes: u64 = files.iter().map(|(_, _, bytes)| bytes).sum();
        for (_, path, size) in files {
            if bytes.saturating_add(FILE_BYTES) <= self.limit.max(FILE_BYTES) {
                break;
            }
            fs::remove_file(path)?;
            bytes = bytes.saturating_sub(size);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Archive, FILE_BYTES};

    #[test]
    fn t28_the_oldest_files_go_first_and_no_others() {
        let name = format!("agentspan-archive-{}", std::process::id());
        let directory = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&directory).unwrap();
        std::fs::write(directory.join("notes.jsonl"), "mine").unwrap();
        let old = |number: u32| directory.join(format!("agentspan-{:015}-{number:06}.jsonl", 1));
        for number in 1..=3 {
            let file = std::fs::File::create(old(number)).unwrap();
            // Without its bytes on the disk.
            file.set_len(FILE_BYTES).unwrap();
        }
        let mut archive = Archive::open(directory.clone(), 3 * FILE_BYTES).unwrap();
        archive.line("{}").unwrap();
        let there: Vec<bool> = (1..=3).map(|number| old(number).exists()).collect();
        assert_eq!(there, [false, true, true]);
        assert!(directory.join("notes.jsonl").exists());
        std::fs::remove_dir_all(directory).unwrap();
    }
}
