//! A slice of the fault matrix, and that it differs when a defence is taken away. `cargo xtask faults` runs all of it.

use std::process::Command;

/// Runs the matrix with these arguments, and gives whether all is well and what it printed.
fn matrix(arguments: &[&str]) -> (bool, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_faults"))
        .args(arguments)
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    (
        output.status.success(),
        String::from_utf8_lossy(&text).into_owned(),
    )
}

#[test]
fn the_queues_stand_every_fault() {
    for front in ["export-queue", "background-queue"] {
        let (is_well, table) = matrix(&["--only", front]);
        assert!(is_well, "{table}");
    }
}

#[test]
fn every_way_into_the_library_stands_broken_connections() {
    for fault in ["F9 ", "F12", "F10  agent365-2"] {
        let (is_well, table) = matrix(&["--only", fault]);
        assert!(is_well, "{table}");
    }
}

#[test]
fn without_a_defence_its_rows_differ() {
    for (defence, row) in [
        ("refusals", "F4"),
        ("retry", "F9   agent365-2"),
        ("authority", "F10  agent365-0.1"),
        ("masking", "T14"),
        ("queue", "F1   export-queue"),
        ("bounds", "F24  export-queue"),
    ] {
        let (is_well, table) = matrix(&["--without", defence, "--only", row]);
        assert!(!is_well && table.contains("DIFFERS"), "{table}");
        assert!(!table.contains("ok\n"), "{table}");
    }
}

#[test]
fn random_schedules_lose_nothing_without_a_count_and_show_a_missing_mask() {
    let (is_well, text) = matrix(&[
        "soak",
        "--minutes",
        "0.05",
        "--at-a-time",
        "2",
        "--forks",
        "no",
    ]);
    assert!(is_well && text.contains(" 0 mismatches"), "{text}");
    let without = [
        "soak",
        "--minutes",
        "0.01",
        "--forks",
        "no",
        "--at-a-time",
        "2",
        "--without",
        "masking",
    ];
    let (is_well, text) = matrix(&without);
    assert!(!is_well && text.contains("0 prompts expected"), "{text}");
}

#[test]
fn a1_one_tenant_in_trouble_costs_the_others_nothing_and_an_outage_costs_nobody_anything() {
    let (_, text) = matrix(&["isolation", "--seconds", "1", "--outage", "1"]);
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), 6, "{text}");
    for line in lines {
        assert!(line.contains(" none lost, 0 twice, "), "{text}");
    }
}

#[test]
fn the_proofs_hold_for_a_few_spans() {
    for proof in [["losses", "3000"], ["tenants", "20000"]] {
        let (is_well, text) = matrix(&["soak", "--proof", proof[0], "--spans", proof[1]]);
        assert!(is_well && text.contains(" 0 mismatches"), "{text}");
    }
    let (is_well, text) = matrix(&["soak", "--proof", "dead", "--minutes", "0.02"]);
    assert!(is_well && text.contains("p99.9"), "{text}");
}

#[test]
fn the_proof_of_losses_finds_them() {
    let arguments = ["soak", "--proof", "losses", "--spans", "3000"];
    let (is_well, text) = matrix(&[&arguments[..], &["--without", "retry"]].concat());
    assert!(!is_well && text.contains("retries_exhausted"), "{text}");
}

#[test]
fn a_flush_and_a_shutdown_come_back_wherever_they_are_called() {
    // How soon is what `cargo xtask liveness` says; here nobody may wait for ever.
    let (is_well, text) = matrix(&["liveness", "--only", "no answer", "--slack", "60000"]);
    assert!(is_well && text.contains("8 lines, 0 late"), "{text}");
}

#[test]
fn a_row_that_is_not_there_is_no_success() {
    let (is_well, table) = matrix(&["--only", "no such row"]);
    assert!(!is_well, "{table}");
    let (is_well, table) = matrix(&["--without", "nothing"]);
    assert!(
        !is_well && table.contains("there is no defence nothing"),
        "{table}"
    );
}
