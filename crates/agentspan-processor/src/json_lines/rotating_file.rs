//! A file with rotation.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::Rotation;

/// A file of lines. When it is full, it is renamed, and a new file is started: see [`Rotation`]. On
/// Unix, the new file has the mode of the full one.
///
/// [`JsonLines`](super::JsonLines) writes to one. It is public for other writers of lines. A file
/// should have only one writer at a time.
///
/// ```
/// use agentspan_processor::json_lines::{Rotation, RotatingFile};
///
/// # fn main() -> std::io::Result<()> {
/// # let directory = std::env::temp_dir().join(format!("agentspan-lines-{}", std::process::id()));
/// # std::fs::create_dir_all(&directory)?;
/// # let path = directory.join("lines.txt");
/// let mut file = RotatingFile::append(&path, Some(Rotation::at_bytes(8, 1)))?;
/// file.write_lines(b"one\ntwo\n")?;
/// file.write_lines(b"three\n")?;
/// assert_eq!(std::fs::read_to_string(&path)?, "three\n");
/// # std::fs::remove_dir_all(&directory)?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct RotatingFile {
    path: PathBuf,
    file: File,
    bytes: u64,
    rotation: Option<Rotation>,
    /// A part of a line that could not be written whole is at the end, and could not be taken back.
    is_torn: bool,
}

impl RotatingFile {
    pub(super) fn create(path: PathBuf, rotation: Option<Rotation>) -> io::Result<Self> {
        let file = File::create(&path)?;
        Ok(Self {
            path,
            file,
            bytes: 0,
            rotation,
            is_torn: false,
        })
    }

    /// Opens a file for appending, or creates it. If the last line has no line break, one is added.
    /// Without rotation, the file grows without limit.
    ///
    /// # Errors
    ///
    /// The file can be neither opened nor created.
    pub fn append(path: impl Into<PathBuf>, rotation: Option<Rotation>) -> io::Result<Self> {
        let path = path.into();
        let mut file = OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .open(&path)?;
        let bytes = file.seek(SeekFrom::End(0))?;
        let mut last = *b"\n";
        if bytes > 0 {
            file.seek(SeekFrom::End(-1))?;
            file.read_exact(&mut last)?;
        }
        Ok(Self {
            path,
            file,
            bytes,
            rotation,
            is_torn: last != *b"\n",
        })
    }

    /// Writes one or more whole lines to the same file: the current file, or a new file if the
    /// current file has no room.
    ///
    /// # Errors
    ///
    /// The lines cannot be written, or the files cannot be renamed. None of the lines is in the
    /// file then, if the written part can be removed; otherwise, that part remains as an incomplete
    /// line.
    pub fn write_lines(&mut self, lines: &[u8]) -> io::Result<()> {
        // First, or the torn line would swallow the first one of the next file for who reads them all.
        if self.is_torn {
            self.write_or_take_back(b"\n")?;
            self.is_torn = false;
        }
        let length = lines.len() as u64;
        if let Some(rotation) = self.rotation {
            if self.bytes > 0 && self.bytes.saturating_add(length) > rotation.max_bytes {
                self.rotate(rotation)?;
            }
        }
        self.write_or_take_back(lines)
    }

    fn write_or_take_back(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut written = 0;
        let result = loop {
            match bytes.get(written..) {
                None | Some([]) => break Ok(()),
                Some(rest) => match self.file.write(rest) {
                    Ok(0) => break Err(io::ErrorKind::WriteZero.into()),
                    Ok(count) => written += count,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => break Err(error),
                },
            }
        };
        if result.is_err() && written > 0 && self.take_back(written as u64).is_ok() {
            return result;
        }
        self.is_torn |= result.is_err() && written > 0;
        self.bytes = self.bytes.saturating_add(written as u64);
        result
    }

    /// Cuts off what was just written, unless somebody else has written, too.
    fn take_back(&mut self, written: u64) -> io::Result<()> {
        if self.file.metadata()?.len() != self.bytes.saturating_add(written) {
            return Err(io::ErrorKind::InvalidData.into());
        }
        self.file.set_len(self.bytes)?;
        self.file.seek(SeekFrom::Start(self.bytes))?;
        Ok(())
    }

    /// Renames the files, the oldest first, and begins a new one. That is made first, so that nothing is
    /// renamed if it cannot be made.
    fn rotate(&mut self, rotation: Rotation) -> io::Result<()> {
        self.file.flush()?;
        let mut unfinished = self.path.clone().into_os_string();
        unfinished.push(".new");
        let next = create_like(&self.file, Path::new(&unfinished))?;
        let renamed = self.put_aside(rotation);
        if let Err(error) = renamed.and_then(|()| fs::rename(&unfinished, &self.path)) {
            // A remaining file is empty, and used the next time.
            let _ = fs::remove_file(&unfinished);
            return Err(error);
        }
        self.file = next;
        self.bytes = 0;
        self.is_torn = false;
        Ok(())
    }

    fn put_aside(&self, rotation: Rotation) -> io::Result<()> {
        // Those before the first gap: a file that moves into it makes room for all the others.
        let full = (1..rotation.kept_files)
            .take_while(|number| is_there(&numbered(&self.path, *number)))
            .count();
        for number in (1..=full).rev() {
            rename_if_there(
                &numbered(&self.path, number),
                &numbered(&self.path, number + 1),
            )?;
        }
        if rotation.kept_files > 0 {
            rename_if_there(&self.path, &numbered(&self.path, 1))?;
        }
        Ok(())
    }
}

