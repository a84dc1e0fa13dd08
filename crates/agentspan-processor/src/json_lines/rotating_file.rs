//! A file that is put aside when it is full.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::Rotation;

/// A file of lines. When it is full it is renamed, and a new one begun.
#[derive(Debug)]
pub(super) struct RotatingFile {
    path: PathBuf,
    file: File,
    bytes: u64,
    rotation: Option<Rotation>,
}

impl RotatingFile {
    pub(super) fn create(path: PathBuf, rotation: Option<Rotation>) -> io::Result<Self> {
        let file = File::create(&path)?;
        Ok(Self {
            path,
            file,
            bytes: 0,
            rotation,
        })
    }

    /// Opens a file to append to it. A last line without a line break gets one.
    pub(super) fn append(path: PathBuf, rotation: Option<Rotation>) -> io::Result<Self> {
        let mut file = OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .open(&path)?;
        let mut bytes = file.seek(SeekFrom::End(0))?;
        if bytes > 0 {
            let mut last = [0];
            file.seek(SeekFrom::End(-1))?;
            file.read_exact(&mut last)?;
            if last != *b"\n" {
                file.write_all(b"\n")?;
                bytes += 1;
            }
        }
        Ok(Self {
            path,
            file,
            bytes,
            rotation,
        })
    }

    fn write_line(&mut self, line: &[u8]) -> io::Result<()> {
        let length = line.len() as u64;
        if let Some(rotation) = self.rotation {
            if self.bytes > 0 && self.bytes.saturating_add(length) > rotation.max_bytes {
                self.rotate(rotation)?;
            }
        }
        self.file.write_all(line)?;
        self.bytes = self.bytes.saturating_add(length);
        Ok(())
    }

    /// Renames the files, the oldest first, and begins a new one.
    fn rotate(&mut self, rotation: Rotation) -> io::Result<()> {
        self.file.flush()?;
        for number in (1..rotation.kept_files).rev() {
            rename_if_there(
                &numbered(&self.path, number),
                &numbered(&self.path, number + 1),
            )?;
        }
        if rotation.kept_files > 0 {
            rename_if_there(&self.path, &numbered(&self.path, 1))?;
        }
        *self = Self::create(std::mem::take(&mut self.path), self.rotation)?;
        Ok(())
    }
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

/// Takes whole lines, one or more at a time.
impl Write for RotatingFile {
    fn write(&mut self, lines: &[u8]) -> io::Result<usize> {
        for line in lines.split_inclusive(|byte| *byte == b'\n') {
            self.write_line(line)?;
        }
        Ok(lines.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
