//! The values that may stand in a place of a component.

use super::{
    ComponentValue,
    fields::{Fields, Shape},
};
use crate::agentspec::{
    ProblemKind,
    reader::{Reader, Step},
};

/// A place, by the values that may stand in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// A member of a class that we know, which holds components: what is none is a mistake in a document,
    /// and at least no place for secrets in a dump.
    OfComponents,
    /// The same, but texts may stand there too, and objects that do not say that they are of this class.
    OfComponentsOrTexts(&'static str),
    /// Anything. In a dump, an object is a component here if it has all that every component has; without,
    /// it may be the content of somebody who has other things called `component_type`. It is kept
    /// then, but for its secrets.
    Open,
    /// Values without components, in a document. References are followed on so many levels, if at all.
    Plain(Option<u8>),
    /// The same, in a member that would hold components if the object around it were one: there are secrets in it, too.
    PlainComponents(Option<u8>),
    /// The same as plain values, but what looks like a component there is none, so that it has no secrets either.
    Free(Option<u8>),
}

impl Place {
    /// The place of a member of a component.
    pub(super) fn of(shape: Option<Shape>, is_known_class: bool, is_document: bool) -> Self {
        match shape {
            Some(Shape::Components(_)) => Self::OfComponents,
            Some(Shape::ComponentsOrText(class)) => Self::OfComponentsOrTexts(class),
            Some(Shape::Free(_)) if !is_document => Self::Free(None),
            Some(Shape::Free(levels)) => Self::Free(Some(levels)),
            Some(Shape::Plain(levels)) if is_document => Self::Plain(Some(levels)),
            // A member that the class does not have: nobody says what is in it.
            None if is_document && is_known_class => Self::Plain(None),
            Some(Shape::Plain(_)) | None => Self::Open,
        }
    }

    /// The place of a part of what stands here.
    pub(super) fn below(self) -> Self {
        let one_less = |levels: Option<u8>| levels.and_then(|levels| levels.checked_sub(1));
        match self {
            Self::Plain(levels) => Self::Plain(one_less(levels)),
            Self::PlainComponents(levels) => Self::PlainComponents(one_less(levels)),
            Self::Free(levels) => Self::Free(one_less(levels)),
            Self::OfComponents | Self::OfComponentsOrTexts(_) | Self::Open => self,
        }
    }

    /// The place of a member of an object that says this class, but only looks like a component of it.
    pub(super) fn of_content(self, class: &str, member: &str) -> Self {
        let below = self.below();
        let (Self::Plain(levels) | Self::PlainComponents(levels)) = below else {
            return below;
        };
        match Fields::of(class).find(member) {
            _ if class.is_empty() => below,
            Some((_, Shape::Components(_) | Shape::ComponentsOrText(_))) => {
                Self::PlainComponents(levels)
            }
            _ => Self::Plain(levels),
        }
    }

    /// Whether a reference to a value may stand here in place of components.
    pub(super) fn allows(self, value: &str) -> bool {
        match self {
            Self::OfComponents => value == "[]",
            Self::OfComponentsOrTexts(_) => value.starts_with(['"', '[']),
            Self::Open | Self::Plain(_) | Self::PlainComponents(_) | Self::Free(_) => true,
        }
    }

    /// Whether a reference is followed here, in a document.
    pub(super) fn refers(self) -> bool {
        !matches!(
            self,
            Self::Plain(None) | Self::PlainComponents(None) | Self::Free(None)
        )
    }
}

/// Reports what cannot stand in a place for components.
pub(super) fn check_shape(
    shape: Option<Shape>,
    value: &ComponentValue,
    reader: &mut Reader<'_>,
) -> Option<()> {
    let Some((shape, expected)) = shape.and_then(|shape| Some((shape, shape.class()?))) else {
        return Some(());
    };
    match value {
        ComponentValue::Component(component) if component.is_a(expected) == Some(false) => {
            let found = component.component_type().to_owned();
            reader.refuse(ProblemKind::WrongComponent { expected, found })
        }
        ComponentValue::List(values) => values.iter().enumerate().try_for_each(|(index, value)| {
            reader.at(Step::Index(index), |reader| {
                check_shape(Some(shape), value, reader)
            })
        }),
        ComponentValue::Json(json) => match (json.as_str().as_bytes().first(), shape) {
            (Some(b'n'), _) => Some(()),
            // Lists of texts, and lists of nothing.
            (Some(b'['), Shape::ComponentsOrText(_)) => Some(()),
            (Some(b'"'), Shape::ComponentsOrText(_)) => Some(()),
            (Some(b'['), _) if json.as_str() == "[]" => Some(()),
            _ => reader.refuse(ProblemKind::WrongType {
                expected: "a component",
            }),
        },
        _ => Some(()),
    }
}
