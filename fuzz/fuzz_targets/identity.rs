//! An identity: one that is taken can be a segment of a path and the label of a host.

#![no_main]

use agentspan_discovery::ClusterCategory;
use agentspan_model::agent365::Identity;
use fuzz::show;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|ids: (&str, &str)| {
    let identity = match Identity::parse(ids.0, ids.1) {
        Ok(identity) => identity,
        Err(error) => return show(&error),
    };
    for id in [identity.tenant.as_str(), identity.agent.as_str()] {
        assert!(!id.is_empty() && id != "." && id != "..");
        assert!(!id.contains(['/', '\\', '\r', '\n', '\0']), "{id:?}");
    }
    for cluster in [ClusterCategory::Prod, ClusterCategory::Local] {
        for endpoint in [
            cluster.tenant_endpoint(&identity.tenant),
            cluster.tenant_island_cluster_endpoint(&identity.tenant),
        ] {
            match endpoint {
                Ok(host) => assert!(!host.contains(['/', '@', ' ', '\r', '\n']), "{host:?}"),
                Err(error) => show(&error),
            }
        }
    }
});
