//! Draws what Agent 365 got, tenant by tenant.

use std::collections::BTreeMap;
use std::fmt::Write;

use agentspan_testkit::Service;
use serde_json::Value;

use crate::AnyError;

/// The trees of the spans of each tenant, in the order of their conversations.
pub(crate) fn trees(agent365: &Service) -> Result<String, AnyError> {
    let mut tenants: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for request in agent365.requests() {
        let mut body = request.json()?;
        let scopes = body["resourceSpans"][0]["scopeSpans"].take();
        let scopes = scopes.as_array().into_iter().flatten();
        for span in scopes
            .filter_map(|scope| scope["spans"].as_array())
            .flatten()
        {
            let tenant = span["attributes"]["tenant.id"].to_string();
            tenants.entry(tenant).or_default().push(span.clone());
        }
    }
    let mut text = String::new();
    for (tenant, spans) in &tenants {
        let agent = &spans[0]["attributes"]["gen_ai.agent.id"];
        writeln!(text, "Tenant {tenant}, agent {agent}:\n")?;
        let is_here = |id: &Value| spans.iter().any(|span| span["spanId"] == *id);
        let mut roots: Vec<&Value> = spans.iter().collect();
        roots.retain(|span| !is_here(&span["parentSpanId"]));
        roots.sort_by_key(|root| conversation(root));
        for root in roots {
            let conversation = conversation(root);
            write!(text, "{}, conversation {conversation}", line(root))?;
            let request = &root["attributes"]["correlation.id"];
            if !request.is_null() {
                write!(text, ", request {request}")?;
            }
            if !root["parentSpanId"].is_null() {
                write!(text, ", child of {} elsewhere", root["parentSpanId"])?;
            }
            let children = spans.iter();
            let children = children.filter(|span| span["parentSpanId"] == root["spanId"]);
            let mut children = children.peekable();
            while let Some(child) = children.next() {
                let branch = children.peek().map_or("└─", |_| "├─");
                write!(text, "\n{branch} {}", line(child))?;
            }
            text.push('\n');
        }
        text.push('\n');
    }
    Ok(text.replace('"', ""))
}

fn conversation(span: &Value) -> String {
    span["attributes"]["gen_ai.conversation.id"].to_string()
}

fn line(span: &Value) -> String {
    let name = &span["name"];
    match &span["attributes"]["error.type"] {
        Value::Null => name.to_string(),
        error => format!("{name}, error {error}"),
    }
}
