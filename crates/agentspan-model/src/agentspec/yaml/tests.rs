//! YAML 1.1 as PyYAML 6.0.4 reads it.

use super::source;

/// The JSON of a YAML text.
fn json(yaml: &str) -> String {
    source(yaml).unwrap().text().to_owned()
}

#[track_caller]
fn check(yaml: &str, expected: &str) {
    assert_eq!(json(yaml), expected, "{yaml}");
}

/// Texts without quotes, each with what it means.
#[track_caller]
fn check_plain(cases: &[(&str, &str)]) {
    for (text, expected) in cases {
        check(&format!("- {text}\n"), &format!("[{expected}]"));
    }
}

#[track_caller]
fn check_text(texts: &[&str]) {
    for text in texts {
        let expected = serde_json::Value::from(*text).to_string();
        check(&format!("- {text}\n"), &format!("[{expected}]"));
    }
}

#[test]
fn booleans_and_nothing() {
    for text in [
        "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON",
    ] {
        check_plain(&[(text, "true")]);
    }
    for text in [
        "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF",
    ] {
        check_plain(&[(text, "false")]);
    }
    for text in ["", "~", "null", "Null", "NULL"] {
        check_plain(&[(text, "null")]);
    }
    check_text(&["y", "n", "Y", "N", "yEs", "tRUE", "oN", "nUll", "none"]);
    check("yes: 1\nno: 2\n~: 3\n", r#"{"true":1,"false":2,"null":3}"#);
}

#[test]
fn integers() {
    check_plain(&[
        ("012", "10"),
        ("-012", "-10"),
        ("0b101", "5"),
        ("0x1F", "31"),
        ("0x_1", "1"),
        ("+12", "12"),
        ("-0", "0"),
        ("1_000", "1000"),
        ("1:30", "90"),
        ("-1:30:45", "-5445"),
        ("12345678901234567890123", "12345678901234567890123"),
        ("0xFFFFFFFFFFFFFFFFFFFF", "1208925819614629174706175"),
    ]);
    check_text(&[
        "0o14", "08", "0b2", "0xG", "0b", "1:60", "0:30", "1,000", "_1",
    ]);
}

#[test]
fn floats() {
    check_plain(&[
        ("26.3", "26.3"),
        ("1.", "1.0"),
        (".5", "0.5"),
        ("1.5e+3", "1500.0"),
        ("1.e+3", "1000.0"),
        ("685.230_15e+03", "685230.15"),
        ("1:30.5", "90.5"),
        ("-.inf", r#""-Infinity""#),
        (".NaN", r#""NaN""#),
    ]);
    check_text(&["26.3.1", "1e3", "1.5e3", "1.0e3", ".", "._5", "+.5", ".iNf"]);
}

#[test]
fn times() {
    check_plain(&[
        ("2001-12-14", r#""2001-12-14""#),
        (
            "2001-12-14t21:59:43.10-05:00",
            r#""2001-12-14T21:59:43.100000-05:00""#,
        ),
        ("2001-12-14 1:59:43 Z", r#""2001-12-14T01:59:43+00:00""#),
        ("2001-12-14T21:59:43.", r#""2001-12-14T21:59:43""#),
    ]);
    check_text(&["2001-1-1", "2001-12-14T21:59"]);
    check_refused("- 2001-02-30\n", "1:3 a tag that does not fit");
}

#[test]
fn tags() {
    check(
        "[!!str 012, !!int '012', !!float 1, !!bool 'no', !!null x, ! '12']",
        r#"["012",10,1.0,false,null,12]"#,
    );
    check("!!set {a, b}", r#"["a","b"]"#);
    check("!!omap [a: 1, b: 2]", r#"[["a",1],["b",2]]"#);
    check("%TAG !e! tag:yaml.org,2002:\n---\n!e!str 1", r#""1""#);
    check("!<tag:yaml.org,2002:str> 5", r#""5""#);
    for text in [
        "!!int x",
        "!!bool maybe",
        "!!seq {}",
        "!!map []",
        "!Agent {}",
        "!!python/name:os.system",
        "=",
        "<<",
    ] {
        check_refused(text, "1:1 a tag that does not fit");
    }
}

#[test]
fn texts_in_quotes() {
    check("'single ''quoted'' text'", r#""single 'quoted' text""#);
    check("'a\n\n  b'", r#""a\nb""#);
    check(
        r#""\x41\u00e9\U0001F600\/\e\_\N""#,
        "\"Aé😀/\\u001b\u{a0}\u{85}\"",
    );
    check(
        r#""\ud83d\ude00 \ud83d \ude00""#,
        "\"😀 \u{fffd} \u{fffd}\"",
    );
    check("\"a\\\n  b\"", r#""ab""#);
    check("k: 'multi\nline'\n", r#"{"k":"multi line"}"#);
    check_refused(r#""\q""#, "1:3 an escape that means nothing");
    check_refused(r#""\UFFFFFFFF""#, "1:4 an escape of no character");
    check_refused("k: 'open\n", "2:1 a text without its quote at the end");
}

#[test]
fn texts_in_blocks() {
    check("|\n  a\n  b\n\n\n", r#""a\nb\n""#);
    check("|-\n  a\n  b\n\n", r#""a\nb""#);
    check("|+\n  a\n\n", r#""a\n\n""#);
    check(">\n  a\n  b\n\n  c\n    d\n  e\n", r#""a b\nc\n  d\ne\n""#);
    check("k: |2\n    a\n   b\n", r#"{"k":"  a\n b\n"}"#);
    check("k: |\r\n  a\r\n  b\r\n", r#"{"k":"a\nb\n"}"#);
    check("k: |\n  ---\n  ...\n", r#"{"k":"---\n...\n"}"#);
    check_refused("|0\n a", "1:2 an indentation of zero");
}

#[test]
fn collections() {
    check(
        "a:\n- b\n- c:\n  - d\n  e: f\n",
        r#"{"a":["b",{"c":["d"],"e":"f"}]}"#,
    );
    check("? a\n: b\n?\n  c\n", r#"{"a":"b","c":null}"#);
    check(
        "- - a\n  - b\n-\n  - c\n- d: e\n",
        r#"[["a","b"],["c"],{"d":"e"}]"#,
    );
}

#[test]
fn flow_collections() {
    check(
        "{a: [b, {c: d}], \"e\":1, f, }",
        r#"{"a":["b",{"c":"d"}],"e":1,"f":null}"#,
    );
    check("[a: b, ? c : d, ]", r#"[{"a":"b"},{"c":"d"}]"#);
    check("[a,b:c, x#y, -x] # comment", r#"["a","b:c","x#y","-x"]"#);
    check_refused("{{x}}", "1:2 a key that is a list or a mapping");
    check_refused("[a, , b]", "1:5 something where a value must be");
    check_refused("[a,\tb]", "1:4 a character that cannot begin a value");
    check_refused("[a", "1:3 no comma between the items of a list");
}

#[test]
fn of_a_key_that_is_repeated_the_last_counts() {
    check("a: 1\nb: 2\na: 3\n", r#"{"a":3,"b":2}"#);
}

#[test]
fn aliases() {
    check(
        "[&a [x], *a, &k y, {*k : 1}]",
        r#"[["x"],["x"],"y",{"y":1}]"#,
    );
    for text in ["[*a]", "&a [*a]", "[&a x, &a y]"] {
        let error = source(text).unwrap_err().to_string();
        assert!(
            error.ends_with("an alias that stands for nothing"),
            "{error}"
        );
    }
}

#[test]
fn merged_mappings() {
    let with = |merged: &str| {
        json(&format!(
            "[&a {{x: 1, yy: 2}}, &b {{yy: 3, z: 4}}, {merged}]"
        ))
    };
    let third = |merged: &str| {
        let all: Vec<serde_json::Value> = serde_json::from_str(&with(merged)).unwrap();
        all[2].to_string()
    };
    assert_eq!(third("{<<: *a, yy: 9}"), r#"{"x":1,"yy":9}"#);
    assert_eq!(third("{yy: 9, <<: [*a, *b]}"), r#"{"yy":9,"z":4,"x":1}"#);
    assert_eq!(third("{<<: [*a, *b]}"), r#"{"yy":2,"z":4,"x":1}"#);
    assert_eq!(third("{<<: *a, <<: *b}"), r#"{"x":1,"yy":3,"z":4}"#);
    check_refused("{<<: [{}, x, y]}", "1:11 a tag that does not fit");
}

#[test]
fn forms_of_documents() {
    check("%YAML 1.1\n---\na\n...\n", r#""a""#);
    check("%FOO bar\n--- a", r#""a""#);
    check("\u{feff}a: \u{feff}b", "{\"a\":\"\u{feff}b\"}");
    check("# nothing\n", "null");
    check_refused("%YAML 2.0\n---\na", "1:1 a version of YAML other than 1");
    check_refused("--- a\n--- b", "2:1 a second document");
    check_refused(
        "a: b\n...\nmore: x\n",
        "3:1 something else than the start of a document",
    );
    check_refused("a\u{7}", "1:2 a character that YAML does not allow");
}

#[test]
fn what_breaks_a_rule_is_told_with_its_place() {
    check_refused("a: b: c", "1:5 a value of a mapping where none may be");
    check_refused(
        "a:\n  b\n c: d\n",
        "3:3 a value of a mapping where none may be",
    );
    check_refused("- a\nb: c\n", "2:1 something between the items of a list");
    check_refused("a: 1\nb\nc: 2\n", "3:1 no colon after a key");
    check_refused("a: @x", "1:4 a character that cannot begin a value");
    check_refused("!e!x y", "1:1 a tag with an unknown handle");
}

#[test]
fn places_of_values_are_kept() {
    let yaml = "a: 1\nb:\n  - c\n  - {d: \"é\", e: f}\n";
    let source = source(yaml).unwrap();
    let places = ["{\"a", "1", "[", "\"é", "\"f"].map(|part| source.text().find(part).unwrap());
    let places: Vec<_> = source
        .positions(&places)
        .iter()
        .map(ToString::to_string)
        .collect();
    let expected = [(1, 1), (1, 4), (3, 3), (4, 9), (4, 17)];
    let expected = expected.map(|(line, column)| format!("line {line}, column {column}"));
    assert_eq!(places, expected);
}

#[track_caller]
fn check_refused(yaml: &str, expected: &str) {
    let error = source(yaml).unwrap_err().to_string();
    let error = error
        .replace("not YAML: line ", "")
        .replacen(", column ", ":", 1);
    assert_eq!(error.replacen(": ", " ", 1), expected, "{yaml}");
}

/// Levels of lists, each of which has the one below ten times.
fn laughs(levels: usize) -> String {
    let mut yaml = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..levels {
        let below = vec![format!("*a{}", level - 1); 10].join(", ");
        yaml += &format!("a{level}: &a{level} [{below}]\n");
    }
    yaml
}

#[test]
fn aliases_are_written_out_up_to_a_limit() {
    let few = laughs(4);
    assert_eq!(json(&few).matches("\"x\"").count(), 11_110);
    check_too_large(&laughs(12));
    // Each mapping has all members of the one before.
    let mut merges = "- &m0 {k: v}\n".to_owned();
    for level in 1..20_000 {
        merges += &format!("- &m{level} {{<<: *m{}, k{level}: v}}\n", level - 1);
    }
    check_too_large(&merges);
    // Short names take memory, too.
    let merged = |times: usize| {
        let members: String = (0..62).map(|name| format!("k{name}: 0, ")).collect();
        format!("a: &a {{{members}}}\nb:\n{}", "- {<<: *a}\n".repeat(times))
    };
    assert_eq!(json(&merged(1_000)).matches("\"k61\":0").count(), 1_001);
    check_too_large(&merged(10_000));
}

#[track_caller]
fn check_too_large(yaml: &str) {
    let error = source(yaml).unwrap_err().to_string();
    assert!(
        error.ends_with("too large with all aliases written out"),
        "{error}"
    );
}

#[test]
fn nothing_recurses() {
    let depth = 100_000;
    let lists = "[".repeat(depth) + &"]".repeat(depth);
    assert_eq!(json(&lists), lists);
    let blocks: String = (0..2_000)
        .map(|level| format!("{}- \n", " ".repeat(level)))
        .collect();
    assert_eq!(json(&blocks).matches('[').count(), 2_000);
    assert!(source(&"[".repeat(depth)).is_err());
    assert!(source(&"{a: ".repeat(depth)).is_err());
}
