//! Why spans were lost, by tenant, as an alert would say it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use agentspan::agent365::ExportReport;

use crate::services;

/// How many spans of a tenant were lost, by cause.
#[derive(Clone, Default)]
pub(crate) struct Losses(Arc<Mutex<BTreeMap<(String, String), usize>>>);

impl Losses {
    /// Notes the losses of each report.
    pub(crate) fn observer(&self) -> impl Fn(&ExportReport) + Send + Sync + use<> {
        let losses = self.clone();
        move |report| {
            for identity in &report.identities {
                for loss in &identity.losses {
                    let tenant = services::name_of(identity.identity.tenant.as_str());
                    let reasons = loss.error.service_reasons().iter();
                    let reasons: BTreeSet<_> = reasons.map(|reason| reason.text.as_str()).collect();
                    let reasons: Vec<_> = reasons.into_iter().collect();
                    let cause = format!("{}: {}", loss.error.reason(), reasons.join(", "));
                    *losses.lock().entry((tenant.to_owned(), cause)).or_default() += loss.spans;
                }
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<(String, String), usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Display for Losses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for ((tenant, cause), spans) in &*self.lock() {
            write!(f, "{tenant} lost {spans} spans: {cause}")?;
        }
        Ok(())
    }
}
