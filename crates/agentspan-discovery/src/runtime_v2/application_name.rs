//! The name of the application, from the environment or from its project file.

use agentspan_model::agent365::environment as names;

use crate::Environment;
use crate::python_text::{is_space, lines, strip};

/// The name of the application: `AGENT365_APPLICATION_NAME` if it is set and not empty, or else the
/// name in the `[project]` table of `pyproject`.
///
/// `pyproject` is the text of a `pyproject.toml`, or `None` if there is no such file. As in the
/// reference, it is read line by line, not as TOML: `name = "…"` must be on one line, a quote of
/// either kind ends the name, and an empty name is skipped.
///
/// A Rust program has no such file. It passes `None`, and uses the name from Cargo as a fallback:
///
/// ```
/// use agentspan_discovery::Environment;
/// use agentspan_discovery::runtime_v2::application_name;
///
/// let environment = Environment::default();
/// let name = application_name(&environment, None).unwrap_or(env!("CARGO_PKG_NAME"));
/// assert_eq!(name, "agentspan-discovery");
///
/// let name = application_name(&environment, Some("[project]\nname = 'my-app'\n"));
/// assert_eq!(name, Some("my-app"));
/// ```
#[must_use]
pub fn application_name<'a>(
    environment: &'a Environment,
    pyproject: Option<&'a str>,
) -> Option<&'a str> {
    environment
        .non_empty(names::AGENT365_APPLICATION_NAME)
        .or_else(|| project_name(pyproject?))
}

fn project_name(pyproject: &str) -> Option<&str> {
    let mut in_project = false;
    for line in lines(pyproject).map(strip) {
        if line.starts_with('[') && line.ends_with(']') {
            in_project = line == "[project]";
        } else if in_project {
            if let Some(name) = name_in(line).filter(|name| !name.is_empty()) {
                return Some(name);
            }
        }
    }
    None
}

/// The name in `name = "…"`, whatever follows the second quote.
fn name_in(line: &str) -> Option<&str> {
    let quote = ['"', '\''];
    let rest = line.strip_prefix("name")?.trim_start_matches(is_space);
    let rest = rest.strip_prefix('=')?.trim_start_matches(is_space);
    let rest = rest.strip_prefix(quote)?;
    Some(rest.split_once(quote)?.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pyproject: &str, name: Option<&str>) {
        let environment = Environment::default();
        assert_eq!(application_name(&environment, Some(pyproject)), name);
    }

    #[test]
    fn only_the_project_table_counts() {
        check("name = 'early'\n", None);
        check("[tool]\nname='t'\n[project]\r\nname='p'\r\n", Some("p"));
        check("[project]\n[project.scripts]\nname='s'\n", None);
        check("[project]\nversion='1'\n[tool]\nname='t'\n", None);
        check("[ project ]\nname='p'", None);
        check("[project] # why\nname='p'", None);
        check("  [project]\t\n\tname  =\t'p' # why", Some("p"));
    }

    #[test]
    fn a_name_stands_in_quotes_of_either_kind() {
        check("[project]\nname = \"a\"", Some("a"));
        check("[project]\nname = 'a\"b'", Some("a"));
        check("[project]\nname = 'a", None);
        check("[project]\nname = a", None);
        check("[project]\nnames = 'a'", None);
        check("[project]\n# name = 'a'", None);
    }

    #[test]
    fn an_empty_name_is_passed_over() {
        check("[project]\nname = ''\nname = 'b'", Some("b"));
    }

    #[test]
    fn an_array_in_one_line_ends_the_table() {
        // The reference takes every line in brackets for a header.
        check("[project]\n[1, 2]\nname = 'a'", None);
    }

    #[test]
    fn the_environment_comes_first_unless_it_is_empty() {
        for (value, name) in [("env", "env"), (" ", " "), ("", "file")] {
            let environment = Environment::from_iter([("AGENT365_APPLICATION_NAME", value)]);
            let found = application_name(&environment, Some("[project]\nname='file'"));
            assert_eq!(found, Some(name));
        }
    }
}
