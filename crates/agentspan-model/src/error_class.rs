//! The names of errors, derived from their types.

use std::any::{Any, type_name};
use std::borrow::Cow;
use std::error::Error;
use std::sync::Arc;

use crate::keys;

/// The class of an error: the path of its Rust type, without boxes, references and generic arguments.
///
/// For a `Box<dyn Error>`, it is the class of the innermost error, if this is a type of `std`, of
/// `serde_json` or of this crate; Rust reveals no other types in a box. The same holds for an
/// `anyhow::Error`, with the feature `anyhow`. The class in other error reports is unknown.
///
/// ```
/// use std::error::Error;
///
/// use agentspan_model::ErrorClass;
///
/// # fn main() -> Result<(), Box<dyn Error>> {
/// let error = "x".parse::<i32>().unwrap_err();
/// assert_eq!(ErrorClass::of(&error).name(), "ParseIntError");
/// assert_eq!(ErrorClass::of(&error).path(), "core::num::error::ParseIntError");
/// let boxed: Box<dyn Error> = error.into();
/// assert_eq!(ErrorClass::of(&boxed).name(), "ParseIntError");
///
/// assert_eq!(ErrorClass::of(&std::io::Error::other("disk full")).name(), "io::Error");
/// let text: Box<dyn Error> = "disk full".into();
/// assert_eq!(ErrorClass::of(&text).name(), "_OTHER");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ErrorClass {
    path: &'static str,
}

impl ErrorClass {
    /// The class of an error, or of the content of a box.
    #[must_use]
    pub fn of<E: 'static>(error: &E) -> Self {
        match in_a_box(error) {
            Some(inside) => Self::of_dyn(inside),
            None => Self::of_type::<E>(),
        }
    }

    /// The class of the innermost error of a known type in a chain of sources.
    #[must_use]
    pub fn of_dyn(error: &(dyn Error + 'static)) -> Self {
        let mut path = type_name::<dyn Error>();
        let mut next = Some(error);
        // A chain may be as long as its errors like, and one could lead back to itself.
        for _ in 0..MAX_SOURCES {
            let Some(error) = next else {
                break;
            };
            path = known(error).unwrap_or(path);
            next = error.source();
        }
        Self {
            path: shortened(path),
        }
    }

    /// The class of a type.
    #[must_use]
    pub fn of_type<E: ?Sized>() -> Self {
        Self {
            path: shortened(type_name::<E>()),
        }
    }

    /// The last segment of a path, separated by `::` or `.`: the name of a class that is not a Rust
    /// type.
    ///
    /// ```
    /// use agentspan_model::ErrorClass;
    ///
    /// assert_eq!(ErrorClass::last_segment("billing.QuotaExceeded"), "QuotaExceeded");
    /// ```
    #[must_use]
    pub fn last_segment(path: &str) -> &str {
        path.rsplit([':', '.']).next().unwrap_or(path)
    }

    /// The path of the type, for instance `std::io::error::Error`.
    #[must_use]
    pub const fn path(self) -> &'static str {
        self.path
    }

    /// The name of the type, for [`keys::ERROR_TYPE`]. Many crates call their type `Error`, so such
    /// a name includes its module, as in `io::Error`. `_OTHER` if the class is unknown.
    #[must_use]
    pub fn name(self) -> Cow<'static, str> {
        if is_opaque(self.path) {
            return keys::ERROR_TYPE_OTHER.into();
        }
        let name = Self::last_segment(self.path);
        if !AMBIGUOUS.contains(&name) {
            return name.into();
        }
        let modules = self.path.rsplit("::").skip(1);
        let mut modules = modules.filter(|module| !NO_HELP.contains(module));
        match modules.next() {
            Some(module) => format!("{module}::{name}").into(),
            None => name.into(),
        }
    }
}

/// How many sources of an error are looked at.
const MAX_SOURCES: usize = 64;

/// Names of types that say nothing without their module, and modules that say nothing of the type.
const AMBIGUOUS: &[&str] = &["Error", "ErrorKind"];
const NO_HELP: &[&str] = &["err", "error", "errors", "kind"];

