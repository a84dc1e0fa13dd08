//! One host: it calls the constructors that programs of its kind call, and says what came of it.
//!
//! It is run by `matrix`, as `host ORDER [DIRECTORY]`: alone, or with us at work before or after it. Each line
//! that it prints has a name, `host` or `ours`, and an outcome.

mod host;
#[cfg(feature = "ours")]
mod ours;
#[cfg(not(feature = "ours"))]
#[path = "without_us.rs"]
mod ours;

use std::panic::{UnwindSafe, catch_unwind, set_hook};

fn main() {
    // A panic is an outcome.
    set_hook(Box::new(|_| ()));
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    host::prepare();
    match arguments.as_slice() {
        ["alone"] => host(),
        ["ours-first", service] => {
            ours(service);
            host();
        }
        ["ours-last", service] => {
            host();
            ours(service);
        }
        other => panic!("not an order: {other:?}"),
    }
}

fn host() {
    println!("host: {}", outcome(host::construct));
}

fn ours(service: &str) {
    println!("ours: {}", outcome(|| ours::deliver(service)));
}

/// What `run` returns, or that it panicked.
fn outcome(run: impl FnOnce() -> String + UnwindSafe) -> String {
    let outcome = catch_unwind(run).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
        format!("panics: {}", text.unwrap_or("?"))
    });
    outcome.split_whitespace().collect::<Vec<_>>().join(" ")
}
