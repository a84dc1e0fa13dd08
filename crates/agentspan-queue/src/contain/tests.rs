//! Every way in which foreign code can panic ends in a value.

use std::cell::RefCell;
use std::future::{pending, ready};
use std::panic::panic_any;
use std::task::Waker;
use std::thread;

use futures_executor::block_on;

use super::*;

/// Panics when it is dropped, as a payload, a future or any other value may.
struct PanicsWhenDropped;

impl Drop for PanicsWhenDropped {
    fn drop(&mut self) {
        panic_any("dropped on purpose");
    }
}

fn says(message: &str) -> Result<u8, Panicked> {
    let message = message.to_owned();
    Err(Panicked { message })
}

#[test]
fn code_that_does_not_panic_gives_its_result() {
    assert_eq!(call(|| 1), Ok(1));
    assert_eq!(block_on(future(|| ready(1))), Ok(1));
    assert_eq!(drop(1), Ok(()));
}

#[test]
fn a_panic_becomes_an_error_with_its_message() {
    assert_eq!(call(|| panic!("a text")), says("a text"));
    assert_eq!(call(|| panic!("a number {}", 1)), says("a number 1"));
    assert_eq!(call(|| panic_any(1)), says("a panic without a message"));
}

#[test]
fn f4_a_payload_that_panics_when_it_is_dropped_ends_there_too() {
    let panics = || -> u8 { panic_any(PanicsWhenDropped) };
    let silent = || says("a panic without a message");
    assert_eq!(call(panics), silent());
    let panics_later = || async {
        ready(()).await;
        panics()
    };
    assert_eq!(block_on(future(panics_later)), silent());
    log(|| {
        panics();
    });
}

#[test]
fn a_future_may_panic_while_it_is_made_or_dropped() {
    let unmade = future(|| -> std::future::Ready<u8> { panic!("made on purpose") });
    assert_eq!(block_on(unmade), says("made on purpose"));
    let with = |value: PanicsWhenDropped, result: u8| async move {
        let _held = value;
        result
    };
    // Its own drop at its end is a part of the poll.
    let ended = future(|| with(PanicsWhenDropped, 1));
    assert_eq!(block_on(ended), says("dropped on purpose"));
    let before = panics();
    let mut cancelled = Box::pin(future(|| async {
        let _held = PanicsWhenDropped;
        pending::<u8>().await
    }));
    let mut cx = Context::from_waker(Waker::noop());
    assert_eq!(cancelled.as_mut().poll(&mut cx), Poll::Pending);
    mem::drop(cancelled);
    assert!(panics() > before);
}

#[test]
fn a_panic_is_contained_while_the_thread_unwinds() {
    struct CallsWhenDropped;
    impl Drop for CallsWhenDropped {
        fn drop(&mut self) {
            assert_eq!(call(|| panic!("inner")), says("inner"));
        }
    }
    let outer = || -> u8 {
        let _calls = CallsWhenDropped;
        panic!("outer")
    };
    assert_eq!(call(outer), says("outer"));
}

#[test]
fn foreign_values_that_panic_in_one_drop_do_not_abort() {
    let before = panics();
    let values = [PanicsWhenDropped, PanicsWhenDropped].map(Foreign::new);
    let unwinding = || -> u8 {
        let _values = values;
        panic!("outer")
    };
    assert_eq!(call(unwinding), says("outer"));
    assert!(panics() >= before + 3);
    assert_eq!(Foreign::new(1).get(), Some(&1));
}

/// Uses a thread-local of its own in its drop, as guards do.
struct UsesThreadLocal;

thread_local! {
    static OWN: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    static KEEPER: RefCell<Vec<ThreadBound<UsesThreadLocal>>> = const { RefCell::new(Vec::new()) };
}

static DROPS: AtomicU64 = AtomicU64::new(0);

impl Drop for UsesThreadLocal {
    fn drop(&mut self) {
        DROPS.fetch_add(1, Ordering::SeqCst);
        OWN.with_borrow_mut(|own| own.push(1));
    }
}

#[test]
fn a_value_of_a_thread_is_dropped_with_it_only_before_its_thread_locals() {
    let make = || {
        OWN.with_borrow_mut(|own| own.push(0));
        UsesThreadLocal
    };
    let at_the_end = thread::spawn(move || {
        // Used first, and so destroyed last.
        KEEPER.with_borrow_mut(Vec::clear);
        let bound = ThreadBound::make(make).unwrap();
        KEEPER.with_borrow_mut(|kept| kept.push(bound));
    });
    at_the_end.join().unwrap();
    assert_eq!(DROPS.load(Ordering::SeqCst), 0);
    mem::drop(ThreadBound::make(make));
    assert_eq!(DROPS.load(Ordering::SeqCst), 1);
    let panicked = ThreadBound::make(|| -> u8 { panic!("on purpose") });
    assert_eq!(panicked.map(|_| 0), says("on purpose"));
}

#[test]
fn every_panic_is_counted() {
    // Other tests of this process count as well.
    let before = panics();
    let _ = call(|| panic!("one"));
    log(|| panic!("two"));
    let _ = drop(PanicsWhenDropped);
    let _ = call(|| panic_any(PanicsWhenDropped));
    assert!(panics() >= before + 5);
}
