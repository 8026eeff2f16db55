//! The viewer's preferences. One cookie keeps them, so that the server renders with them.

use leptos::prelude::*;

/// The refresh intervals that the viewer can choose, in seconds.
pub(crate) const INTERVALS: [u32; 6] = [1, 2, 5, 15, 30, 60];

/// The cookie's name.
pub(crate) const COOKIE: &str = "watchboard_preferences";

/// Light, dark, or the system's choice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Theme {
    #[default]
    Auto,
    Light,
    Dark,
}

impl Theme {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// The next theme of the switch.
    pub(crate) fn next(self) -> Self {
        match self {
            Self::Auto => Self::Light,
            Self::Light => Self::Dark,
            Self::Dark => Self::Auto,
        }
    }
}

/// The viewer's preferences.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Preferences {
    pub(crate) theme: Theme,
    pub(crate) interval_seconds: u32,
    pub(crate) paused: bool,
    /// The zone of all times, in minutes east of UTC; `None` is UTC. The browser knows its own.
    pub(crate) zone_minutes: Option<i32>,
}

impl Default for Preferences {
    fn default() -> Self {
        Self { theme: Theme::Auto, interval_seconds: 2, paused: false, zone_minutes: None }
    }
}

impl Preferences {
    /// The cookie's value: `dark-5`, and `-east120` with a zone. A pause is of one tab: others would stand still unasked.
    #[cfg(any(test, feature = "hydrate"))]
    pub(crate) fn to_cookie(self) -> String {
        let zone =
            self.zone_minutes.map(|east| if east < 0 { format!("-west{}", -east) } else { format!("-east{east}") });
        format!("{}-{}{}", self.theme.word(), self.interval_seconds, zone.unwrap_or_default())
    }

    /// Reads a `Cookie` header. An unknown value becomes the default.
    pub(crate) fn from_cookies(header: &str) -> Self {
        let mut preferences = Self::default();
        let value = header.split(';').filter_map(|pair| pair.trim().split_once('=')).find(|(name, _)| *name == COOKIE);
        for word in value.map_or("", |(_, value)| value).split('-') {
            match word {
                "light" => preferences.theme = Theme::Light,
                "dark" => preferences.theme = Theme::Dark,
                _ if zone(word).is_some() => preferences.zone_minutes = zone(word),
                _ => preferences.interval_seconds = interval(word).unwrap_or(preferences.interval_seconds),
            }
        }
        preferences
    }
}

/// Parses a zone: `east120`, `west300`.
fn zone(word: &str) -> Option<i32> {
    let (sign, minutes) =
        word.strip_prefix("east").map(|east| (1, east)).or(word.strip_prefix("west").map(|west| (-1, west)))?;
    minutes.parse::<i32>().ok().filter(|minutes| (0..=14 * 60).contains(minutes)).map(|minutes| sign * minutes)
}

/// Parses one of [`INTERVALS`].
pub(crate) fn interval(text: &str) -> Option<u32> {
    text.parse().ok().filter(|seconds| INTERVALS.contains(seconds))
}

/// The preferences of this page. The server reads them from the request and the browser from the document, so both
/// render alike.
pub(crate) fn provide() -> RwSignal<Preferences> {
    #[cfg(feature = "ssr")]
    let cookies = use_context::<crate::page_request::PageRequest>().unwrap_or_default().cookies;
    #[cfg(feature = "hydrate")]
    let cookies = html_document().cookie().unwrap_or_default();
    #[cfg(not(any(feature = "ssr", feature = "hydrate")))]
    let cookies = String::new();
    let preferences = RwSignal::new(Preferences::from_cookies(&cookies));
    #[cfg(feature = "hydrate")]
    Effect::new(move |_| {
        if paused_here().is_some() {
            preferences.update(|it| it.paused = true);
        }
        // Its offset changes with the season.
        if preferences.with_untracked(|it| it.zone_minutes.is_some_and(|known| known != browser_zone())) {
            preferences.update(|it| it.zone_minutes = Some(browser_zone()));
        }
    });
    #[cfg(feature = "hydrate")]
    Effect::watch(move || preferences.get(), |now, _, _| remember(*now), false);
    preferences
}

/// The zone of the browser, in minutes east of UTC. On the server, where nobody presses the button that asks for it, it is UTC.
pub(crate) fn browser_zone() -> i32 {
    #[cfg(feature = "hydrate")]
    return -js_sys::Date::new_0().get_timezone_offset() as i32;
    #[cfg(not(feature = "hydrate"))]
    0
}

#[cfg(feature = "hydrate")]
fn html_document() -> web_sys::HtmlDocument {
    use wasm_bindgen::JsCast;
    document().unchecked_into()
}

/// Where a tab notes that it is paused.
#[cfg(feature = "hydrate")]
const PAUSED: &str = "watchboard_paused";

/// The note that this tab is paused. A browser that refuses it forgets the pause at the next load.
#[cfg(feature = "hydrate")]
fn paused_here() -> Option<String> {
    window().session_storage().ok()??.get_item(PAUSED).ok()?
}

/// Writes the cookie and the document's theme. A browser that refuses cookies forgets the preferences at the next load.
#[cfg(feature = "hydrate")]
fn remember(preferences: Preferences) {
    let value = preferences.to_cookie();
    let _ = html_document().set_cookie(&format!("{COOKIE}={value}; path=/; max-age=31536000; samesite=strict"));
    if let Ok(Some(notes)) = window().session_storage() {
        let _ = if preferences.paused { notes.set_item(PAUSED, "") } else { notes.remove_item(PAUSED) };
    }
    if let Some(html) = document().document_element() {
        let _ = html.set_attribute("data-theme", preferences.theme.word());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_brings_back_what_was_chosen() {
        let chosen = Preferences { theme: Theme::Dark, interval_seconds: 15, zone_minutes: Some(-300), paused: true };
        let header = format!("session=abc; {COOKIE}={}; last=1", chosen.to_cookie());
        assert_eq!(Preferences::from_cookies(&header), Preferences { paused: false, ..chosen });
    }

    #[test]
    fn nonsense_in_the_cookie_changes_nothing() {
        for header in
            ["", "watchboard_preferences", "watchboard_preferences=blue-7-x-east-west9999", "other=dark-5-paused"]
        {
            assert_eq!(Preferences::from_cookies(header), Preferences::default(), "{header}");
        }
    }
}
