//! Errors and panics that pass through scopes of sync code.

use std::error::Error;
use std::num::ParseIntError;
use std::panic::{AssertUnwindSafe, catch_unwind};

use agentspan_otel::ScopeFutureExt as _;
use futures_executor::block_on;
use opentelemetry::trace::Status;

use crate::recorder::{Recorder, assert_error, exceptions, values};

fn parse_error() -> ParseIntError {
    "x".parse::<i32>().unwrap_err()
}

#[test]
fn an_err_that_passes_through_is_recorded_and_unchanged() {
    let recorder = Recorder::new();
    let result: Result<i32, ParseIntError> = recorder.tool("a").in_scope(|_| "x".parse());
    assert_eq!(result, Err(parse_error()));
    let span = recorder.span();
    assert_error(&span, "ParseIntError", "invalid digit found in string");
    assert_eq!(
        exceptions(&span),
        [[
            "ParseIntError",
            "invalid digit found in string",
            "ParseIntError: invalid digit found in string\n",
            "False",
        ]]
    );
}

#[test]
fn an_error_has_one_name_under_both_keys() {
    let recorder = Recorder::new();
    let failed = recorder
        .tool("a")
        .in_scope(|_| Err::<(), _>(std::io::Error::other("disk full")));
    assert!(failed.is_err());
    let span = recorder.span();
    assert_error(&span, "io::Error", "disk full");
    assert_eq!(exceptions(&span)[0][0], "io::Error");
}

#[test]
fn an_ok_records_no_error() {
    let recorder = Recorder::new();
    let result = recorder.tool("a").in_scope(|_| "1".parse::<i32>());
    assert_eq!(result, Ok(1));
    let span = recorder.span();
    assert_eq!(span.status, Status::Unset);
    assert_eq!(values(&span, "error.type"), []);
}

#[test]
fn a_later_error_replaces_the_earlier_and_each_has_its_event() {
    let recorder = Recorder::new();
    let scope = recorder.tool("a");
    scope.record_error_as("zoo.Zebra", "z is greater than t");
    scope.record_cancellation();
    scope.record_error(&"a text is an error too");
    drop(scope);
    let span = recorder.span();
    assert_error(&span, "str", "a text is an error too");
    let types: Vec<_> = exceptions(&span).into_iter().map(|[t, ..]| t).collect();
    assert_eq!(types, ["zoo.Zebra", "str"]);
}

#[test]
fn an_error_in_a_box_is_named_after_the_innermost_that_is_known() {
    let recorder = Recorder::new();
    let parsed = recorder
        .tool("a")
        .in_scope(|_| -> Result<i32, Box<dyn Error>> {
            let number = "x".parse::<i32>()?;
            Ok(number)
        });
    assert_eq!(
        parsed.unwrap_err().to_string(),
        "invalid digit found in string"
    );
    let span = recorder.span();
    assert_error(&span, "ParseIntError", "invalid digit found in string");
    assert_eq!(exceptions(&span)[0][0], "ParseIntError");

    let recorder = Recorder::new();
    let work = async { Err::<(), Box<dyn Error + Send + Sync>>("only a text".into()) };
    assert!(block_on(work.in_scope(recorder.tool("a"))).is_err());
    assert_error(&recorder.span(), "_OTHER", "only a text");
}

#[test]
fn an_error_that_names_its_causes_in_the_alternate_form_is_recorded_with_them() {
    struct Report;
    impl std::fmt::Display for Report {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str(if f.alternate() { "top: cause" } else { "top" })
        }
    }
    let recorder = Recorder::new();
    recorder.tool("a").record_error(&Report);
    let [path, message, report, _] = exceptions(&recorder.span()).remove(0);
    assert_eq!(path, "Report");
    assert_eq!(message, "top");
    assert_eq!(report, "Report: top: cause\n");
}

#[track_caller]
fn check_panic(work: impl FnOnce(&Recorder)) {
    let recorder = Recorder::new();
    let payload = catch_unwind(AssertUnwindSafe(|| work(&recorder))).unwrap_err();
    assert_eq!(payload.downcast_ref::<&str>(), Some(&"original"));
    let span = recorder.span();
    assert_error(&span, "panic", "the code panicked");
    assert_eq!(exceptions(&span).len(), 1);
}

#[test]
fn a_panic_in_a_closure_is_recorded_once_and_goes_on_unchanged() {
    check_panic(|recorder| {
        recorder
            .tool("a")
            .in_scope_infallible(|_| panic!("original"));
    });
}

#[test]
fn a_panic_under_a_guard_is_recorded_once() {
    check_panic(|recorder| {
        let scope = recorder.tool("a");
        let _active = scope.enter();
        panic!("original");
    });
}

#[test]
fn a_panic_that_drops_a_scope_that_was_never_entered_is_recorded() {
    check_panic(|recorder| {
        let _scope = recorder.tool("a");
        panic!("original");
    });
}

#[test]
fn a_panic_is_recorded_on_every_scope_that_it_passes() {
    let recorder = Recorder::new();
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        recorder
            .invoke_agent()
            .in_scope_infallible(|_| recorder.tool("a").in_scope_infallible(|_| panic!("x")))
    }));
    assert!(outcome.is_err());
    for span in recorder.spans() {
        assert_error(&span, "panic", "the code panicked");
    }
    assert_eq!(recorder.spans().len(), 2);
}

#[test]
fn a_scope_that_starts_and_ends_while_the_thread_unwinds_did_not_panic() {
    struct CleanUp<'a>(&'a Recorder);
    impl Drop for CleanUp<'_> {
        fn drop(&mut self) {
            let scope = self.0.tool("clean up");
            let _active = scope.enter();
        }
    }
    let recorder = Recorder::new();
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        let _clean_up = CleanUp(&recorder);
        panic!("x");
    }));
    assert!(outcome.is_err());
    assert_eq!(recorder.span().status, Status::Unset);
}
