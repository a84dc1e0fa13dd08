//! Members that the model does not know, kept so that nothing is lost.

use std::fmt;

use serde::ser::SerializeMap;

use super::{
    ComponentValue, Detail, Disclosure, Json, MASK,
    component::{place::Place, reading::read_value},
    detail::View,
    held::held_by_members,
    reader::{Members, Reader},
};

/// Unknown members, in their original order.
///
/// They come from a newer or another producer. It is unknown which of them are sensitive, so a
/// masked dump masks all of them, except components, which hold no secrets.
///
/// Nearly always there are none, so this is only as large as it must be.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct UnknownMembers(Option<Box<Kept>>);

/// The kept members, which are never empty.
#[derive(Clone, Default, PartialEq, Eq)]
struct Kept(Vec<(Box<str>, ComponentValue)>);

impl FromIterator<(Box<str>, ComponentValue)> for UnknownMembers {
    fn from_iter<I: IntoIterator<Item = (Box<str>, ComponentValue)>>(members: I) -> Self {
        let members: Vec<_> = members.into_iter().collect();
        Self((!members.is_empty()).then(|| Box::new(Kept(members))))
    }
}

impl UnknownMembers {
    fn as_slice(&self) -> &[(Box<str>, ComponentValue)] {
        self.0.as_ref().map_or(&[], |kept| &kept.0)
    }

    fn push(&mut self, name: &str, value: ComponentValue) {
        let kept = self.0.get_or_insert_default();
        kept.0.push((name.into(), value));
    }

    /// Keeps what nobody took.
    pub(crate) fn rest_of<'a>(members: &mut Members<'a>, reader: &mut Reader<'a>) -> Self {
        let rest = members.take_rest();
        let rest = rest.map(|member| {
            // A value that only looks like a component is not refused here: nothing says that it
            // must be one.
            let value = reader
                .attempt(|reader| read_value(member.value, Place::Open, reader))
                .unwrap_or_else(|| ComponentValue::Json(Json::from_raw(member.value)));
            (member.name.into(), value)
        });
        rest.collect()
    }

    pub(crate) fn get(&self, name: &str) -> Option<&ComponentValue> {
        let found = self
            .as_slice()
            .iter()
            .rev()
            .find(|(member, _)| **member == *name);
        found.map(|(_, value)| value)
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.as_slice().iter().map(|(name, _)| &**name)
    }

    pub(crate) fn write_members<M: SerializeMap>(
        &self,
        map: &mut M,
        view: View,
    ) -> Result<(), M::Error> {
        self.as_slice().iter().try_for_each(|(name, value)| {
            if view.disclosure == Disclosure::Clear || is_all_components(value) {
                map.serialize_entry(name, &value.outline(view.detail))
            } else {
                map.serialize_entry(name, MASK)
            }
        })
    }
}

impl UnknownMembers {
    /// The approximate memory in bytes.
    pub(crate) fn held_bytes(&self) -> usize {
        held_by_members(self.as_slice())
    }

    /// A copy that holds what a masked dump of this detail shows.
    pub(crate) fn masked(&self, detail: Detail) -> Self {
        let masked = self.as_slice().iter().map(|(name, value)| {
            let value = if is_all_components(value) {
                outlined(value, detail)
            } else {
                ComponentValue::Json(Json::from(serde_json::Value::from(MASK)))
            };
            (name.clone(), value)
        });
        masked.collect()
    }
}

fn outlined(value: &ComponentValue, detail: Detail) -> ComponentValue {
    match value {
        ComponentValue::Component(component) => {
            ComponentValue::Component(component.outline(detail))
        }
        ComponentValue::List(values) => {
            let values = values.iter().map(|value| outlined(value, detail));
            ComponentValue::List(values.collect())
        }
        other => other.clone(),
    }
}

fn is_all_components(value: &ComponentValue) -> bool {
    match value {
        ComponentValue::Component(_) => true,
        ComponentValue::List(values) => values.iter().all(is_all_components),
        ComponentValue::Map(_) | ComponentValue::Json(_) => false,
    }
}

/// Shows the names only.
impl fmt::Debug for UnknownMembers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.names()).finish()
    }
}

/// Parameters under names that are not fixed. Nothing in them is sensitive to the reference.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct OtherParameters(UnknownMembers);

impl OtherParameters {
    pub(crate) fn held_bytes(&self) -> usize {
        self.0.held_bytes()
    }

    pub(crate) fn push(&mut self, name: &str, value: Json) {
        self.0.push(name, ComponentValue::Json(value));
    }

    /// A copy that holds what a masked dump of this detail shows.
    pub(crate) fn masked(&self, detail: Detail) -> Self {
        Self(self.shown(detail).cloned().collect())
    }

    /// Nothing in them is sensitive, but a text may be what somebody wrote.
    fn shown(&self, detail: Detail) -> impl Iterator<Item = &(Box<str>, ComponentValue)> {
        let is_shown = move |value: &ComponentValue| match (detail, value) {
            (Detail::Complete | Detail::Described, _) => true,
            (Detail::Named, ComponentValue::Json(json)) => json.is_harmless(),
            (Detail::Named, _) => false,
        };
        let members = self.0.as_slice().iter();
        members.filter(move |(_, value)| is_shown(value))
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Json> {
        match self.0.get(name)? {
            ComponentValue::Json(json) => Some(json),
            _ => None,
        }
    }

    pub(crate) fn write_members<M: SerializeMap>(
        &self,
        map: &mut M,
        view: View,
    ) -> Result<(), M::Error> {
        let mut shown = self.shown(view.detail);
        shown.try_for_each(|(name, value)| map.serialize_entry(name, value))
    }
}

impl From<UnknownMembers> for OtherParameters {
    fn from(members: UnknownMembers) -> Self {
        Self(members)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameters() -> OtherParameters {
        let mut parameters = OtherParameters::default();
        for (name, value) in [("seed", "1"), ("stop", r#""canary-4711""#), ("seed", "2")] {
            let value: serde_json::Value = serde_json::from_str(value).unwrap();
            parameters.push(name, Json::from(value));
        }
        parameters
    }

    #[test]
    fn of_a_parameter_that_is_there_twice_the_last_counts() {
        let text = |name| parameters().get(name).map(|json| json.as_str().to_owned());
        assert_eq!(text("seed").as_deref(), Some("2"));
        assert_eq!(text("stop").as_deref(), Some(r#""canary-4711""#));
        assert_eq!(text("top_k"), None);
    }

    #[test]
    fn debug_shows_no_parameter_but_its_name() {
        assert_eq!(
            format!("{:?}", parameters().0),
            r#"["seed", "stop", "seed"]"#
        );
    }

    #[test]
    fn where_only_names_are_shown_the_numbers_among_the_parameters_are() {
        let shown = |detail| {
            let parameters = parameters();
            let names = parameters.shown(detail).map(|(name, _)| name.to_string());
            names.collect::<Vec<_>>()
        };
        assert_eq!(shown(Detail::Named), ["seed", "seed"]);
        for detail in [Detail::Complete, Detail::Described] {
            assert_eq!(shown(detail), ["seed", "stop", "seed"]);
        }
    }

    #[test]
    fn parameters_hold_as_much_as_their_texts() {
        let before = parameters().held_bytes();
        let mut more = parameters();
        more.push(
            "note",
            Json::from(serde_json::Value::from("x".repeat(1_000))),
        );
        assert!(more.held_bytes() > before + 1_000);
    }
}
