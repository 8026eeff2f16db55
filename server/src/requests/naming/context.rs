//! What stands before a segment of a path, and what that says of the segment: `/users/jane` is a name, `/api/rechnungen` may be none.

use std::borrow::Cow;

use super::{
    api_version::{is_dotted, is_numbered},
    file_endings::ending,
    known_values::{is_currency, is_environment, is_locale, is_weekday},
    lists::{is_foreign_plural, is_person},
    name_looks::{is_code, is_constant, is_name_of_thing, is_of_domain, is_short, is_title},
    name_places::{
        FOLDERS, HAVE_ITEMS, NAMES_OF_PEOPLE, OF_CONSTANTS, OF_DATA, OF_FLAGS, OF_HANDLES, OF_MAIL, OF_OTHERS,
        OF_PEOPLE, OF_REVISIONS, OF_ROUTES, OF_STATES, OWNERS, PACKAGES, STATES,
    },
    plurals::{COLLECTIONS, NO_PLURALS, is_plural, is_selector},
    private_places::{is_of_people, may_be_secret},
    route_words::{is_by, is_of_routes, is_route_word, is_verb},
    segment::{DIGESTS, FILE, NAME, SCOPE, SCOPED, Segment, is_action, segment},
    words::is_version,
};

/// The longest ending of a file that has an unknown one.
const LONGEST_ENDING: usize = 4;

/// The segment with which routers end a name that may have slashes: `/{name}/-/{file}.tgz`.
pub(super) const END_OF_NAME: &str = "-";

/// What stands before a segment.
#[derive(Clone, Copy, Debug)]
pub(super) enum Before<'a> {
    /// Nothing.
    Root,
    /// A part in braces that is no name.
    Open,
    Word(&'a str),
    /// A part in braces that is a name.
    Name,
    /// A scope, as in `/@{name}/{name}`, or an owner, as in `/repos/{name}/{name}`.
    Scope,
}

