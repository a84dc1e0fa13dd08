//! A recording: every line is read or refused with its number, and the end is reached.

#![no_main]

use agentspan_model::agentspec::Recording;
use fuzz::show;
use libfuzzer_sys::fuzz_target;

/// Short enough that lines of the corpus are longer.
const MAX_LINE_BYTES: usize = 2048;

fuzz_target!(|bytes: &[u8]| {
    let lines = bytes.split(|byte| *byte == b'\n').count();
    let mut recording = Recording::new(bytes).with_max_line_bytes(MAX_LINE_BYTES);
    let mut before = 0;
    while let Some(read) = recording.next() {
        let number = recording.line_number();
        assert!(before < number && number <= lines, "line {number}");
        before = number;
        match read {
            Ok(hook) => {
                serde_json::to_string(&hook).expect("what was read can be written");
            }
            Err(error) => show(&error),
        }
    }
    assert!(recording.cut_off_line().is_none_or(|line| line <= lines));
    let _ = format!("{recording:?}");
});
