//! The command line of `doctor`.

use agentspan_model::agent365::Profile;
use clap::{Arg, ArgMatches, Command};

use super::{agent, flag, profile_of, profile_word, tenant, text};
use crate::doctor::{DoctorRequest, RouteChoice};

/// Where Agent 365 takes spans.
const SERVICE: &str = "https://agent365.svc.cloud.microsoft";

pub(super) fn doctor() -> Command {
    let option = |name: &'static str, value: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name(value).help(help)
    };
    Command::new("doctor")
        .about("Check whether spans can reach Agent 365 from this machine, and suggest fixes")
        .after_help(
            "Checks the switches, the token, DNS, the certificate, the clock, and OTLP receivers.\n\
             Exit codes: 0 if no check fails, 1 if one does, 2 if the checks cannot run.",
        )
        .arg(option("endpoint", "URL", "URL of the service").default_value(SERVICE))
        .arg(option("tenant", "ID", "Tenant ID, for the route and the canary").value_parser(tenant))
        .arg(option("agent", "ID", "Agent ID, which must be the application ID in the token").value_parser(agent))
        .arg(option("token-env", "NAME", "Environment variable that holds the token"))
        .arg(
            option("profile", "PROFILE", "v2 always uses the service route; v3 and direct choose the route by the kind of token")
                .default_value("v3")
                .value_parser([Profile::V2, Profile::V3, Profile::Direct].map(profile_word)),
        )
        .arg(
            flag("canary", "Also send a test span, and report the answer of the service; requires --tenant, --agent and --token-env")
                .requires_all(["tenant", "agent", "token-env"]),
        )
}

pub(super) fn doctor_request(matches: &ArgMatches) -> DoctorRequest {
    DoctorRequest {
        endpoint: text(matches, "endpoint").unwrap_or_default(),
        tenant: text(matches, "tenant"),
        agent: text(matches, "agent"),
        token_variable: text(matches, "token-env"),
        has_canary: matches.get_flag("canary"),
        route: match profile_of(matches).name() {
            "v2" => RouteChoice::ServiceToService,
            _ => RouteChoice::ByToken,
        },
    }
}
