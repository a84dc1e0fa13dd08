//! Reads files of spans, once or while they grow.

use std::error::Error;
use std::fs::{File, Metadata};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use agentspan_model::agentspec::{ProblemKind, ReadError, Recording};

use super::{Ingest, IngestError};
use crate::command_error::Unread;
use crate::judging::{Found, RequestJudge};
use crate::place::Place;
use crate::shown::{counted, shown, shown_path};
use crate::store::Store;

/// How long a line may be.
const MAX_LINE_BYTES: usize = 64 << 20;

/// How much is read at a time.
const CHUNK_BYTES: usize = 1 << 20;

/// How many problems of one file are told one by one.
const MAX_PROBLEMS: usize = 20;

/// A line of a file that cannot be read, and why.
#[derive(Debug)]
pub(crate) struct Problem {
    pub(crate) place: Place,
    pub(crate) what: String,
}

/// Files, and how far they are read.
#[derive(Debug)]
pub(crate) struct Files {
    /// Files and directories, as they were named.
    named: Vec<PathBuf>,
    files: Vec<Followed>,
    ingest: Ingest,
    problems: Vec<Problem>,
    untold: usize,
    /// The last lines that were cut off while they were written.
    cut_off: Vec<Place>,
}

#[derive(Debug)]
struct Followed {
    path: Arc<Path>,
    /// Which file it was, where the system tells.
    identity: Option<(u64, u64)>,
    /// It was not there at the last look. The next file there may have the same identity.
    is_gone: bool,
    offset: u64,
    line: usize,
    /// The bytes after the last line break.
    rest: Vec<u8>,
    /// The first line was no JSON by itself: the file is one text.
    is_one_text: bool,
    is_skipping: bool,
    /// The last line was taken before its line break came.
    is_ahead: bool,
}

impl Followed {
    fn new(path: Arc<Path>) -> Self {
        Self {
            path,
            identity: None,
            is_gone: false,
            offset: 0,
            line: 0,
            rest: Vec::new(),
            is_one_text: false,
            is_skipping: false,
            is_ahead: false,
        }
    }

    fn place(&self, line: usize) -> Place {
        Place {
            path: Arc::clone(&self.path),
            line,
        }
    }
}

impl Files {
    pub(crate) fn new(paths: impl IntoIterator<Item = PathBuf>) -> Self {
        let named: Vec<PathBuf> = paths.into_iter().collect();
        let files = named.iter().cloned().flat_map(files_of);
        let files = files.map(|path| Followed::new(path.into()));
        Self {
            files: files.collect(),
            named,
            ingest: Ingest::default(),
            problems: Vec::new(),
            untold: 0,
            cut_off: Vec::new(),
        }
    }

    /// Reads what has been written since the last time. Gives the number of spans.
    ///
    /// # Errors
    ///
    /// Some files cannot be read. All others were.
    pub(crate) fn read(&mut self, store: &mut Store) -> Result<usize, Unread> {
        let mut spans = 0;
        let mut files = std::mem::take(&mut self.files);
        let mut failed = Vec::new();
        for file in &mut files {
            match self.read_file(file, store) {
                Ok(count) => spans += count,
                Err(error) => failed.push((file.path.to_path_buf(), error)),
            }
        }
        self.files = files;
        self.ingest.flush(store);
        match failed.is_empty() {
            true => Ok(spans),
            false => Err(Unread(failed)),
        }
    }

    /// Reads the last lines, which no line break ends. Those that a writer has not completed are left
    /// out, as `JsonLines::read` does.
    pub(crate) fn finish(&mut self, store: &mut Store) -> usize {
        let mut spans = 0;
        let mut files = std::mem::take(&mut self.files);
        for file in &mut files {
            let rest = std::mem::take(&mut file.rest);
            file.line += 1;
            if std::mem::take(&mut file.is_skipping) {
                self.problem(
                    file,
                    format!("the line is longer than {MAX_LINE_BYTES} bytes"),
                );
            } else if !file.is_one_text && is_cut_off(file.line, &rest) {
                self.cut_off.push(file.place(file.line));
            } else {
                spans += self.take(file, &rest, store);
            }
        }
        self.files = files;
        self.ingest.flush(store);
        spans
    }

    /// Judges recordings of Agent Spec while they are read.
    pub(crate) fn with_judge(mut self) -> Self {
        self.ingest.judge();
        self
    }

    /// Judges requests while they are read.
    pub(crate) fn with_request_judge(mut self, judge: RequestJudge) -> Self {
        self.ingest.requests = Some(judge);
        self
    }

    /// Takes the findings in requests and recordings, and ends judging them.
    pub(crate) fn take_found(&mut self) -> Vec<Found> {
        self.ingest.take_found()
    }

    /// Says that there are no spans, and where none are.
    pub(crate) fn tell_emptiness(&self, errors: &mut dyn Write) -> io::Result<()> {
        let named = self.named.iter().map(|path| shown_path(path).to_string());
        let named = named.collect::<Vec<_>>().join(", ");
        match self.files.is_empty() {
            true => writeln!(
                errors,
                "no spans in {named}: found no files that end in .json or .jsonl"
            ),
            false => writeln!(errors, "no spans in {named}"),
        }
    }

