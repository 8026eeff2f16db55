//! What the board answers: the list that its router is made of.

use axum::http::Method;

/// A route of the board, below its mount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Route {
    /// The page, in all its views.
    Page,
    /// What a live page asks for.
    Refresh,
    /// Script, style and icon.
    Asset,
    /// Everything as JSON.
    Health,
    /// The same.
    HealthV1,
    /// Prometheus's text.
    Metrics,
    /// Whether the process answers.
    Livez,
    /// Whether the application can do its work.
    Readyz,
}

impl Route {
    /// Every one; the board has no other.
    pub const ALL: [Self; 8] = [
        Self::Page,
        Self::Refresh,
        Self::Asset,
        Self::Health,
        Self::HealthV1,
        Self::Metrics,
        Self::Livez,
        Self::Readyz,
    ];

    /// Its path, as axum writes it.
    pub const fn path(self) -> &'static str {
        match self {
            Self::Page => "/",
            Self::Refresh => "/api/watchboard/refresh",
            Self::Asset => "/assets/{name}",
            Self::Health => "/health",
            Self::HealthV1 => "/api/v1/health",
            Self::Metrics => "/metrics",
            Self::Livez => "/livez",
            Self::Readyz => "/readyz",
        }
    }

    /// The one method that it is asked by; what takes GET takes HEAD too.
    pub const fn method(self) -> Method {
        match self {
            Self::Refresh => Method::POST,
            _ => Method::GET,
        }
    }

    /// The route of a path below the mount, if there is one.
    pub fn of(path: &str) -> Option<Self> {
        let is_asset = path.strip_prefix("/assets/").is_some_and(|name| !name.is_empty() && !name.contains('/'));
        if is_asset { Some(Self::Asset) } else { Self::ALL.into_iter().find(|route| route.path() == path) }
    }
}

#[cfg(test)]
mod tests {
    use super::Route;

    #[test]
    fn a_path_is_of_one_route_or_of_none() {
        for route in Route::ALL {
            assert_eq!(Route::of(&route.path().replace("{name}", "app.js")), Some(route));
        }
        for path in ["", "/assets/", "/assets/a/b", "/health/", "/api", "/sign-in"] {
            assert_eq!(Route::of(path), None, "{path}");
        }
    }
}
