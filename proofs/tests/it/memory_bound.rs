//! A13: whatever cannot be delivered, a delivery needs at most a quarter more memory than its queue
//! may have, and 16 MiB for all else.
//!
//! On systems without `/proc` there is nothing to read.

use std::path::Path;
use std::process::Command;

#[test]
fn t06_memory_is_bounded_whatever_cannot_be_delivered() {
    if !Path::new("/proc/self/status").exists() {
        return;
    }
    let output = Command::new(env!("CARGO_BIN_EXE_memory_bound"))
        .arg("8")
        .output()
        .unwrap();
    let table = String::from_utf8_lossy(&output.stdout);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{table}{error}");
    assert_eq!(table.lines().count(), 16);
}
