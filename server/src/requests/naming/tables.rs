//! What inference has learnt: the templates, and the names that are shown at each place of a path. Readers share one state of it, which is
//! replaced and never changed.

use std::{
    cell::Cell,
    collections::{HashMap, HashSet},
    iter::Peekable,
    str::Split,
    sync::Arc,
};

use foldhash::fast::RandomState;

use super::{
    api_version::is_numbered,
    context::Before,
    file::{StaticFile, holds_files_of_thing, is_of_api, may_be_file, static_file},
    file_endings::{ending, with_format},
    images::is_image_of_thing,
    place_kind::{PlaceKind, is_version_of_things, kind_of_place},
    registry::parts_of_image,
    route_words::{is_of_routes, may_be_thing},
    segment::{FILE, KEY, LEAD_TO_FILES, NAME, SCOPE, Segment, segment},
    visits::Visits,
};

/// Segments of a template. Deeper segments become `{*rest}`.
pub(super) const MAX_PARTS: usize = 12;
pub(super) const REST: &str = "{*rest}";

pub(super) type Map<T> = HashMap<Arc<str>, T, RandomState>;

#[derive(Clone, Debug, Default)]
pub(super) struct Tables {
    pub(super) templates: Map<Arc<Visits>>,
    /// By the template that leads to the place.
    pub(super) places: Map<Arc<Place>>,
    /// Templates that inference has given up, and those that their requests count under since.
    pub(super) merged: Map<Arc<str>>,
    /// Rises with each change of `merged`.
    pub(super) version: u64,
    /// There is no room for a further template.
    pub(super) is_full: bool,
}

/// A place of a path: what stands there beneath one beginning.
#[derive(Clone, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is learnt for itself, in any order")]
pub(super) struct Place {
    /// The part in braces, once there is one. A place has no second.
    pub(super) label: Option<Arc<str>>,
    /// The names that are shown.
    pub(super) names: HashSet<Arc<str>, RandomState>,
    /// So many names came once that a further one has to recur before it is shown.
    pub(super) is_crowded: bool,
    /// The words that are not in `names` are values of a parameter, as far as what follows them follows other values as well.
    pub(super) is_parameter: bool,
    /// What stands there are values, though some are words: packages of a registry, users of a forum.
    pub(super) holds_values: bool,
    /// Any file may stand there.
    pub(super) holds_files: bool,
    /// Dates and numbers with dots are values, and no versions of an API.
    pub(super) has_no_versions: bool,
    /// The words before an ending that is a parameter: `transcript` of `transcript.{format}`.
    pub(super) with_formats: HashSet<Arc<str>, RandomState>,
}

/// The name of a path.
#[derive(Debug, Default)]
pub(super) struct PathName {
    pub(super) template: String,
    /// The name with words in place of parts in braces, if these words may be shown once they recur.
    pub(super) candidate: Option<String>,
}

impl Place {
    /// The part in braces of this place, for a segment that would be `label`.
    pub(super) fn label<'a>(&'a self, label: &'a str) -> &'a str {
        self.label.as_deref().filter(|_| is_whole(label)).unwrap_or(label)
    }

    /// Its part in braces, if nothing else stands there.
    pub(super) fn only_label(&self) -> Option<&str> {
        self.label.as_deref().filter(|_| self.names.is_empty())
    }

    /// Whether numbers with dots are values there.
    pub(super) fn holds_numbers(&self) -> bool {
        self.has_no_versions || self.label.as_deref() == Some("{number}")
    }
}

/// Whether a part is one pair of braces alone, as `{id}` and not `{id}.pdf` or `{id}:{name}`.
pub(super) fn is_whole(part: &str) -> bool {
    let within = part.strip_prefix('{').and_then(|part| part.strip_suffix('}'));
    part != REST && within.is_some_and(|name| !name.contains(['{', '}']))
}

/// Whether a template ends in a thing, as `/users/{id}`. Of an API, a word behind a plural is one as well: `/v1/services/checkout`.
pub(super) fn ends_in_thing(template: &str) -> bool {
    let Some((place, last)) = template.rsplit_once('/') else { return false };
    is_whole(last) || is_of_api(place) && (kind_of_place(place) == PlaceKind::Collection || is_version_of_things(place))
}

