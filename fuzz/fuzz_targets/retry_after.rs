//! The header `Retry-After`: numbers as Python reads them, or dates.

#![no_main]

use std::time::Duration;

use agentspan_agent365::conformance::retry_after_seconds;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let seconds = retry_after_seconds(text);
    let same = |other: &str| {
        let other = retry_after_seconds(other).map(f64::to_bits);
        assert_eq!(other, seconds.map(f64::to_bits), "{text:?}");
    };
    same(&format!("\u{b} {text}\t"));
    match seconds {
        Some(seconds) => {
            same(&text.replace('_', ""));
            let digits = text.bytes().filter(u8::is_ascii_digit).count();
            assert!(digits > 0 || !seconds.is_finite());
            // A pause, or none.
            let _ = Duration::try_from_secs_f64(seconds);
        }
        None => {
            if let Ok(date) = httpdate::parse_http_date(text) {
                let written = httpdate::fmt_http_date(date);
                assert_eq!(httpdate::parse_http_date(&written).unwrap(), date);
            }
        }
    }
});
