//! The guide: pages to read in this order, or one by one.
//!
//! 1. [`first_trace`]: five minutes to the first trace.
//! 2. [`which_crate`]: which crate you need.
//! 3. [`agent365`]: Agent 365 in production.
//! 4. [`services`]: services on axum or `tower`, and hosts of Agent 365.
//! 5. [`agent_spec`]: traces of Agent Spec.
//! 6. [`concurrency`]: tasks, threads and streams.
//! 7. [`own_processor`]: your own processor.
//! 8. [`backends`]: sending to Phoenix, Langfuse, Jaeger, an OpenTelemetry Collector.
//! 9. [`sampling`]: sending a destination only some of the traces.
//! 10. [`frameworks`]: using rig, `genai`, `rmcp`, or `tracing`.
//! 11. [`privacy`]: who sees which parts of a trace.
//! 12. [`metrics`]: how long agents take, how many tokens they use, and what happens to their spans.
//! 13. [`process_end`]: which spans are lost when the process ends, and how to keep them.
//! 14. [`troubleshooting`]: what to do if spans do not arrive.

#[doc = include_str!("../docs/first_trace.md")]
pub mod first_trace {}

#[doc = include_str!("../docs/which_crate.md")]
pub mod which_crate {}

#[doc = include_str!("../docs/agent365.md")]
pub mod agent365 {}

#[doc = include_str!("../docs/services.md")]
pub mod services {}

#[doc = include_str!("../docs/agent_spec.md")]
pub mod agent_spec {}

#[doc = include_str!("../docs/concurrency.md")]
pub mod concurrency {}

#[doc = include_str!("../docs/own_processor.md")]
pub mod own_processor {}

#[doc = include_str!("../docs/backends.md")]
pub mod backends {}

#[doc = include_str!("../docs/sampling.md")]
pub mod sampling {}

#[doc = include_str!("../docs/frameworks.md")]
pub mod frameworks {}

#[doc = include_str!("../docs/privacy.md")]
pub mod privacy {}

#[doc = include_str!("../docs/metrics.md")]
pub mod metrics {}

#[doc = include_str!("../docs/process_end.md")]
pub mod process_end {}

#[doc = include_str!("../docs/troubleshooting.md")]
pub mod troubleshooting {}
