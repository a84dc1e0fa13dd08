//! What hosts may see of us: nothing, but for what the documentation says.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;

use crate::build::{Outcome, build};
use crate::combinations::{HOSTS, Host};

/// What the error says where there is no cryptography.
const ADVICE: &str = "no crypto provider for TLS: enable the feature `aws-lc-rs` or `ring`";

/// Checks all hosts, or those whose kind or the beginning of whose row's name is in `only`,
/// prints a line for each combination, and returns how many failed.
pub(crate) fn all(only: &[String], service: &Path) -> Result<usize, Box<dyn Error>> {
    let mut failed = 0;
    let mut without_us = BTreeMap::new();
    for host in HOSTS {
        let is_meant = |it: &String| it == host.feature || host.name.starts_with(it.as_str());
        if !only.is_empty() && !only.iter().any(is_meant) {
            continue;
        }
        let alone = build(&[host.feature])?.run("alone", None)?.host;
        let does = match alone.starts_with("panics: ") {
            true => "panics",
            false => "works",
        };
        println!("{}", host.name);
        println!("    {:<36}{:<28}{does}", host.feature, "without us");
        without_us.insert(host.feature, alone);
        for ours in host.combinations {
            let problems = combination(host, ours, &without_us, service)?;
            let says = match (problems.is_empty(), changed_to(host, ours)) {
                (false, _) => "FAILED",
                (true, None) => "the same",
                (true, Some(_)) => "allows TLS 1.2, as its feature says",
            };
            println!("{:<40}{:<28}{says}", "", ours.join(" "));
            for problem in &problems {
                println!("    {problem}");
            }
            failed += usize::from(!problems.is_empty());
        }
    }
    Ok(failed)
}

/// The host that this one is like with our feature `tls12`, which allows TLS 1.2 to everybody and says so.
fn changed_to(host: &Host, ours: &[&str]) -> Option<&'static str> {
    host.with_tls12.filter(|_| ours.contains(&"tls12"))
}

/// Builds and runs a host with some features of ours; returns what is wrong.
fn combination(
    host: &Host,
    ours: &[&str],
    without_us: &BTreeMap<&str, String>,
    service: &Path,
) -> Result<Vec<String>, Box<dyn Error>> {
    let built = build(&[&[host.feature], ours].concat())?;
    let like = changed_to(host, ours).unwrap_or(host.feature);
    let expected = without_us.get(like).ok_or("the other host was left out")?;
    let mut problems = Vec::new();
    for order in ["alone", "ours-first", "ours-last"] {
        let service = (order != "alone").then_some(service);
        let outcome = built.run(order, service)?;
        if outcome.host != *expected {
            let (was, is) = difference(expected, &outcome.host);
            problems.push(format!("{order}: {was}\n    became: {is}"));
        }
        if service.is_some() && !is_right(&outcome, host, ours, order) {
            problems.push(format!("{order}: we: {}", outcome.ours));
        }
    }
    Ok(problems)
}

/// Both texts from a little before the place where they differ.
fn difference<'a>(one: &'a str, other: &'a str) -> (&'a str, &'a str) {
    const BEFORE: usize = 40;
    const SHOWN: usize = 160;
    let same = one.bytes().zip(other.bytes()).take_while(|(a, b)| a == b);
    let start = same.count().saturating_sub(BEFORE);
    let part = |text: &'a str| {
        let start = text.floor_char_boundary(start);
        let end = text.floor_char_boundary(start + SHOWN);
        &text[start..end]
    };
    (part(one), part(other))
}

/// Whether our spans arrived, or we said why not.
fn is_right(outcome: &Outcome, host: &Host, ours: &[&str], order: &str) -> bool {
    let delivered = match ours.contains(&"otlp") {
        true => "delivered agent365 1 of 1, otlp 1 of 1",
        false => "delivered agent365 1 of 1",
    };
    let is_linked = ours.contains(&"aws-lc-rs") || ours.contains(&"ring");
    if is_linked || host.installs {
        return outcome.ours == delivered;
    }
    let is_refused = outcome.ours.starts_with("refused: ") && outcome.ours.contains(ADVICE);
    match order {
        "ours-first" => is_refused,
        // The host's constructors may have installed a provider by then.
        _ => is_refused || outcome.ours == delivered,
    }
}
