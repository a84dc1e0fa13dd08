//! The settings from which the thread is made.

use std::sync::Arc;
use std::time::Duration;

use agentspan_model::agent365::contract::Judge;
use agentspan_queue::contain::Foreign;
use agentspan_record::{Preparation, SpanLimits};

use super::courier::Courier;
use crate::chunking::Estimate;
use crate::destination::Destinations;
use crate::encode::BodyEncoder;
use crate::per_request::PerRequestExport;
use crate::report::ExportReport;
use crate::stats::QueueBounds;

/// Somebody who sees every report.
pub(crate) type Observer = Arc<dyn Fn(&ExportReport) + Send + Sync>;

/// All that the thread needs.
pub(crate) struct Setup {
    pub(crate) bounds: QueueBounds,
    pub(crate) limits: SpanLimits,
    pub(crate) batch_spans: usize,
    pub(crate) batch_delay: Duration,
    /// Whether spans wait for the end of their requests.
    pub(crate) per_request: Option<PerRequestExport>,
    /// How many requests may be in flight at most.
    pub(crate) concurrency: usize,
    /// For the body of one request.
    pub(crate) max_payload_bytes: Option<usize>,
    pub(crate) preparation: Preparation,
    /// Whether spans whose parents are not sent get other parents.
    pub(crate) reparents: bool,
    /// The judge that looks at spans, if there is one.
    pub(crate) judge: Option<Judge<'static>>,
    pub(crate) destinations: Destinations,
    pub(crate) encoder: BodyEncoder,
    pub(crate) estimate: Estimate,
    pub(crate) courier: Courier,
    pub(crate) observer: Option<Foreign<Observer>>,
}

/// Says all that a thread needs, for that of the process and that of each child that is forked.
pub(crate) type Recipe = dyn Fn() -> Setup + Send + Sync;