    /// Says what could not be read since the last time, and counts it. The last line of a file that is being written
    /// does not count.
    pub(crate) fn tell_problems(&mut self, errors: &mut dyn Write) -> io::Result<usize> {
        let (problems, untold) = self.take_problems();
        for problem in &problems {
            let (path, line) = (shown_path(&problem.place.path), problem.place.line);
            writeln!(errors, "{path}:{line}: {}", shown(&problem.what))?;
        }
        for place in self.cut_off.drain(..) {
            let (path, line) = (shown_path(&place.path), place.line);
            writeln!(
                errors,
                "{path}:{line}: note: left out the last line, which is incomplete: its writer was stopped, or is still writing"
            )?;
        }
        if untold > 0 {
            writeln!(errors, "cannot read {}", counted(untold, "more line"))?;
        }
        Ok(problems.len() + untold)
    }

    /// Takes the problems since the last call, and the number of further ones.
    pub(crate) fn take_problems(&mut self) -> (Vec<Problem>, usize) {
        (
            std::mem::take(&mut self.problems),
            std::mem::take(&mut self.untold),
        )
    }

    fn read_file(&mut self, file: &mut Followed, store: &mut Store) -> io::Result<usize> {
        let found = regular(&file.path);
        file.is_gone |= found.is_err();
        let (length, identity) = found?;
        let has_changed = file.identity.is_some() && file.identity != identity;
        let is_other = file.is_gone || has_changed;
        if is_other || length < file.offset {
            // A new file has taken its place.
            if !file.rest.trim_ascii().is_empty() {
                file.line += 1;
                self.problem(
                    file,
                    "the file was replaced before this line was complete".to_owned(),
                );
            }
            *file = Followed::new(Arc::clone(&file.path));
        }
        file.identity = identity;
        file.is_gone = false;
        if length == file.offset {
            return Ok(0);
        }
        let opened = File::open(&file.path);
        let is_gone = |error: &io::Error| error.kind() == io::ErrorKind::NotFound;
        file.is_gone = opened.as_ref().err().is_some_and(is_gone);
        let mut input = opened?;
        input.seek(SeekFrom::Start(file.offset))?;
        let mut spans = 0;
        let mut chunk = vec![0; CHUNK_BYTES];
        loop {
            let read = input.read(&mut chunk)?;
            if read == 0 {
                return Ok(spans + self.whole_rest(file, store));
            }
            file.offset += read as u64;
            file.rest
                .extend_from_slice(chunk.get(..read).unwrap_or_default());
            spans += self.lines(file, store);
        }
    }

    /// Takes what comes after the last line break, if it is a whole JSON text. Many files end without a line break.
    fn whole_rest(&mut self, file: &mut Followed, store: &mut Store) -> usize {
        let is_whole = serde_json::from_slice::<serde::de::IgnoredAny>(&file.rest).is_ok();
        if !is_whole {
            return 0;
        }
        let rest = std::mem::take(&mut file.rest);
        file.line += 1;
        file.is_ahead = !file.is_one_text;
        self.take(file, &rest, store)
    }

    /// Takes the whole lines.
    fn lines(&mut self, file: &mut Followed, store: &mut Store) -> usize {
        let mut spans = 0;
        let text = std::mem::take(&mut file.rest);
        let mut rest = text.as_slice();
        while !file.is_one_text {
            let Some(end) = rest.iter().position(|byte| *byte == b'\n') else {
                break;
            };
            let (line, after) = rest.split_at(end);
            let is_ended = std::mem::take(&mut file.is_ahead) && line.trim_ascii().is_empty();
            file.line += usize::from(!is_ended);
            if std::mem::take(&mut file.is_skipping) {
                self.problem(
                    file,
                    format!("the line is longer than {MAX_LINE_BYTES} bytes"),
                );
            } else if file.line == 1 && opens_more(line) {
                file.is_one_text = true;
                file.line = 0;
                break;
            } else {
                spans += self.take(file, line, store);
            }
            rest = after.get(1..).unwrap_or_default();
        }
        file.rest = rest.to_vec();
        if file.is_skipping || file.rest.len() > MAX_LINE_BYTES {
            file.rest.clear();
            file.is_skipping = true;
        }
        spans
    }

    fn take(&mut self, file: &Followed, line: &[u8], store: &mut Store) -> usize {
        let line = line.strip_prefix("\u{feff}".as_bytes()).unwrap_or(line);
        if line.trim_ascii().is_empty() {
            return 0;
        }
        let text = match std::str::from_utf8(line) {
            Ok(text) => text,
            Err(error) => {
                self.problem(file, no_text(file.line, line, error.valid_up_to()));
                return 0;
            }
        };
        let place = file.place(file.line);
        match self.ingest.text(text, Some(&place), store) {
            Ok(count) => count,
            Err(IngestError::NotJson(error)) => {
                let what = no_json(text, &error);
                self.problem_at(file, file.line + error.line().saturating_sub(1), what);
                0
            }
            Err(IngestError::Hook(error)) if error.is_syntax() => {
                let (line, what) = no_hook(&error);
                self.problem_at(file, file.line + line.saturating_sub(1), what);
                0
            }
            Err(error) => {
                let cause = error.source().map(|cause| format!(": {cause}"));
                self.problem(file, format!("{error}{}", cause.unwrap_or_default()));
                0
            }
        }
    }

