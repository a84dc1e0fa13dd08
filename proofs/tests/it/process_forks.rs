//! A14, fork without `exec`: a child starts with nothing of its parent's, exports its own, and never waits
//! for a thread or a lock that is not there. Nothing is exported twice.

use std::collections::HashSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use agentspan_testkit::{Answer, Service};

use crate::process_ends::output_of;

/// What came of a story.
struct Told {
    /// What the first process said, and then what its children said, in their order.
    said: Vec<(Who, String)>,
    output: String,
    /// What was noted in the file.
    noted: Vec<(Who, String)>,
    service: Service,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Who {
    Parent,
    Child,
}

fn tell(story: &str) -> Told {
    static TOLD: AtomicUsize = AtomicUsize::new(0);
    let number = TOLD.fetch_add(1, Ordering::Relaxed);
    let file = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let file = file.join(format!("notes-{}-{number}", std::process::id()));
    let answers = Service::builder().then_repeat(Answer::status(200));
    let service = answers.start().unwrap();
    let child = Command::new(env!("CARGO_BIN_EXE_process_fork"))
        .arg(story)
        .arg(&file)
        .arg(service.url())
        .env("RUST_BACKTRACE", "0")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let parent = child.id().to_string();
    let output = output_of(child).unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && errors.is_empty(), "{errors}");
    let lines = |text: &str| -> Vec<(Who, String)> {
        let line = |line: &str| {
            let (pid, rest) = line.split_once(' ').unwrap_or((line, ""));
            let who = if pid == parent { Parent } else { Child };
            (who, rest.to_owned())
        };
        text.lines().map(line).collect()
    };
    let said = String::from_utf8(output.stdout).unwrap();
    let noted = fs::read_to_string(&file).unwrap_or_default();
    let _ = fs::remove_file(&file);
    Told {
        said: lines(&said),
        output: said,
        noted: lines(&noted),
        service,
    }
}

impl Told {
    #[track_caller]
    fn check_said(&self, who: Who, expected: &[&str]) {
        let said = self.said.iter().filter(|(by, _)| *by == who);
        let said: Vec<&str> = said.map(|(_, text)| text.as_str()).collect();
        assert_eq!(said, expected, "{who:?}");
    }

    /// Checks what was noted, by whom; the order does not count.
    #[track_caller]
    fn check_noted(&self, expected: &[(Who, &str)]) {
        let mut noted: Vec<_> = self
            .noted
            .iter()
            .map(|(who, text)| (*who, text.as_str()))
            .collect();
        let mut expected = expected.to_vec();
        let order = |(who, text): &(Who, &str)| (text.to_string(), *who == Child);
        noted.sort_by_key(order);
        expected.sort_by_key(order);
        assert_eq!(noted, expected);
    }

    /// How often a name is in the bodies that were sent to a path.
    fn sent(&self, path: &str, name: &str) -> usize {
        let requests = self.service.requests();
        let to_path = requests
            .iter()
            .filter(|request| request.path().starts_with(path));
        let texts = to_path.map(|request| String::from_utf8_lossy(&request.body).into_owned());
        texts.map(|text| text.matches(name).count()).sum()
    }
}

use Who::{Child, Parent};

#[test]
fn a14_a_child_exports_its_own_spans_and_none_of_its_parents() {
    let told = tell("export-queue");
    told.check_noted(&[
        (Parent, "parent-1"),
        (Parent, "parent-2"),
        (Child, "child-1"),
        (Child, "grandchild-1"),
    ]);
    told.check_said(
        Child,
        &[
            "accepted 0 exported 0 dropped 0 queued 0",
            "flush Ok(())",
            "accepted 1 exported 1 dropped 0 queued 0",
            "accepted 1 exported 1 dropped 0 queued 0",
            "accepted 2 exported 1 dropped 1 queued 0",
        ],
    );
    told.check_said(Parent, &["accepted 2 exported 2 dropped 0 queued 0"]);
}

#[test]
fn a14_a_child_without_an_exporter_counts_its_losses() {
    let told = tell("export-queue-without-another");
    told.check_noted(&[(Parent, "parent-1"), (Parent, "parent-2")]);
    told.check_said(
        Child,
        &[
            "accepted 0 exported 0 dropped 0 queued 0",
            "flush Err(InternalFailure(\"notes lost 1 span (forked: 1)\"))",
            "accepted 1 exported 0 dropped 1 queued 0",
            "accepted 1 exported 0 dropped 1 queued 0",
            "accepted 2 exported 0 dropped 2 queued 0",
        ],
    );
    told.check_said(Parent, &["accepted 2 exported 2 dropped 0 queued 0"]);
}

#[test]
fn a14_a_queue_that_was_shut_down_before_the_fork_stays_so() {
    let told = tell("export-queue-shut-down");
    told.check_noted(&[(Parent, "parent-1")]);
    told.check_said(Child, &["accepted 1 exported 0 dropped 1 queued 0"]);
    told.check_said(Parent, &["accepted 1 exported 1 dropped 0 queued 0"]);
}

