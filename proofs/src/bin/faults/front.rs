//! The ways into the library that rows go.

use std::fmt;

use agentspan_model::agent365::Profile;
use agentspan_testkit::Answer;

/// A way into the library.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Front {
    V0_1,
    V2,
    OtlpHttp,
    OtlpGrpc,
    ExportQueue,
    BackgroundQueue,
}

/// All that speak to a service.
pub(crate) const WIRE: &[Front] = &[Front::V0_1, Front::V2, Front::OtlpHttp, Front::OtlpGrpc];
/// All that speak HTTP/1.1.
pub(crate) const HTTP_1: &[Front] = &[Front::V0_1, Front::V2, Front::OtlpHttp];
pub(crate) const AGENT365: &[Front] = &[Front::V0_1, Front::V2];
pub(crate) const V2: &[Front] = &[Front::V2];
pub(crate) const OTLP: &[Front] = &[Front::OtlpHttp, Front::OtlpGrpc];
pub(crate) const OTLP_HTTP: &[Front] = &[Front::OtlpHttp];
pub(crate) const EXPORT_QUEUE: &[Front] = &[Front::ExportQueue];
pub(crate) const BACKGROUND_QUEUE: &[Front] = &[Front::BackgroundQueue];

impl Front {
    /// The generation, of a delivery to Agent 365.
    pub(crate) fn profile(self) -> Option<Profile> {
        match self {
            Self::V0_1 => Some(Profile::V0_1),
            Self::V2 => Some(Profile::V2),
            _ => None,
        }
    }

    pub(crate) fn is_agent365(self) -> bool {
        self.profile().is_some()
    }

    /// The answer that takes everything.
    pub(crate) fn taken(self) -> Answer {
        match self {
            Self::OtlpGrpc => Answer::grpc(0),
            _ => Answer::status(200),
        }
    }

    /// The answer of a service that cannot at the moment.
    pub(crate) fn unavailable(self) -> Answer {
        match self {
            Self::OtlpGrpc => Answer::grpc(14),
            _ => Answer::refusal(503, "ServiceUnavailable"),
        }
    }
}

impl fmt::Display for Front {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::V0_1 => "agent365-0.1",
            Self::V2 => "agent365-2",
            Self::OtlpHttp => "otlp-http",
            Self::OtlpGrpc => "otlp-grpc",
            Self::ExportQueue => "export-queue",
            Self::BackgroundQueue => "background-queue",
        })
    }
}
