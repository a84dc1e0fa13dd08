//! What a recording says of a run.

use std::collections::{BTreeMap, HashMap};
use std::error::Error;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use agentspan_model::agentspec::{Disclosure, HookCall, RecordedHook, Recording, Timestamp};

/// The hooks of one run.
pub(crate) struct RecordedRun {
    name: String,
    hooks: Vec<RecordedHook>,
}

/// The runs of a file, in order of their names. A line that cannot be read is an error.
pub(crate) fn read(path: &Path) -> Result<Vec<RecordedRun>, Box<dyn Error>> {
    let mut runs: BTreeMap<String, Vec<RecordedHook>> = BTreeMap::new();
    let mut recording = Recording::new(BufReader::new(File::open(path)?));
    for hook in &mut recording {
        let hook = hook?;
        let name = hook.run.clone().unwrap_or_default();
        runs.entry(name).or_default().push(hook);
    }
    if let Some(line) = recording.cut_off_line() {
        return Err(format!("line {line} of {} is cut off", path.display()).into());
    }
    let runs = runs.into_iter();
    Ok(runs
        .map(|(name, hooks)| RecordedRun { name, hooks })
        .collect())
}

impl RecordedRun {
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn hooks(&self) -> &[RecordedHook] {
        &self.hooks
    }

    /// How many spans start.
    pub(crate) fn started(&self) -> usize {
        let starts = self.hooks.iter();
        starts
            .filter(|hook| matches!(hook.call, HookCall::OnStart(_)))
            .count()
    }

    /// How many spans start and never end.
    pub(crate) fn open_spans(&self) -> usize {
        let mut open: HashMap<_, usize> = HashMap::new();
        for hook in &self.hooks {
            match &hook.call {
                HookCall::OnStart(on) => *open.entry(&on.span.id).or_default() += 1,
                HookCall::OnEnd(on) => {
                    let count = open.entry(&on.span.id).or_default();
                    *count = count.saturating_sub(1);
                }
                _ => {}
            }
        }
        open.values().sum()
    }

    /// How many events happen in spans.
    pub(crate) fn events(&self) -> usize {
        let hooks = self.hooks.iter();
        hooks
            .filter(|hook| matches!(hook.call, HookCall::OnEvent(..)))
            .count()
    }

    /// The first and the last time that it tells.
    pub(crate) fn times(&self) -> Option<(Timestamp, Timestamp)> {
        let times = self.hooks.iter().filter_map(|hook| match &hook.call {
            HookCall::OnStart(on) => on.span.start_time,
            HookCall::OnEvent(_, event) => Some(event.timestamp),
            HookCall::OnEnd(on) => on.span.end_time,
            HookCall::Startup | HookCall::Shutdown => None,
        });
        let times: Vec<_> = times.collect();
        Some((*times.iter().min()?, *times.iter().max()?))
    }

    /// Lines that are not the same when they are written and read again, in clear or masked.
    pub(crate) fn lines_that_change(&self) -> Result<Vec<String>, Box<dyn Error>> {
        let mut wrong = Vec::new();
        for (number, hook) in self.hooks.iter().enumerate() {
            let clear = serde_json::to_string(&hook.line().with_disclosure(Disclosure::Clear))?;
            if RecordedHook::from_json(&clear)? != *hook {
                wrong.push(format!(
                    "hook {number} is another one when it is read again"
                ));
            }
            let masked = serde_json::to_string(&hook.line())?;
            RecordedHook::from_json(&masked)?;
        }
        Ok(wrong)
    }
}
