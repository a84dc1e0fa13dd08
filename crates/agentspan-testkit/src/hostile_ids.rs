//! Ids that break out of the place where a careless program puts them.

/// Parts that divide, end or hide something: URLs, headers, baggage, JSON, logs, paths and names.
const PARTS: &[&str] = &[
    "..",
    ".",
    "/",
    "\\",
    "//",
    "/../",
    "/..\\",
    "../../tenants/other/agents/b",
    "//evil.example",
    "https://evil.example/",
    "user:pw@evil.example",
    ".evil.example",
    ":443",
    "?",
    "?api-version=2",
    "#",
    "#a",
    "%",
    "%2f",
    "%2F..%2f",
    "%2e%2e",
    "%252e",
    "%00",
    "%0d%0ax-evil:%201",
    "%zz",
    "%u002e",
    "\r\nx-evil: 1",
    "\r\n\r\nGET / HTTP/1.1",
    "\nx-evil: 1",
    "\r",
    "\n",
    "\t",
    "\0",
    "\u{b}",
    "\u{c}",
    "\u{1b}[31m",
    "\u{7f}",
    "\u{80}",
    "\u{85}",
    "\u{a0}",
    "\u{ad}",
    " ",
    "  ",
    ":",
    ";",
    ";a=b",
    ",",
    ",tenant.id=other",
    "=",
    "&",
    "&a=b",
    "@",
    "!",
    "$",
    "${HOME}",
    "$(id)",
    "`id`",
    "'",
    "''",
    "\"",
    "\",\"tenant.id\":\"other",
    "*",
    "+",
    "(",
    ")",
    "[",
    "]",
    "{",
    "{{0}}",
    "}",
    "|",
    "||",
    "<",
    "<b>",
    ">",
    "^",
    "~",
    "~root",
    "-",
    "--",
    "_",
    "\u{e4}",
    "a\u{308}",
    "\u{430}",
    "\u{3b1}",
    "\u{ff41}",
    "\u{ff0e}\u{ff0e}",
    "\u{2024}\u{2024}",
    "\u{2215}",
    "\u{ff0f}",
    "\u{2044}",
    "\u{130}",
    "\u{131}",
    "\u{df}",
    "\u{1e9e}",
    "\u{fb01}",
    "\u{200b}",
    "\u{200c}",
    "\u{200d}",
    "\u{200e}",
    "\u{2028}",
    "\u{2029}",
    "\u{202e}",
    "\u{2066}",
    "\u{2069}",
    "\u{2060}",
    "\u{2800}",
    "\u{3000}",
    "\u{3164}",
    "\u{feff}",
    "\u{fe0f}",
    "\u{e000}",
    "\u{fdd0}",
    "\u{ffff}",
    "\u{fffd}",
    "\u{e0041}",
    "\u{1f916}",
    "\u{1f468}\u{200d}\u{1f4bb}",
    "\u{10ffff}",
    "null",
    "undefined",
    "CON",
    "00000000-0000-0000-0000-000000000000",
    "xn--80ak6aa92e",
    "127.0.0.1",
    "[::1]",
    "0x7f.1",
    "traces",
];

/// At least 300 different ids that a tenant or an agent may claim: with separators, percent signs, line
/// breaks, steps between folders, other headers and hosts, what is invisible, looks like something
/// else, is very long, or almost empty.
#[must_use]
pub fn hostile_ids() -> Vec<String> {
    let mut ids = vec![
        String::new(),
        "a".repeat(256),
        "a".repeat(257),
        "\u{e4}".repeat(128),
    ];
    ids.push("a".repeat(1_000_000));
    for part in PARTS {
        ids.push((*part).to_owned());
        ids.push(format!("agent{part}"));
        ids.push(format!("{part}agent"));
        ids.push(format!("one{part}two"));
    }
    let mut seen = std::collections::HashSet::new();
    ids.retain(|id| seen.insert(id.clone()));
    ids
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_many_ids_and_each_is_there_once() {
        let ids = hostile_ids();
        assert!(ids.len() >= 300, "{}", ids.len());
        let different: std::collections::BTreeSet<_> = ids.iter().collect();
        assert_eq!(different.len(), ids.len());
    }
}