#[test]
fn a14_a_processor_behind_a_queue_hears_of_each_span_in_one_process() {
    let told = tell("background-queue");
    told.check_noted(&[
        (Parent, "parent-1"),
        (Parent, "parent-2"),
        (Parent, "open"),
        (Parent, "RootSpan"),
        (Child, "child-1"),
        (Child, "child-2"),
        (Child, "RootSpan"),
    ]);
    told.check_said(
        Child,
        &[
            "accepted 2 handled 2 dropped 0 queued 0",
            // The shutdown of the parent's trace, and a whole trace of its own.
            "accepted 9 handled 9 dropped 0 queued 0",
        ],
    );
    told.check_said(Parent, &["accepted 10 handled 10 dropped 0 queued 0"]);
}

#[test]
fn a14_a_queue_of_hooks_that_was_closed_before_the_fork_stays_so() {
    let told = tell("background-queue-closed");
    told.check_noted(&[]);
    // The start and the end of a trace and of its root.
    told.check_said(Child, &["accepted 4 handled 0 dropped 4 queued 0"]);
}

#[test]
fn a14_a_delivery_goes_on_in_a_child_with_connections_of_its_own() {
    let told = tell("delivery");
    for name in ["parent-0", "parent-1", "parent-2", "child-1", "child-2"] {
        assert_eq!(told.sent("/", &format!("execute_tool {name}")), 1, "{name}");
    }
    assert_eq!(told.sent("/", "execute_tool late"), 0);
    told.check_said(
        Child,
        &[
            "accepted 0 exported 0 dropped 0 queued 0",
            "accepted 1 exported 1 dropped 0 queued 0",
            "accepted 3 exported 2 dropped 1 queued 0",
            "accepted 0 exported 0 dropped 0 queued 0",
        ],
    );
    told.check_said(Parent, &["accepted 3 exported 3 dropped 0 queued 0"]);
    assert_eq!(told.service.connections(), 2);
}

#[test]
fn a14_every_destination_of_the_facade_gets_each_span_once() {
    let told = tell("facade");
    for name in ["parent-1", "parent-2", "child-1"] {
        let tool = format!("execute_tool {name}");
        assert_eq!(told.sent("/maven", &tool), 1, "{name} to Agent 365");
        assert_eq!(told.sent("/v1/traces", &tool), 1, "{name} over OTLP");
    }
    // The program's own exporter is the parent's; the processor of Agent Spec is in both.
    let noted = |who, name: &str| {
        let noted = told
            .noted
            .iter()
            .filter(|(by, text)| *by == who && text == name);
        noted.count()
    };
    for (who, name, tool, heard) in [
        (Parent, "parent-1", 1, 1 + 1),
        (Parent, "parent-2", 1, 1 + 1),
        (Child, "child-1", 0, 1),
    ] {
        assert_eq!(noted(who, &format!("execute_tool {name}")), tool, "{name}");
        assert_eq!(noted(who, name), heard, "{name}");
    }
    let said = |text: &str| {
        let said = told
            .said
            .iter()
            .filter(|(who, said)| *who == Child && said == text);
        said.count()
    };
    assert_eq!(said("flush true"), 1, "{:?}", told.said);
    assert_eq!(
        said("notes: 3 accepted, 0 exported, 0 queued, 3 dropped (forked: 3)"),
        1,
        "{:?}",
        told.said
    );
}

#[test]
fn a14_spans_that_are_open_at_the_fork_are_the_parents() {
    let told = tell("open-spans");
    told.check_noted(&[
        (Parent, "execute_tool open"),
        (Parent, "execute_tool open"),
        (Parent, "execute_tool waiting"),
        (Parent, "open"),
        (Parent, "RootSpan"),
        (Child, "child-1"),
        (Child, "execute_tool child-2"),
    ]);
    told.check_said(Child, &["accepted 2 exported 2 dropped 0 queued 0"]);
    told.check_said(Parent, &["accepted 5 exported 5 dropped 0 queued 0"]);
}

#[test]
fn a14_no_two_processes_make_the_same_ids() {
    let told = tell("ids");
    // A line is an id, and names nobody.
    let ids: Vec<&str> = told.output.lines().collect();
    assert_eq!(ids.len(), 4 * 20 * 5);
    assert_eq!(ids.iter().collect::<HashSet<_>>().len(), ids.len());
}

#[test]
fn a14_a_child_never_waits_for_what_another_thread_of_its_parent_held() {
    let told = tell("busy");
    let counts = |text: &str| -> Vec<u64> {
        text.split(' ')
            .filter_map(|word| word.parse().ok())
            .collect()
    };
    for (who, text) in &told.said {
        let [given, done, dropped, queued] = counts(text)[..] else {
            panic!("{text}");
        };
        assert_eq!(given, done + dropped + queued, "{who:?} {text}");
    }
    let children = told.said.iter().filter(|(who, _)| *who == Child).count();
    assert_eq!(children, 40 * 3);
    assert_eq!(told.sent("/", "execute_tool child"), 40);
    let noted = told
        .noted
        .iter()
        .filter(|(who, text)| *who == Child && text == "execute_tool child");
    assert_eq!(noted.count(), 40);
}
