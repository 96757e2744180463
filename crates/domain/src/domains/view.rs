//! How the Backend API shows a domain.

use url::Url;
use wire::{
    Tag,
    backend::domains::{CnameTarget, Domain},
};

use super::DomainRow;
use crate::Cx;

/// `frontend_host` is where the instance's Frontend API is.
pub(super) fn view(cx: &Cx, row: DomainRow, frontend_host: &str) -> Domain {
    let is_development = cx.instance.is_development();
    let own_host = if row.is_satellite && !is_development {
        format!("clerk.{}", row.name)
    } else {
        frontend_host.to_owned()
    };
    let accounts = if is_development {
        accounts_host(frontend_host)
    } else {
        format!("accounts.{}", row.name)
    };
    let cname_targets =
        if is_development { Vec::new() } else { cname_targets(cx, &row, (&own_host, &accounts)) };
    Domain {
        object: Tag::new(),
        is_satellite: row.is_satellite,
        frontend_api_url: row.proxy_url.clone().unwrap_or_else(|| format!("https://{own_host}")),
        accounts_portal_url: (!row.is_satellite).then(|| format!("https://{accounts}")),
        development_origin: cx.instance.settings.development_origin.clone().unwrap_or_default(),
        cname_targets,
        proxy_url: row.proxy_url,
        id: row.id,
        name: row.name,
    }
}

/// Where official SDKs look for the hosted pages of a development instance.
fn accounts_host(frontend_host: &str) -> String {
    let split = frontend_host.split_once("clerk.accounts.");
    let split = split.or_else(|| frontend_host.split_once("clerk."));
    split.map_or_else(
        || frontend_host.to_owned(),
        |(before, after)| format!("{before}accounts.{after}"),
    )
}

/// What the name server must say: that the Frontend API and the hosted pages are on this server.
/// Mail leaves by the operator's own servers, so nothing is said of it.
fn cname_targets(cx: &Cx, row: &DomainRow, (frontend, accounts): (&str, &str)) -> Vec<CnameTarget> {
    let server = Url::parse(&cx.world.public_url).ok();
    let Some(value) = server.as_ref().and_then(Url::host_str) else {
        return Vec::new();
    };
    let target = |host: &str, required| CnameTarget {
        host: host.to_owned(),
        value: value.to_owned(),
        required,
    };
    // Behind a proxy, the Frontend API needs no host of its own.
    let mut targets = vec![target(frontend, row.proxy_url.is_none())];
    if !row.is_satellite {
        targets.push(target(accounts, true));
    }
    // A host that is the server's own needs no pointer to it.
    targets.retain(|target| target.host != target.value);
    targets
}

#[cfg(test)]
mod tests {
    use super::accounts_host;

    #[test]
    fn hosted_pages_are_where_sdks_look() {
        let cases = [
            ("one.clerk.accounts.dev", "one.accounts.dev"),
            ("clerk.example.com", "accounts.example.com"),
            ("localhost:8787", "localhost:8787"),
        ];
        for (frontend, accounts) in cases {
            assert_eq!(accounts_host(frontend), accounts);
        }
    }
}
