//! Finds places where any file may stand, by how its endings differ: `/files/{key}/report.pdf`, `/files/{key}/notes.md` and
//! `/files/{key}/photo.png` are one route.

use std::{collections::HashSet, sync::Arc};

use super::{
    file::may_be_file,
    file_endings::{FileEnding, ending, with_format},
    images::is_image_of_thing,
    segment::FILE,
    tables::{Tables, ends_in_thing},
};

/// Different endings at a place, from which on any file may stand there.
const ENDINGS: usize = 4;
/// The same behind a thing, or behind what one has. A router has few files there.
const ENDINGS_OF_THING: usize = 3;

/// Formats of one answer, from which on a further one has no row of its own: `/export.csv`, `/export.json`.
const ENDINGS_OF_ANSWER: usize = 3;

impl Tables {
    /// Finds whether a new template ends in a word whose ending is a parameter. Returns the template that took its place then.
    pub(super) fn find_formats(&mut self, template: &Arc<str>) -> Option<Arc<str>> {
        let (place, last) = template.rsplit_once('/')?;
        let (stem, ..) = ending(last).filter(|(stem, _, kind)| !stem.contains('{') && *kind == FileEnding::Data)?;
        let has_stem =
            |name: &&Arc<str>| ending(name).is_some_and(|(other, _, kind)| other == stem && kind == FileEnding::Data);
        let alike: Vec<_> = self.places.get(place)?.names.iter().filter(has_stem).cloned().collect();
        if alike.len() < ENDINGS_OF_ANSWER {
            return None;
        }
        let row = format!("{place}/{}", with_format(stem));
        for name in alike {
            self.hide_as(place, &name, &with_format(stem));
        }
        self.templates.get_key_value(row.as_str()).map(|(row, _)| Arc::clone(row))
    }

    /// Finds whether any file may stand where a new template has one. Returns the template that took its place then.
    pub(super) fn find_file_names(&mut self, template: &Arc<str>) -> Option<Arc<str>> {
        let (place, last) = template.rsplit_once('/')?;
        if place.is_empty() || !is_file(last) {
            return None;
        }
        let is_beside = |other: &&Arc<str>| other.rsplit_once('/').is_some_and(|(beside, _)| beside == place);
        // A file has nothing below it.
        let beside = self.templates.keys().filter(is_beside).filter(|other| !self.places.contains_key(&***other));
        let files: Vec<String> =
            beside.map(|other| other[place.len() + 1..].to_owned()).filter(|last| may_be_file(last)).collect();
        // Formats of one answer are no files: `/sales.csv`, `/sales.json`.
        let sure = files.iter().filter(|file| is_file(file));
        let (stems, endings): (HashSet<_>, HashSet<_>) =
            sure.map(|file| ending(file).map_or(("*", "*"), |(stem, end, _)| (stem, end))).unzip();
        let is_varied = stems.len() > 1 || stems.contains(FILE);
        if !is_varied
            || endings.len() < if ends_in_thing(place) || place.contains('{') { ENDINGS_OF_THING } else { ENDINGS }
        {
            return None;
        }
        let known = Arc::make_mut(self.places.entry(place.into()).or_default());
        known.holds_files = true;
        let row = format!("{place}/{}", known.label.get_or_insert_with(|| FILE.into()));
        for file in files {
            self.hide(place, &file);
        }
        self.templates.get_key_value(row.as_str()).map(|(row, _)| Arc::clone(row))
    }
}

/// `report.pdf`, `{file}.pdf`, and the `*` of all images. An image that each thing has keeps its name.
fn is_file(part: &str) -> bool {
    part == "*" || ending(part).is_some() && !is_image_of_thing(part)
}