thread_local! {
    /// For the name of a request's path: a known path allocates nothing.
    static BUFFER: Cell<String> = const { Cell::new(String::new()) };
}

impl Tables {
    /// The name of a path.
    pub(super) fn name(&self, path: &str) -> PathName {
        let static_file = static_file(path);
        let mut walk = PathWalk { tables: self, name: PathName::default(), words: 0 };
        walk.name.template = BUFFER.take();
        walk.name.template.clear();
        let image = parts_of_image(path);
        let mut before = Before::Root;
        let mut parts = path.strip_prefix('/').unwrap_or(path).split('/').peekable();
        while let Some(part) = parts.next() {
            if walk.words == MAX_PARTS {
                walk.push(REST, None);
                break;
            }
            if (1..=image).contains(&walk.words) {
                before = walk.push_label(NAME);
                continue;
            }
            let is_last = parts.peek().is_none();
            let holds_files = || walk.place().is_some_and(|place| place.holds_files);
            if is_last && is_image_of_thing(part) && ends_in_thing(&walk.name.template) && !holds_files() {
                walk.push(part, None);
                break;
            }
            if is_last && static_file.is_none() && walk.is_file_of_thing(part) {
                walk.push_label(FILE);
                break;
            }
            let leads = match static_file {
                Some(StaticFile::LeadingWords { most }) => !is_last && walk.words < most && walk.is_shown(part),
                Some(StaticFile::Folder) => !is_last,
                None => true,
            };
            if !leads {
                walk.push_file(part);
                break;
            }
            before = match walk.part(part, before, parts.clone()) {
                Before::Name => before.part(NAME),
                Before::Scope => before.part(SCOPE),
                behind => behind,
            };
            if LEAD_TO_FILES.contains(&part) && !is_last {
                walk.push("*", None);
                break;
            }
        }
        walk.name
    }
}

impl PathName {
    /// Gives the memory of a name back to the thread's next request.
    pub(super) fn reuse(template: String) {
        BUFFER.set(template);
    }
}

/// The segments behind one.
type Rest<'a> = Peekable<Split<'a, char>>;

struct PathWalk<'a> {
    tables: &'a Tables,
    name: PathName,
    words: usize,
}

