//! The runners, one module per vector file.

mod discovery;
mod jwt;

use crate::Runner;

/// All runners.
#[must_use]
pub fn all() -> Vec<Box<dyn Runner>> {
    vec![Box::new(discovery::Discovery), Box::new(jwt::Jwt)]
}
