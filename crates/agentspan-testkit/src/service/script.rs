//! Which answer comes next.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::answer::{Answer, Play};
use crate::record::RecordedRequest;

/// A closure that answers requests.
pub(crate) type Answerer = Arc<dyn Fn(&RecordedRequest) -> Answer + Send + Sync>;

/// Routes first, in the order given; then the closure; then the main script.
#[derive(Default)]
pub(crate) struct Script {
    pub(crate) routes: Vec<(String, Mutex<Answers>)>,
    pub(crate) answerer: Option<Answerer>,
    pub(crate) main: Mutex<Answers>,
}

impl Script {
    /// Takes the next answer of the main script if it is played as early as this.
    pub(crate) fn next_if(&self, is_early: impl Fn(&Play) -> bool) -> Option<Answer> {
        let mut main = locked(&self.main);
        let next = main.peek().filter(|answer| is_early(&answer.play));
        next.is_some().then(|| main.next())
    }

    pub(crate) fn next(&self, request: &RecordedRequest) -> Answer {
        for (prefix, answers) in &self.routes {
            if request.target.starts_with(prefix) {
                return locked(answers).next();
            }
        }
        match &self.answerer {
            Some(answerer) => answerer(request),
            None => locked(&self.main).next(),
        }
    }

    /// Puts other answers in the place of the main script's.
    pub(crate) fn replace(&self, answers: Answers) {
        *locked(&self.main) = answers;
    }
}

impl fmt::Debug for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Script").finish_non_exhaustive()
    }
}

/// Answers one after the other, of which the last repeats.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    coming: VecDeque<Answer>,
    /// The answer when nothing is left; `None` means the last answer of the script.
    pub(crate) repeated: Option<Answer>,
}

impl Answers {
    pub(crate) fn new(answers: impl IntoIterator<Item = Answer>) -> Self {
        Self {
            coming: answers.into_iter().collect(),
            repeated: None,
        }
    }

    fn peek(&self) -> Option<&Answer> {
        self.coming.front().or(self.repeated.as_ref())
    }

    fn next(&mut self) -> Answer {
        match self.coming.pop_front() {
            Some(answer) => {
                if self.coming.is_empty() && self.repeated.is_none() {
                    self.repeated = Some(answer.clone());
                }
                answer
            }
            None => self.repeated.clone().unwrap_or_else(|| Answer::status(200)),
        }
    }
}

fn locked(answers: &Mutex<Answers>) -> MutexGuard<'_, Answers> {
    answers.lock().unwrap_or_else(PoisonError::into_inner)
}
