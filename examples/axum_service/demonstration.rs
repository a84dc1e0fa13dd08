//! Shows the service at work: requests of two tenants, and their spans.

pub(crate) mod client;
pub(crate) mod model;
mod received;
#[cfg(test)]
mod tests;

use std::fmt::Write;

use agentspan::Telemetry;
use agentspan::prelude::*;
use agentspan_testkit::{Receipt, Service};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use self::client::Client;
use self::model::Model;
use crate::AnyError;
use crate::caller::Directory;
use crate::librarian::Librarian;
use crate::{routes, service};

const CALLER: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// Runs the service, lets clients use it, stops it, and says what Agent 365 got.
#[expect(
    clippy::disallowed_methods,
    reason = "an application may start tasks; the library must not"
)]
pub(crate) async fn run() -> Result<String, AnyError> {
    let agent365 = Service::builder()
        .answer_with(|request| Receipt::new().answer_to(request))
        .start()?;
    let mut model = Model::start()?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let app = routes::router(Directory::new()?, Librarian::new(&model.url()));
    let (stop, stopped) = oneshot::channel::<()>();
    let stopped = async move { drop(stopped.await) };
    let running = service::run(listener, app, telemetry(&agent365)?, stopped);
    let running = tokio::spawn(running);

    let contoso = Client::new(address, "key-of-contoso");
    let fabrikam = Client::new(address, "key-of-fabrikam");
    let stranger = Client::new(address, "a-guess");
    // A caller with telemetry of its own, which also claims to be somebody else.
    let headers = [
        ("traceparent", CALLER),
        ("baggage", "tenant.id=fabrikam"),
        ("x-request-id", "request-1"),
    ];
    let first = contoso.send("c-1", "What is there about crabs?", &headers);
    let mut answers = vec![first.await?.answer().await?];
    for (client, conversation, question) in [
        (&fabrikam, "f-1", "What is there about bees?"),
        (&fabrikam, "f-2", model::FAILS),
        (&stranger, "s-1", "Whose books are these?"),
    ] {
        let sent = client.send(conversation, question, &[]).await?;
        answers.push(sent.answer().await?);
    }
    // Somebody who does not wait for the answer.
    let impatient = contoso.send("c-2", model::NEVER_ENDS, &[]).await?;
    model.was_asked().await;
    drop(impatient);
    // The service is asked to stop while it works for one more.
    let last = contoso.send("c-3", model::TAKES_LONG, &[]).await?;
    model.was_asked().await;
    drop(stop);
    model.go_on();
    answers.push(last.answer().await?);

    let report = running.await??;
    let mut text = String::from("The answers:\n\n");
    for answer in answers {
        writeln!(text, "{answer}")?;
    }
    let told = model.told_first();
    writeln!(
        text,
        "\nTrace context and baggage of the first request to the model:\n\n{told}\n"
    )?;
    write!(text, "{}", received::trees(&agent365)?)?;
    write!(text, "The report:\n\n{report}")?;
    Ok(text)
}

fn telemetry(agent365: &Service) -> Result<Telemetry, AnyError> {
    let token = token_from_async_fn(|_| async { Ok(Some(AccessToken::new("a-token")?)) });
    let delivery = Delivery::builder(token).with_loopback_endpoint(agent365.url());
    let telemetry = agentspan::configure()
        .with_service_name("library")
        .with_delivery(delivery)
        .with_switches_on()
        .install()?;
    Ok(telemetry)
}
