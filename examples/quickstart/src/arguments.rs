//! The command line: `-- --profile v2`.

use agentspan::Profile;

use crate::agent::AnyError;

/// The generation of the Agent 365 contract; the first one unless another is given.
pub(crate) fn profile() -> Result<Profile, AnyError> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        [] | ["--profile", "v0.1"] => Ok(Profile::V0_1),
        ["--profile", "v2"] => Ok(Profile::V2),
        ["--profile", "v3"] => Ok(Profile::V3),
        ["--profile", "direct"] => Ok(Profile::Direct),
        _ => Err("usage: quickstart [--profile v0.1 | v2 | v3 | direct]".into()),
    }
}
