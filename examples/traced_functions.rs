//! An agent with two tools as plain functions, traced by attributes.
//!
//! `#[agentspan::agent]` and `#[agentspan::tool]` need the feature `macros`. Each call of a function opens a
//! span, and records the arguments and the result, or the error.

use std::error::Error;
use std::io::{self, Write};
use std::time::Duration;

use agentspan::otel::{ConsoleDetail, ConsoleExporter};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Answers a question about the weather of a city.
#[agentspan::agent(name = "weather agent")]
async fn answer(city: &str) -> Result<String> {
    let sky = forecast(city, 1).await?;
    match temperature(city) {
        Ok(degrees) => Ok(format!("It is {sky} in {city}, at {degrees} °C.")),
        Err(error) => Ok(format!(
            "It is {sky} in {city}. I cannot tell more: {error}."
        )),
    }
}

/// The sky over a city in so many days.
#[agentspan::tool]
async fn forecast(city: &str, days: u32) -> Result<&'static str> {
    tokio::task::yield_now().await;
    match (city, days) {
        ("Zürich", 1) => Ok("sunny"),
        _ => Ok("cloudy"),
    }
}

/// The temperature in a city, which a sensor measures.
#[agentspan::tool]
fn temperature(city: &str) -> Result<i32> {
    match city {
        "Zürich" => Ok(21),
        _ => Err(format!("{city} has no sensor").into()),
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let telemetry = agentspan::configure()
        .with_switches_on()
        .with_console(ConsoleExporter::new().with_detail(ConsoleDetail::Names))
        .install()?;
    let mut out = io::stdout();
    for city in ["Zürich", "Bern"] {
        // The functions are traced inside of a trace, and do the same outside of one.
        let said = telemetry.trace().run(|_| answer(city)).await?;
        writeln!(out, "{said}")?;
    }
    telemetry.shutdown_async(Duration::from_secs(5)).await?;
    Ok(())
}
