//! Enums with variants for the usual values of a text, and one variant for any other value.

use crate::attribute::AttributeValue;

/// A text of which some values have names.
pub(crate) trait OpenText {
    /// The text.
    fn text(&self) -> &str;

    /// The text, if it is one of the usual.
    fn usual_text(&self) -> Option<&'static str>;

    /// The text as the value of an attribute, which need not be copied if it is usual.
    fn attribute(&self) -> AttributeValue<'_> {
        match self.usual_text() {
            Some(text) => AttributeValue::Static(text),
            None => AttributeValue::Str(self.text()),
        }
    }
}

/// Defines an enum with a variant for each usual text, and `Other` for the rest.
///
/// The reference takes any text in these places, so that nothing may be lost.
macro_rules! open_text {
    (
        $(#[$doc:meta])*
        pub enum $name:ident {
            $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)+
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(into = "String", from = "String")]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)+
            /// Any other text.
            Other(String),
        }

        impl $name {
            /// The text that is written.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $text,)+
                    Self::Other(text) => text,
                }
            }
        }

        impl crate::agent365::open_text::OpenText for $name {
            fn text(&self) -> &str {
                self.as_str()
            }

            fn usual_text(&self) -> Option<&'static str> {
                match self {
                    $(Self::$variant => Some($text),)+
                    Self::Other(_) => None,
                }
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                match text.as_str() {
                    $($text => Self::$variant,)+
                    _ => Self::Other(text),
                }
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                match text {
                    $($text => Self::$variant,)+
                    _ => Self::Other(text.to_owned()),
                }
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> Self {
                match value {
                    $name::Other(text) => text,
                    known => known.as_str().to_owned(),
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

pub(crate) use open_text;
