//! The routes of endpoints whose path has no name yet.

/// What such a route begins with. No template does.
pub(super) const PREFIX: &str = "(unmatched) ";

/// Whether a route is the one of a held path's endpoint.
pub(crate) fn is_held_route(route: &str) -> bool {
    route.starts_with(PREFIX)
}