/// Makes a new file that is as open to others as this one. What is in its place is removed, not followed.
fn create_like(old: &File, path: &Path) -> io::Result<File> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};

        let permissions = old.metadata()?.permissions();
        // At once, so that nobody can open it before.
        let file = options.mode(permissions.mode() & 0o777).open(path)?;
        // The umask of the process may have taken away what the old file allows.
        if file.metadata()?.permissions() != permissions {
            file.set_permissions(permissions)?;
        }
        Ok(file)
    }
    #[cfg(not(unix))]
    {
        let _ = old;
        options.open(path)
    }
}

/// Whether there is anything of this name.
fn is_there(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}

fn rename_if_there(from: &Path, to: &Path) -> io::Result<()> {
    match fs::rename(from, to) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

/// The path of a file that was put aside.
fn numbered(path: &Path, number: usize) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{number}"));
    name.into()
}

/// The files of a recording, the oldest first.
pub(super) fn files(path: &Path) -> Vec<PathBuf> {
    let aside = (1..).map(|number| numbered(path, number));
    let mut files: Vec<PathBuf> = aside.take_while(|file| file.exists()).collect();
    files.reverse();
    files.push(path.to_owned());
    files
}

/// Takes whole lines, one or more at a time, and looks for room for each.
impl Write for RotatingFile {
    fn write(&mut self, lines: &[u8]) -> io::Result<usize> {
        for line in lines.split_inclusive(|byte| *byte == b'\n') {
            self.write_lines(line)?;
        }
        Ok(lines.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(left: &[u8], others: &[u8], expected: &str) {
        let name = format!(
            "agentspan-torn-{}-{}",
            std::process::id(),
            left.len() + others.len()
        );
        let path = std::env::temp_dir().join(name);
        let mut file = RotatingFile::append(&path, None).unwrap();
        file.write_lines(b"one\n").unwrap();
        // As a disk does that becomes full: a part is there, and an error comes.
        file.file.write_all(left).unwrap();
        if !others.is_empty() {
            let mut other = OpenOptions::new().append(true).open(&path).unwrap();
            other.write_all(others).unwrap();
        }
        if file.take_back(left.len() as u64).is_err() {
            file.is_torn = true;
        }
        file.write_lines(b"two\n").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), expected);
        fs::remove_file(&path).unwrap();
    }

    #[test]
    fn a_line_that_cannot_be_written_whole_is_taken_back() {
        check(b"tor", b"", "one\ntwo\n");
    }

    /// A directory that is removed with all that is in it.
    struct Directory(PathBuf);

    impl Directory {
        fn new(name: &str) -> Self {
            let name = format!("agentspan-rotated-{}-{name}", std::process::id());
            let path = std::env::temp_dir().join(name);
            fs::create_dir_all(&path).unwrap();
            Self(path)
        }
    }

    impl Drop for Directory {
        fn drop(&mut self) {
            fs::remove_dir_all(&self.0).unwrap();
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_new_file_has_the_mode_of_the_old_one() {
        use std::os::unix::fs::PermissionsExt;

        let directory = Directory::new("mode");
        let path = directory.0.join("lines");
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
        for expected in [0o600, 0o640, 0o666] {
            let mut file = RotatingFile::append(&path, Some(Rotation::at_bytes(4, 1))).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(expected)).unwrap();
            file.write_lines(b"one\n").unwrap();
            file.write_lines(b"two\n").unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), "two\n");
            assert_eq!(
                (mode(&path), mode(&numbered(&path, 1))),
                (expected, expected)
            );
            drop(file);
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_link_in_the_place_of_the_new_file_is_not_followed() {
        let directory = Directory::new("link");
        let (path, victim) = (directory.0.join("lines"), directory.0.join("victim"));
        fs::write(&victim, "kept").unwrap();
        std::os::unix::fs::symlink(&victim, directory.0.join("lines.new")).unwrap();
        let mut file = RotatingFile::append(&path, Some(Rotation::at_bytes(4, 1))).unwrap();
        file.write_lines(b"one\n").unwrap();
        file.write_lines(b"two\n").unwrap();
        assert_eq!(fs::read_to_string(&victim).unwrap(), "kept");
        assert_eq!(fs::read_to_string(&path).unwrap(), "two\n");
        assert!(fs::symlink_metadata(&path).unwrap().is_file());
    }

    #[test]
    fn all_files_may_be_kept_and_a_gap_between_them_is_filled() {
        let directory = Directory::new("all");
        let path = directory.0.join("lines");
        let rotation = Rotation::at_bytes(1, usize::MAX);
        let mut file = RotatingFile::append(&path, Some(rotation)).unwrap();
        for line in ["one\n", "two\n", "three\n"] {
            file.write_lines(line.as_bytes()).unwrap();
        }
        let aside = |number| fs::read_to_string(numbered(&path, number)).ok();
        assert_eq!(aside(1).as_deref(), Some("two\n"));
        assert_eq!(aside(2).as_deref(), Some("one\n"));
        fs::rename(numbered(&path, 2), numbered(&path, 3)).unwrap();
        file.write_lines(b"four\n").unwrap();
        assert_eq!(aside(1).as_deref(), Some("three\n"));
        assert_eq!(aside(2).as_deref(), Some("two\n"));
        assert_eq!(aside(3).as_deref(), Some("one\n"));
        assert_eq!(aside(4), None);
    }

    #[test]
    fn what_others_have_written_is_not_taken_back() {
        check(b"tor", b"other\n", "one\ntorother\n\ntwo\n");
    }
}
