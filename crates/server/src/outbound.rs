//! The one way out for URLs that users of the API name.
//!
//! Such an URL may mean to reach what only this server can: its own ports, the cloud's metadata,
//! the network behind it. So private addresses are refused, unless the operator allows them: where
//! the host is an address, by looking at it; where it is a name, by looking at what it resolves to
//! and connecting to nothing else. Redirects are not followed, proxies of the environment not
//! used, no credentials sent, and time and size have bounds.
//!
//! May touch: the network. Must not touch: the store.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use domain::{Errand, Fetch, Fetched, RemoteError};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::Host;

/// From the first packet to the last.
const TIME_MAX: Duration = Duration::from_secs(10);
const CONNECT_TIME_MAX: Duration = Duration::from_secs(5);
const BODY_BYTES_MAX: usize = 64 * 1024;

/// Which addresses may be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Those of the internet.
    Public,
    /// Those of the server's own network as well, and pages without TLS.
    Private,
}

/// Fetches pages within this reach.
pub fn fetch(reach: Reach) -> Result<Arc<Fetch>, RemoteError> {
    let client = reqwest::Client::builder()
        .timeout(TIME_MAX)
        .connect_timeout(CONNECT_TIME_MAX)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .https_only(reach == Reach::Public)
        .pool_max_idle_per_host(0)
        .dns_resolver(Arc::new(Resolver(reach)))
        .build()?;
    Ok(Arc::new(move |errand| {
        let client = client.clone();
        Box::pin(async move { run(&client, reach, errand).await })
    }))
}

async fn run(
    client: &reqwest::Client,
    reach: Reach,
    Errand { url, form }: Errand,
) -> Result<Fetched, RemoteError> {
    // Names are looked at when they are resolved; an address never is.
    let address = match url.host() {
        Some(Host::Ipv4(address)) => Some(IpAddr::V4(address)),
        Some(Host::Ipv6(address)) => Some(IpAddr::V6(address)),
        Some(Host::Domain(_)) => None,
        None => return Err("the URL has no host".into()),
    };
    if address.is_some_and(|address| !may_reach(reach, address)) {
        return Err("the address is private".into());
    }
    let request = match form {
        None => client.get(url),
        Some(form) => {
            let kind = "application/x-www-form-urlencoded";
            client.post(url).header("content-type", kind).body(form)
        }
    };
    let mut response = request.header("accept", "application/json").send().await?;
    let mut body = Vec::new();
    while let Some(piece) = response.chunk().await? {
        body.extend_from_slice(&piece);
        if body.len() > BODY_BYTES_MAX {
            return Err("the answer is too long".into());
        }
    }
    Ok(Fetched { status: response.status().as_u16(), body })
}

/// Resolves names to what may be reached of their addresses.
struct Resolver(Reach);

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let reach = self.0;
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let reached: Vec<SocketAddr> =
                found.filter(|address| may_reach(reach, address.ip())).collect();
            if reached.is_empty() {
                return Err("the name leads to no public address".into());
            }
            Ok(Box::new(reached.into_iter()) as Addrs)
        })
    }
}

fn may_reach(reach: Reach, address: IpAddr) -> bool {
    reach == Reach::Private || is_public(address)
}

/// True for addresses of the internet.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [first, second, third, _] = address.octets();
    let special = match first {
        0 | 10 | 127 | 224.. => true,
        100 => (64..128).contains(&second),
        169 => second == 254,
        172 => (16..32).contains(&second),
        192 => {
            second == 168 || (second == 0 && matches!(third, 0 | 2)) || (second, third) == (88, 99)
        }
        198 => matches!(second, 18 | 19) || (second, third) == (51, 100),
        203 => (second, third) == (0, 113),
        _ => false,
    };
    !special
}

/// Global unicast alone. What carries an IPv4 address inside is judged by that one.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let parts = address.segments();
    let inner = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        is_public_v4(Ipv4Addr::new(a, b, c, d))
    };
    match parts {
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            inner(high, low)
        }
        [0x2002, high, low, ..] => inner(high, low),
        // Teredo, benchmarks, documentation.
        [0x2001, second, ..] if second < 0x200 || second == 0xdb8 => false,
        [0x3fff, second, ..] if second < 0x1000 => false,
        [first, ..] => (0x2000..0x4000).contains(&first),
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use url::Url;

    use super::*;

    /// A server that gives one answer to whoever comes first.
    async fn answering(answer: String) -> Url {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.expect("somebody comes");
            let mut head = [0; 1024];
            let _ = stream.read(&mut head).await;
            let _ = stream.write_all(answer.as_bytes()).await;
        });
        Url::parse(&format!("http://{address}/")).expect("an URL")
    }

    fn http(status: &str, headers: &str, body: &str) -> String {
        let length = body.len();
        format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\n{headers}\r\n{body}")
    }

    #[test]
    fn addresses_are_public_or_not() {
        let public =
            ["1.1.1.1", "172.32.0.1", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101"];
        let private = [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "127.8.8.8",
            "169.254.169.254",
            "172.16.0.1",
            "192.0.2.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::7f00:1",
            "64:ff9b::7f00:1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "ff02::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "3fff::1",
        ];
        for text in public {
            assert!(is_public(text.parse().expect("an address")), "{text}");
        }
        for text in private {
            assert!(!is_public(text.parse().expect("an address")), "{text}");
        }
    }

    #[tokio::test]
    async fn what_is_private_is_not_reached() {
        let fetch = fetch(Reach::Public).expect("a client");
        let port = answering(http("200 OK", "", "{}")).await.port().expect("a port");
        for host in ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "2130706433", "0x7f.1", "0"] {
            for scheme in ["http", "https"] {
                let url = Url::parse(&format!("{scheme}://{host}:{port}/")).expect("an URL");
                assert!(fetch(url.into()).await.is_err(), "{scheme} {host}");
            }
        }
    }

    #[tokio::test]
    async fn what_is_allowed_is_reached_within_bounds() {
        let fetch = fetch(Reach::Private).expect("a client");
        let here = answering(http("200 OK", "", "{\"a\":1}")).await;
        let page = fetch(here.into()).await.expect("a page");
        assert_eq!(page, Fetched { status: 200, body: b"{\"a\":1}".to_vec() });

        let moved = http("302 Found", "location: http://127.0.0.1:1/\r\n", "");
        let page = fetch(answering(moved).await.into()).await.expect("a page");
        assert_eq!(page.status, 302, "redirects are not followed");

        let long = http("200 OK", "", &"a".repeat(BODY_BYTES_MAX + 1));
        assert!(fetch(answering(long).await.into()).await.is_err());
    }
}