impl Before<'_> {
    /// Behind a part that is in braces, or has some, and that stands behind `self`.
    pub(super) fn part(self, part: &str) -> Self {
        match part {
            NAME if matches!(self, Self::Word("repos")) => Self::Scope,
            NAME => Self::Name,
            // `/channels/@jane/videos`
            SCOPE if matches!(self, Self::Word(word) if is_of_handles(word)) => Self::Name,
            SCOPE => Self::Scope,
            _ => Self::Open,
        }
    }

    /// What a segment is by its look and by what stands before and behind it.
    pub(super) fn segment<'p>(self, part: &'p str, next: Option<&str>) -> Segment<'p> {
        let next = next.filter(|next| !next.is_empty());
        let stem = ending(part).map_or(part, |(stem, ..)| stem);
        if let Some(shown) =
            part.split_once(':').filter(|_| self.is_collection()).and_then(|(item, verb)| of_item(item, verb))
        {
            return Segment::Parameter(shown);
        }
        match segment(part) {
            // `/packages/@acme%2fui` beside `/packages/ui`
            Segment::Parameter(shown) if shown == SCOPED && self.is_collection() => Segment::Parameter(NAME.into()),
            // What has something below it is a thing with a dot in its name: `/contents/{name}/history`.
            Segment::Parameter(shown) if next.is_some() && shown.starts_with(FILE) => Segment::Parameter(NAME.into()),
            Segment::Parameter(_) if self.makes_version(part, next) => Segment::Word,
            Segment::Word | Segment::DictionaryWord | Segment::Unknown
                if is_person(stem) || self.makes_secret(part) && !(is_selector(part) && next.is_some()) =>
            {
                Segment::Parameter(name_of(part))
            }
            Segment::DictionaryWord | Segment::Unknown if matches!(self, Self::Word(before) if is_of_people(before)) => {
                Segment::Parameter(name_of(part))
            }
            // Behind a person's name stand that person's files.
            Segment::DictionaryWord if self.is_name() && stem != part => Segment::Parameter(name_of(part)),
            Segment::Word if part == "in" && self.makes_country(next) => Segment::Parameter(NAME.into()),
            Segment::Word if self.makes_name_of_version(part, next) || self.makes_known_value(part) => {
                Segment::Parameter(NAME.into())
            }
            Segment::DictionaryWord | Segment::Unknown if self.makes_known_value(part) => {
                Segment::Parameter(NAME.into())
            }
            Segment::DictionaryWord | Segment::Unknown if is_verb(part) || is_route_word(part) => Segment::Word,
            // `/devices/mac/{key}`
            Segment::Unknown | Segment::Parameter(_) if is_selector(part) && next.is_some() => Segment::Word,
            Segment::DictionaryWord if self.is_collection() && !self.holds_routes() && !self.makes_item(next) => {
                Segment::Unknown
            }
            Segment::DictionaryWord => Segment::Word,
            // `/youtube/v3`, `/wc/v3`
            Segment::Unknown if self.makes_part_of_api(next) => Segment::Word,
            Segment::Parameter(_) if is_short(part) && self.makes_part_of_api(next) => Segment::Word,
            segment => segment,
        }
    }

    /// `/rest/api/3/issue`
    fn makes_version(self, part: &str, next: Option<&str>) -> bool {
        if is_numbered(part) {
            return makes_api_version(self, part, next);
        }
        let is_api =
            matches!(self, Self::Word("api" | "apis" | "iiif" | "odata" | "opendata" | "rest" | "version" | "ws"));
        is_api && part.len() == 1 && part.bytes().all(|byte| byte.is_ascii_digit()) && next.is_some()
    }

    /// Whether a version follows, and no name of a thing is expected.
    fn makes_part_of_api(self, next: Option<&str>) -> bool {
        !self.makes_unknown_name() && next.is_some_and(is_version_of_api)
    }

    /// Whether a word may be a code or a token: `/invite/swordfish`.
    fn makes_secret(self, part: &str) -> bool {
        matches!(self, Self::Word(before) if may_be_secret(before, part)) && !is_version(part)
    }

    /// `/branches/v2`, `/manifests/v1.2.3`, `/tarball/v1.2.3`
    fn makes_name_of_version(self, part: &str, next: Option<&str>) -> bool {
        let Self::Word(before) = self else {
            // `/cdn/{key}/v1.8.2`
            return matches!(self, Self::Open | Self::Name) && part.split('.').count() == 3 && is_version(part);
        };
        let is_plural = is_plural(before) && !NO_PLURALS.contains(&before);
        let is_exact = part.starts_with('v') && part.contains('.');
        let is_revision = OF_REVISIONS.contains(&before) || is_exact && OF_OTHERS.contains(&before);
        is_version(part) && (is_revision || next.is_none() && (is_plural || is_exact) || is_plural && is_exact)
    }

    /// `/markets/de`, `/captions/pt-BR`, `/rates/usd`, `/flags/{name}/staging`. `/de/shop` may be all that there is.
    fn makes_known_value(self, part: &str) -> bool {
        let is_in_root = || self.is_api_root() || matches!(self, Self::Word(before) if is_version(before));
        is_weekday(part)
            || is_locale(part) && (part.len() > 2 || !matches!(self, Self::Open | Self::Root))
            || (is_currency(part) || is_environment(part)) && !is_in_root()
    }

    /// Whether `in` is India: `/trending/in`, `/charts/in/2026-01-02`. Behind it, `/jobs/in/berlin` has a word.
    fn makes_country(self, next: Option<&str>) -> bool {
        let is_number = |next: &str| next.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
        matches!(self, Self::Word(_) | Self::Name) && next.is_none_or(is_number)
    }

    /// Whether what follows a word is a number or the like, and the word not a person: `/datasources/proxy/7`.
    fn makes_item(self, next: Option<&str>) -> bool {
        let is_of_names = match self {
            Self::Word(before) => OF_PEOPLE.contains(&before) || OF_DATA.contains(&before),
            _ => self.is_name(),
        };
        !is_of_names && next.is_some_and(|next| matches!(segment(next), Segment::Parameter(shown) if *shown != *NAME))
    }

    /// Whether a segment is a name in any case, though it may be a word.
    pub(super) fn makes_name(self, segment: &str, next: Option<&str>) -> bool {
        next == Some(END_OF_NAME)
            || segment.contains('.') && is_of_domain(segment) && self.holds_names_with_dots(segment)
            || matches!(self, Self::Scope)
            || is_code(segment) && matches!(self, Self::Name)
            || (NAMES_OF_PEOPLE.contains(&segment) || is_code(segment)) && self.is_collection()
            || is_title(segment) && self.is_collection() && !self.holds_routes()
            || is_constant(segment) && self.is_collection_of_names()
    }

    /// Whether a listed word is a name: `/users/parker`, `/namespaces/default/pods`. A word that ends a path behind other plurals may be a
    /// route: `/orders/export`, `/orders/archive`.
    pub(super) fn makes_name_of_word(self, segment: &str, next: Option<&str>) -> bool {
        let Self::Word(before) = self else { return false };
        // `_search`
        let is_state = before == "status" && STATES.contains(&segment)
            || OF_STATES.contains(&before) && (!is_verb(segment) || before == "environments");
        let first = segment.split(['-', '_']).next().unwrap_or_default();
        let is_flag = OF_FLAGS.contains(&before) && (first == "new" || !is_route_word(first)) && !is_verb(segment);
        let is_owner = OWNERS.contains(&before) && segment.contains('-') && !is_route_word(segment);
        let is_owner = is_owner || before == "repos" && next.is_some() && !is_route_word(segment);
        if is_state || is_flag || is_owner || OF_MAIL.contains(&before) && FOLDERS.contains(&segment) {
            return true;
        }
        if is_by(before) {
            return true;
        }
        if is_of_routes(segment) || segment.starts_with(['_', '.']) || is_version(segment) {
            return false;
        }
        if is_selector(segment) && next.is_some() {
            return false;
        }
        let next = next.filter(|next| !next.is_empty());
        let is_thing = || is_plural(before) && !NO_PLURALS.contains(&before) && !is_plural(segment);
        let has_items = |next| HAVE_ITEMS.contains(&before) && is_plural(next) && !is_plural(segment);
        OF_DATA.contains(&before)
            || is_thing() && is_name_of_thing(segment, next)
            || OF_PEOPLE.contains(&before) && !is_plural(segment)
            || next.is_some_and(|next| (is_thing() || has_items(next)) && !self.makes_item(Some(next)))
    }

    /// Whether an unknown word is a name in any case.
    pub(super) fn makes_unknown_name(self) -> bool {
        self.is_collection()
    }

    /// Whether the part before is a name: `/users/{name}`.
    pub(super) fn is_name(self) -> bool {
        matches!(self, Self::Name)
    }

    /// An API begins behind it: `/api`.
    fn is_api_root(self) -> bool {
        matches!(self, Self::Root | Self::Word("api" | "apis" | "rest"))
    }

    /// It ends as plurals do, and routes stand behind it: `/reports/aging`.
    fn holds_routes(self) -> bool {
        matches!(self, Self::Word(before) if OF_ROUTES.contains(&before))
    }

    /// What stands behind it has no routes with names as constants or methods have.
    fn is_collection_of_names(self) -> bool {
        self.is_collection() && !matches!(self, Self::Word(before) if OF_CONSTANTS.contains(&before))
    }

    /// Behind a part in braces, a text with a dot is a name. Behind other words than plurals it has two: `/metrics/disk.io.read`. Methods have too: `/api/admin.users.list`.
    fn holds_names_with_dots(self, segment: &str) -> bool {
        self.is_collection_of_names()
            || matches!(self, Self::Name | Self::Open)
                && segment.rsplit('.').next().is_some_and(|end| end.len() > LONGEST_ENDING)
            || segment.split('.').count() > 2
                && matches!(self, Self::Word(before) if before != "api" && !is_version(before) && !OF_CONSTANTS.contains(&before))
    }

    pub(super) fn is_collection(self) -> bool {
        let Self::Word(word) = self else { return false };
        // One letter, as in `/u/jane` or `/r/rust`.
        let is_letter = word.len() == 1 && word != END_OF_NAME;
        is_plural(word) || is_foreign_plural(word) || is_letter || COLLECTIONS.contains(&word) || is_by(word)
    }
}

