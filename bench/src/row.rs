//! What is compared: rows of contenders that do the same work.

use std::fmt;

use crate::error::BenchError;
use crate::gauge::Clock;
use crate::goal::Goal;
use crate::metric::{Metric, Readings};
use crate::site::Site;

/// One way of doing the work of a row, many times in the process of its peers.
pub trait Contender {
    /// What the table calls it. Unique in its row.
    fn name(&self) -> &'static str;

    /// Makes what the next run uses up. This is not measured.
    fn prepare(&mut self) {}

    /// Does the work once.
    fn run(&mut self);

    /// How many units one run handles, where that differs from what the row says.
    fn units(&self) -> Option<usize> {
        None
    }
}

/// One way of doing the work of a row, once in a process of its own.
pub(crate) struct Program {
    /// What the table calls it. Unique in its row.
    pub(crate) name: &'static str,
    /// Does the work and measures it.
    pub(crate) run: Box<Measures>,
}

/// Does the work of a program and says what it measured.
type Measures = dyn Fn(&Site<'_>) -> Result<Readings, BenchError>;

/// Contenders that do the same work, and what should come out.
pub struct Row {
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    /// What is counted: a span, unless the row says otherwise.
    pub(crate) unit: &'static str,
    pub(crate) work: Work,
    pub(crate) goals: Vec<Goal>,
    /// How many times every contender has its turn.
    pub(crate) rounds: usize,
}

/// How the contenders do their work.
pub(crate) enum Work {
    /// In one process, in turns.
    Turns(Turns),
    /// Each in a process of its own, which measures itself.
    Programs(Vec<Program>),
    /// Each is a process whose whole life is measured, by the first argument of `bench-start`.
    Starts(&'static [&'static str]),
}

/// Contenders that take turns in one process.
pub(crate) struct Turns {
    pub(crate) contenders: Vec<Box<dyn Contender>>,
    /// How many units one run handles.
    pub(crate) units: usize,
    /// How many runs are measured together.
    pub(crate) runs: usize,
    pub(crate) clock: Clock,
    /// Whether the peak of memory of one run is measured, too. Such a run takes long and has no steady state.
    pub(crate) peaks: bool,
}

impl Row {
    /// A row whose contenders take turns in one process, each of whose runs handles `units` units.
    ///
    /// The CPU time of the thread is measured.
    pub(crate) fn turns(name: &'static str, title: &'static str, units: usize) -> Self {
        let turns = Turns {
            contenders: Vec::new(),
            units,
            runs: 2,
            clock: Clock::Thread,
            peaks: false,
        };
        Self::new(name, title, 101, Work::Turns(turns))
    }

    /// A row whose contenders are processes that measure themselves.
    pub(crate) fn programs(name: &'static str, title: &'static str) -> Self {
        Self::new(name, title, 5, Work::Programs(Vec::new()))
    }

    /// A row whose contenders are processes that are measured from their start to their end.
    pub(crate) fn starts(
        name: &'static str,
        title: &'static str,
        names: &'static [&'static str],
    ) -> Self {
        Self::new(name, title, 41, Work::Starts(names)).counting("start")
    }

    fn new(name: &'static str, title: &'static str, rounds: usize, work: Work) -> Self {
        Self {
            name,
            title,
            unit: "span",
            work,
            goals: Vec::new(),
            rounds,
        }
    }

    /// Counts something else than spans.
    pub(crate) fn counting(mut self, unit: &'static str) -> Self {
        self.unit = unit;
        self
    }

    /// How many times every contender has its turn.
    pub(crate) fn rounds(mut self, rounds: usize) -> Self {
        self.rounds = rounds;
        self
    }

    /// Adds a contender of a row in turns, ours first.
    pub(crate) fn contender(mut self, contender: impl Contender + 'static) -> Self {
        if let Work::Turns(turns) = &mut self.work {
            turns.contenders.push(Box::new(contender));
        }
        self
    }

    /// Adds a contender that is a process, ours first.
    pub(crate) fn program(
        mut self,
        name: &'static str,
        run: impl Fn(&Site<'_>) -> Result<Readings, BenchError> + 'static,
    ) -> Self {
        if let Work::Programs(programs) = &mut self.work {
            let run = Box::new(run);
            programs.push(Program { name, run });
        }
        self
    }

    /// Changes how a row in turns is measured.
    pub(crate) fn measured(mut self, change: impl FnOnce(&mut Turns)) -> Self {
        if let Work::Turns(turns) = &mut self.work {
            change(turns);
        }
        self
    }

    /// Adds a goal.
    pub(crate) fn goal(mut self, goal: Goal) -> Self {
        self.goals.push(goal);
        self
    }

    /// Whether a goal looks at `metric`.
    pub(crate) fn wants(&self, metric: Metric) -> bool {
        self.goals.iter().any(|goal| goal.metric() == metric)
    }

    /// Whether a goal is about this contender.
    pub(crate) fn has_goal_about(&self, name: &str) -> bool {
        let mut goals = self.goals.iter();
        goals.any(|goal| goal.contenders().any(|contender| contender == name))
    }

    /// The names of the contenders, in their order.
    pub(crate) fn names(&self) -> Vec<&'static str> {
        match &self.work {
            Work::Turns(turns) => turns.contenders.iter().map(|one| one.name()).collect(),
            Work::Programs(programs) => programs.iter().map(|one| one.name).collect(),
            Work::Starts(names) => names.to_vec(),
        }
    }
}

impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Row")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
