//! Reads a recorded Agent Spec trace, and prints the tokens of each model and the slowest tools.
//!
//! Needs only `agentspan-model`. Reads the file that you name on the command line, or else the
//! recording of the reference in this repository.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs::File;
use std::io::{self, BufReader, Write};
use std::time::Duration;

use agentspan_model::agentspec::{EventDetails, HookCall, Recording, SpanDetails};

const SHIPPED: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../conformance/vectors/agentspec_real_run.jsonl"
);

/// The input and output tokens of a model.
#[derive(Default)]
struct Usage {
    input_tokens: i64,
    output_tokens: i64,
}

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).unwrap_or_else(|| SHIPPED.into());
    let mut usage: BTreeMap<String, Usage> = BTreeMap::new();
    let mut tools: Vec<(Duration, String)> = Vec::new();

    let mut recording = Recording::new(BufReader::new(File::open(&path)?));
    for hook in &mut recording {
        match hook?.call {
            HookCall::OnEvent(_, event) => {
                if let EventDetails::LlmGenerationResponse(response) = event.details {
                    let model = response.llm_config.model_id().unwrap_or_default();
                    let usage = usage.entry(model).or_default();
                    usage.input_tokens += response.input_tokens.unwrap_or(0);
                    usage.output_tokens += response.output_tokens.unwrap_or(0);
                }
            }
            HookCall::OnEnd(on) => {
                let duration = on.span.duration();
                if let (SpanDetails::ToolExecutionSpan(span), Some(duration)) =
                    (on.span.details, duration)
                {
                    tools.push((duration, span.tool.name().to_owned()));
                }
            }
            _ => {}
        }
    }
    tools.sort_by(|one, two| two.cmp(one));

    let mut out = io::stdout().lock();
    writeln!(out, "{:<20} {:>8} {:>8}", "tokens", "in", "out")?;
    for (model, usage) in &usage {
        let (input, output) = (usage.input_tokens, usage.output_tokens);
        writeln!(out, "{model:<20} {input:>8} {output:>8}")?;
    }
    writeln!(out, "\n{:<20} {:>8}", "slowest tools", "ms")?;
    for (duration, tool) in tools.iter().take(5) {
        writeln!(out, "{tool:<20} {:>8}", duration.as_millis())?;
    }
    if let Some(line) = recording.cut_off_line() {
        writeln!(
            out,
            "\nline {line} is incomplete: the program ended while it wrote the line"
        )?;
    }
    Ok(())
}
