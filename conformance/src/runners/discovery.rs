//! `discovery.json`: the hosts of clouds and tenants.

use agentspan_discovery::{ClusterCategory, TenantEndpointError, UnknownClusterCategory};
use agentspan_model::agent365::{IdentityError, TenantId};
use serde::{Deserialize, Serialize};

use crate::{Case, Failure, Json, Outcome, Predicate, Runner, Tolerances};

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

    fn predicates(&self) -> &'static [Predicate] {
        &[
            Predicate {
                name: "tenant_ends_with_newline",
                applies: |case| {
                    Passing::read(case).is_some_and(|passing| passing.tenant.ends_with('\n'))
                },
                instead: |_, expected| refuse(expected, &ENDPOINTS),
            },
            Predicate {
                name: "tenant_longer_than_256_bytes",
                applies: |case| {
                    Passing::read(case).is_some_and(|passing| {
                        passing.tenant.len() > 256 && !passing.tenant.ends_with('\n')
                    })
                },
                instead: |_, expected| refuse(expected, &ENDPOINTS),
            },
            Predicate {
                name: "tenant_makes_a_label_longer_than_63_bytes",
                applies: |case| {
                    Passing::read(case).is_some_and(|passing| {
                        passing.tenant.len() <= 256
                            && !passing.tenant.ends_with('\n')
                            && passing.label_len() + "il-".len() > 63
                    })
                },
                instead: |case, expected| {
                    if let Some(passing) = Passing::read(case) {
                        let [_, island] = ENDPOINTS;
                        if passing.label_len() > 63 {
                            refuse(expected, &ENDPOINTS);
                        } else {
                            refuse(expected, &[island]);
                        }
                    }
                },
            },
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

/// A tenant that the reference's rules let pass, the newline that they overlook included.
struct Passing {
    tenant: String,
    /// Letters and digits, and the newline.
    name_len: usize,
    last_label_len: usize,
}

impl Passing {
    fn read(case: &Case) -> Option<Self> {
        let Input {
            cluster_category,
            tenant_id: tenant,
        } = case.input().ok()?;
        let last_label_len = match cluster_category.parse().ok()? {
            ClusterCategory::Prod | ClusterCategory::FirstRelease => 2,
            _ => 1,
        };
        let label = tenant.strip_suffix('\n').unwrap_or(&tenant);
        let is_host_name =
            !label.is_empty() && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        let name_len = tenant.replace('-', "").len();
        (is_host_name && name_len > last_label_len).then_some(Self {
            tenant,
            name_len,
            last_label_len,
        })
    }

    /// The length of the first label, without the prefix of an island cluster.
    fn label_len(&self) -> usize {
        self.name_len - self.last_label_len
    }
}

const ENDPOINTS: [&str; 2] = ["tenant_endpoint", "tenant_island_cluster_endpoint"];

fn refuse(expected: &mut Json, endpoints: &[&str]) {
    for endpoint in endpoints {
        if let Some(answer) = expected.member_mut(endpoint) {
            *answer = serde_json::json!({"error": {"type": "ValueError"}}).into();
        }
    }
}
