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

/// The beginning and the end of the names of the files. No other file is touched.
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
        let mut kept = Ok(());
        for resource in list(body, "resourceSpans") {
            for scope in list(resource, "scopeSpans") {
                for span in list(scope, "spans") {
                    let scope = json!({"scope": scope.get("scope"), "spans": [span]});
                    let of_resource = resource.get("resource");
                    let one = json!({"resource": of_resource, "scopeSpans": [scope]});
                    // All are tried, whatever becomes of one of them.
                    kept = kept.and(self.line(&json!({"resourceSpans": [one]}).to_string()));
                }
            }
        }
        kept
    }

    /// Keeps one line, which has no line break. One that no reader takes is refused.
    fn line(&mut self, line: &str) -> io::Result<()> {
        let bytes = line.len() as u64 + 1;
        if bytes > FILE_BYTES {
            return Err(io::Error::other("a span is larger than a file may be"));
        }
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
        let result = file.write_all(format!("{line}\n").as_bytes());
        match result {
            Ok(()) => *written += bytes,
            // Half a line, as of a full disk, would spoil the next one, too.
            Err(_) if file.set_len(*written).is_ok() => {}
            Err(_) => self.current = None,
        }
        result
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
            let is_ours = name.starts_with(PREFIX) && name.ends_with(SUFFIX);
            if is_ours && entry.file_type()?.is_file() {
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
    use serde_json::json;

    use super::{Archive, FILE_BYTES};

    fn directory(test: &str) -> std::path::PathBuf {
        let name = format!("agentspan-{test}-{}", std::process::id());
        std::env::temp_dir().join(name)
    }

    #[test]
    fn a_span_that_no_reader_takes_is_refused_and_costs_no_other() {
        let directory = directory("long");
        let mut archive = Archive::open(directory.clone(), FILE_BYTES).unwrap();
        let long = "x".repeat(usize::try_from(FILE_BYTES).unwrap());
        let spans = [long.as_str(), "kept"].map(|name| json!({"name": name}));
        let body = json!({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]});
        let error = archive.keep(&body).unwrap_err();
        assert_eq!(error.to_string(), "a span is larger than a file may be");
        let files: Vec<_> = std::fs::read_dir(&directory).unwrap().collect();
        let [Ok(file)] = &files[..] else {
            panic!("{files:?}")
        };
        let text = std::fs::read_to_string(file.path()).unwrap();
        assert!(text.contains("kept") && text.ends_with("\n") && text.len() < 1_000);
        std::fs::remove_dir_all(directory).unwrap();
    }

    #[test]
    fn a_file_that_cannot_be_written_is_left_for_the_next() {
        let directory = directory("full");
        let mut archive = Archive::open(directory.clone(), FILE_BYTES).unwrap();
        // Nothing can be written to it, and it cannot be cut.
        let lost = std::fs::File::open("/dev/null").unwrap();
        archive.current = Some((lost, 0));
        assert!(archive.line("{}").is_err());
        archive.line("{}").unwrap();
        assert_eq!(std::fs::read_dir(&directory).unwrap().count(), 1);
        std::fs::remove_dir_all(directory).unwrap();
    }

    #[test]
    fn t28_the_oldest_files_go_first_and_no_others() {
        let directory = directory("archive");
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
