//! `agentspan tail`: prints the trees of traces as they arrive, from a server or from growing
//! files.

mod server;
mod settled;

use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::time::Duration;

use crate::command_error::{CommandError, Outcome, Unread};
use crate::ingest::Files;
use crate::serve;
use crate::show::FILE_BYTES;
use crate::shown::shown_path;
use crate::store::Store;
use crate::tree::{Colours, Tree};

use settled::Settled;

/// How often files and traces are looked at.
const PAUSE: Duration = Duration::from_millis(250);

/// The options of `tail`.
#[derive(Debug)]
pub(crate) struct TailRequest {
    /// Without any, a server is asked.
    pub(crate) files: Vec<PathBuf>,
    /// The server, `host:port`.
    pub(crate) from: String,
    pub(crate) token_variable: Option<String>,
    pub(crate) has_contents: bool,
}

pub(crate) fn run(
    request: TailRequest,
    out: &mut dyn Write,
    errors: &mut dyn Write,
) -> Result<Outcome, CommandError> {
    let mut printer = Printer {
        has_contents: request.has_contents,
        colours: colours(),
        out,
    };
    let runtime = serve::runtime()?;
    if request.files.is_empty() {
        return runtime.block_on(server::follow(&request, &mut printer, errors));
    }
    runtime.block_on(async {
        let mut store = Store::new(FILE_BYTES).with_packing();
        let mut files = Files::new(request.files);
        let mut settled = Settled::default();
        let mut last = 0;
        let mut absence = Absence::default();
        loop {
            absence.look(files.read(&mut store), errors)?;
            files.tell_problems(errors)?;
            for (number, trace) in store.changed_after(last, usize::MAX) {
                last = last.max(number);
                settled.changed(trace.id().to_owned(), trace.row().is_running);
            }
            for id in settled.take() {
                printer.print(&store, &id)?;
            }
            tokio::time::sleep(PAUSE).await;
        }
    })
}

/// Whether files are there.
#[derive(Default)]
struct Absence {
    /// All were there once.
    has_begun: bool,
    is_told: bool,
}

impl Absence {
    /// A file that is rotated is not there for a moment: it is waited for, which is told once. One that was
    /// never there is an error.
    fn look(
        &mut self,
        read: Result<usize, Unread>,
        errors: &mut dyn Write,
    ) -> Result<(), CommandError> {
        match read {
            Ok(_) => {
                self.has_begun = true;
                self.is_told = false;
            }
            Err(unread) if self.has_begun && unread.is_absence() => {
                let untold = unread.0.iter().filter(|_| !self.is_told);
                for path in untold.map(|(path, _)| shown_path(path)) {
                    writeln!(
                        errors,
                        "agentspan: {path} is gone, waiting for it to come back"
                    )?;
                }
                self.is_told = true;
            }
            Err(unread) => return Err(CommandError::Files(unread)),
        }
        Ok(())
    }
}

/// Only on a terminal, and not if the user wants none: <https://no-color.org>.
fn colours() -> Colours {
    #[expect(
        clippy::disallowed_methods,
        reason = "it is no setting of the library, and read once"
    )]
    let is_unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    match std::io::stdout().is_terminal() && !is_unwanted {
        true => Colours::Ansi,
        false => Colours::None,
    }
}

/// Prints traces.
struct Printer<'a> {
    has_contents: bool,
    colours: Colours,
    out: &'a mut dyn Write,
}

impl Printer<'_> {
    fn print(&mut self, store: &Store, id: &str) -> Result<(), CommandError> {
        if let Some(trace) = store.trace(id) {
            Tree::new(trace.row(), &trace.spans())
                .with_contents(self.has_contents)
                .with_colours(self.colours)
                .write(self.out)?;
            writeln!(self.out)?;
            self.out.flush()?;
        }
        Ok(())
    }
}
