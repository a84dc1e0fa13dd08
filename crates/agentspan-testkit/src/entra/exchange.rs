//! Decides which token a form gets.

use serde_json::json;

use super::AskedToken;
use super::directory::{Agent, Directory};
use super::refusal::{MISSING_FIELD, NEEDLESS_FIELD, UNREADABLE};
use super::tokens::{Issued, Known, Purpose, RESOURCE};
use crate::answer::Answer;
use crate::id::Id;

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// The permission of Agent 365, as a role and as a delegated scope.
const PERMISSION: &str = "Agent365.Observability.OtelWrite";

/// The answer with a token, or the code of the refusal.
pub(super) fn token(
    directory: &Directory,
    issued: &mut Issued,
    asked: &AskedToken,
    host: &str,
) -> Result<Answer, u32> {
    let client = needed(asked, "client_id")?;
    let grant = needed(asked, "grant_type")?;
    needed(asked, "scope")?;
    if let Some(proof) = directory.blueprint(client) {
        if grant != "client_credentials" {
            return Err(82_002);
        }
        let proven = proof.check(asked, host);
        return blueprint_assertion(directory, issued, asked, client, proven);
    }
    let agent = directory.agent(client).ok_or(700_016_u32)?;
    agent_proves(directory, issued, asked, client)?;
    match grant {
        "client_credentials" => of_agent(issued, asked, client),
        JWT_BEARER => on_behalf_of(directory, issued, asked, client, agent),
        "user_fic" => of_agent_user(directory, issued, asked, client, agent),
        _ => Err(82_002),
    }
}

fn blueprint_assertion(
    directory: &Directory,
    issued: &mut Issued,
    asked: &AskedToken,
    client: &str,
    proven: Result<(), u32>,
) -> Result<Answer, u32> {
    only(asked, &["client_secret", "fmi_path"])?;
    if !is_exchange(needed(asked, "scope")?) {
        return Err(82_001);
    }
    let id = asked.field("fmi_path").ok_or(82_008_u32)?;
    proven?;
    let agent = directory.agent(id).ok_or(700_016_u32)?;
    if agent.blueprint != *client {
        return Err(7_002_134);
    }
    let agent = Id::new(id);
    Ok(issued.assertion(&asked.tenant, Purpose::Agent { agent }))
}

/// The agent shows the assertion that its blueprint got for it.
fn agent_proves(
    directory: &Directory,
    issued: &Issued,
    asked: &AskedToken,
    client: &str,
) -> Result<(), u32> {
    let assertion = asked.field("client_assertion").ok_or(7_000_216_u32)?;
    let known = issued.find(assertion).ok_or(50_013_u32)?;
    let is_its_own = matches!(&known.purpose, Purpose::Agent { agent } if *agent == *client);
    let home = directory.agent(client).map(|agent| &agent.tenant);
    match () {
        () if !is_its_own => Err(700_213),
        () if home != Some(&known.tenant) || known.tenant != *asked.tenant => Err(700_211),
        () => living(known),
    }
}

fn of_agent(issued: &mut Issued, asked: &AskedToken, client: &str) -> Result<Answer, u32> {
    only(asked, &[])?;
    let scope = needed(asked, "scope")?;
    if is_exchange(scope) {
        let agent = Id::new(client);
        return Ok(issued.assertion(&asked.tenant, Purpose::AgentUser { agent }));
    }
    if scope.trim_start_matches("api://") != format!("{RESOURCE}/.default") {
        return Err(1_002_012);
    }
    let claims = json!({"oid": client, "sub": client, "idtyp": "app", "roles": [PERMISSION]});
    Ok(issued.access_token(&asked.tenant, client, claims))
}

