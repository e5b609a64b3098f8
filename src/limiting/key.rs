//! Who is counted.

use std::{
    fmt,
    net::{IpAddr, Ipv6Addr},
};

use uuid::Uuid;

/// The part of an IPv6 address that names a network: whoever has one address of a /64 has all of them.
const NETWORK: u128 = !0 << 64;

/// Whose requests are counted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Key {
    /// A client's address, or its network; see [`Key::of_address`].
    Client(IpAddr),
    /// A stored token.
    Token(Uuid),
    /// The token of the settings.
    SettingsToken,
}

impl Key {
    /// The key of a client's address: an IPv4 address, however it is written, or the /64 network of an IPv6 address.
    pub fn of_address(address: IpAddr) -> Self {
        Self::Client(match address.to_canonical() {
            IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & NETWORK).into(),
            v4 @ IpAddr::V4(_) => v4,
        })
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Client(address) => address.fmt(f),
            Self::Token(id) => id.simple().fmt(f),
            Self::SettingsToken => f.write_str("settings"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(address: &str) -> Key {
        Key::of_address(address.parse().unwrap())
    }

    #[test]
    fn a_network_of_ipv6_is_one_client_and_an_ipv4_address_is() {
        assert_eq!(key("2001:db8:0:1::1"), key("2001:db8:0:1:ffff:ffff:ffff:ffff"));
        assert_ne!(key("2001:db8:0:1::1"), key("2001:db8:0:2::1"));
        assert_ne!(key("192.0.2.1"), key("192.0.2.2"));
        assert_eq!(key("192.0.2.1"), key("::ffff:192.0.2.1"));
        assert_eq!(key("2001:db8:0:1::1").to_string(), "2001:db8:0:1::");
    }
}
