//! Access control: refuses pages of other origins, and requests without the token, if one is set.

use std::borrow::Cow;
use std::net::SocketAddr;
use std::sync::Arc;

use hyper::header::{AUTHORIZATION, HOST, HeaderMap, HeaderName, ORIGIN};
use hyper::{Request, StatusCode};
use percent_encoding::percent_decode_str;

use super::body::Refused;
use crate::command_error::CommandError;

/// The clients that may send requests.
#[derive(Clone, Debug)]
pub(crate) enum Access {
    /// Programs of this machine, and pages that this server sent.
    Loopback,
    /// Whoever shows the token.
    Token(Arc<str>),
}

impl Access {
    /// Addresses that other machines can reach need a token.
    pub(crate) fn of(
        addresses: &[SocketAddr],
        token: Option<String>,
    ) -> Result<Self, CommandError> {
        let is_local = addresses.iter().all(|address| address.ip().is_loopback());
        match token.filter(|token| !token.is_empty()) {
            Some(token) => Ok(Self::Token(token.into())),
            None if is_local => Ok(Self::Loopback),
            None => Err(CommandError::NoToken),
        }
    }
}

/// Refuses requests of foreign pages, under foreign names, and without the token.
pub(super) fn check<B>(request: &Request<B>, access: &Access) -> Result<(), Refused> {
    let headers = request.headers();
    let authority = request
        .uri()
        .authority()
        .map(|authority| authority.as_str());
    let host = authority
        .or_else(|| text(headers, HOST))
        .unwrap_or_default();
    // A page of elsewhere can ask a server of this machine, under any name that its owner points here.
    if matches!(access, Access::Loopback) && !is_loopback(host) {
        return Err(Refused(
            StatusCode::MISDIRECTED_REQUEST,
            "the host is not the loopback",
        ));
    }
    if let Some(origin) = text(headers, ORIGIN) {
        if origin.strip_prefix("http://") != Some(host) {
            return Err(Refused(
                StatusCode::FORBIDDEN,
                "the origin is not this server",
            ));
        }
    }
    if let Access::Token(token) = access {
        let shown = shown_token(request).unwrap_or_default();
        if !is_same(&shown, token.as_bytes()) {
            return Err(Refused(
                StatusCode::UNAUTHORIZED,
                "no token, or another one",
            ));
        }
    }
    Ok(())
}

/// The token of the header, or, for a page that a browser opens, that of the address. There, a plus is a plus: tokens
/// in base64 have some, and no blanks.
pub(super) fn shown_token<B>(request: &Request<B>) -> Option<Cow<'_, [u8]>> {
    let bearer = text(request.headers(), AUTHORIZATION);
    let bearer = bearer.and_then(|header| header.strip_prefix("Bearer "));
    let query = || {
        let pairs = request.uri().query()?.split('&');
        let token = pairs
            .filter_map(|pair| pair.strip_prefix("token="))
            .next()?;
        Some(percent_decode_str(token).into())
    };
    bearer.map(|token| token.as_bytes().into()).or_else(query)
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

fn is_loopback(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    };
    let address = name.parse::<std::net::IpAddr>();
    name.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
}

/// Compares in a time that does not tell how much is right.
fn is_same(one: &[u8], other: &[u8]) -> bool {
    let differences = one.iter().zip(other).fold(0, |sum, (a, b)| sum | (a ^ b));
    one.len() == other.len() && differences == 0
}
