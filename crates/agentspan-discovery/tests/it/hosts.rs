//! Whatever a tenant is called, its host lies below the host of the cloud.

use agentspan_discovery::{ClusterCategory, TenantEndpointError};
use agentspan_model::agent365::TenantId;
use proptest::prelude::*;
use proptest::sample::select;

fn cluster() -> impl Strategy<Value = ClusterCategory> {
    select(ClusterCategory::ALL.to_vec())
}

/// Ids near the rules: mostly legal, some with one character that is not.
fn tenant() -> impl Strategy<Value = TenantId> {
    "[a-zA-Z0-9-]{0,70}[_. é\u{212a}]?[a-zA-Z0-9-]{0,3}"
        .prop_filter_map("no id", |text| TenantId::parse(&text).ok())
}

proptest! {
    #[test]
    fn a_host_is_the_name_in_two_labels_below_the_cloud(cluster in cluster(), tenant in tenant()) {
        let suffix = format!(".tenant.{}", cluster.token_endpoint_host());
        let name = tenant.as_str().replace('-', "").to_ascii_lowercase();
        match cluster.tenant_endpoint(&tenant) {
            Ok(host) => {
                let labels = host.strip_suffix(&suffix).unwrap();
                let (first, last) = labels.split_once('.').unwrap();
                prop_assert_eq!(format!("{first}{last}"), name);
                prop_assert!(!first.is_empty() && first.len() <= 63);
                let production =
                    matches!(cluster, ClusterCategory::Prod | ClusterCategory::FirstRelease);
                prop_assert_eq!(last.len(), if production { 2 } else { 1 });
                prop_assert!(labels.bytes().all(|b| b.is_ascii_lowercase()
                    || b.is_ascii_digit()
                    || b == b'.'));
            }
            Err(TenantEndpointError::Character { character, at }) => {
                prop_assert!(tenant.as_str()[at..].starts_with(character));
                prop_assert!(!character.is_ascii_alphanumeric() && character != '-');
            }
            Err(TenantEndpointError::TooShort { found, required, .. }) => {
                prop_assert_eq!(found, name.len());
                prop_assert!(found < required);
            }
            Err(TenantEndpointError::TooLong { found }) => {
                prop_assert!(found > 63 && found < name.len());
            }
            Err(error) => prop_assert!(false, "an error without a rule: {error}"),
        }
    }

    #[test]
    fn an_island_cluster_has_the_host_of_its_tenant_behind_a_prefix(
        cluster in cluster(),
        tenant in tenant(),
    ) {
        let host = cluster.tenant_endpoint(&tenant);
        match cluster.tenant_island_cluster_endpoint(&tenant) {
            Ok(island) => prop_assert_eq!(island, format!("il-{}", host.unwrap())),
            Err(TenantEndpointError::TooLong { found }) => match host {
                Ok(host) => prop_assert_eq!(host.split('.').next().unwrap().len() + 3, found),
                Err(error) => {
                    let found = found - 3;
                    prop_assert_eq!(error, TenantEndpointError::TooLong { found });
                }
            },
            error => prop_assert_eq!(error, host),
        }
    }
}
