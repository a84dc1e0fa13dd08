//! The command line of `doctor`.

use clap::{Arg, ArgMatches, Command};

use super::{flag, text};
use crate::doctor::{DoctorRequest, RouteChoice};

/// Where Agent 365 takes spans.
const SERVICE: &str = "https://agent365.svc.cloud.microsoft";

pub(super) fn doctor() -> Command {
    let option = |name: &'static str, value: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name(value).help(help)
    };
    Command::new("doctor")
        .about("Say whether spans can reach Agent 365 from here, and what helps")
        .after_help(
            "Looks at switches, token, name, certificate, clock and receivers of OTLP. Exit codes: 0 if nothing is bad, 1 if\n\
             something is, 2 if it cannot look.",
        )
        .arg(option("endpoint", "URL", "The service").default_value(SERVICE))
        .arg(option("tenant", "ID", "The tenant, for the route and the canary"))
        .arg(option("agent", "ID", "The agent, which the token must name as its application"))
        .arg(option("token-env", "NAME", "The variable of the environment that has the token"))
        .arg(
            option("profile", "PROFILE", "v2 sends everything to the route of services, v3 and direct each token to its own")
                .default_value("v3")
                .value_parser(["v2", "v3", "direct"]),
        )
        .arg(flag("canary", "Also send one span, and say what the service answers"))
}

pub(super) fn doctor_request(matches: &ArgMatches) -> DoctorRequest {
    DoctorRequest {
        endpoint: text(matches, "endpoint").unwrap_or_default(),
        tenant: text(matches, "tenant"),
        agent: text(matches, "agent"),
        token_variable: text(matches, "token-env"),
        has_canary: matches.get_flag("canary"),
        route: match text(matches, "profile").as_deref() {
            Some("v2") => RouteChoice::ServiceToService,
            _ => RouteChoice::ByToken,
        },
    }
}
