//! Nothing in the project knows the machine that it was written on.

use super::Finding;

/// Directories of people's machines. Written in two parts, so that this file is not found.
const DIRECTORIES: &[&str] = &[
    concat!("/", "work/"),
    concat!("/", "root/"),
    concat!("/", "home/"),
    concat!("/", "farm/"),
    concat!("/", "Users/"),
];

/// Places that only exist beside one checkout, and hosts that cargo and pip know by themselves.
const OTHERS: &[&str] = &[
    concat!("../", "shared"),
    concat!("index.", "crates.io"),
    concat!("static.", "crates.io"),
    concat!("files.", "pythonhosted"),
];

/// The home of somebody whom recorded vectors make up.
const MADE_UP: &str = concat!("/", "home/u/");

/// Finds paths of a machine in a file.
pub(super) fn check(path: &str, text: &str) -> Vec<Finding> {
    if path.ends_with(".lock") {
        return Vec::new();
    }
    let lines = text.lines().enumerate().filter(|(_, line)| is_found(line));
    lines
        .map(|(index, _)| Finding::at(path, index + 1, "names a path or a host of one machine"))
        .collect()
}

fn is_found(line: &str) -> bool {
    let has_directory = DIRECTORIES.iter().any(|directory| {
        line.match_indices(directory).any(|(at, _)| {
            if line[at..].starts_with(MADE_UP) {
                return false;
            }
            let before = line[..at].chars().next_back();
            before.is_none_or(|before| !before.is_alphanumeric() && !matches!(before, '_' | '.'))
        })
    });
    has_directory || OTHERS.iter().any(|other| line.contains(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_of_a_machine_is_found() {
        for line in DIRECTORIES.iter().chain(OTHERS) {
            let text = format!("fine\nsee {line}project\n");
            assert_eq!(check("docs/a.md", &text).len(), 1, "{line}");
        }
    }

    #[test]
    fn the_home_of_somebody_made_up_hides_no_other() {
        let made_up = format!("{MADE_UP}.config");
        assert_eq!(check("vectors/a.json", &made_up), []);
        let text = format!("{made_up} {}user/a", DIRECTORIES[2]);
        assert_eq!(check("vectors/a.json", &text).len(), 1);
    }

    #[test]
    fn a_path_of_the_project_or_of_a_service_is_fine() {
        for directory in DIRECTORIES {
            assert_eq!(
                check("docs/a.md", &format!("https://example.com{directory}a")),
                []
            );
        }
    }
}
