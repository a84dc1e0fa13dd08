//! The miniature of a run for the list: its longest spans, or its activity over time.

use std::cmp::Reverse;

use crate::facts::Kind;
use crate::span::Span;

/// How many bars a shape has at most.
const BARS: usize = 28;

/// With more spans than this, the longest ones say little: most of the run is in spans too short to be seen.
const MANY: usize = 280;

/// The whole run.
const WHOLE: u16 = 1_000;

/// A bar, in thousandths of the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bar {
    pub(super) from: u16,
    pub(super) width: u16,
    pub(super) kind: Kind,
    pub(super) is_error: bool,
}

/// The shape of a run from its spans, which are sorted by their start.
pub(super) fn of(sorted: &[&Span], start: u64, end: u64) -> Box<[Bar]> {
    let run = Run {
        start,
        length: end.saturating_sub(start).max(1),
    };
    let bars = match sorted.len() > MANY {
        true => run.densities(sorted),
        false => run.longest(sorted),
    };
    bars.into_boxed_slice()
}

#[derive(Clone, Copy)]
struct Run {
    start: u64,
    length: u64,
}

impl Run {
    /// The longest spans, in the order of their start.
    fn longest(self, sorted: &[&Span]) -> Vec<Bar> {
        let mut longest: Vec<&Span> = sorted.to_vec();
        longest.sort_by_key(|span| Reverse((span.is_error, self.length_of(span))));
        longest.truncate(BARS);
        longest.sort_by_key(|span| (span.start, Reverse(span.end)));
        longest.iter().map(|span| self.bar(span)).collect()
    }

    fn bar(self, span: &Span) -> Bar {
        Bar {
            from: self.scale(span.start.saturating_sub(self.start)),
            width: self.scale(self.length_of(span)),
            kind: span.facts.kind,
            is_error: span.is_error,
        }
    }

    /// The first span as a whole, and below it a bar for each part of the time: as wide as it was busy, in the kind of
    /// step that took most of it.
    fn densities(self, sorted: &[&Span]) -> Vec<Bar> {
        let does_something =
            |span: &&&Span| matches!(span.facts.kind, Kind::Llm | Kind::Tool | Kind::Guardrail);
        let mut parts = [Part::default(); BARS - 1];
        let mut steps: Vec<&&Span> = sorted.iter().filter(does_something).collect();
        if steps.is_empty() {
            steps = sorted.iter().skip(1).collect();
        }
        for span in steps {
            self.spread(span, &mut parts);
        }
        let busiest = parts.iter().map(Part::busy).max().unwrap_or(0).max(1);
        let each = WHOLE / (BARS as u16 - 1);
        let bars = (0..).zip(&parts).filter(|(_, part)| part.busy() > 0);
        let bars = bars.map(|(at, part)| Bar {
            from: at * WHOLE / (BARS as u16 - 1),
            width: u16::try_from(u128::from(each) * part.busy() / busiest)
                .unwrap_or(each)
                .max(1),
            kind: part.kind(),
            is_error: part.has_failed,
        });
        let first = sorted.first().map(|span| Bar {
            is_error: false,
            ..self.bar(span)
        });
        first.into_iter().chain(bars).collect()
    }

    /// Adds the time of a span to the parts that it is in.
    fn spread(self, span: &Span, parts: &mut [Part; BARS - 1]) {
        let count = parts.len() as u128;
        let from = u128::from(span.start.saturating_sub(self.start));
        let to = from + u128::from(self.length_of(span).max(1));
        let edge = |at: u128| u128::from(self.length) * at / count;
        let first = (from * count / u128::from(self.length)).min(count - 1);
        for (at, part) in (0..count)
            .zip(parts)
            .skip(usize::try_from(first).unwrap_or(0))
        {
            let shared = to.min(edge(at + 1)).saturating_sub(from.max(edge(at)));
            if shared == 0 && at > first {
                return;
            }
            part.add(span.facts.kind, shared.max(1));
            part.has_failed |= span.is_error && at == first;
        }
    }

    fn length_of(self, span: &Span) -> u64 {
        let end = span.end.unwrap_or(self.start.saturating_add(self.length));
        end.saturating_sub(span.start)
    }

    fn scale(self, time: u64) -> u16 {
        let scaled = u128::from(time) * u128::from(WHOLE) / u128::from(self.length);
        u16::try_from(scaled).unwrap_or(WHOLE).min(WHOLE)
    }
}

/// The nanoseconds that models, tools, and all else took in one part of the time.
#[derive(Clone, Copy, Debug, Default)]
struct Part {
    models: u128,
    tools: u128,
    others: u128,
    has_failed: bool,
}

impl Part {
    fn add(&mut self, kind: Kind, time: u128) {
        let sum = match kind {
            Kind::Llm => &mut self.models,
            Kind::Tool => &mut self.tools,
            _ => &mut self.others,
        };
        *sum = sum.saturating_add(time);
    }

    fn busy(&self) -> u128 {
        let steps = self.models.saturating_add(self.tools);
        steps.saturating_add(self.others)
    }

    fn kind(&self) -> Kind {
        let most = self.models.max(self.tools).max(self.others);
        match most {
            most if most == self.models => Kind::Llm,
            most if most == self.tools => Kind::Tool,
            _ => Kind::Other,
        }
    }
}

#[cfg(test)]
mod tests;
