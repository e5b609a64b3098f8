//! Whose request it is: the address of the client, behind the balancers that are said to be there.
//!
//! Each balancer adds the address it was asked from to the end of `X-Forwarded-For`. So as many entries from the end as there
//! are balancers can be believed; whatever stands before them a client may have made up.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use actix_web::{
    HttpRequest,
    http::header::{HeaderMap, HeaderValue, X_FORWARDED_FOR},
};

/// The client's address behind so many balancers; the peer's, where the header does not have it.
pub(super) fn of(request: &HttpRequest, trusted_proxies: u8) -> Option<IpAddr> {
    let forwarded = usize::from(trusted_proxies).checked_sub(1);
    let told = forwarded.and_then(|from_end| forwarded_for(request.headers(), from_end));
    told.or_else(|| request.peer_addr().map(|peer| peer.ip()))
}

/// An entry counted from the end of all lines of the header together; the last is number 0.
fn forwarded_for(headers: &HeaderMap, from_end: usize) -> Option<IpAddr> {
    let lines: Vec<&[u8]> = headers.get_all(X_FORWARDED_FOR).map(HeaderValue::as_bytes).collect();
    let mut entries = lines.iter().rev().flat_map(|line| line.rsplit(|byte| *byte == b','));
    let entry = str::from_utf8(entries.nth(from_end)?).ok()?.trim();
    parse(entry)
}

/// An address as balancers write it: alone, or with the client's port.
fn parse(entry: &str) -> Option<IpAddr> {
    let bracketed = || entry.strip_prefix('[')?.strip_suffix(']')?.parse::<Ipv6Addr>().ok();
    let with_port = || entry.parse::<SocketAddr>().ok().map(|address| address.ip());
    entry.parse().ok().or_else(with_port).or_else(|| bracketed().map(IpAddr::V6))
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;
    use proptest::prelude::*;

    use super::*;

    const PEER: &str = "198.51.100.9:4711";

    fn client(lines: &[&str], trusted_proxies: u8) -> String {
        let mut request = TestRequest::default().peer_addr(PEER.parse().unwrap());
        for line in lines {
            request = request.append_header((X_FORWARDED_FOR, *line));
        }
        of(&request.to_http_request(), trusted_proxies).unwrap().to_string()
    }

    #[test]
    fn counts_balancers_from_the_end() {
        let lines = ["203.0.113.7, 192.0.2.1", "192.0.2.2,192.0.2.3"];
        let found: Vec<_> = (0..=4).map(|trusted| client(&lines, trusted)).collect();
        assert_eq!(found, ["198.51.100.9", "192.0.2.3", "192.0.2.2", "192.0.2.1", "203.0.113.7"]);
    }

    #[test]
    fn reads_addresses_as_balancers_write_them() {
        for (entry, address) in [
            ("192.0.2.1", "192.0.2.1"),
            (" 192.0.2.1:5000 ", "192.0.2.1"),
            ("2001:db8::1", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("[2001:db8::1]:443", "2001:db8::1"),
            ("\u{fffd}nonsense, unknown, 192.0.2.1", "192.0.2.1"),
        ] {
            assert_eq!(client(&[entry], 1), address, "{entry}");
        }
    }

    #[test]
    fn a_header_without_the_address_is_as_good_as_none() {
        for (lines, trusted) in [
            (&[][..], 1),
            (&[""], 1),
            (&["192.0.2.1"], 2),
            (&["192.0.2.1,"], 1),
            (&["192.0.2.1, unknown"], 1),
            (&["192.0.2.1, 192.0.2.256"], 1),
            (&["192.0.2.1, [192.0.2.2"], 1),
        ] {
            assert_eq!(client(lines, trusted), "198.51.100.9", "{lines:?}");
        }
    }

    proptest! {
        /// Nobody is taken for somebody else by what he writes before the entries of the balancers.
        #[test]
        fn hostile_entries_change_nothing(made_up in "[ -~]{0,80}") {
            prop_assert_eq!(client(&[made_up.as_str(), "192.0.2.7"], 1), "192.0.2.7");
            let line = format!("{made_up}, 192.0.2.7");
            prop_assert_eq!(client(&[line.as_str()], 1), "192.0.2.7");
            prop_assert_eq!(client(&[made_up.as_str()], 0), "198.51.100.9");
        }
    }
}
