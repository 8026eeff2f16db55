//! Changes of what inference has learnt: a template is added, a name is hidden, what has stopped to hold is forgotten.

use std::{collections::HashSet, sync::Arc};

use super::{
    api_version::{is_date, is_numbered},
    file::{MAX_STATIC_ROWS, static_row_above},
    file_endings::without_format,
    learning::{MAX_TEMPLATES, RECURS, RECURS_AMONG_VALUES},
    route_words::is_route_word,
    segment::{NAME, Segment, segment},
    tables::{REST, Tables, is_whole},
    visits::Visits,
    words::{Term, term},
};

/// Templates that were given up, and whose requests since the start count elsewhere.
const MAX_MERGED: usize = 4096;

/// Versions that an application serves at once. Where more come, they are values.
const MAX_VERSIONS: usize = 3;

impl Tables {
    /// Adds a template, with the visits of one that it takes the place of.
    pub(super) fn add(&mut self, template: &str, visits: Option<&Visits>) -> Option<Arc<str>> {
        if let Some((known, counted)) = self.templates.get_key_value(template) {
            visits.map_or_else(|| counted.add(), |visits| counted.add_all(visits));
            return Some(Arc::clone(known));
        }
        if self.templates.len() >= MAX_TEMPLATES {
            self.is_full = true;
            return None;
        }
        if let Some(row) = self.static_row(template) {
            return self.merge(template.into(), &row, visits);
        }
        let known: Arc<str> = template.into();
        let counted = Arc::new(Visits::default());
        visits.map_or_else(|| counted.add(), |visits| counted.add_all(visits));
        self.templates.insert(Arc::clone(&known), counted);
        self.version += u64::from(self.merged.remove(template).is_some());
        for (slash, _) in template.match_indices('/') {
            let part = template[slash + 1..].split('/').next().unwrap_or_default();
            let place = Arc::make_mut(self.places.entry(template[..slash].into()).or_default());
            if is_whole(part) {
                place.label.get_or_insert_with(|| part.into());
            } else if let Some(stem) = without_format(part) {
                place.with_formats.insert(stem.into());
            } else if !part.contains('{') && part != "*" && part != REST {
                place.names.insert(part.into());
            }
        }
        Some(known)
    }

    /// The row of the folder above, if folders of static files beside this one have no rows of their own.
    fn static_row(&mut self, template: &str) -> Option<String> {
        let (above, row) = static_row_above(template)?;
        if let Some(further) = self.merged.get(row.as_str()) {
            return Some(further.to_string());
        }
        let is_beside = |other: &str| static_row_above(other).is_some_and(|(beside, _)| beside == above);
        if self.merged.iter().any(|(other, target)| **target == *row && is_beside(other)) {
            return Some(row);
        }
        let beside: Vec<_> = self.templates.keys().filter(|other| is_beside(other)).cloned().collect();
        if beside.len() < MAX_STATIC_ROWS {
            return None;
        }
        for other in beside {
            let visits = self.templates.remove(&other);
            self.merge(other, &row, visits.as_deref());
        }
        Some(row)
    }

    /// From now on requests of a template count under another one, with its visits.
    fn merge(&mut self, template: Arc<str>, into: &str, visits: Option<&Visits>) -> Option<Arc<str>> {
        let target = self.add(into, visits)?;
        for earlier in self.merged.values_mut().filter(|earlier| **earlier == template) {
            *earlier = Arc::clone(&target);
        }
        if self.merged.len() < MAX_MERGED {
            self.merged.insert(template, Arc::clone(&target));
        }
        self.version += 1;
        Some(target)
    }

    /// From now on what stands at a place are values.
    pub(super) fn hold_values(&mut self, place: &str) {
        Arc::make_mut(self.places.entry(place.into()).or_default()).holds_values = true;
        self.crowd(place);
    }

    /// From now on names have to recur at a place. Those that have not done so count in its part in braces.
    pub(super) fn crowd(&mut self, place: &str) {
        let Some(known) = self.places.get_mut(place) else { return };
        Arc::make_mut(known).is_crowded = true;
        let least = if known.holds_values { RECURS_AMONG_VALUES } else { RECURS };
        let is_value = |name: &str| known.holds_values && term(name) == Term::OneUnknown;
        let names: Vec<_> = known.names.iter().map(|name| (Arc::clone(name), is_value(name))).collect();
        for (name, is_value) in names {
            if !is_route_word(&name) && (is_value || self.visits(place, &name) < least) {
                self.hide(place, &name);
            }
        }
    }

