//! `agentspan demo`: a small agent, whose spans go to a server of this command.

mod agent;

use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use agentspan::prelude::*;
use tokio::task::JoinSet;

use crate::command_error::{CommandError, Outcome};
use crate::serve::{self, Access, Server, Shared};
use crate::store::Store;
use crate::tree::Tree;

/// How many bytes of spans are kept.
const MEMORY: usize = 64 << 20;

/// How long the spans may take to arrive.
const FLUSH: Duration = Duration::from_secs(10);

/// The options of `demo`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DemoRequest {
    /// Ends when the agent has answered, instead of serving the page.
    pub(crate) is_once: bool,
}

pub(crate) fn run(request: DemoRequest, out: &mut dyn Write) -> Result<Outcome, CommandError> {
    serve::runtime()?.block_on(async {
        let shared = Shared::new(Store::new(MEMORY), Access::Loopback);
        let free = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let server = Server::bind(&shared, free).await?;
        let url = format!("http://{}", server.address());
        let mut tasks = JoinSet::new();
        tasks.spawn(server.serve());

        let telemetry = install(&url).map_err(CommandError::Demo)?;
        writeln!(out, "Question to the agent: {}\n", agent::QUESTION)?;
        let answer = agent::answer().await;
        telemetry
            .shutdown_async(FLUSH)
            .await
            .map_err(|error| CommandError::Demo(error.into()))?;

        shared.look(|store| {
            let mut traces = store.traces().rev();
            traces.try_for_each(|trace| Tree::new(trace.row(), &trace.spans()).write(out))
        })?;
        writeln!(out, "\nAnswer of the agent: {answer}")?;
        if !request.is_once {
            writeln!(out, "\nThe page: {url}/\nStop with Ctrl-C.")?;
            out.flush()?;
            serve::stopped().await;
        }
        Ok(Outcome::Fine)
    })
}

/// The spans of this process go to the server, as they would go to Agent 365.
fn install(url: &str) -> Result<agentspan::Telemetry, Box<dyn std::error::Error + Send + Sync>> {
    let token = || AccessToken::new("a-token-for-the-loopback");
    let delivery = Delivery::builder(token_from_async_fn(
        move |_| async move { Ok(Some(token()?)) },
    ))
    .with_profile(Profile::V2)
    .with_loopback_endpoint(url);
    let telemetry = agentspan::configure()
        .with_service_name("agentspan demo")
        .with_profile(Profile::V2)
        .with_delivery(delivery)
        .with_switches_on()
        .install()?;
    Ok(telemetry)
}
