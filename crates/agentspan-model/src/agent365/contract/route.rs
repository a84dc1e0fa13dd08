//! The route of a request.

/// The two routes of the service. Each accepts one kind of token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RouteKind {
    /// `/observability/`, for delegated tokens.
    Delegated,
    /// `/observabilityService/`, for app-only tokens.
    ServiceToService,
}

/// The path and the query of a request, in parts. Nothing is decoded.
///
/// ```
/// use agentspan_model::agent365::contract::{Route, RouteKind};
///
/// let route = Route::parse("/observability/tenants/t/otlp/agents/a/traces?api-version=1");
/// assert_eq!(route.kind, Some(RouteKind::Delegated));
/// assert_eq!((route.tenant, route.agent), (Some("t"), Some("a")));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Route<'a> {
    /// The route, if it is a route of Agent 365.
    pub kind: Option<RouteKind>,
    /// The segment after `tenants`.
    pub tenant: Option<&'a str>,
    /// The segment after `agents`.
    pub agent: Option<&'a str>,
    /// Whether the path has `otlp`.
    pub has_otlp: bool,
    /// The value of `api-version`.
    pub api_version: Option<&'a str>,
}

impl<'a> Route<'a> {
    /// Parses a path with its query, or a URL.
    #[must_use]
    pub fn parse(target: &'a str) -> Self {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let after = |name: &str| {
            let mut segments = path.split('/').skip_while(|segment| *segment != name);
            segments.nth(1).filter(|segment| !segment.is_empty())
        };
        let has = |name: &str| path.split('/').any(|segment| segment == name);
        let kind = if has("observabilityService") {
            Some(RouteKind::ServiceToService)
        } else {
            has("observability").then_some(RouteKind::Delegated)
        };
        let mut parameters = query.split('&').filter_map(|pair| pair.split_once('='));
        let api_version = parameters.find(|(name, _)| *name == "api-version");
        Self {
            kind,
            tenant: after("tenants"),
            agent: after("agents"),
            has_otlp: has("otlp"),
            api_version: api_version.map(|(_, value)| value),
        }
    }
}
