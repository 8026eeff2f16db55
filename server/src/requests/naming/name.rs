//! The name of a path: the template of the route that it belongs to.

/// The name of one path.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum RouteName<'a> {
    Known(&'a str),
    /// No path with this template came before. The template gets a row when a response shows that the path exists.
    New(String),
    /// The template that the path counts under, and a name that may get a row of its own when it recurs.
    Candidate(&'a str, String),
    /// There are as many templates as there may be, and this one is not among them.
    TooMany,
}