impl<'a> PathWalk<'a> {
    /// Appends a segment, and returns what the next one stands behind.
    fn part<'p>(&mut self, part: &'p str, before: Before<'_>, mut rest: Rest<'_>) -> Before<'p> {
        let next = rest.peek().copied();
        let place = self.place();
        let is_name = before.makes_name(part, next);
        let holds_values = place.is_some_and(|place| place.holds_values);
        // Most segments are known.
        if part.is_empty() || !is_name && place.is_some_and(|place| place.names.contains(part)) {
            return self.push_word(part);
        }
        let label = |label| place.map_or(label, |place| place.label(label));
        if place.is_some_and(|place| place.holds_files) && next.is_none() && may_be_file(part) {
            return self.push(label(FILE), None);
        }
        if let Some((stem, ..)) = ending(part)
            && place.is_some_and(|place| place.with_formats.contains(stem))
        {
            return self.push(&with_format(stem), None);
        }
        let is_crowded = place.is_some_and(|place| place.is_crowded);
        let is_value = place.is_some_and(|place| place.holds_numbers()) && is_numbered(part);
        match before.segment(part, next) {
            // Packages may look like anything: `ipaddr.js`, `es6-promise`.
            Segment::Word | Segment::Unknown | Segment::Parameter(_) if is_name => self.push(label(NAME), None),
            Segment::Word if is_value => self.push(label(NAME), None),
            Segment::Word if before.makes_name_of_word(part, next) => self.push(label(NAME), None),
            Segment::Word | Segment::DictionaryWord | Segment::Unknown
                if place.is_some_and(|place| place.is_parameter) && self.is_value(part, before, rest.clone()) =>
            {
                self.push(label(NAME), None)
            }
            Segment::Word if !is_crowded => self.push_word(part),
            Segment::Unknown if before.makes_unknown_name() => self.push(label(NAME), None),
            // What is learnt of the place decides whether it is shown.
            Segment::Unknown if !is_crowded && place.is_none_or(|place| place.label.is_none()) => self.push_word(part),
            Segment::Word | Segment::Unknown => self.push(label(NAME), Some(part)),
            Segment::Parameter(shown) if holds_values && shown.starts_with(FILE) => self.push(label(NAME), None),
            Segment::Parameter(shown) => self.push(label(&shown), None),
            Segment::DictionaryWord => self.push_word(part),
        }
    }

    /// Whether a word at a place with a parameter is a value, by what follows it. Allocates nothing.
    fn is_value(&mut self, word: &str, before: Before<'_>, mut rest: Rest<'_>) -> bool {
        let next = rest.peek().copied().filter(|next| !next.is_empty());
        // `/_cat/health` beside `/{name}/_search`
        if word.starts_with('_') {
            return false;
        }
        if is_of_routes(word) && (!may_be_thing(word) || next.is_none_or(is_of_routes)) {
            return false;
        }
        if before.is_collection() && !is_of_routes(word) {
            return true;
        }
        let template = &mut self.name.template;
        let length = template.len();
        let label = self.tables.places.get(template.as_str()).and_then(|place| place.label.as_deref());
        template.push('/');
        template.push_str(label.unwrap_or(NAME));
        let is_value = self.is_known_behind(rest);
        let template = &mut self.name.template;
        template.truncate(length);
        is_value
    }

    /// Whether what follows a part is known to follow it. Leaves the template longer.
    fn is_known_behind(&mut self, mut rest: Rest<'_>) -> bool {
        let (tables, template) = (self.tables, &mut self.name.template);
        let Some(next) = rest.next().filter(|next| !next.is_empty()) else {
            let is_end = tables.templates.contains_key(template.as_str());
            template.push('/');
            return is_end || tables.templates.contains_key(template.as_str());
        };
        let Some(behind) = tables.places.get(template.as_str()) else { return false };
        let Some(label) = behind.label.as_deref() else { return behind.names.contains(next) };
        if behind.names.contains(next) || matches!(segment(next), Segment::Parameter(_)) {
            return true;
        }
        // A further value: what follows it decides.
        template.push('/');
        template.push_str(label);
        matches!(label, NAME | KEY) && self.is_known_behind(rest)
    }

    /// The place that it has come to.
    fn place(&self) -> Option<&'a Arc<Place>> {
        self.tables.places.get(self.name.template.as_str())
    }

    /// Appends a static file.
    fn push_file(&mut self, file: &str) {
        let place = self.place();
        let label = place.filter(|place| place.holds_files && ending(file).is_some()).map(|place| place.label(FILE));
        self.push(label.unwrap_or("*"), None);
    }

    fn push_word<'p>(&mut self, word: &'p str) -> Before<'p> {
        self.push(word, None);
        Before::Word(word)
    }

    /// Appends the part in braces of the place, which is this one if it has none yet.
    fn push_label(&mut self, label: &str) -> Before<'static> {
        let label = self.place().map_or(label, |place| place.label(label));
        self.push(label, None)
    }

    /// Appends a part. `candidate` is the word that may be shown there later.
    fn push(&mut self, part: &str, candidate: Option<&str>) -> Before<'static> {
        self.words += 1;
        if candidate.is_some() && self.name.candidate.is_none() {
            self.name.candidate = Some(self.name.template.clone());
        }
        if let Some(text) = &mut self.name.candidate {
            text.push('/');
            text.push_str(candidate.unwrap_or(part));
        }
        self.name.template.push('/');
        self.name.template.push_str(part);
        Before::Open.part(part)
    }

    /// Whether a part is a file of a thing, whose names and endings are of any kind.
    fn is_file_of_thing(&self, part: &str) -> bool {
        let is_file = ending(part).is_some_and(|(stem, ..)| !stem.is_empty()) || may_be_file(part);
        is_file && holds_files_of_thing(&self.name.template)
    }

    /// Whether a folder's name is a word, or shown already.
    fn is_shown(&self, part: &str) -> bool {
        let place = self.place();
        place.is_some_and(|place| place.names.contains(part))
            || LEAD_TO_FILES.contains(&part)
            || matches!(segment(part), Segment::Word | Segment::DictionaryWord)
    }
}