    /// Requests of the templates with a name at a place, of late.
    pub(super) fn visits(&self, place: &str, name: &str) -> u32 {
        let below = self.templates.iter().filter(|(template, _)| is_below(template, place, name));
        below.map(|(_, visits)| visits.count()).sum()
    }

    /// Shows a name no more: its templates count under those with the place's part in braces.
    pub(super) fn hide(&mut self, place: &str, name: &str) {
        let Some(known) = self.places.get(place) else { return };
        let label = known.label(NAME).to_owned();
        self.hide_as(place, name, &label);
    }

    /// Shows a name no more: its templates count under those with another part.
    pub(super) fn hide_as(&mut self, place: &str, name: &str, part: &str) {
        let Some(known) = self.places.get_mut(place) else { return };
        Arc::make_mut(known).names.remove(name);
        let beginning = format!("{place}/{name}");
        let hidden: Vec<_> =
            self.templates.keys().filter(|template| is_below(template, place, name)).cloned().collect();
        self.places.retain(|known, _| **known != *beginning && !is_below(known, place, name));
        for template in hidden {
            let visits = self.templates.remove(&template);
            let merged = format!("{place}/{part}{}", &template[beginning.len()..]);
            self.merge(template, &merged, visits.as_deref());
        }
        self.version += 1;
    }

    /// Whether a new version at a place shows that versions are values there: too many came, or they lead to the same.
    pub(super) fn makes_values_of_versions(&self, place: &str, version: &str, next: Option<&str>) -> bool {
        let Some(known) = self.places.get(place) else { return false };
        let versions: Vec<_> = known.names.iter().filter(|name| is_numbered(name)).collect();
        let names_behind =
            |version: &Arc<str>| self.places.get(&*format!("{place}/{version}")).map(|place| &place.names);
        let leads: HashSet<&str> = versions
            .iter()
            .filter_map(|version| names_behind(version))
            .flatten()
            .map(|name| &**name)
            .chain(next)
            .collect();
        versions.len() >= MAX_VERSIONS || !is_date(version) && leads.len() <= versions.len()
    }

    /// From now on versions are values at a place.
    pub(super) fn make_values_of_versions(&mut self, place: &str, version: &str) {
        let Segment::Parameter(label) = segment(version) else { return };
        let known = Arc::make_mut(self.places.entry(place.into()).or_default());
        known.has_no_versions = true;
        known.label.get_or_insert_with(|| label.as_ref().into());
        let versions: Vec<_> = known.names.iter().filter(|name| is_numbered(name)).cloned().collect();
        for version in versions {
            self.hide(place, &version);
        }
    }

    /// The names of no list that recur no more, with their places.
    pub(super) fn idle_unknown(&self) -> impl Iterator<Item = (&Arc<str>, &Arc<str>)> {
        let names = self.places.iter().flat_map(|(place, known)| known.names.iter().map(move |name| (place, name)));
        names.filter(|(place, name)| term(name) == Term::OneUnknown && self.visits(place, name) == 0)
    }

    /// Hides unknown names that recur no more. If there is no room, forgets templates without visits.
    pub(super) fn forget(&mut self) {
        let idle: Vec<_> = self.idle_unknown().map(|(place, name)| (Arc::clone(place), Arc::clone(name))).collect();
        for (place, name) in idle {
            self.hide(&place, &name);
        }
        if !std::mem::take(&mut self.is_full) {
            return;
        }
        let templates = std::mem::take(&mut self.templates);
        let places = std::mem::take(&mut self.places);
        for (template, visits) in templates.into_iter().filter(|(_, visits)| visits.count() > 0) {
            self.add(&template, Some(&visits));
        }
        for (place, known) in places
            .into_iter()
            .filter(|(_, known)| known.is_crowded || known.is_parameter || known.holds_files || known.has_no_versions)
        {
            if let Some(again) = self.places.get_mut(&place) {
                let again = Arc::make_mut(again);
                (again.is_crowded, again.holds_values) = (known.is_crowded, known.holds_values);
                again.is_parameter = known.is_parameter;
                again.holds_files = known.holds_files;
                again.has_no_versions = known.has_no_versions;
                again.label.clone_from(&known.label);
            }
        }
    }
}

/// Whether a template has a name at a place.
fn is_below(template: &str, place: &str, name: &str) -> bool {
    let rest =
        template.strip_prefix(place).and_then(|rest| rest.strip_prefix('/')).and_then(|rest| rest.strip_prefix(name));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
