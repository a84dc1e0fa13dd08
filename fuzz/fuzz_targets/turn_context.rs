//! The JSON of a turn context: its pairs are found, whatever is missing or of the wrong type.

#![no_main]

use agentspan_otel::turn_context::turn_context_pairs;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let Ok(context) = serde_json::from_str(text) else {
        return;
    };
    for (key, value) in turn_context_pairs(&context) {
        assert!(!key.is_empty());
        serde_json::to_string(&*value).expect("a value can be written");
    }
});
