//! Checks the path, the token, the format and the size of a request.

use std::time::{SystemTime, UNIX_EPOCH};

use agentspan_model::agent365::contract::{
    OBSERVABILITY_PERMISSION, Route, RouteKind, TokenClaims,
};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use super::Settings;
use super::profile::{is_direct, is_first};
use super::standard;
use crate::answer::Answer;
use crate::id::Id;
use crate::jwt::claims_of;
use crate::record::RecordedRequest;

/// For whom the spans of a request are.
pub(super) struct Place {
    /// `None` where the path names none, as in the first generation.
    pub(super) tenant: Option<String>,
    pub(super) agent: String,
}

impl Place {
    pub(super) fn is_of_agent(&self, agent: &str) -> bool {
        Id::new(&self.agent) == *agent
    }

    /// `None` if the path names no tenant.
    pub(super) fn is_of_tenant(&self, tenant: &str) -> Option<bool> {
        let of_path = self.tenant.as_deref()?;
        Some(Id::new(of_path) == *tenant)
    }
}

/// The claims of a token, as texts.
struct Claims {
    audience: Option<String>,
    application: Option<String>,
    tenant: Option<String>,
    scopes: Option<String>,
    roles: Vec<String>,
    expires: Option<u64>,
}

/// Where the request goes, or why it is not let in.
pub(super) fn admit(settings: &Settings, request: &RecordedRequest) -> Result<Place, Box<Answer>> {
    if request.method != http::Method::POST {
        return Err(Answer::status(405).into());
    }
    let place = place(settings, request)?;
    let claims = claims(request)?;
    check_token(settings, request, &place, &claims)?;
    check_form(settings, request)?;
    Ok(place)
}

fn place(settings: &Settings, request: &RecordedRequest) -> Result<Place, Box<Answer>> {
    let route = Route::parse(&request.target);
    let decoded = |id: &str| percent_decode_str(id).decode_utf8_lossy().into_owned();
    let agent = route.agent.map(decoded);
    if is_first(settings.profile) {
        let is_its_path = request.path().starts_with("/maven/agent365/agents/");
        let agent = agent.filter(|_| is_its_path && request.path().ends_with("/traces"));
        let agent = agent.ok_or_else(|| Box::new(Answer::status(404)))?;
        return Ok(Place {
            tenant: None,
            agent,
        });
    }
    let (Some(_), Some(tenant), Some(agent)) = (route.kind, route.tenant, agent) else {
        return Err(Answer::status(404).into());
    };
    if !request.path().ends_with("/traces") {
        return Err(Answer::status(404).into());
    }
    if !route.has_otlp {
        return Err(unauthorized("AuthenticationSchemeNotSupported").into());
    }
    if route.api_version != Some("1") {
        return Err(Answer::refusal(400, "UnsupportedApiVersion").into());
    }
    Ok(Place {
        tenant: Some(decoded(tenant)),
        agent,
    })
}

fn claims(request: &RecordedRequest) -> Result<Claims, Box<Answer>> {
    let header = request.header("authorization").unwrap_or_default();
    let token = header.strip_prefix("Bearer ").unwrap_or_default();
    let Some(claims) = claims_of(token) else {
        return Err(tenant_id_invalid().into());
    };
    let text = |name: &str| claims[name].as_str().map(str::to_owned);
    let roles = claims["roles"].as_array().into_iter().flatten();
    Ok(Claims {
        audience: text("aud"),
        application: text("azp").or_else(|| text("appid")),
        tenant: text("tid"),
        scopes: text("scp"),
        roles: roles.filter_map(Value::as_str).map(str::to_owned).collect(),
        expires: claims["exp"].as_u64(),
    })
}

fn check_token(
    settings: &Settings,
    request: &RecordedRequest,
    place: &Place,
    claims: &Claims,
) -> Result<(), Box<Answer>> {
    let mut known = TokenClaims::default();
    known.audience = claims.audience.as_deref();
    known.scopes = claims.scopes.as_deref();
    if !known.is_for_the_service() {
        return Err(unauthorized("InvalidAudience").into());
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    if claims.expires <= now.ok().map(|now| now.as_secs()) {
        return Err(Answer::status(401).into());
    }
    match Route::parse(&request.target).kind {
        Some(RouteKind::Delegated) if !known.is_delegated() => {
            return Err(unauthorized("UnsupportedAccessTokenType").into());
        }
        Some(RouteKind::ServiceToService) if known.is_delegated() => {
            return Err(Answer::status(401).into());
        }
        _ => {}
    }
    let application = claims.application.as_deref();
    let is_of_agent = application.is_some_and(|application| place.is_of_agent(application));
    let tenant = claims.tenant.as_deref().unwrap_or_default();
    let is_of_tenant = place.is_of_tenant(tenant).unwrap_or(true);
    if !is_of_agent || !is_of_tenant {
        return Err(Answer::status(403).into());
    }
    let scopes = claims.scopes.as_deref().unwrap_or_default();
    let is_allowed = match known.is_delegated() {
        true => scopes
            .split_ascii_whitespace()
            .any(|scope| scope == OBSERVABILITY_PERMISSION),
        false => {
            !settings.demands_role
                || claims
                    .roles
                    .iter()
                    .any(|role| role == OBSERVABILITY_PERMISSION)
        }
    };
    if !is_allowed {
        let challenge = "Bearer error=\"insufficient_scope\", \
                         error_description=\"the token lacks a permission\"";
        let answer = Answer::status(403).header("www-authenticate", challenge);
        return Err(answer.into());
    }
    Ok(())
}

fn check_form(settings: &Settings, request: &RecordedRequest) -> Result<(), Box<Answer>> {
    let content_type = request.header("content-type").unwrap_or_default();
    if !content_type.starts_with("application/json") {
        return Err(Answer::status(403).into());
    }
    if request.header("content-encoding").is_some() {
        return Err(Answer::refusal(400, "UnsupportedContentEncoding").into());
    }
    if request.body.len() > settings.limit {
        return Err(Answer::status(settings.oversize_status).into());
    }
    let Ok(body) = request.json() else {
        return Err(Answer::refusal(400, "InvalidBody").into());
    };
    let flaw = standard::flaw(&body).filter(|_| is_direct(settings.profile));
    match flaw {
        None => Ok(()),
        Some(what) => Err(invalid_otlp(what).into()),
    }
}

fn unauthorized(code: &str) -> Answer {
    Answer::refusal(401, code)
}

/// A body that is JSON, and no OTLP.
fn invalid_otlp(what: &str) -> Answer {
    let message = format!("the body is no OTLP/JSON: {what}");
    let error = json!({"error": {"code": "InvalidBody", "message": message}});
    Answer::status(400)
        .header("content-type", "application/json")
        .body(error.to_string())
}

/// The answer of the service to a token that it cannot read.
fn tenant_id_invalid() -> Answer {
    let error = json!({
        "code": "EndpointInvalid",
        "message": "Tenant id  is invalid.",
        "innererror": {"code": "TenantIdInvalid"},
    });
    Answer::status(400)
        .header("content-type", "application/json")
        .body(error.to_string())
}
