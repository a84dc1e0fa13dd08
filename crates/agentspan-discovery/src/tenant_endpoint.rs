//! The hosts of a tenant: its normalised id, divided into two labels, as a subdomain of its cloud's
//! host.

use agentspan_model::agent365::TenantId;

use crate::ClusterCategory;

/// The longest label of a host, in bytes: RFC 1035, section 2.3.4.
const MAX_LABEL_BYTES: usize = 63;

impl ClusterCategory {
    /// The host of a tenant.
    ///
    /// The id in lower case and without dashes, divided into two labels, then `tenant` and the
    /// [host of the cloud](Self::token_endpoint_host). The second label has two characters in
    /// [`Prod`](Self::Prod) and [`FirstRelease`](Self::FirstRelease), and one elsewhere.
    ///
    /// # Errors
    ///
    /// [`TenantEndpointError`] if the id cannot be written as host labels. [`TenantId`] allows more
    /// ids, because not every use needs a host.
    pub fn tenant_endpoint(self, tenant: &TenantId) -> Result<String, TenantEndpointError> {
        self.host("", tenant.as_str())
    }

    /// The host of a tenant's island cluster: its [host](Self::tenant_endpoint) with the prefix
    /// `il-`.
    ///
    /// # Errors
    ///
    /// The same as of [`tenant_endpoint`](Self::tenant_endpoint).
    pub fn tenant_island_cluster_endpoint(
        self,
        tenant: &TenantId,
    ) -> Result<String, TenantEndpointError> {
        self.host("il-", tenant.as_str())
    }

    fn host(self, prefix: &str, tenant: &str) -> Result<String, TenantEndpointError> {
        // Every character is looked at. The reference's expression ends with `$`, which also
        // matches before a last newline, and so lets one into the host.
        if let Some((at, character)) = tenant
            .char_indices()
            .find(|&(_, c)| !c.is_ascii_alphanumeric() && c != '-')
        {
            return Err(TenantEndpointError::Character { character, at });
        }
        let mut name = tenant.replace('-', "");
        name.make_ascii_lowercase();
        let required = self.last_label_len() + 1;
        // ASCII only from here on, so that bytes are characters.
        let Some((first, last)) = name
            .len()
            .checked_sub(self.last_label_len())
            .filter(|&at| at > 0)
            .and_then(|at| name.split_at_checked(at))
        else {
            return Err(TenantEndpointError::TooShort {
                cluster: self,
                found: name.len(),
                required,
            });
        };
        let found = prefix.len() + first.len();
        if found > MAX_LABEL_BYTES {
            return Err(TenantEndpointError::TooLong { found });
        }
        let cloud = self.token_endpoint_host();
        Ok(format!("{prefix}{first}.{last}.tenant.{cloud}"))
    }

    fn last_label_len(self) -> usize {
        match self {
            Self::FirstRelease | Self::Prod => 2,
            _ => 1,
        }
    }
}

