//! Findings as commands of a GitHub workflow, which become annotations:
//! <https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands>.

use std::io::{self, Write};

use agentspan_model::agent365::contract::Level;

use super::Verdict;
use crate::judging::Found;
use crate::shown::{shown_cut, shown_path};

pub(super) fn write(verdict: &Verdict, out: &mut dyn Write) -> io::Result<()> {
    verdict.found.iter().try_for_each(|found| one(found, out))
}

fn one(found: &Found, out: &mut dyn Write) -> io::Result<()> {
    let about = &found.about;
    let command = match found.level {
        Level::Error => "error",
        Level::Warning => "warning",
        _ => "notice",
    };
    write!(out, "::{command} ")?;
    if let Some(place) = &found.place {
        let path = property(&shown_path(&place.path));
        write!(out, "file={path},line={},", place.line)?;
    }
    let title = property(&format!("{} {}", about.id, about.name));
    let attribute = found.attribute.as_deref().unwrap_or("span");
    let message = format!(
        "{} of {:?}: {} {}",
        shown_cut(attribute, 200),
        found.name,
        about.cause,
        about.remedy
    );
    writeln!(out, "title={title}::{}", data(&message))
}

/// A message, in which a line break would end the command.
fn data(text: &str) -> String {
    let text = text.replace('%', "%25");
    text.replace('\r', "%0D").replace('\n', "%0A")
}

/// A property, which a comma or a colon would end.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
