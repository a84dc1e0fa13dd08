//! The list of traces: filters and pages.

use serde_json::{Value, json};

use super::shared::Shared;
use super::word::{Word, in_json};
use crate::reading::Reading;
use crate::row::{Row, dollars, milliseconds};
use crate::span::Span;
use crate::store::{Store, Sums, Trace};

/// How many rows an answer has, unless asked otherwise, and at most.
const LIMIT: usize = 200;
const MAX_LIMIT: usize = 1_000;

/// Which traces are asked for.
#[derive(Debug, Default)]
struct Filter {
    words: Vec<Term>,
    states: Vec<String>,
    tenant: Option<String>,
    agent: Option<String>,
    attributes: Vec<(String, String)>,
    from: Option<f64>,
    to: Option<f64>,
    limit: Option<usize>,
    /// Only those that came before the trace with this number.
    after: Option<u64>,
    /// Not this many of them.
    skip: usize,
}

/// A word to search for. One such as `key=value` may be an attribute, or stand in a text.
#[derive(Debug)]
struct Term {
    word: Word,
    attribute: Option<(String, String)>,
}

pub(super) fn answer(shared: &Shared, query: &str) -> Value {
    let filter = Filter::parse(query);
    let (unreadable, unkept) = (shared.unreadable(), shared.unkept().borrow().0);
    shared.look(|store| {
        let mut json = filter.page(store);
        json["unreadable"] = unreadable.into();
        json["unkept"] = unkept.into();
        json
    })
}

impl Filter {
    fn parse(query: &str) -> Self {
        let mut filter = Self::default();
        for pair in query.split('&') {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let value = decoded(value);
            if value.is_empty() {
                continue;
            }
            match name {
                "q" => filter.words.extend(value.split_whitespace().map(Term::new)),
                "state" => filter.states.extend(value.split(',').map(str::to_owned)),
                "tenant" => filter.tenant = Some(value),
                "agent" => filter.agent = Some(value),
                "attr" => filter.attributes.extend(key_and_value(&value)),
                "from" => filter.from = value.parse().ok(),
                "to" => filter.to = value.parse().ok(),
                "limit" => filter.limit = value.parse().ok(),
                "after" => filter.after = value.parse().ok(),
                "skip" => filter.skip = value.parse().unwrap_or(0),
                _ => {}
            }
        }
        filter
    }

    fn page(&self, store: &mut Store) -> Value {
        let tally = store.tally();
        let (tenants, agents) = (&tally.tenants, &tally.agents);
        let names = json!({"tenants": tenants.to_choose_from(), "agents": agents.to_choose_from()});
        let all = tally.sums;
        let store = &*store;
        let limit = self.limit.unwrap_or(LIMIT).clamp(1, MAX_LIMIT);
        // Without a filter, no trace is read that is not sent.
        let (sums, sent) = match self.is_none() {
            true => {
                let before = store.newest_before(self.after.unwrap_or(u64::MAX));
                (all, before.skip(self.skip).take(limit).collect())
            }
            false => self.found(store, limit),
        };
        let last = sent.last().filter(|_| sent.len() == limit);
        let rows = sent.iter().map(|(_, trace)| trace.row().to_json());
        let newest = store.newest_before(u64::MAX).next();
        let lost = store.lost();
        json!({
            "profile": store.package().name(),
            "total": store.len(),
            "shown": sums.rows,
            "next": last.map(|(number, _)| number.to_string()),
            "newest": newest.map(|(number, _)| number.saturating_add(1).to_string()),
            "tenants": names["tenants"],
            "agents": names["agents"],
            "bytes": store.bytes(),
            "limit": store.limit(),
            "lost": {"traces": lost.traces, "spans": lost.spans},
            "sums": {
                "spans": saturated(sums.spans), "errs": saturated(sums.errors), "refused": saturated(sums.refused),
                "in": saturated(sums.input), "out": saturated(sums.output),
                "cost": dollars(sums.cost),
            },
            "traces": rows.collect::<Vec<_>>(),
        })
    }

    /// Whether every trace is asked for.
    fn is_none(&self) -> bool {
        let Self {
            words,
            states,
            tenant,
            agent,
            attributes,
            from,
            to,
            limit: _,
            after: _,
            skip: _,
        } = self;
        let has_texts = !(words.is_empty() && states.is_empty() && attributes.is_empty());
        let has_names = tenant.is_some() || agent.is_some();
        !has_texts && !has_names && from.is_none() && to.is_none()
    }

