//! Variables of specifications and references, and whether we support them.

/// An environment variable of a specification or a reference, and whether we support it.
///
/// `docs/configuration.md` describes the effect of each variable, or why it has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Variable {
    name: &'static str,
    support: Support,
}

/// Whether we support a [`Variable`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Support {
    /// Supported, as specified.
    Honoured,
    /// Unsupported, with a warning if it is set, because it should have an effect.
    Refused,
    /// Unsupported and not read.
    Unread,
}

impl Variable {
    pub(crate) const fn honoured(name: &'static str) -> Self {
        Self {
            name,
            support: Support::Honoured,
        }
    }

    pub(crate) const fn refused(name: &'static str) -> Self {
        Self {
            name,
            support: Support::Refused,
        }
    }

    pub(crate) const fn unread(name: &'static str) -> Self {
        Self {
            name,
            support: Support::Unread,
        }
    }

    /// Its name. The name of a variable that is not read may end with `*`, and then stands for a
    /// family of variables.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Whether we support it.
    #[must_use]
    pub const fn support(&self) -> Support {
        self.support
    }
}

impl Support {
    /// Whether [`Environment`](crate::Environment) holds it.
    pub(crate) fn is_read(self) -> bool {
        match self {
            Self::Honoured | Self::Refused => true,
            Self::Unread => false,
        }
    }
}
