//! Where a session is used, from what the browser says it is.

use wire::{
    Tag,
    backend::sessions::{SessionActivity, SessionActivityId},
};

use crate::{Cx, Result};

/// A text that no browser needs to be longer.
const CHARACTERS_MAX: usize = 512;

/// What is known of the visitor, as JSON; `before` is what was known until now.
pub(super) fn of(cx: &Cx, before: Option<&str>) -> Result<Option<String>> {
    let Some(visitor) = cx.caller.visitor() else { return Ok(before.map(str::to_owned)) };
    let before: Option<SessionActivity> = before.and_then(|text| serde_json::from_str(text).ok());
    let agent: String =
        visitor.user_agent.as_deref().unwrap_or_default().chars().take(CHARACTERS_MAX).collect();
    let browser = browser(&agent);
    let is_mobile = ["Mobile", "Android", "iPhone", "iPad"].iter().any(|word| agent.contains(word));
    let place = cx.world.places.of(visitor.address.as_deref());
    let id: SessionActivityId = before.map_or_else(|| cx.id(), |before| before.id);
    let activity = SessionActivity {
        id,
        object: Tag::new(),
        device_type: device(&agent).map(str::to_owned),
        is_mobile,
        browser_name: browser.map(|(name, _)| name.to_owned()),
        browser_version: browser.map(|(_, version)| version.to_owned()),
        ip_address: visitor.address.clone(),
        city: place.city,
        country: place.country,
    };
    Ok(Some(serde_json::to_string(&activity)?))
}

/// Name and version. Most browsers name others too, so the order counts.
fn browser(agent: &str) -> Option<(&'static str, &str)> {
    const BROWSERS: &[(&str, &str)] = &[
        ("Edg/", "Edge"),
        ("EdgA/", "Edge"),
        ("EdgiOS/", "Edge"),
        ("OPR/", "Opera"),
        ("SamsungBrowser/", "Samsung Internet"),
        ("Firefox/", "Firefox"),
        ("FxiOS/", "Firefox"),
        ("CriOS/", "Chrome"),
        ("Chrome/", "Chrome"),
        ("Version/", "Safari"),
    ];
    BROWSERS.iter().find_map(|(mark, name)| {
        let (_, rest) = agent.split_once(mark)?;
        let version = rest.split([' ', ';', ')']).next().unwrap_or_default();
        Some((*name, version))
    })
}

fn device(agent: &str) -> Option<&'static str> {
    const DEVICES: &[(&str, &str)] = &[
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Android", "Android"),
        ("Macintosh", "Macintosh"),
        ("Windows", "Windows"),
        ("CrOS", "Chromebook"),
        ("Linux", "Linux"),
    ];
    DEVICES.iter().find(|(mark, _)| agent.contains(mark)).map(|(_, name)| *name)
}

#[cfg(test)]
mod tests {
    use super::{browser, device};

    #[test]
    fn browsers_are_told_apart() {
        let chrome = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) \
                      Chrome/143.0.0.0 Safari/537.36";
        assert_eq!(browser(chrome), Some(("Chrome", "143.0.0.0")));
        assert_eq!(browser(&format!("{chrome} Edg/143.1")), Some(("Edge", "143.1")));
        let safari = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 \
                      (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1";
        assert_eq!((browser(safari), device(safari)), (Some(("Safari", "18.1")), Some("iPhone")));
        let firefox = safari.replace("Version/18.1", "FxiOS/145.0");
        assert_eq!(browser(&firefox), Some(("Firefox", "145.0")));
        assert_eq!((browser("curl/8"), device(chrome)), (None, Some("Linux")));
    }
}
