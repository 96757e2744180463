//! Proxies in front of the server, and who asks through them.

use std::{
    net::{IpAddr, SocketAddr},
    str::FromStr,
};

use axum::http::HeaderMap;

/// Networks of proxies that are believed in whom they forward for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proxies(Vec<Network>);

/// Addresses of both kinds as those of one: of IPv4 as IPv6 has them.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Network {
    address: u128,
    /// Bits that all of its addresses have in common.
    length: u32,
}

impl FromStr for Proxies {
    type Err = String;

    /// Reads `127.0.0.1, 10.0.0.0/8, fd00::/8`.
    fn from_str(text: &str) -> Result<Self, String> {
        let networks: Option<Vec<_>> = text.split(',').map(|one| network(one.trim())).collect();
        networks.map(Self).ok_or_else(|| {
            "it must be addresses or networks with commas between them, like 127.0.0.1,10.0.0.0/8"
                .to_owned()
        })
    }
}

impl Proxies {
    /// Who asks: whoever is at the other end of the connection or, if that is a proxy, whom it names.
    ///
    /// A proxy adds whom it was asked by at the end. What stands before the first who is no proxy
    /// was said by that one, and is not believed.
    pub(crate) fn asking(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut asking = peer.to_canonical();
        let lines = headers.get_all("x-forwarded-for").iter().rev();
        let mut names = lines.flat_map(|line| line.to_str().unwrap_or("?").rsplit(','));
        while self.include(asking) {
            let Some(before) = names.next().and_then(|name| named(name.trim())) else { break };
            asking = before;
        }
        asking
    }

    fn include(&self, address: IpAddr) -> bool {
        let address = bits(address);
        let is_in = |network: &Network| {
            let differing = (network.address ^ address).checked_shr(128 - network.length);
            differing.unwrap_or(0) == 0
        };
        self.0.iter().any(is_in)
    }
}

fn network(text: &str) -> Option<Network> {
    let (address, length) = text.split_once('/').map_or((text, None), |(a, l)| (a, Some(l)));
    let address: IpAddr = address.parse().ok()?;
    let whole = if address.is_ipv4() { 32 } else { 128 };
    let length = length.map_or(Some(whole), |text| text.parse().ok());
    let length = length.filter(|length| *length <= whole)?;
    Some(Network { address: bits(address), length: 128 - whole + length })
}

/// An address, with or without a port.
fn named(text: &str) -> Option<IpAddr> {
    let address = text.parse().or_else(|_| text.parse().map(|own: SocketAddr| own.ip()));
    address.ok().map(|address: IpAddr| address.to_canonical())
}

fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().to_bits(),
        IpAddr::V6(address) => address.to_bits(),
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderValue};

    use super::Proxies;

    #[track_caller]
    fn asking(proxies: &str, peer: &str, lines: &[&'static str], expected: &str) {
        let proxies: Proxies = proxies.parse().expect("networks");
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append("x-forwarded-for", HeaderValue::from_static(line));
        }
        let asking = proxies.asking(peer.parse().expect("an address"), &headers);
        assert_eq!(asking.to_string(), expected, "{lines:?}");
    }

    #[test]
    fn pwd_10_a_proxy_is_believed_and_nobody_else() {
        let own = "127.0.0.1,10.0.0.0/8,fd00::/8";
        asking(own, "127.0.0.1", &[], "127.0.0.1");
        asking(own, "127.0.0.1", &["203.0.113.7"], "203.0.113.7");
        asking(own, "::ffff:127.0.0.1", &["203.0.113.7"], "203.0.113.7");
        // Who is no proxy says what they like.
        asking(own, "198.51.100.1", &["203.0.113.7"], "198.51.100.1");
        asking(own, "127.0.0.1", &["1.2.3.4, 203.0.113.7"], "203.0.113.7");
        asking(own, "127.0.0.1", &["1.2.3.4", "203.0.113.7"], "203.0.113.7");
        asking(own, "127.0.0.1", &["1.2.3.4, 203.0.113.7, 10.1.2.3"], "203.0.113.7");
        asking(own, "fd00::1", &["2001:db8::1"], "2001:db8::1");
        asking(own, "10.0.0.1", &["203.0.113.7:4711"], "203.0.113.7");
        // What makes no sense ends it.
        asking(own, "10.0.0.1", &["203.0.113.7, unknown"], "10.0.0.1");
        asking(own, "10.0.0.1", &["203.0.113.7,"], "10.0.0.1");
        asking(own, "10.0.0.1", &["10.0.0.2"], "10.0.0.2");
        asking("0.0.0.0/0", "10.0.0.1", &["203.0.113.7"], "203.0.113.7");
    }

    #[test]
    fn without_proxies_nobody_is_believed() {
        let asking = Proxies::default().asking("127.0.0.1".parse().expect("one"), &{
            let mut headers = HeaderMap::new();
            headers.insert("x-forwarded-for", HeaderValue::from_static("203.0.113.7"));
            headers
        });
        assert_eq!(asking.to_string(), "127.0.0.1");
    }

    #[test]
    fn what_is_no_network_is_refused() {
        for text in ["", "proxy", "10.0.0.0/33", "::/129", "10.0.0.0/", "10.0.0.1,", "/8"] {
            assert!(text.parse::<Proxies>().is_err(), "{text:?}");
        }
    }
}
