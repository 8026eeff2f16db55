//! What the browser's tab tells of the state: its title and its icon. The server writes the first, the page the next ones.

use watchboard_wire::{Severity, Snapshot, Status};

/// What a tab shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tab {
    pub(crate) title: String,
    /// The icon as the URL of its data.
    pub(crate) icon: String,
}

impl Default for Tab {
    /// Of a page without figures.
    fn default() -> Self {
        Self::of(&Snapshot { service: "no figures".to_owned(), ..Snapshot::default() }, false)
    }
}

impl Tab {
    /// The tab of a state; without contact nothing is known of it.
    pub(crate) fn of(snapshot: &Snapshot, has_contact: bool) -> Self {
        let problems = snapshot.health.findings.iter().filter(|finding| finding.severity > Severity::Advice).count();
        let service = &snapshot.service;
        let (title, colour) = match snapshot.health.status {
            _ if !has_contact => (format!("? {service}"), "6b7280"),
            Status::Healthy => (service.clone(), "0b5394"),
            Status::Degraded => (format!("\u{25b2} {problems} · {service}"), "b36b00"),
            Status::Unhealthy => (format!("\u{25cf} {problems} · {service}"), "b3261e"),
        };
        let icon = ICON.replace("{colour}", colour);
        Self { title: format!("{title} · Watchboard"), icon }
    }
}

/// A square with a curve.
const ICON: &str = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'%3E\
    %3Crect width='32' height='32' rx='6' fill='%23{colour}'/%3E\
    %3Cpath d='M4 18h6l3-9 5 15 4-10 2 4h4' fill='none' stroke='%23fff' stroke-width='2.5'/%3E%3C/svg%3E";

#[cfg(test)]
mod tests {
    use super::*;
    use watchboard_wire::{Finding, FindingSubject, Health};

    #[test]
    fn a_tab_tells_the_state_and_the_service() {
        let finding = |severity| Finding {
            severity,
            sentence: "a".to_owned(),
            about: FindingSubject::Requests,
            since_unix_ms: 0,
            over_since_unix_ms: None,
        };
        let tab = |status, findings, has_contact| {
            let health = Health { status, findings, ..Health::default() };
            Tab::of(&Snapshot { service: "shop".to_owned(), health, ..Snapshot::default() }, has_contact)
        };
        let calm = tab(Status::Healthy, vec![finding(Severity::Advice)], true);
        let ill = tab(Status::Unhealthy, vec![finding(Severity::Incident), finding(Severity::Warning)], true);
        assert_eq!((&*calm.title, &*ill.title), ("shop · Watchboard", "● 2 · shop · Watchboard"));
        assert!(calm.icon != ill.icon && ill.icon.contains("%23b3261e"));
        assert_eq!(tab(Status::Healthy, vec![], false).title, "? shop · Watchboard");
    }
}
