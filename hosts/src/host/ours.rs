//! What a program does with us: it installs telemetry, records a span, and shuts down.

use std::error::Error;
use std::fs;
use std::path::Path;
use std::time::Duration;

use agentspan::agent365::Delivery;
use agentspan::prelude::*;

/// Sends a span over TLS to the service that `directory` describes, and says whether it got there.
pub(crate) fn deliver(directory: &str) -> String {
    match try_to_deliver(Path::new(directory)) {
        Ok(report) => report,
        Err(error) => {
            let mut text = format!("refused: {error}");
            let mut cause = error.source();
            while let Some(inner) = cause {
                text.push_str(&format!(": {inner}"));
                cause = inner.source();
            }
            text
        }
    }
}

fn try_to_deliver(service: &Path) -> Result<String, Box<dyn Error>> {
    let address = fs::read_to_string(service.join("address"))?.parse()?;
    let delivery = Delivery::builder(token_from_fn(|_| Ok(Some(AccessToken::new("a-token")?))))
        .with_connect_to(address)
        .with_root_certificates([fs::read(service.join("authority.der"))?]);
    let configuration = agentspan::configure().with_switches_on().with_delivery(delivery);
    #[cfg(feature = "otlp")]
    let configuration = {
        use agentspan::{Destination, Otlp};

        let receiver = |path: &str| -> std::io::Result<Otlp> {
            Ok(Otlp::new()
                .with_endpoint(format!("https://{address}{path}"))
                .with_certificate_authorities(fs::read(service.join("authority.pem"))?))
        };
        configuration
            .with_destination(Destination::otlp_http(receiver("/v1/traces")?)?)
            // The service speaks no HTTP/2: this one is only constructed.
            .with_destination(Destination::otlp_grpc(receiver("")?)?.with_name("grpc"))
    };
    let telemetry = configuration.install()?;
    let agent = AgentDetails::new(AgentId::parse("an-agent")?);
    let tenant = TenantDetails::new(TenantId::parse("e3064512-cc6d-4703-be71-a2ecaecaa98a")?);
    drop(ExecuteToolScope::start(&ToolCallDetails::new("a_tool"), &agent, &tenant).enter());
    // What arrived is in the report.
    let _ = telemetry.shutdown(Duration::from_secs(20));
    let report = telemetry.report();
    let outcome = |name: &str| {
        report
            .destination(name)
            .map(|it| format!("{name} {} of {}", it.exported, it.accepted))
    };
    let outcomes: Vec<_> = ["agent365", "otlp"]
        .into_iter()
        .filter_map(outcome)
        .collect();
    Ok(format!("delivered {}", outcomes.join(", ")))
}
