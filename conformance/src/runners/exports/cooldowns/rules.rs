//! What we do, told from the rules and not from the delivery.

use std::collections::VecDeque;

use agentspan_model::agent365::Profile;

use super::{Done, Input, Run, Step};
use crate::export_input::{ExportInput, TokenAnswer, TokenCall};
use crate::runners::exports::limits::bodies;
use crate::runners::exports::model::{
    Answered, Gated, Group, SentRequest, Whose, bearer, can_be_built, cooldown, groups, is_failure,
    spans_of, target,
};
use crate::runners::exports::parents::change_parents;

/// An identity whose last try failed.
struct Lane {
    whose: Whose,
    until: f64,
    failures: u32,
    waiting: VecDeque<Item>,
}

/// Bodies that have one token.
struct Item {
    host: String,
    target: String,
    bodies: VecDeque<String>,
}

/// What became of an item.
enum End {
    /// Whether all of it arrived.
    Done(bool),
    /// It waits for so many seconds.
    Waits(Item, f64),
}

struct Model<'a> {
    input: &'a Input,
    now: f64,
    lanes: Vec<Lane>,
    /// How many requests were sent.
    sent: usize,
    calls: Vec<TokenCall>,
    /// How many of the calls are those of steps before.
    calls_before: usize,
    done: Done,
    random_calls: usize,
}

pub(super) fn run(input: &Input) -> Run {
    let mut model = Model {
        input,
        now: 0.0,
        lanes: Vec::new(),
        sent: 0,
        calls: Vec::new(),
        calls_before: 0,
        done: Done::default(),
        random_calls: 0,
    };
    let mut run = Run::default();
    let mut is_shut_down = !can_be_built(&input.export, Profile::V3);
    for step in &input.steps {
        match step {
            Step::Export { .. } if is_shut_down => model.done.success = Some(false),
            Step::Export { spans } => model.export(&input.of(spans)),
            Step::Advance { seconds } => model.advance(*seconds),
            Step::Replay => {}
            Step::Shutdown => {
                is_shut_down = true;
                model.shut_down();
            }
        }
        run.steps.push(model.finish_step());
    }
    run.random_calls = model.random_calls;
    run
}

impl Model<'_> {
    fn finish_step(&mut self) -> Done {
        let mut done = std::mem::take(&mut self.done);
        let calls = self.calls.iter().skip(self.calls_before);
        done.token_calls = calls.cloned().collect();
        self.calls_before = self.calls.len();
        for lane in &self.lanes {
            done.gate.push(Gated {
                identity: lane.whose.clone(),
                blocked_seconds: lane.until - self.now,
                failures: lane.failures,
            });
            for body in lane.waiting.iter().flat_map(|item| &item.bodies) {
                let (spans, body) = (spans_of(body), Some(body.clone()));
                done.queue.push((lane.whose.clone(), body, spans));
            }
        }
        done
    }

    fn export(&mut self, export: &ExportInput) {
        let mut success = true;
        let mut spans = export.rust_spans();
        change_parents(&mut spans, Profile::V3);
        let groups = groups(export, &spans, Profile::V3, &mut success);
        for group in &groups {
            success &= self.deliver(export, group);
        }
        self.done.success = Some(success);
    }

    fn deliver(&mut self, export: &ExportInput, group: &Group<'_>) -> bool {
        let whose = group.whose(export);
        let item = Item {
            host: group.host.clone(),
            target: target(export, group, Profile::V3),
            bodies: bodies(export, &group.spans, Profile::V3).into(),
        };
        if let Some(lane) = self.lanes.iter_mut().find(|lane| lane.whose == whose) {
            lane.waiting.push_back(item);
            return true;
        }
        let mut failures = 0;
        match self.send(&whose, item, &mut failures) {
            End::Done(success) => success,
            // What is not kept is lost.
            End::Waits(..) if !export.durable_delivery => false,
            End::Waits(item, pause) => {
                self.lanes.push(Lane {
                    whose,
                    until: self.now + pause,
                    failures,
                    waiting: [item].into(),
                });
                true
            }
        }
    }

    fn advance(&mut self, seconds: f64) {
        self.now += seconds;
        loop {
            let due = self.lanes.iter().enumerate();
            let due = due.filter(|(_, lane)| lane.until <= self.now);
            let first = due.min_by(|(_, one), (_, other)| one.until.total_cmp(&other.until));
            let Some((at, _)) = first else { return };
            let mut lane = self.lanes.remove(at);
            if self.wake(&mut lane, false) {
                self.lanes.insert(at, lane);
            }
        }
    }

    fn shut_down(&mut self) {
        for mut lane in std::mem::take(&mut self.lanes) {
            self.wake(&mut lane, true);
        }
    }

    /// Sends what waits until a try fails; at the end each item is tried. Whether something waits.
    fn wake(&mut self, lane: &mut Lane, is_end: bool) -> bool {
        while let Some(item) = lane.waiting.pop_front() {
            let End::Waits(item, pause) = self.send(&lane.whose, item, &mut lane.failures) else {
                continue;
            };
            if !is_end {
                lane.waiting.push_front(item);
                lane.until = self.now + pause;
                return true;
            }
        }
        false
    }

    fn send(&mut self, whose: &Whose, mut item: Item, failures: &mut u32) -> End {
        let export = &self.input.export;
        let user = whose.agentic_user.as_deref();
        let Some(call) = export.token_call(&whose.tenant, &whose.agent, user) else {
            return End::Done(false);
        };
        let answer = export.token(&call, &self.calls);
        self.calls.push(call);
        if is_failure(answer) {
            return self.pause(item, failures, None);
        }
        let token = match answer {
            TokenAnswer::Token(Some(token)) if !token.is_empty() => token,
            _ => return End::Done(false),
        };
        let mut success = true;
        while let Some(body) = item.bodies.front() {
            self.done.posts.push(SentRequest {
                host: item.host.clone(),
                target: item.target.clone(),
                authorization: Some(bearer(token)),
                body: body.clone(),
            });
            let answer = export.responses.get(self.sent).or(export.responses.last());
            self.sent += 1;
            match answer.map_or(Answered::Refused, Answered::of) {
                Answered::Taken { all } => success &= all,
                Answered::Refused => {
                    *failures = 0;
                    return End::Done(false);
                }
                Answered::Later(asked) => return self.pause(item, failures, asked),
            }
            *failures = 0;
            item.bodies.pop_front();
        }
        End::Done(success)
    }

    fn pause(&mut self, item: Item, failures: &mut u32, asked: Option<f64>) -> End {
        let is_asked = asked.is_some_and(|asked| asked > 0.0);
        let mut random = 0.0;
        if self.input.export.durable_delivery && !is_asked && *failures > 0 {
            random = self.input.random(self.random_calls);
            self.random_calls += 1;
        }
        let pause = cooldown(*failures, asked, random);
        *failures += 1;
        End::Waits(item, pause)
    }
}