/// Types that hold any error and do not tell which.
fn is_opaque(path: &str) -> bool {
    let crate_name = path.split("::").next().unwrap_or(path);
    let is_report = matches!(
        ErrorClass::last_segment(path),
        "Error" | "Report" | "Whatever"
    );
    path == "core::error::Error"
        || (is_report
            && matches!(
                crate_name,
                "anyhow" | "eyre" | "miette" | "snafu" | "rootcause"
            ))
}

fn in_a_box<E: 'static>(error: &E) -> Option<&(dyn Error + 'static)> {
    let error: &dyn Any = error;
    if let Some(inside) = error.downcast_ref::<Box<dyn Error + Send + Sync>>() {
        Some(&**inside)
    } else if let Some(inside) = error.downcast_ref::<Box<dyn Error>>() {
        Some(&**inside)
    } else if let Some(inside) = error.downcast_ref::<Box<dyn Error + Send>>() {
        Some(&**inside)
    } else if let Some(inside) = error.downcast_ref::<Arc<dyn Error + Send + Sync>>() {
        Some(&**inside)
    } else {
        in_a_report(error)
    }
}

#[cfg(feature = "anyhow")]
fn in_a_report(error: &dyn Any) -> Option<&(dyn Error + 'static)> {
    let report = error.downcast_ref::<anyhow::Error>()?;
    Some(&**report)
}

#[cfg(not(feature = "anyhow"))]
fn in_a_report(_error: &dyn Any) -> Option<&(dyn Error + 'static)> {
    None
}

