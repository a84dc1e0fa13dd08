//! `discovery.json`: the hosts of clouds and tenants.

use agentspan_discovery::{ClusterCategory, TenantEndpointError, UnknownClusterCategory};
use agentspan_model::agent365::{IdentityError, TenantId};
use serde::{Deserialize, Serialize};

use crate::{Allowance, Case, Failure, Json, Outcome, Runner, Tolerances};

pub(super) struct Discovery;

impl Runner for Discovery {
    fn file_stem(&self) -> &'static str {
        "discovery"
    }

    fn run(&self, case: &Case) -> Outcome {
        let input: Input = case.input()?;
        let hosts = match input.cluster_category.parse::<ClusterCategory>() {
            Ok(cluster) => Hosts {
                token_audience: Answer::Ok(cluster.token_audience()),
                token_endpoint_host: Answer::Ok(cluster.token_endpoint_host().into()),
                tenant_endpoint: tenant_answer(&input.tenant_id, |tenant| {
                    cluster.tenant_endpoint(tenant)
                })?,
                tenant_island_cluster_endpoint: tenant_answer(&input.tenant_id, |tenant| {
                    cluster.tenant_island_cluster_endpoint(tenant)
                })?,
            },
            // The reference finds out at each call, and looks at the tenant first. Ours never makes
            // such a category, so that all four are the same error.
            Err(error) => {
                let error = category_error(&error, &input.cluster_category)?;
                Hosts {
                    token_audience: error.clone(),
                    token_endpoint_host: error.clone(),
                    tenant_endpoint: error.clone(),
                    tenant_island_cluster_endpoint: error,
                }
            }
        };
        Ok(Json::of(&hosts)?)
    }

    /// Our messages are our own; this runner checks that they name what is wrong.
    fn tolerances(&self) -> Tolerances {
        Tolerances {
            ignored: &["*.error.message"],
            ..Tolerances::default()
        }
    }

    fn allowances(&self) -> Vec<Allowance> {
        macro_rules! allowance {
            ($name:literal, $holds:expr) => {
                Allowance {
                    name: $name,
                    applies: |case| {
                        case.input()
                            .is_ok_and(|Input { tenant_id: id, .. }| $holds(&*id))
                    },
                    places: &["tenant_endpoint", "tenant_island_cluster_endpoint"],
                }
            };
        }
        vec![
            allowance!("tenant_ends_with_newline", |id: &str| id.ends_with('\n')),
            allowance!("tenant_longer_than_256_bytes", |id: &str| id.len() > 256),
            // The id is divided in two labels, and an island's has three letters more.
            allowance!("tenant_makes_a_label_longer_than_63_bytes", |id: &str| {
                id.replace('-', "").len() > 60
            }),
        ]
    }
}

#[derive(Deserialize)]
struct Input {
    cluster_category: String,
    tenant_id: String,
}

#[derive(Serialize)]
struct Hosts {
    token_audience: Answer,
    token_endpoint_host: Answer,
    tenant_endpoint: Answer,
    tenant_island_cluster_endpoint: Answer,
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "snake_case")]
enum Answer {
    Ok(String),
    Error(PythonError),
}

/// The class of the reference's error that ours stands for.
#[derive(Clone, Serialize)]
struct PythonError {
    r#type: &'static str,
    message: String,
}

/// Something is wrong with the value of an argument.
fn value_error(message: String) -> Answer {
    Answer::Error(PythonError {
        r#type: "ValueError",
        message,
    })
}

fn category_error(error: &UnknownClusterCategory, category: &str) -> Result<Answer, Failure> {
    let message = error.to_string();
    let names_all = ClusterCategory::ALL
        .iter()
        .all(|known| message.contains(known.as_str()));
    if !names_all || !message.contains(&format!("{category:?}")) {
        return Err(format!("the error names no category: {message}").into());
    }
    Ok(value_error(message))
}

fn tenant_answer(
    tenant: &str,
    endpoint: impl Fn(&TenantId) -> Result<String, TenantEndpointError>,
) -> Result<Answer, Failure> {
    let message = match TenantId::parse(tenant) {
        Ok(tenant) => match endpoint(&tenant) {
            Ok(host) => return Ok(Answer::Ok(host)),
            Err(error) => tenant_message(&error, tenant.as_str())?,
        },
        Err(error) => identity_message(&error, tenant)?,
    };
    if !message.starts_with("tenant id ") {
        return Err(format!("the error does not name the tenant: {message}").into());
    }
    Ok(value_error(message))
}

/// The message, if the error says what is really wrong with the tenant.
fn tenant_message(error: &TenantEndpointError, tenant: &str) -> Result<String, Failure> {
    let message = error.to_string();
    let holds = match error {
        TenantEndpointError::Character { character, at } => {
            !character.is_ascii_alphanumeric()
                && *character != '-'
                && tenant
                    .get(*at..)
                    .is_some_and(|rest| rest.starts_with(*character))
                && message.contains(&format!("{character:?}"))
        }
        TenantEndpointError::TooShort {
            found, required, ..
        } => {
            *found == tenant.replace('-', "").len()
                && found < required
                && message.contains(&required.to_string())
        }
        TenantEndpointError::TooLong { found } => {
            *found > 63 && *found <= tenant.len() + 3 && message.contains(&found.to_string())
        }
        _ => false,
    };
    if holds {
        Ok(message)
    } else {
        Err(format!("the error says what is not so: {message}").into())
    }
}

fn identity_message(error: &IdentityError, tenant: &str) -> Result<String, Failure> {
    let holds = match error {
        IdentityError::Empty { .. } => tenant.trim().is_empty(),
        IdentityError::TooLong { bytes, .. } => *bytes == tenant.len(),
        IdentityError::Untrimmed { .. } => tenant.trim() != tenant,
        IdentityError::DotSegment { .. } => tenant == "." || tenant == "..",
        IdentityError::Character { at, .. } => tenant.get(*at..).is_some(),
        _ => false,
    };
    if holds {
        Ok(error.to_string())
    } else {
        Err(format!("the error says what is not so: {error}").into())
    }
}
