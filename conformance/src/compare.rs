//! Compares two JSON values and says where they differ.

use std::fmt;

use crate::Json;

/// What a comparison overlooks, as patterns of paths.
///
/// A pattern is a list of segments with dots between: the name of a member or the index of an item;
/// `*` stands for any one segment, `**` for any number of them. `requests.*.body.**.attributes`
/// meets the path `requests[0].body.resourceSpans[0].resource.attributes`.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::exhaustive_structs, reason = "runners write it as a literal")]
pub struct Tolerances {
    /// Objects whose members, and arrays whose items, may come in any order.
    pub unordered: &'static [&'static str],
    /// Values that are not compared, and may be missing.
    pub ignored: &'static [&'static str],
}

/// One place where two values differ.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Difference {
    /// Where: `requests[0].url`, or `.` for the whole value.
    pub path: String,
    /// What was expected there.
    pub expected: String,
    /// What was found there.
    pub found: String,
    place: Vec<String>,
}

impl Difference {
    /// Whether it is at one of these places, which are patterns as in [`Tolerances`], or inside of one.
    #[must_use]
    pub fn is_within(&self, places: &[&str]) -> bool {
        let is_in = |place: &&str| {
            let mut pattern: Vec<&str> = place.split('.').collect();
            pattern.push("**");
            pattern_meets(&pattern, &self.place)
        };
        places.iter().any(is_in)
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            path,
            expected,
            found,
            ..
        } = self;
        write!(f, "{path}: expected {expected}, found {found}")
    }
}

/// All differences, in the order of the expected value.
#[must_use]
pub fn differences(expected: &Json, found: &Json, tolerances: &Tolerances) -> Vec<Difference> {
    let mut comparison = Comparison {
        tolerances,
        path: Vec::new(),
        differences: Vec::new(),
    };
    comparison.values(expected, found);
    comparison.differences
}

struct Comparison<'a> {
    tolerances: &'a Tolerances,
    path: Vec<Segment>,
    differences: Vec<Difference>,
}

enum Segment {
    Member(String),
    Item(usize),
}

impl Comparison<'_> {
    fn values(&mut self, expected: &Json, found: &Json) {
        if self.meets(self.tolerances.ignored) {
            return;
        }
        match (expected, found) {
            (Json::Object(expected), Json::Object(found)) => self.objects(expected, found),
            (Json::Array(expected), Json::Array(found)) => {
                if self.meets(self.tolerances.unordered) {
                    self.unordered_items(expected, found);
                } else {
                    self.items(expected, found);
                }
            }
            _ if expected == found => {}
            _ => self.differ(expected.to_string(), found.to_string()),
        }
    }

    fn items(&mut self, expected: &[Json], found: &[Json]) {
        for index in 0..expected.len().max(found.len()) {
            self.path.push(Segment::Item(index));
            self.options(expected.get(index), found.get(index));
            self.path.pop();
        }
    }

    fn unordered_items(&mut self, expected: &[Json], found: &[Json]) {
        let mut rest: Vec<&Json> = found.iter().collect();
        for (index, item) in expected.iter().enumerate() {
            let equal = |other: &&Json| differences(item, other, &Tolerances::default()).is_empty();
            if let Some(at) = rest.iter().position(equal) {
                rest.swap_remove(at);
            } else {
                self.path.push(Segment::Item(index));
                self.differ(item.to_string(), "nothing like it".into());
                self.path.pop();
            }
        }
        for item in rest {
            self.differ("no such item".into(), item.to_string());
        }
    }

    fn objects(&mut self, expected: &[(String, Json)], found: &[(String, Json)]) {
        // The n-th member of a name is compared with the n-th member of that name.
        let mut rest: Vec<Option<&(String, Json)>> = found.iter().map(Some).collect();
        let mut same_names = true;
        for (name, value) in expected {
            let partner = rest
                .iter_mut()
                .find(|slot| slot.is_some_and(|(other, _)| other == name))
                .and_then(Option::take);
            self.path.push(Segment::Member(name.clone()));
            same_names &= partner.is_some();
            self.options(Some(value), partner.map(|(_, value)| value));
            self.path.pop();
        }
        for (name, value) in rest.into_iter().flatten() {
            self.path.push(Segment::Member(name.clone()));
            same_names = false;
            self.options(None, Some(value));
            self.path.pop();
        }
        let names = |members: &[(String, Json)]| {
            let names: Vec<_> = members.iter().map(|(name, _)| name.as_str()).collect();
            names.join(", ")
        };
        let (expected, found) = (names(expected), names(found));
        if same_names && expected != found && !self.meets(self.tolerances.unordered) {
            self.differ(
                format!("members in the order {expected}"),
                format!("the order {found}"),
            );
        }
    }

    fn options(&mut self, expected: Option<&Json>, found: Option<&Json>) {
        match (expected, found) {
            (Some(expected), Some(found)) => self.values(expected, found),
            _ if self.meets(self.tolerances.ignored) => {}
            (Some(expected), None) => self.differ(expected.to_string(), "nothing".into()),
            (None, Some(found)) => self.differ("nothing".into(), found.to_string()),
            (None, None) => {}
        }
    }

    fn differ(&mut self, expected: String, found: String) {
        self.differences.push(Difference {
            path: path_text(&self.path),
            expected,
            found,
            place: self.place(),
        });
    }

    fn place(&self) -> Vec<String> {
        let segments = self.path.iter().map(|segment| match segment {
            Segment::Member(name) => name.clone(),
            Segment::Item(index) => index.to_string(),
        });
        segments.collect()
    }

    fn meets(&self, patterns: &[&str]) -> bool {
        if patterns.is_empty() {
            return false;
        }
        let segments = self.place();
        patterns.iter().any(|pattern| {
            let pattern: Vec<&str> = pattern.split('.').collect();
            pattern_meets(&pattern, &segments)
        })
    }
}

