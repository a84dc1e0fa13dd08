//! Assertions in a file, which a platform writes.

use std::io;
use std::path::PathBuf;

use agentspan_agent365::error::BoxError;
use async_trait::async_trait;
use tokio::task::spawn_blocking;

use crate::assertion::{Assertion, AssertionRequest, AssertionSource};
use crate::secret::Secret;

/// The identity of a workload in Kubernetes or elsewhere, as a token in a file. The blueprint needs a federated
/// credential that trusts its issuer.
///
/// The platform replaces the file before the token in it expires, so the file is read for each request.
/// With the workload identity of Azure, the path is in the variable `AZURE_FEDERATED_TOKEN_FILE`.
///
/// ```
/// use agentspan_entra::{Credential, WorkloadIdentity};
///
/// let path = "/var/run/secrets/azure/tokens/azure-identity-token";
/// let credential = Credential::assertion(WorkloadIdentity::in_file(path));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkloadIdentity {
    path: PathBuf,
}

impl WorkloadIdentity {
    /// Reads the token in this file.
    #[must_use]
    pub fn in_file(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }
}

#[async_trait]
impl AssertionSource for WorkloadIdentity {
    async fn assertion(&self, _: &AssertionRequest<'_>) -> Result<Assertion, BoxError> {
        let path = self.path.clone();
        let read = spawn_blocking(move || -> io::Result<Secret> {
            let text = Secret::new(std::fs::read_to_string(path)?);
            Ok(Secret::new(text.as_str().trim()))
        });
        let token = read.await??;
        if token.as_str().is_empty() {
            return Err("the file is empty".into());
        }
        Ok(Assertion::new(token))
    }
}
