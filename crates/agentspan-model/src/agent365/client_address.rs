//! The IP address of a caller.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde::{Deserialize, Serialize};

/// The IP address of a caller, in its usual spelling.
///
/// Parsing and formatting follow `ipaddress.ip_address` in Python 3.11, which the reference uses:
/// zones are kept (`fe80::1%eth0`), and an IPv4 address inside an IPv6 address is written in
/// hexadecimal digits.
///
/// ```
/// use agentspan_model::agent365::ClientAddress;
///
/// let address = ClientAddress::parse("2001:DB8:0:0:0:0:0:1")?;
/// assert_eq!(address.as_str(), "2001:db8::1");
/// assert!(ClientAddress::parse("unknown").is_err());
/// # Ok::<_, agentspan_model::agent365::ClientAddressError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ClientAddress(String);

/// A text is not an IP address. Leave the address out.
///
/// The message does not show the text, which may be personal data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClientAddressError;

impl fmt::Display for ClientAddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("client address is no IP address")
    }
}

impl std::error::Error for ClientAddressError {}

impl ClientAddress {
    /// Reads an IPv4 or IPv6 address, the latter with or without a zone.
    ///
    /// # Errors
    ///
    /// [`ClientAddressError`] for any other text, for example with a name, a port or surrounding
    /// blanks.
    pub fn parse(text: &str) -> Result<Self, ClientAddressError> {
        if let Ok(address) = text.parse::<Ipv4Addr>() {
            return Ok(IpAddr::from(address).into());
        }
        let (address, zone) = match text.split_once('%') {
            Some((address, zone)) => (address, Some(zone)),
            None => (text, None),
        };
        if zone.is_some_and(|zone| zone.is_empty() || zone.contains(['%', '/'])) {
            return Err(ClientAddressError);
        }
        let address: Ipv6Addr = address.parse().map_err(|_| ClientAddressError)?;
        let Self(mut text) = IpAddr::from(address).into();
        if let Some(zone) = zone {
            text.push('%');
            text.push_str(zone);
        }
        Ok(Self(text))
    }

    /// The address as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<IpAddr> for ClientAddress {
    fn from(address: IpAddr) -> Self {
        Self(match address {
            IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
                Some(_) => {
                    let [.., high, low] = v6.segments();
                    format!("::ffff:{high:x}:{low:x}")
                }
                None => v6.to_string(),
            },
            IpAddr::V4(v4) => v4.to_string(),
        })
    }
}

impl TryFrom<String> for ClientAddress {
    type Error = ClientAddressError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<ClientAddress> for String {
    fn from(address: ClientAddress) -> Self {
        address.0
    }
}

impl fmt::Display for ClientAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_spelled_as_python_spells_them() {
        for (text, expected) in [
            ("10.1.2.3", "10.1.2.3"),
            ("0.0.0.0", "0.0.0.0"),
            ("2001:DB8:0:0:0:0:0:1", "2001:db8::1"),
            ("::", "::"),
            ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"),
            ("1:0:3:0:0:6:7:8", "1:0:3::6:7:8"),
            ("::ffff:1.2.3.4", "::ffff:102:304"),
            ("::ffff:0.0.0.0", "::ffff:0:0"),
            ("::1.2.3.4", "::102:304"),
            ("64:ff9b::1.2.3.4", "64:ff9b::102:304"),
            ("FE80::1%eth0", "fe80::1%eth0"),
            ("fe80::1%a b", "fe80::1%a b"),
        ] {
            assert_eq!(ClientAddress::parse(text).unwrap().as_str(), expected);
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in [
            "",
            " 1.2.3.4",
            "1.2.3",
            "01.2.3.4",
            "1.2.3.256",
            "1.2.3.4%a",
            "1.2.3.4/8",
            "a.example",
            "::1%",
            "::1%a%b",
            "::1%a/b",
            "::1/64",
            "1::2::3",
            "12345::",
            "[::1]",
            "1.2.3.4:80",
            "1:2:3:4::5:6:7:8",
        ] {
            assert_eq!(
                ClientAddress::parse(text),
                Err(ClientAddressError),
                "{text}"
            );
        }
    }
}