/// Why a tenant's id has no host.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TenantEndpointError {
    /// The id has a character that is invalid in a host. Use the tenant's GUID, not its domain
    /// name.
    #[error(
        "tenant id holds {character:?} at byte {at}, and a host allows only ASCII letters, digits and dashes"
    )]
    Character {
        /// The first invalid character.
        character: char,
        /// Its byte offset in the id.
        at: usize,
    },
    /// The id without dashes is too short for two labels. Use the tenant's GUID.
    #[error(
        "tenant id has {found} letters and digits, and cluster category {cluster} needs at least {required}"
    )]
    TooShort {
        /// The requested cloud.
        cluster: ClusterCategory,
        /// The number of letters and digits in the id.
        found: usize,
        /// The required number of letters and digits.
        required: usize,
    },
    /// The id results in an invalid host label. The reference uses it nevertheless, and cannot
    /// connect. Use the tenant's GUID.
    #[error("tenant id makes a host label of {found} bytes, and at most 63 are allowed")]
    TooLong {
        /// The length of the label, the `il-` of an island cluster included.
        found: usize,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(cluster: ClusterCategory, tenant: &str, host: &str) {
        let tenant = TenantId::parse(tenant).unwrap();
        assert_eq!(cluster.tenant_endpoint(&tenant).unwrap(), host);
        assert_eq!(
            cluster.tenant_island_cluster_endpoint(&tenant).unwrap(),
            format!("il-{host}")
        );
    }

    fn check_refused(cluster: ClusterCategory, tenant: &str, message: &str) {
        let tenant = TenantId::parse(tenant).unwrap();
        let error = cluster.tenant_endpoint(&tenant).unwrap_err();
        assert_eq!(error.to_string(), message);
        assert_eq!(
            cluster.tenant_island_cluster_endpoint(&tenant),
            Err(error),
            "both endpoints have the same rules"
        );
    }

    #[test]
    fn the_last_label_has_two_characters_in_production_and_one_elsewhere() {
        for cluster in ClusterCategory::ALL {
            let cloud = cluster.token_endpoint_host();
            match cluster {
                ClusterCategory::Prod | ClusterCategory::FirstRelease => {
                    check(cluster, "abc", &format!("a.bc.tenant.{cloud}"));
                    check_refused(
                        cluster,
                        "ab",
                        &format!(
                            "tenant id has 2 letters and digits, and cluster category {cluster} needs at least 3"
                        ),
                    );
                }
                _ => {
                    check(cluster, "abc", &format!("ab.c.tenant.{cloud}"));
                    check_refused(
                        cluster,
                        "a",
                        &format!(
                            "tenant id has 1 letters and digits, and cluster category {cluster} needs at least 2"
                        ),
                    );
                }
            }
        }
    }

    #[test]
    fn upper_case_becomes_lower_and_dashes_go() {
        check(
            ClusterCategory::Gov,
            "-A1-B2-",
            "a1b.2.tenant.api.gov.powerplatform.microsoft.us",
        );
    }

    #[test]
    fn dashes_do_not_count_towards_the_length() {
        check_refused(
            ClusterCategory::Prod,
            "-----",
            "tenant id has 0 letters and digits, and cluster category prod needs at least 3",
        );
    }

    #[test]
    fn what_has_no_place_in_a_host_is_named_with_its_place() {
        for (tenant, character, at) in [
            ("tenant_1", "'_'", 6),
            ("contoso.com", "'.'", 7),
            ("ab cd", "' '", 2),
            ("tenänt", "'ä'", 3),
            // Lower-casing this sign gives an ASCII letter; it is not one.
            ("tenan\u{212a}", "'\u{212a}'", 5),
        ] {
            check_refused(
                ClusterCategory::Prod,
                tenant,
                &format!(
                    "tenant id holds {character} at byte {at}, and a host allows only ASCII letters, digits and dashes"
                ),
            );
        }
    }

    #[test]
    fn a_label_has_at_most_63_bytes_prefix_included() {
        let tenant = |letters: usize| TenantId::parse(&"a".repeat(letters)).unwrap();
        let (cluster, too_long) = (ClusterCategory::Gov, |found| {
            Some(TenantEndpointError::TooLong { found })
        });
        assert_eq!(cluster.tenant_endpoint(&tenant(64)).err(), None);
        assert_eq!(cluster.tenant_endpoint(&tenant(65)).err(), too_long(64));
        let island = |letters| cluster.tenant_island_cluster_endpoint(&tenant(letters));
        assert_eq!(island(61).err(), None);
        assert_eq!(island(62).err(), too_long(64));
    }

    #[test]
    fn a_last_newline_does_not_pass() {
        let error = ClusterCategory::Prod.host("", "abcd\n").unwrap_err();
        assert_eq!(
            error,
            TenantEndpointError::Character {
                character: '\n',
                at: 4
            }
        );
    }
}