fn on_behalf_of(
    directory: &Directory,
    issued: &mut Issued,
    asked: &AskedToken,
    client: &str,
    agent: &Agent,
) -> Result<Answer, u32> {
    only(asked, &["assertion", "requested_token_use"])?;
    if needed(asked, "requested_token_use")? != "on_behalf_of" {
        return Err(UNREADABLE);
    }
    let person = issued.find(needed(asked, "assertion")?).ok_or(50_013_u32)?;
    living(person)?;
    let Purpose::Person { user, audience } = &person.purpose else {
        return Err(50_013);
    };
    let of_blueprint = audience.strip_prefix("api://").unwrap_or(audience);
    if agent.blueprint != *of_blueprint || person.tenant != *asked.tenant {
        return Err(50_013);
    }
    let user = user.clone();
    delegated(directory, issued, asked, client, &user)
}

fn of_agent_user(
    directory: &Directory,
    issued: &mut Issued,
    asked: &AskedToken,
    client: &str,
    agent: &Agent,
) -> Result<Answer, u32> {
    let fields = [
        "user_federated_identity_credential",
        "user_id",
        "username",
        "requested_token_use",
    ];
    only(asked, &fields)?;
    if asked
        .field("requested_token_use")
        .is_some_and(|given| given != "on_behalf_of")
    {
        return Err(UNREADABLE);
    }
    let assertion = needed(asked, "user_federated_identity_credential")?;
    let known = issued.find(assertion).ok_or(50_013_u32)?;
    living(known)?;
    let is_its_own = matches!(&known.purpose, Purpose::AgentUser { agent } if *agent == *client);
    if !is_its_own || known.tenant != *asked.tenant {
        return Err(700_213);
    }
    let (id, name) = (asked.field("user_id"), asked.field("username"));
    if id.is_some() == name.is_some() {
        return Err(MISSING_FIELD);
    }
    let user = agent.user(id, name).ok_or(50_034_u32)?.to_owned();
    delegated(directory, issued, asked, client, &user)
}

fn delegated(
    directory: &Directory,
    issued: &mut Issued,
    asked: &AskedToken,
    client: &str,
    user: &str,
) -> Result<Answer, u32> {
    let scope = needed(asked, "scope")?;
    let resource = scope.trim_start_matches("api://");
    let is_known = resource == format!("{RESOURCE}/{PERMISSION}")
        || resource == format!("{RESOURCE}/.default");
    if !is_known {
        return Err(70_011);
    }
    if !directory.has_consent(&asked.tenant, client) {
        return Err(65_001);
    }
    let claims = json!({"oid": user, "sub": format!("{user}.{client}"), "scp": PERMISSION});
    Ok(issued.access_token(&asked.tenant, client, claims))
}

fn living(known: &Known) -> Result<(), u32> {
    match known.is_expired {
        true => Err(500_133),
        false => Ok(()),
    }
}

fn is_exchange(scope: &str) -> bool {
    scope.eq_ignore_ascii_case("api://AzureADTokenExchange/.default")
}

fn needed<'a>(asked: &'a AskedToken, name: &str) -> Result<&'a str, u32> {
    let value = asked.field(name).filter(|value| !value.is_empty());
    value.ok_or(MISSING_FIELD)
}

/// Every field once, and none but these and those that every form has.
fn only(asked: &AskedToken, more: &[&str]) -> Result<(), u32> {
    let usual = [
        "client_id",
        "grant_type",
        "scope",
        "client_assertion",
        "client_assertion_type",
    ];
    for (at, (name, _)) in asked.fields.iter().enumerate() {
        let name = name.as_str();
        let is_known = usual.contains(&name) || more.contains(&name);
        let is_first = asked
            .fields
            .iter()
            .take(at)
            .all(|(before, _)| before != name);
        if !is_known || !is_first {
            return Err(NEEDLESS_FIELD);
        }
    }
    let type_of = asked.field("client_assertion_type");
    match asked.field("client_assertion") {
        Some(_) if type_of != Some(ASSERTION_TYPE) => Err(UNREADABLE),
        None if type_of.is_some() => Err(NEEDLESS_FIELD),
        _ => Ok(()),
    }
}
