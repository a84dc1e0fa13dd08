//! Variables of the environment that the user names.

/// The variable that the user names on the command line.
#[expect(
    clippy::disallowed_methods,
    reason = "it is no setting of the library, and read once"
)]
pub(crate) fn variable_of_user(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
