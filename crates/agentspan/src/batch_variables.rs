//! Reads the variables `OTEL_BSP_…`, which configure the queues of destinations.

use std::time::Duration;

use agentspan_discovery::{Environment, standard_variables as names, values};

use crate::environment::{MILLISECONDS, POSITIVE, ignored, understood};

/// How many spans a queue holds by default.
pub(crate) const MAX_SPANS: usize = 65_536;

/// The queue settings that the code does not set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct BatchVariables {
    pub(crate) delay: Option<Duration>,
    pub(crate) max_spans: Option<usize>,
    pub(crate) batch_spans: Option<usize>,
}

impl BatchVariables {
    pub(crate) fn read(environment: &Environment) -> Self {
        let count = |name| understood(environment, [name], POSITIVE, values::positive_integer);
        let max_spans = count(names::OTEL_BSP_MAX_QUEUE_SIZE);
        let batch_spans = count(names::OTEL_BSP_MAX_EXPORT_BATCH_SIZE);
        let fits = |batch: &usize| {
            let fits = *batch <= max_spans.unwrap_or(MAX_SPANS);
            if !fits {
                let expected = "at most as many as OTEL_BSP_MAX_QUEUE_SIZE, or 65536";
                ignored(
                    names::OTEL_BSP_MAX_EXPORT_BATCH_SIZE,
                    &batch.to_string(),
                    expected,
                );
            }
            fits
        };
        Self {
            delay: understood(
                environment,
                [names::OTEL_BSP_SCHEDULE_DELAY],
                MILLISECONDS,
                values::duration,
            ),
            max_spans,
            batch_spans: batch_spans.filter(fits),
        }
    }
}

#[cfg(test)]
mod tests {
    use agentspan_testkit::CapturedLogs;

    use super::*;

    #[test]
    fn what_is_out_of_range_is_told_and_left_to_the_default() {
        let (logs, _guard) = CapturedLogs::on_this_thread();
        let read = |variables: &[(&'static str, &str)]| {
            BatchVariables::read(&variables.iter().copied().collect())
        };
        let names = [
            names::OTEL_BSP_SCHEDULE_DELAY,
            names::OTEL_BSP_MAX_QUEUE_SIZE,
            names::OTEL_BSP_MAX_EXPORT_BATCH_SIZE,
        ];
        let found = read(&[(names[0], "0"), (names[1], "9"), (names[2], "9")]);
        let expected = BatchVariables {
            delay: Some(Duration::ZERO),
            max_spans: Some(9),
            batch_spans: Some(9),
        };
        assert_eq!((found, logs.text()), (expected, String::new()));
        let above_default = (MAX_SPANS + 1).to_string();
        let found = read(&[
            (names[0], "-1"),
            (names[1], "0"),
            (names[2], &above_default),
        ]);
        assert_eq!(found, BatchVariables::default());
        assert_eq!(logs.text().lines().count(), 3, "{}", logs.text());
    }
}
