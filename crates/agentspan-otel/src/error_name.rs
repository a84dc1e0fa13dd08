//! Names for errors, from the names of their types.

use std::any::type_name;

/// The path of the type `E`, without generic arguments, references, boxes and marker traits.
pub(crate) fn error_path<E: ?Sized>() -> &'static str {
    path(type_name::<E>())
}

/// The last segment of a path, in the way of Rust (`::`) or of other languages (`.`).
pub(crate) fn last_segment(path: &str) -> &str {
    path.rsplit([':', '.']).next().unwrap_or(path)
}

fn path(type_name: &str) -> &str {
    let mut path = type_name;
    loop {
        let stripped = path.trim_start_matches('&');
        let stripped = stripped.strip_prefix("mut ").unwrap_or(stripped);
        let stripped = stripped.strip_prefix("dyn ").unwrap_or(stripped);
        // What is in the box says more than the box.
        let stripped = stripped
            .strip_prefix("alloc::boxed::Box<")
            .unwrap_or(stripped);
        if stripped.len() == path.len() {
            break;
        }
        path = stripped;
    }
    let end = path.find(['<', '>', ' ']).unwrap_or(path.len());
    path.get(..end).unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use std::error::Error;

    use super::*;

    fn check<E: ?Sized>(expected_path: &str, expected_name: &str) {
        let path = error_path::<E>();
        assert_eq!((path, last_segment(path)), (expected_path, expected_name));
    }

    #[test]
    fn an_error_is_named_by_its_type_without_generics_and_references() {
        check::<std::num::ParseIntError>("core::num::error::ParseIntError", "ParseIntError");
        check::<&'static mut String>("alloc::string::String", "String");
        check::<&&str>("str", "str");
        check::<Box<dyn Error + Send + Sync>>("core::error::Error", "Error");
        check::<Box<std::fmt::Error>>("core::fmt::Error", "Error");
        check::<std::sync::mpsc::SendError<Vec<u8>>>("std::sync::mpsc::SendError", "SendError");
        check::<dyn Error + Send + Sync>("core::error::Error", "Error");
    }

    #[test]
    fn a_given_name_may_be_qualified_in_either_way() {
        assert_eq!(last_segment("my.pkg.MyError"), "MyError");
        assert_eq!(last_segment("my::MyError"), "MyError");
        assert_eq!(last_segment("ValueError"), "ValueError");
        assert_eq!(last_segment(""), "");
    }
}