/// Whether a date or numbers with dots are a version, as far as one path shows.
fn makes_api_version(before: Before<'_>, part: &str, next: Option<&str>) -> bool {
    let leads = next.is_some_and(|next| !matches!(segment(next), Segment::Parameter(_)));
    let is_word = || match before {
        Before::Word(word) => !OF_OTHERS.contains(&word) && !before.is_collection() && !NO_PLURALS.contains(&word),
        _ => false,
    };
    leads && (before.is_api_root() || is_word() && is_dotted(part) && part.split('.').count() == 3)
}

/// Whether words in capitals at a place are routes.
pub(super) fn makes_routes_of_constants(place: &str) -> bool {
    place.rsplit('/').next().is_some_and(|before| OF_CONSTANTS.contains(&before))
}

/// The part in braces for a name, which may be the one of a file.
fn name_of(segment: &str) -> Cow<'static, str> {
    ending(segment).map_or(NAME.into(), |(_, end, _)| format!("{FILE}.{end}").into())
}

/// Whether a name with `@` behind a word is somebody's, and no scope of packages.
fn is_of_handles(word: &str) -> bool {
    let is_thing = || is_plural(word) && !NO_PLURALS.contains(&word) && !PACKAGES.contains(&word);
    is_of_people(word) || OF_HANDLES.contains(&word) || is_thing()
}

/// An item whose name is words, with what is done to it: `/servers/db-primary:start`.
fn of_item(item: &str, action: &str) -> Option<Cow<'static, str>> {
    let is_name = matches!(segment(item), Segment::Word | Segment::DictionaryWord | Segment::Unknown)
        && !(is_plural(item) || is_version(item) || is_locale(item) || DIGESTS.contains(&item));
    is_name.then(|| if is_action(action) { format!("{NAME}:{action}").into() } else { NAME.into() })
}

/// `v3` and `v1beta1`, not `3.1`.
fn is_version_of_api(segment: &str) -> bool {
    segment.starts_with('v') && is_version(segment)
}
