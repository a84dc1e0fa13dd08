//! Variables of the environment that the user names.

/// The variable that the user names on the command line.
#[expect(
    clippy::disallowed_methods,
    reason = "it is no setting of the library, and read once"
)]
pub(crate) fn variable_of_user(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// The name of a variable after a blank, for messages. Whatever looks like something else, such as a
/// token that somebody gave in its place, is not shown.
pub(crate) fn shown_variable(name: &str) -> String {
    let is_of_name = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    match name.len() <= 64 && name.bytes().all(is_of_name) {
        true => format!(" {name}"),
        false => String::new(),
    }
}
