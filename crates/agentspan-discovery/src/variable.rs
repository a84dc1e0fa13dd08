//! A variable that a specification or a reference defines, and whether it counts here.

/// A variable of the environment that a specification or a reference defines, and whether it counts here.
///
/// `docs/configuration.md` says of each what it does, or why it does nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Variable {
    name: &'static str,
    support: Support,
}

/// Whether a [`Variable`] counts here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Support {
    /// It does what its specification says.
    Honoured,
    /// It does nothing, and who sets it expects something: a warning says that it is not supported.
    Refused,
    /// It does nothing, and is not read.
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

    /// Its name. One that is not read may stand for a family of variables, and ends with `*` then.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Whether it counts.
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
