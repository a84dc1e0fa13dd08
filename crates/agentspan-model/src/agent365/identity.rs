//! Tenant ids and agent ids, checked once, and the pair that identifies the owner of spans.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::invisible::is_invisible;

/// The longest id that is accepted, in bytes.
const MAX_BYTES: usize = 256;

/// Why a text is not a valid tenant id or agent id.
///
/// Ids come from baggage, tokens and requests, and become parts of URLs. Ids that could break out
/// of their path segment, or have invisible characters, are rejected and never repaired. The
/// message names the field and a forbidden character, but does not show the rest of the value. Take
/// the id from a trusted source, or fix the source.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum IdentityError {
    /// The id is empty or blank. Set it, or leave the whole field out.
    Empty {
        /// `tenant id` or `agent id`.
        field: &'static str,
    },
    /// The id is longer than 256 bytes. Real ids are GUIDs or short names.
    TooLong {
        /// `tenant id` or `agent id`.
        field: &'static str,
        /// The actual length.
        bytes: usize,
    },
    /// The id begins or ends with white space. Trim the id where you read it.
    Untrimmed {
        /// `tenant id` or `agent id`.
        field: &'static str,
    },
    /// The id is `.` or `..`, which is a relative segment in a URL.
    DotSegment {
        /// `tenant id` or `agent id`.
        field: &'static str,
    },
    /// The id holds a character that divides a URL (`/ \ ? # %`) or that is invisible: a control
    /// character, a line or paragraph separator, or one that Unicode calls a format character
    /// (`Cf`) or ignorable by default, such as a soft hyphen, a filler, a mark of direction, a tag
    /// or a variation selector; a blank other than U+0020, which looks like that one; or a
    /// character that is none or has no agreed look: a noncharacter, or one of the private use
    /// areas. Copy the id again from a plain text.
    Character {
        /// `tenant id` or `agent id`.
        field: &'static str,
        /// The byte offset of the character.
        at: usize,
        /// The character.
        character: char,
    },
}

impl fmt::Display for IdentityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty { field } => write!(f, "{field} is empty or blank"),
            Self::TooLong { field, bytes } => {
                write!(
                    f,
                    "{field} is {bytes} bytes long, but at most 256 are allowed"
                )
            }
            Self::Untrimmed { field } => write!(f, "{field} begins or ends with white space"),
            Self::DotSegment { field } => write!(f, "{field} must not be `.` or `..`"),
            Self::Character {
                field,
                at,
                character,
            } => {
                let shown = character.escape_default();
                write!(
                    f,
                    "{field} contains the forbidden character '{shown}' at byte {at}"
                )
            }
        }
    }
}

impl std::error::Error for IdentityError {}

fn check(field: &'static str, id: &str) -> Result<(), IdentityError> {
    if id.trim().is_empty() {
        return Err(IdentityError::Empty { field });
    }
    if id.len() > MAX_BYTES {
        return Err(IdentityError::TooLong {
            field,
            bytes: id.len(),
        });
    }
    if id == "." || id == ".." {
        return Err(IdentityError::DotSegment { field });
    }
    if let Some((at, character)) = id.char_indices().find(|(_, c)| is_forbidden(*c)) {
        return Err(IdentityError::Character {
            field,
            at,
            character,
        });
    }
    if id.trim().len() != id.len() {
        return Err(IdentityError::Untrimmed { field });
    }
    Ok(())
}

fn is_forbidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '/' | '\\' | '?' | '#' | '%')
        || is_invisible(c)
        || is_other_blank(c)
        || is_no_character(c)
}

/// Whether `c` is a blank that looks like a space, or like another blank.
fn is_other_blank(c: char) -> bool {
    c != ' ' && (c.is_whitespace() || c == '\u{2800}')
}

/// Whether `c` is a noncharacter, or means what two parties agree on.
fn is_no_character(c: char) -> bool {
    let last_two_of_a_plane = u32::from(c) & 0xfffe == 0xfffe;
    last_two_of_a_plane
        || matches!(
            c,
            '\u{fdd0}'..='\u{fdef}'
                | '\u{e000}'..='\u{f8ff}'
                | '\u{f0000}'..='\u{ffffd}'
                | '\u{100000}'..='\u{10fffd}'
        )
}

