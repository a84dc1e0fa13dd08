//! The version of Agent Spec that a document is written in.

use std::borrow::Cow;

use serde_json::value::RawValue;

use crate::agentspec::{
    ProblemKind,
    reader::{Members, Reader, Step},
};

const VERSION: &str = "agentspec_version";
/// The name of the member before versions existed.
const FORMER_VERSION: &str = "air_version";

/// The newest version of Agent Spec that is known.
pub(crate) const NEWEST: &str = "26.3.1";

/// The versions of Agent Spec that `pyagentspec` 26.3.1 reads.
const VERSIONS: [&str; 8] = [
    "25.3.0", "25.3.1", "25.4.0", "25.4.1", "25.4.2", "26.1.0", "26.1.2", NEWEST,
];

/// Which versions of Agent Spec a document may be written in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Versions {
    #[default]
    Known,
    Any,
}

/// Takes out the version of a document, if it says one, with the name of its member.
pub(super) fn take_version<'a>(members: &mut Members<'a>) -> Option<(&'static str, &'a RawValue)> {
    let former = members.take(FORMER_VERSION);
    let version = members.take(VERSION);
    let version = version.map(|version| (VERSION, version));
    version.or(former.map(|former| (FORMER_VERSION, former)))
}

/// Takes out the version of a document, and reports one that there is not.
pub(super) fn check_version<'a>(members: &mut Members<'a>, reader: &mut Reader<'a>) -> Option<()> {
    let versions = reader.references.as_ref()?.versions;
    let (Some((name, raw)), Versions::Known) = (take_version(members), versions) else {
        return Some(());
    };
    let text: Option<Cow<'_, str>> = serde_json::from_str(raw.get()).ok();
    let text = text.as_deref();
    if text.is_some_and(|version| VERSIONS.contains(&version)) {
        return Some(());
    }
    let version = text.unwrap_or_else(|| raw.get());
    let version = version.chars().take(100).collect();
    reader.at(Step::member(name), |reader| {
        reader.on(raw, |reader| {
            reader.refuse(ProblemKind::UnknownVersion { version })
        })
    })
}