    fn problem(&mut self, file: &Followed, what: String) {
        self.problem_at(file, file.line, what);
    }

    fn problem_at(&mut self, file: &Followed, line: usize, what: String) {
        if self.problems.len() >= MAX_PROBLEMS {
            self.untold += 1;
            return;
        }
        let place = file.place(line);
        self.problems.push(Problem { place, what });
    }
}

/// Why a line is no text, and what helps.
fn no_text(number: usize, line: &[u8], valid: usize) -> String {
    match line {
        [0x1f, 0x8b, ..] if number == 1 => {
            "the file is compressed with gzip; decompress it with gzip -d first".to_owned()
        }
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] if number == 1 => {
            "the file is UTF-16; save it as UTF-8".to_owned()
        }
        _ => format!("invalid UTF-8 at byte {}", valid + 1),
    }
}

/// Whether the last line of a file was cut off while it was written. A file of one line that is not of a recording may
/// be something else.
fn is_cut_off(number: usize, line: &[u8]) -> bool {
    let mut recording = Recording::new(line);
    let is_of_several = number > 1 || String::from_utf8_lossy(line).contains("\"hook\"");
    is_of_several && recording.next().is_none() && recording.cut_off_line().is_some()
}

/// The line of a text at which a line of a recording is no JSON, and why.
fn no_hook(error: &ReadError) -> (usize, String) {
    let mut problems = error.problems().iter();
    let place = problems.find_map(|problem| match problem.kind {
        ProblemKind::Syntax { line, column } => Some((line, column)),
        _ => None,
    });
    match place {
        Some((line, column)) => {
            let what =
                format!("invalid line of an Agent Spec recording: not JSON at column {column}");
            (line, what)
        }
        None => (
            1,
            format!("invalid line of an Agent Spec recording: {error}"),
        ),
    }
}

/// Why a text is no JSON, and what helps.
fn no_json(text: &str, error: &serde_json::Error) -> String {
    let (line, column) = (error.line(), error.column());
    let what = error.to_string();
    let what = what
        .strip_suffix(&format!(" at line {line} column {column}"))
        .unwrap_or(&what);
    if what.starts_with("recursion limit exceeded") {
        return format!("JSON that is nested too deeply, at column {column}");
    }
    let is_binary = text
        .bytes()
        .take(16)
        .any(|byte| byte < b' ' && !byte.is_ascii_whitespace());
    let help = match () {
        () if is_binary => "; the file is binary: send protobuf to `agentspan serve` instead",
        () if error.is_eof() => {
            "; the text is incomplete: its writer was stopped, or is still writing"
        }
        () => "",
    };
    format!("not JSON: {what} at column {column}{help}")
}

/// How long a file is, and which one. To open a pipe that has a name would wait for somebody who writes to it.
fn regular(path: &Path) -> io::Result<(u64, Option<(u64, u64)>)> {
    let file = std::fs::metadata(path)?;
    if file.is_dir() {
        // One whose entries can be read has been replaced by its files.
        let unread = std::fs::read_dir(path).err();
        return Err(unread.unwrap_or_else(|| io::ErrorKind::IsADirectory.into()));
    }
    match file.is_file() {
        true => Ok((file.len(), identity(&file))),
        false => Err(io::Error::other("not a regular file")),
    }
}

#[cfg(unix)]
fn identity(file: &Metadata) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;

    Some((file.dev(), file.ino()))
}

#[cfg(not(unix))]
fn identity(_: &Metadata) -> Option<(u64, u64)> {
    None
}

/// The files of a directory that hold JSON, in the order of their names; or the file itself.
fn files_of(path: PathBuf) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(&path);
    let paths = entries.and_then(|entries| {
        let paths = entries.map(|entry| Ok(entry?.path()));
        paths.collect::<io::Result<Vec<PathBuf>>>()
    });
    // A path that is not a readable directory is reported when it is opened.
    let Ok(paths) = paths else {
        return vec![path];
    };
    let is_json = |path: &PathBuf| {
        let extension = path.extension();
        let is_named = extension.is_some_and(|name| name == "jsonl" || name == "json");
        // Directories and pipes hold nothing. A link to nowhere is told when it is read.
        is_named && std::fs::metadata(path).map_or(true, |file| file.is_file())
    };
    let mut paths: Vec<PathBuf> = paths.into_iter().filter(is_json).collect();
    paths.sort();
    paths
}

/// Whether a first line only begins a JSON text, as one that is written for people does.
fn opens_more(line: &[u8]) -> bool {
    let error = serde_json::from_slice::<serde::de::IgnoredAny>(line).err();
    error.is_some_and(|error| error.is_eof()) && !line.trim_ascii().is_empty()
}