    /// The sums of all traces that are asked for, and those of the page.
    fn found<'a>(&self, store: &'a Store, limit: usize) -> (Sums, Vec<(u64, &'a Trace)>) {
        let (mut sums, mut sent, mut skip) = (Sums::default(), Vec::new(), self.skip);
        for (number, trace) in store.newest_before(u64::MAX) {
            if !self.takes(trace.row(), trace) {
                continue;
            }
            sums.add(trace.row());
            if sent.len() == limit || self.after.is_some_and(|after| number >= after) {
                continue;
            }
            match skip {
                0 => sent.push((number, trace)),
                _ => skip -= 1,
            }
        }
        (sums, sent)
    }

    fn takes(&self, row: &Row, trace: &Trace) -> bool {
        let is_in_state = |state: &String| match state.as_str() {
            "err" => row.errors > 0,
            "ref" => row.refused > 0,
            "run" => row.is_running,
            _ => false,
        };
        let is_of = |wanted: &Option<String>, found: &[&Option<Box<str>>]| {
            let is_it = |found: &&Option<Box<str>>| found.as_deref() == wanted.as_deref();
            wanted.is_none() || found.iter().any(is_it)
        };
        let at = milliseconds(row.start);
        (self.states.is_empty() || self.states.iter().any(is_in_state))
            && is_of(&self.tenant, &[&row.tenant])
            && is_of(&self.agent, &[&row.agent, &row.agent_id])
            && self.from.is_none_or(|from| at >= from)
            && self.to.is_none_or(|to| at <= to)
            && self.words.iter().all(|term| term.is_in(row, trace))
            && self
                .attributes
                .iter()
                .all(|attribute| has_attribute(trace, attribute))
    }
}

/// A sum as JSON has it.
fn saturated(sum: i128) -> i64 {
    i64::try_from(sum).unwrap_or(if sum < 0 { i64::MIN } else { i64::MAX })
}

impl Term {
    fn new(text: &str) -> Self {
        Self {
            word: Word::new(text),
            attribute: key_and_value(text),
        }
    }

    fn is_in(&self, row: &Row, trace: &Trace) -> bool {
        let texts = [
            &row.agent,
            &row.agent_id,
            &row.tenant,
            &row.conversation,
            &row.asked,
            &row.answered,
        ];
        let mut texts = texts.into_iter().flatten().chain([&row.id, &row.name]);
        let attribute = self.attribute.as_ref();
        let word = &self.word;
        texts.any(|text| word.is_in(text))
            || attribute.is_some_and(|attribute| has_attribute(trace, attribute))
            || trace.has_span(|texts| word.may_be_in(texts), |span| word.is_in_span(span))
    }
}

fn has_attribute(trace: &Trace, (key, wanted): &(String, String)) -> bool {
    let is_literal = is_literal(wanted);
    let escaped = in_json(key);
    let may_have = |has: &dyn Fn(&str) -> bool| has(&escaped) && (!is_literal || has(wanted));
    let is_equal = |span: &Span| {
        let reading = Reading::of(&span.value());
        match reading.value(key) {
            Some(Value::String(text)) => text == wanted,
            Some(value) => {
                serde_json::from_str::<Value>(wanted).is_ok_and(|wanted| wanted == *value)
            }
            None => false,
        }
    };
    trace.has_span(
        |texts| may_have(&|text| texts.may_have(text)),
        |span| may_have(&|text| span.json.contains(text)) && is_equal(span),
    )
}

/// Whether a value stands in the JSON of a span as it stands in a filter: texts without escapes, and whole numbers.
/// Spans without it need not be parsed, which takes most of the time of a search.
fn is_literal(wanted: &str) -> bool {
    let has_escapes = wanted
        .contains(|character: char| matches!(character, '"' | '\\') || character.is_control());
    let is_other_json = || match serde_json::from_str::<Value>(wanted) {
        Ok(Value::Number(number)) => !(number.is_i64() || number.is_u64()),
        Ok(value) => !value.is_boolean(),
        Err(_) => false,
    };
    !has_escapes && !is_other_json()
}

fn key_and_value(text: &str) -> Option<(String, String)> {
    let (key, value) = text.split_once('=')?;
    let is_both = !key.trim().is_empty() && !value.trim().is_empty();
    is_both.then(|| (key.trim().to_owned(), value.trim().to_owned()))
}

/// The value of a parameter of a query.
pub(super) fn parameter(query: &str, name: &str) -> Option<String> {
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let (_, value) = pairs.find(|(found, _)| *found == name)?;
    Some(decoded(value))
}

/// A value of a query, in which a plus is a blank.
fn decoded(value: &str) -> String {
    let value = value.replace('+', " ");
    percent_encoding::percent_decode_str(&value)
        .decode_utf8_lossy()
        .into_owned()
}
