//! The part of a URL that is safe to show.

use std::fmt;

use http::Uri;

/// The length of the longest host.
const MAX_HOST: usize = 255;

/// The scheme, the host and the port of a URL. The other parts are hidden, since they may hold a
/// password or a key. So is a text that is not a URL.
pub(crate) struct ShownUrl<'a>(pub(crate) &'a str);

impl fmt::Debug for ShownUrl<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = self.0.trim().parse::<Uri>().ok();
        let place = url.as_ref().and_then(|it| it.scheme().zip(it.authority()));
        let Some((scheme, authority)) = place else {
            return f.write_str("..");
        };
        let mut host = authority.host();
        if host.len() > MAX_HOST {
            // No name of the DNS is that long.
            host = "..";
        }
        write!(f, "{scheme}://{host}")?;
        match authority.port() {
            Some(port) => write!(f, ":{port}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_shown_and_nothing_else() {
        for (url, shown) in [
            ("https://host", "https://host"),
            (
                " http://me:secret@[::1]:4318/secret?k=secret",
                "http://[::1]:4318",
            ),
            (&format!("http://{}:1", "a".repeat(256)), "http://..:1"),
            ("host:4317", ".."),
            ("me:secret@host", ".."),
            ("no url: secret", ".."),
        ] {
            assert_eq!(format!("{:?}", ShownUrl(url)), shown);
        }
    }
}