macro_rules! id {
    ($name:ident, $field:literal, $what:literal) => {
        #[doc = $what]
        ///
        /// At most 256 bytes, not blank, without surrounding white space, not `.` or `..`, and
        /// without characters that are delimiters in a URL, invisible, or without a defined glyph.
        /// Inside, a space (U+0020) is allowed, as in the reference, but no other blank. Ids are
        /// compared byte by byte: GUIDs in different case are different ids, as in the reference.
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(into = "String", try_from = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            /// Checks `id` and copies it.
            ///
            /// # Errors
            ///
            /// [`IdentityError`] names the rule that `id` breaks.
            pub fn parse(id: &str) -> Result<Self, IdentityError> {
                Self::check(id)?;
                Ok(Self(id.into()))
            }

            /// Checks `id` without copying it.
            ///
            /// # Errors
            ///
            /// The same as of [`parse`](Self::parse).
            pub fn check(id: &str) -> Result<(), IdentityError> {
                check($field, id)
            }

            /// The id as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = IdentityError;

            fn from_str(id: &str) -> Result<Self, IdentityError> {
                Self::parse(id)
            }
        }

        impl TryFrom<&str> for $name {
            type Error = IdentityError;

            fn try_from(id: &str) -> Result<Self, IdentityError> {
                Self::parse(id)
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdentityError;

            fn try_from(id: String) -> Result<Self, IdentityError> {
                Self::check(&id)?;
                Ok(Self(id.into()))
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.as_str().to_owned()
            }
        }
    };
}

id!(TenantId, "tenant id", "The id of a tenant, usually a GUID.");
id!(AgentId, "agent id", "The id of an agent, usually a GUID.");

/// The identity of a span: the pair of its tenant and its agent.
///
/// Use it as the key of a map. The two ids are never joined into one text, so two different
/// identities are never equal.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "a pair by definition")]
pub struct Identity {
    /// The tenant of the agent.
    pub tenant: TenantId,
    /// The agent.
    pub agent: AgentId,
}

impl Identity {
    /// Creates an identity from two checked ids.
    #[must_use]
    pub fn new(tenant: TenantId, agent: AgentId) -> Self {
        Self { tenant, agent }
    }

    /// Checks both ids and copies them.
    ///
    /// # Errors
    ///
    /// [`IdentityError`] for the first invalid id.
    pub fn parse(tenant: &str, agent: &str) -> Result<Self, IdentityError> {
        Ok(Self::new(TenantId::parse(tenant)?, AgentId::parse(agent)?))
    }
}

impl fmt::Display for Identity {
    /// Writes `tenant T, agent A`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tenant {}, agent {}", self.tenant, self.agent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_refused(id: &str, error: &str) {
        let found = AgentId::parse(id).unwrap_err().to_string();
        assert_eq!(found, error, "{id:?}");
        assert!(serde_json::from_value::<AgentId>(id.into()).is_err());
    }

    fn check_forbidden(id: &str, shown: &str, at: usize) {
        let error = format!("agent id contains the forbidden character '{shown}' at byte {at}");
        check_refused(id, &error);
    }

    #[test]
    fn t02_what_could_leave_its_path_segment_is_refused() {
        check_refused("..", "agent id must not be `.` or `..`");
        check_refused(".", "agent id must not be `.` or `..`");
        check_forbidden("a/b", "/", 1);
        check_forbidden("a\\b", "\\\\", 1);
        check_forbidden("a?x=1", "?", 1);
        check_forbidden("a#b", "#", 1);
        check_forbidden("%2e%2e", "%", 0);
    }

    #[test]
    fn what_cannot_be_seen_is_refused() {
        check_refused("", "agent id is empty or blank");
        check_refused(" \t", "agent id is empty or blank");
        check_forbidden("a\n", "\\n", 1);
        check_forbidden("a\u{202e}b", "\\u{202e}", 1);
        for invisible in [
            '\u{ad}',
            '\u{180e}',
            '\u{115f}',
            '\u{3164}',
            '\u{fe0f}',
            '\u{e0041}',
            '\u{200d}',
            '\u{2065}',
        ] {
            let shown = invisible.escape_unicode().to_string();
            check_forbidden(&format!("a{invisible}b"), &shown, 1);
            check_forbidden(&invisible.to_string(), &shown, 0);
        }
        check_refused(" a", "agent id begins or ends with white space");
        check_refused("a ", "agent id begins or ends with white space");
    }

    #[test]
    fn a14_blanks_that_look_like_a_space_are_refused_and_a_space_is_not() {
        assert_eq!(AgentId::parse("my agent").unwrap().as_str(), "my agent");
        for c in '\0'..=char::MAX {
            let is_blank = c.is_whitespace() || c == '\u{2800}';
            if is_blank && c != ' ' {
                check_forbidden(&format!("a{c}b"), &c.escape_default().to_string(), 1);
            }
        }
    }

    #[test]
    fn a14_noncharacters_and_characters_of_private_use_are_refused() {
        for c in [
            '\u{fdd0}',
            '\u{fdef}',
            '\u{fffe}',
            '\u{ffff}',
            '\u{1fffe}',
            '\u{10ffff}',
            '\u{e000}',
            '\u{f8ff}',
            '\u{f0000}',
            '\u{ffffd}',
            '\u{100000}',
            '\u{10fffd}',
        ] {
            check_forbidden(&format!("a{c}b"), &c.escape_unicode().to_string(), 1);
        }
        for c in [
            '\u{fdcf}',
            '\u{fdf0}',
            '\u{d7ff}',
            '\u{f900}',
            '\u{fffd}',
            '\u{20000}',
        ] {
            assert!(AgentId::parse(&c.to_string()).is_ok(), "{c:?}");
        }
    }

    #[test]
    fn an_id_of_256_bytes_is_the_longest() {
        assert!(TenantId::parse(&"x".repeat(256)).is_ok());
        assert_eq!(
            TenantId::parse(&"x".repeat(257)).unwrap_err().to_string(),
            "tenant id is 257 bytes long, but at most 256 are allowed"
        );
    }

    #[test]
    fn t01_ids_with_a_colon_make_no_equal_identities() {
        let one = Identity::parse("A:B", "C").unwrap();
        let other = Identity::parse("A", "B:C").unwrap();
        assert_ne!(one, other);
    }

    #[test]
    fn names_in_any_script_are_kept_as_they_are() {
        assert_eq!(
            AgentId::parse("Wetter Ü 天気").unwrap().as_str(),
            "Wetter Ü 天気"
        );
    }
}
