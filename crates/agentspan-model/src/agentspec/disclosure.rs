//! Whether a dump shows sensitive values.

/// Whether a dump shows sensitive values: prompts, answers, inputs, outputs, messages of exceptions.
///
/// The default is [`Masked`](Self::Masked). The reference's switch is `mask_sensitive_information`
/// of `pyagentspec` 26.3.1, which hides contents of the run time. For the other contents of a
/// masked dump, such as the prompts of components, see [`Detail`](super::Detail).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a sensitive value is shown or it is not; there is no third way"
)]
pub enum Disclosure {
    /// [`MASK`] replaces sensitive values.
    #[default]
    Masked,
    /// Sensitive values are shown, but never secrets of components (keys, passwords, certificates),
    /// because a [`Component`](super::Component) does not hold them.
    Clear,
}

/// The text that replaces a sensitive value in a masked dump, as in `pyagentspec` 26.3.1.
pub const MASK: &str = "** MASKED **";
