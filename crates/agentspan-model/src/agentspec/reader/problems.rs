//! The problems of one text: the first ones are kept, the others counted.

use super::Step;
use crate::agentspec::{PathSegment, Position, Problem, ProblemKind, ReadError, source::Source};

/// How many problems are kept. Errors show eight; a text that is all wrong has as many as it has parts.
const MAX_PROBLEMS: usize = 1_000;

/// How many bytes the problems may take before no more are kept. Long names and deep places are repeated in
/// the path of every problem below them.
const MAX_BYTES: usize = 4 << 20;

/// The problems of a text.
#[derive(Debug, Default)]
pub(crate) struct Problems {
    kept: Vec<Problem>,
    /// The place of each in the text, as an offset in bytes.
    places: Vec<usize>,
    /// Problems, by their index, that name another place in the text.
    firsts: Vec<(usize, usize)>,
    bytes: usize,
    /// How many were found beyond those that are kept.
    others: usize,
}

/// How much was found up to some moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark {
    kept: usize,
    firsts: usize,
    bytes: usize,
    others: usize,
}

impl Problems {
    /// Notes a problem at a place of the text. Its path is made only if the problem is kept.
    pub(crate) fn add(
        &mut self,
        place: usize,
        path: impl FnOnce() -> Vec<PathSegment>,
        kind: ProblemKind,
    ) {
        if !self.has_room() {
            self.others += 1;
            return;
        }
        let path = path();
        let steps = path.iter().map(size_of_step).sum::<usize>();
        self.bytes += steps + kind.name().len();
        self.places.push(place);
        self.kept.push(Problem {
            path,
            position: None,
            kind,
        });
    }

    /// Notes that an id is listed twice, for the first time at the place `first`.
    pub(super) fn add_listed_twice(
        &mut self,
        place: usize,
        first: usize,
        path: &[Step<'_>],
        id: &str,
    ) {
        if self.has_room() {
            self.firsts.push((self.kept.len(), first));
        }
        let path = || path.iter().map(PathSegment::from).collect();
        let kind = ProblemKind::ListedTwice {
            reference: id.to_owned(),
            first: Position::default(),
        };
        self.add(place, path, kind);
    }

    fn has_room(&self) -> bool {
        self.kept.len() < MAX_PROBLEMS && self.bytes < MAX_BYTES
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    pub(super) fn mark(&self) -> Mark {
        Mark {
            kept: self.kept.len(),
            firsts: self.firsts.len(),
            bytes: self.bytes,
            others: self.others,
        }
    }

    /// Forgets what was found since then.
    pub(super) fn forget_since(&mut self, mark: Mark) {
        self.kept.truncate(mark.kept);
        self.places.truncate(mark.kept);
        self.firsts.truncate(mark.firsts);
        self.bytes = mark.bytes;
        self.others = mark.others;
    }

    /// Says of each problem where it is in the text that was written.
    pub(crate) fn locate(&mut self, source: &Source<'_>) {
        let positions = source.positions(&self.places);
        for (problem, position) in self.kept.iter_mut().zip(positions) {
            problem.position = Some(position);
        }
        let firsts: Vec<usize> = self.firsts.iter().map(|(_, first)| *first).collect();
        let positions = source.positions(&firsts);
        for ((index, _), position) in self.firsts.iter().zip(positions) {
            let problem = self.kept.get_mut(*index);
            if let Some(ProblemKind::ListedTwice { first, .. }) =
                problem.map(|problem| &mut problem.kind)
            {
                *first = position;
            }
        }
    }

    pub(crate) fn into_error(self) -> ReadError {
        ReadError::new(self.kept, self.others)
    }
}

fn size_of_step(step: &PathSegment) -> usize {
    let name = match step {
        PathSegment::Member(name) => name.len(),
        PathSegment::Index(_) => 0,
    };
    size_of::<PathSegment>() + name
}
