//! Whether a dump shows sensitive values.

/// Whether a dump shows sensitive values: prompts, answers, inputs, outputs, messages of exceptions.
///
/// The default is [`Masked`](Self::Masked). The reference's switch is `mask_sensitive_information`
/// of `pyagentspec` 26.3.1: it hides what was said at run time. What a masked dump tells besides, the prompts of
/// components among it, is a matter of [`Detail`](super::Detail).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a sensitive value is shown or it is not; there is no third way"
)]
pub enum Disclosure {
    /// Sensitive values are replaced by [`MASK`].
    #[default]
    Masked,
    /// Sensitive values are shown. Secrets of components (keys, passwords, certificates) are not:
    /// a [`Component`](super::Component) does not even hold them.
    Clear,
}

/// The text that stands for a sensitive value in a masked dump, as in `pyagentspec` 26.3.1.
pub const MASK: &str = "** MASKED **";