fn pattern_meets(pattern: &[&str], path: &[String]) -> bool {
    match (pattern.split_first(), path.split_first()) {
        (None, None) => true,
        (Some((&"**", rest)), _) => {
            pattern_meets(rest, path)
                || path
                    .split_first()
                    .is_some_and(|(_, path)| pattern_meets(pattern, path))
        }
        (Some((segment, rest)), Some((name, path))) => {
            (*segment == "*" || segment == name) && pattern_meets(rest, path)
        }
        _ => false,
    }
}

fn path_text(path: &[Segment]) -> String {
    let mut text = String::new();
    for segment in path {
        match segment {
            Segment::Member(name) => {
                if !text.is_empty() {
                    text.push('.');
                }
                text.push_str(name);
            }
            Segment::Item(index) => {
                text.push_str(&format!("[{index}]"));
            }
        }
    }
    if text.is_empty() { ".".into() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_with(tolerances: Tolerances, expected: &str, found: &str, differ: &[&str]) {
        let (expected, found) = (Json::parse(expected).unwrap(), Json::parse(found).unwrap());
        let lines: Vec<_> = differences(&expected, &found, &tolerances)
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(lines, differ);
    }

    #[track_caller]
    fn check(expected: &str, found: &str, differ: &[&str]) {
        check_with(Tolerances::default(), expected, found, differ);
    }

    #[test]
    fn equal_values_do_not_differ() {
        let text = r#"{"a":[1,{"b":null}],"c":"x"}"#;
        check(text, text, &[]);
    }

    #[test]
    fn a_difference_names_its_path() {
        check(
            r#"{"a":[1,{"b":2}]}"#,
            r#"{"a":[1,{"b":3}]}"#,
            &["a[1].b: expected 2, found 3"],
        );
        check("1", "1.0", &[".: expected 1, found 1.0"]);
        check("{}", "[]", &[".: expected {}, found []"]);
    }

    #[test]
    fn missing_and_unexpected_parts_differ() {
        check(
            r#"{"a":1,"b":[1]}"#,
            r#"{"b":[1,2],"c":null}"#,
            &[
                "a: expected 1, found nothing",
                "b[1]: expected nothing, found 2",
                "c: expected nothing, found null",
            ],
        );
    }

    #[test]
    fn the_order_of_members_counts() {
        check(
            r#"{"x":{"a":1,"b":2}}"#,
            r#"{"x":{"b":2,"a":1}}"#,
            &["x: expected members in the order a, b, found the order b, a"],
        );
    }

    #[test]
    fn repeated_members_are_compared_in_turn() {
        check(r#"{"a":1,"a":2}"#, r#"{"a":1,"a":2}"#, &[]);
        check(
            r#"{"a":1,"a":2}"#,
            r#"{"a":2}"#,
            &["a: expected 1, found 2", "a: expected 2, found nothing"],
        );
    }

    #[test]
    fn a_difference_knows_the_places_that_it_is_in() {
        let [expected, found] = [r#"{"a":[{"b":1}]}"#, r#"{"a":[{"b":2}]}"#].map(Json::parse);
        let found = differences(&expected.unwrap(), &found.unwrap(), &Tolerances::default());
        let is_within = |place| found.iter().all(|one| one.is_within(&[place]));
        assert!(["a", "a.*", "a.0.b", "**"].into_iter().all(is_within));
        assert!(!["b", "a.1", "a.0.b.c"].into_iter().any(is_within));
    }

    const UNORDERED: Tolerances = Tolerances {
        unordered: &["r.*.attributes", "**.set"],
        ignored: &["**.message"],
    };

    #[test]
    fn order_is_overlooked_only_where_it_was_said() {
        check_with(
            UNORDERED,
            r#"{"r":[{"attributes":{"a":1,"b":{"c":1,"d":2}}}],"set":[1,2,2]}"#,
            r#"{"r":[{"attributes":{"b":{"d":2,"c":1},"a":1}}],"set":[2,1,2]}"#,
            &["r[0].attributes.b: expected members in the order c, d, found the order d, c"],
        );
    }

    #[test]
    fn items_in_any_order_are_still_counted() {
        check_with(
            UNORDERED,
            r#"{"set":[1,2,2]}"#,
            r#"{"set":[2,1,1]}"#,
            &[
                "set[2]: expected 2, found nothing like it",
                "set: expected no such item, found 1",
            ],
        );
    }

    #[test]
    fn ignored_values_may_differ_or_be_missing() {
        check_with(
            UNORDERED,
            r#"{"e":{"type":"A","message":"x"}}"#,
            r#"{"e":{"type":"B"}}"#,
            &[r#"e.type: expected "A", found "B""#],
        );
        check_with(UNORDERED, "{}", r#"{"message":1}"#, &[]);
    }
}
