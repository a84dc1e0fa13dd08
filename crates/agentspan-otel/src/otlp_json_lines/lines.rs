//! Puts spans together to lines.

use opentelemetry::InstrumentationScope;
use opentelemetry_sdk::trace::SpanData;
use serde::ser::Error as _;

use super::span::{OtlpScope, OtlpSpan};

/// The Collector's receiver reads lines of 1 MiB; this leaves room for what is around the spans.
const LONGEST_LINE: usize = 1_000_000;

/// Lines of JSON, of which the last one is being written.
pub(super) struct Lines<'a> {
    text: Vec<u8>,
    resource: &'a str,
    schema: &'a str,
    /// Where the line begins that is being written.
    line: Option<usize>,
}

impl<'a> Lines<'a> {
    /// Writes spans of one resource, those of one scope together. Returns whole lines.
    pub(super) fn of(
        spans: &[SpanData],
        resource: &'a str,
        schema: &'a str,
    ) -> serde_json::Result<String> {
        Self::with_limit(spans, resource, schema, LONGEST_LINE)
    }

    pub(super) fn with_limit(
        spans: &[SpanData],
        resource: &'a str,
        schema: &'a str,
        longest: usize,
    ) -> serde_json::Result<String> {
        let mut lines = Self {
            text: Vec::new(),
            resource,
            schema,
            line: None,
        };
        let mut one = Vec::new();
        for (scope, spans) in by_scope(spans) {
            let mut is_in_scope = false;
            for span in spans {
                one.clear();
                serde_json::to_writer(&mut one, &OtlpSpan::of(span))?;
                let length = lines.line.map_or(0, |start| lines.text.len() - start);
                if length > 0 && length + one.len() > longest {
                    if is_in_scope {
                        lines.end_scope(scope)?;
                    }
                    lines.end_line()?;
                    is_in_scope = false;
                }
                if is_in_scope {
                    lines.text.push(b',');
                } else {
                    lines.begin_scope(scope)?;
                    is_in_scope = true;
                }
                lines.text.extend_from_slice(&one);
            }
            lines.end_scope(scope)?;
        }
        lines.end_line()?;
        String::from_utf8(lines.text).map_err(serde_json::Error::custom)
    }

    fn begin_scope(&mut self, scope: &InstrumentationScope) -> serde_json::Result<()> {
        if self.line.is_some() {
            self.text.push(b',');
        } else {
            self.line = Some(self.text.len());
            self.text
                .extend_from_slice(br#"{"resourceSpans":[{"resource":"#);
            self.text.extend_from_slice(self.resource.as_bytes());
            self.text.extend_from_slice(br#","scopeSpans":["#);
        }
        self.text.extend_from_slice(br#"{"scope":"#);
        serde_json::to_writer(&mut self.text, &OtlpScope::of(scope))?;
        self.text.extend_from_slice(br#","spans":["#);
        Ok(())
    }

    fn end_scope(&mut self, scope: &InstrumentationScope) -> serde_json::Result<()> {
        self.text.push(b']');
        self.add_schema(scope.schema_url().unwrap_or_default())?;
        self.text.push(b'}');
        Ok(())
    }

    fn end_line(&mut self) -> serde_json::Result<()> {
        if self.line.take().is_some() {
            self.text.push(b']');
            self.add_schema(self.schema)?;
            self.text.extend_from_slice(b"}]}\n");
        }
        Ok(())
    }

    fn add_schema(&mut self, url: &str) -> serde_json::Result<()> {
        if !url.is_empty() {
            self.text.extend_from_slice(br#","schemaUrl":"#);
            serde_json::to_writer(&mut self.text, url)?;
        }
        Ok(())
    }
}

/// The spans of each scope, in the order in which the scopes come first. There are few scopes.
fn by_scope(spans: &[SpanData]) -> Vec<(&InstrumentationScope, Vec<&SpanData>)> {
    let mut scopes: Vec<(&InstrumentationScope, Vec<&SpanData>)> = Vec::new();
    for span in spans {
        let scope = &span.instrumentation_scope;
        match scopes.iter_mut().find(|(known, _)| *known == scope) {
            Some((_, spans)) => spans.push(span),
            None => scopes.push((scope, vec![span])),
        }
    }
    scopes
}
