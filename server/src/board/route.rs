//! The routes of the board: the router is made from this list.

use axum::http::Method;

/// A route of the board, below its mount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BoardRoute {
    /// The page, in all its views.
    Page,
    /// The new figures for a live page.
    Refresh,
    /// Script, style and icon.
    Asset,
    /// All figures as JSON.
    Health,
    /// The same as [`Health`](Self::Health), at its versioned path.
    HealthV1,
    /// All figures as Prometheus's text.
    Metrics,
    /// What a view shows as CSV or JSON.
    Export,
    /// Notes a mark.
    Marks,
    /// Whether the process answers.
    Livez,
    /// Whether the application can do its work.
    Readyz,
}

impl BoardRoute {
    /// All routes of the board.
    ///
    /// ```
    /// use watchboard::BoardRoute;
    ///
    /// assert!(BoardRoute::ALL.iter().any(|route| route.path() == "/health"));
    /// ```
    pub const ALL: &'static [Self] = &[
        Self::Page,
        Self::Refresh,
        Self::Asset,
        Self::Health,
        Self::HealthV1,
        Self::Metrics,
        Self::Export,
        Self::Marks,
        Self::Livez,
        Self::Readyz,
    ];

    /// The path below the mount, in axum's syntax.
    pub const fn path(self) -> &'static str {
        match self {
            Self::Page => "/",
            Self::Refresh => "/api/watchboard/refresh",
            Self::Asset => "/assets/{name}",
            Self::Health => "/health",
            Self::HealthV1 => "/api/v1/health",
            Self::Metrics => "/metrics",
            Self::Export => "/export",
            Self::Marks => "/marks",
            Self::Livez => "/livez",
            Self::Readyz => "/readyz",
        }
    }

    /// The method of the route. A route with GET answers HEAD too.
    pub const fn method(self) -> Method {
        match self {
            Self::Refresh | Self::Marks => Method::POST,
            _ => Method::GET,
        }
    }

    /// The route of a path below the mount.
    ///
    /// ```
    /// use watchboard::BoardRoute;
    ///
    /// assert_eq!(BoardRoute::from_path("/health"), Some(BoardRoute::Health));
    /// assert_eq!(BoardRoute::from_path("/nothing"), None);
    /// ```
    pub fn from_path(path: &str) -> Option<Self> {
        let is_asset = path.strip_prefix("/assets/").is_some_and(|name| !name.is_empty() && !name.contains('/'));
        if is_asset { Some(Self::Asset) } else { Self::ALL.iter().copied().find(|route| route.path() == path) }
    }
}

#[cfg(test)]
mod tests {
    use super::BoardRoute;

    #[test]
    fn a_path_is_of_one_route_or_of_none() {
        for &route in BoardRoute::ALL {
            assert_eq!(BoardRoute::from_path(&route.path().replace("{name}", "app.js")), Some(route));
        }
        for path in ["", "/assets/", "/assets/a/b", "/health/", "/api", "/sign-in"] {
            assert_eq!(BoardRoute::from_path(path), None, "{path}");
        }
    }
}
