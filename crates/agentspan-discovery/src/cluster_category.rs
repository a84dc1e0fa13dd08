//! The clouds of Agent 365, and their hosts.

use std::fmt;
use std::str::FromStr;

use crate::ShownValue;

/// A cloud of Agent 365.
///
/// Written in lower case, as the reference does: `prod`, `firstrelease`, `gov`. The reference has
/// no default here, but its exporter uses `prod`, like our [`Default`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ClusterCategory {
    /// A developer's machine.
    Local,
    /// Development. Shares the host of production.
    Dev,
    /// Test. Shares the host of production.
    Test,
    /// Pre-production. Shares the host of production.
    Preprod,
    /// The first ring of production.
    FirstRelease,
    /// Production. The default.
    #[default]
    Prod,
    /// Government community cloud of the United States.
    Gov,
    /// Government community cloud *high* of the United States.
    High,
    /// Department of Defense of the United States.
    Dod,
    /// The cloud in China.
    Mooncake,
    /// An air-gapped cloud of a government.
    Ex,
    /// An air-gapped cloud of a government.
    Rx,
}

impl ClusterCategory {
    /// All categories, in the order of the reference.
    pub const ALL: [Self; 12] = [
        Self::Local,
        Self::Dev,
        Self::Test,
        Self::Preprod,
        Self::FirstRelease,
        Self::Prod,
        Self::Gov,
        Self::High,
        Self::Dod,
        Self::Mooncake,
        Self::Ex,
        Self::Rx,
    ];

    /// The name of the category, as [`FromStr`] reads it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Dev => "dev",
            Self::Test => "test",
            Self::Preprod => "preprod",
            Self::FirstRelease => "firstrelease",
            Self::Prod => "prod",
            Self::Gov => "gov",
            Self::High => "high",
            Self::Dod => "dod",
            Self::Mooncake => "mooncake",
            Self::Ex => "ex",
            Self::Rx => "rx",
        }
    }

    /// The host for token requests. The hosts of tenants are subdomains of it.
    #[must_use]
    pub fn token_endpoint_host(self) -> &'static str {
        match self {
            Self::Local => "api.powerplatform.localhost",
            Self::Dev | Self::Test | Self::Preprod | Self::FirstRelease | Self::Prod => {
                "api.powerplatform.com"
            }
            Self::Gov => "api.gov.powerplatform.microsoft.us",
            Self::High => "api.high.powerplatform.microsoft.us",
            Self::Dod => "api.appsplatform.us",
            Self::Mooncake => "api.powerplatform.partner.microsoftonline.cn",
            Self::Ex => "api.powerplatform.eaglex.ic.gov",
            Self::Rx => "api.powerplatform.microsoft.scloud",
        }
    }

    /// The audience of tokens: `https://` and the [host](Self::token_endpoint_host).
    #[must_use]
    pub fn token_audience(self) -> String {
        format!("https://{}", self.token_endpoint_host())
    }
}

impl fmt::Display for ClusterCategory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for ClusterCategory {
    type Err = UnknownClusterCategory;

    /// Parses an exact name: `PROD` and `prod ` are unknown, as in the reference.
    fn from_str(name: &str) -> Result<Self, UnknownClusterCategory> {
        Self::ALL
            .into_iter()
            .find(|category| category.as_str() == name)
            .ok_or_else(|| UnknownClusterCategory { name: name.into() })
    }
}

/// The name is not the name of a [`ClusterCategory`].
///
/// Names are in lower case, without surrounding white space. The message lists all names.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "unknown cluster category {}, expected one of {}",
    ShownValue(name),
    names()
)]
pub struct UnknownClusterCategory {
    name: Box<str>,
}

impl UnknownClusterCategory {
    /// The unknown name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Debug for UnknownClusterCategory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnknownClusterCategory")
            .field("name", &ShownValue(&self.name))
            .finish()
    }
}

fn names() -> String {
    ClusterCategory::ALL.map(ClusterCategory::as_str).join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_category_reads_back_from_its_name() {
        for category in ClusterCategory::ALL {
            assert_eq!(category.to_string().parse(), Ok(category));
        }
    }

    #[test]
    fn production_is_the_default() {
        assert_eq!(ClusterCategory::default(), ClusterCategory::Prod);
    }

    #[test]
    fn an_unknown_name_is_named_beside_all_known_ones() {
        let error = "PROD".parse::<ClusterCategory>().unwrap_err();
        assert_eq!(error.name(), "PROD");
        assert_eq!(
            error.to_string(),
            "unknown cluster category \"PROD\", expected one of local, dev, test, preprod, \
             firstrelease, prod, gov, high, dod, mooncake, ex, rx"
        );
    }

    #[test]
    fn white_space_is_not_trimmed() {
        assert!("prod ".parse::<ClusterCategory>().is_err());
        assert!("".parse::<ClusterCategory>().is_err());
    }
}
