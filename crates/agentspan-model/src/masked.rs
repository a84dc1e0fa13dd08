//! Helpers for `Debug` that hide contents.

use std::fmt;

/// Stands for a text that must not be shown.
pub(crate) struct Masked;

impl fmt::Debug for Masked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("** MASKED **")
    }
}

/// `Debug` for a struct: of the fields that it `hides`, which are all optional, it shows only whether they are there.
macro_rules! debug_masked {
    ($type:ident $(<$lifetime:lifetime>)? shows { $($shown:ident),* } hides { $($hidden:ident),* }) => {
        impl std::fmt::Debug for $type $(<$lifetime>)? {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                // A field that is added later must be named here as well.
                let Self { $($shown,)* $($hidden),* } = self;
                f.debug_struct(stringify!($type))
                    $(.field(stringify!($shown), $shown))*
                    $(.field(stringify!($hidden), &$hidden.as_ref().map(|_| crate::masked::Masked)))*
                    .finish()
            }
        }
    };
}

pub(crate) use debug_masked;

#[cfg(test)]
mod tests {
    struct Call {
        id: u8,
        prompt: Option<&'static str>,
        answer: Option<&'static str>,
    }

    debug_masked!(Call shows { id } hides { prompt, answer });

    #[test]
    fn of_a_hidden_field_debug_shows_whether_it_is_there() {
        let call = Call {
            id: 7,
            prompt: Some("canary-4711"),
            answer: None,
        };
        assert_eq!(
            format!("{call:?}"),
            "Call { id: 7, prompt: Some(** MASKED **), answer: None }"
        );
    }
}