macro_rules! known {
    ($($type:ty),* $(,)?) => {
        /// The name of the type of an error, if it is one of those that anybody may have.
        fn known(error: &(dyn Error + 'static)) -> Option<&'static str> {
            $(
                if error.is::<$type>() {
                    return Some(type_name::<$type>());
                }
            )*
            None
        }
    };
}

known!(
    crate::agent365::IdentityError,
    crate::agentspec::JsonError,
    crate::agentspec::ReadError,
    crate::agentspec::RecordingError,
    crate::agentspec::WrongComponentError,
    crate::mapping::RebuildError,
    serde_json::Error,
    std::alloc::LayoutError,
    std::array::TryFromSliceError,
    std::cell::BorrowError,
    std::cell::BorrowMutError,
    std::char::CharTryFromError,
    std::char::DecodeUtf16Error,
    std::char::ParseCharError,
    std::collections::TryReserveError,
    std::env::VarError,
    std::ffi::FromBytesWithNulError,
    std::ffi::NulError,
    std::fmt::Error,
    std::io::Error,
    std::net::AddrParseError,
    std::num::ParseFloatError,
    std::num::ParseIntError,
    std::num::TryFromIntError,
    std::str::ParseBoolError,
    std::str::Utf8Error,
    std::string::FromUtf16Error,
    std::string::FromUtf8Error,
    std::sync::mpsc::RecvError,
    std::sync::mpsc::RecvTimeoutError,
    std::sync::mpsc::TryRecvError,
    std::thread::AccessError,
    std::time::SystemTimeError,
    std::time::TryFromFloatSecsError,
);

/// The path in the name of a type: what is in a box, a pointer or a reference says more than these.
fn shortened(type_name: &'static str) -> &'static str {
    const AROUND: [&str; 7] = [
        "&",
        "mut ",
        "dyn ",
        "alloc::boxed::Box<",
        "alloc::rc::Rc<",
        "alloc::sync::Arc<",
        "core::pin::Pin<",
    ];
    let mut path = type_name;
    while let Some(inside) = AROUND.iter().find_map(|around| path.strip_prefix(around)) {
        path = inside;
    }
    let end = path.find(['<', '>', ' ']).unwrap_or(path.len());
    path.get(..end).unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use std::fmt;

    use super::*;

    #[track_caller]
    fn check<E: ?Sized>(path: &str, name: &str) {
        let class = ErrorClass::of_type::<E>();
        assert_eq!((class.path(), &*class.name()), (path, name));
    }

    #[test]
    fn an_error_is_named_by_its_type_without_generics_and_references() {
        check::<std::num::ParseIntError>("core::num::error::ParseIntError", "ParseIntError");
        check::<&'static mut String>("alloc::string::String", "String");
        check::<&&str>("str", "str");
        check::<Option<String>>("core::option::Option", "Option");
        check::<Box<std::num::ParseIntError>>("core::num::error::ParseIntError", "ParseIntError");
        check::<Arc<&Box<String>>>("alloc::string::String", "String");
        check::<std::sync::mpsc::SendError<Vec<u8>>>("std::sync::mpsc::SendError", "SendError");
    }

    #[test]
    fn a_name_that_many_types_have_comes_with_its_module() {
        check::<std::io::Error>("std::io::error::Error", "io::Error");
        check::<fmt::Error>("core::fmt::Error", "fmt::Error");
        check::<serde_json::Error>("serde_json::error::Error", "serde_json::Error");
    }

    #[test]
    fn what_may_hold_any_error_is_other() {
        check::<dyn Error + Send + Sync>("core::error::Error", "_OTHER");
        check::<Box<dyn Error + Send + Sync>>("core::error::Error", "_OTHER");
        assert!(is_opaque("anyhow::Error") && is_opaque("eyre::Report"));
        assert!(!is_opaque("std::io::error::Error") && !is_opaque("anyhow::Chain"));
    }

    /// An error of somebody else with a source.
    #[derive(Debug)]
    struct Outer(Option<Box<dyn Error + Send + Sync>>);

    impl fmt::Display for Outer {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("outer")
        }
    }

    impl Error for Outer {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            self.0.as_deref().map(|source| source as _)
        }
    }

    #[test]
    fn in_a_box_the_innermost_error_that_is_known_counts() {
        let parse = || "x".parse::<i32>().unwrap_err();
        let full = || std::io::Error::other("full");
        let outer = |source| Outer(Some(source));
        let class = |error: Box<dyn Error + Send + Sync>| ErrorClass::of(&error).name();
        assert_eq!(class(parse().into()), "ParseIntError");
        assert_eq!(class(outer(parse().into()).into()), "ParseIntError");
        assert_eq!(
            class(outer(outer(full().into()).into()).into()),
            "io::Error"
        );
        assert_eq!(class(Outer(None).into()), "_OTHER");
        assert_eq!(class("a text".into()), "_OTHER");
        // An error outside of a box names its own class.
        assert_eq!(ErrorClass::of(&outer(full().into())).name(), "Outer");
        let boxed: Box<dyn Error> = full().into();
        assert_eq!(ErrorClass::of(&boxed).name(), "io::Error");
        let boxed: Box<dyn Error + Send> = Box::new(full());
        assert_eq!(ErrorClass::of(&boxed).name(), "io::Error");
        let shared: Arc<dyn Error + Send + Sync> = Arc::new(full());
        assert_eq!(ErrorClass::of(&shared).name(), "io::Error");
    }

    #[cfg(feature = "anyhow")]
    #[test]
    fn d3_in_a_report_of_anyhow_the_innermost_error_that_is_known_counts() {
        let parse = "x".parse::<i32>().unwrap_err();
        let report = anyhow::Error::from(parse).context("reading the city");
        assert_eq!(ErrorClass::of(&report).name(), "ParseIntError");
        let text = anyhow::Error::msg("a text").context("more");
        assert_eq!(ErrorClass::of(&text).name(), "_OTHER");
    }

    #[test]
    fn a_chain_without_end_is_not_followed_for_ever() {
        #[derive(Debug)]
        struct Itself;
        impl fmt::Display for Itself {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("again")
            }
        }
        impl Error for Itself {
            fn source(&self) -> Option<&(dyn Error + 'static)> {
                Some(self)
            }
        }
        assert_eq!(ErrorClass::of_dyn(&Itself).name(), "_OTHER");
    }

    #[test]
    fn a_given_name_may_be_qualified_in_either_way() {
        assert_eq!(ErrorClass::last_segment("my.pkg.MyError"), "MyError");
        assert_eq!(ErrorClass::last_segment("my::MyError"), "MyError");
        assert_eq!(ErrorClass::last_segment("ValueError"), "ValueError");
        assert_eq!(ErrorClass::last_segment(""), "");
    }
}
