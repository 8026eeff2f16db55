//! Whose figures a page of the fleet has, and how old they are, in words.

use watchboard_wire::{InstanceRow, InstanceScope, InstanceState, format};

/// The notice as HTML, with a link to the instance's own board. All texts are escaped: other processes wrote them.
pub(super) fn notice_html(rows: &[InstanceRow], shown: Option<&InstanceRow>, newest: u64, now_unix_ms: u64) -> String {
    let words = escape_html(&notice(rows, shown, newest, now_unix_ms));
    let name = escape_html(shown.map_or(InstanceScope::ALL, |row| &row.name));
    // The menu's form of a past span sends it along.
    let field = format!("<input type=hidden form=span name=instance value=\"{name}\">");
    match shown.and_then(|row| row.url.as_deref()) {
        Some(url) => format!("{words} <a href=\"{}\">Its own board</a>{field}", escape_html(url)),
        None => words + &field,
    }
}

fn escape_html(text: &str) -> String {
    let escape = |char| match char {
        '&' => "&amp;".to_owned(),
        '<' => "&lt;".to_owned(),
        '>' => "&gt;".to_owned(),
        '"' => "&quot;".to_owned(),
        '\'' => "&#39;".to_owned(),
        char => char.to_string(),
    };
    text.chars().map(escape).collect()
}

/// The notice above the figures of one instance, or of all. `newest` is the end of the newest step, as a Unix second.
fn notice(rows: &[InstanceRow], shown: Option<&InstanceRow>, newest: u64, now_unix_ms: u64) -> String {
    let age = match (now_unix_ms / 1000).saturating_sub(newest) {
        _ if newest == 0 => "There are no figures yet.".to_owned(),
        seconds => format!("Steps of ten seconds, of which the last ended {} ago.", format::span(seconds)),
    };
    match shown {
        None => {
            let count = |state: InstanceState| {
                let count = rows.iter().filter(|row| row.state == state).count();
                (count > 0).then(|| format!("{count} {}", state.word()))
            };
            let states = [InstanceState::Running, InstanceState::Gone, InstanceState::Stopped].map(count);
            let states: Vec<String> = states.into_iter().flatten().collect();
            format!("All instances together: {}. {age}", states.join(", "))
        }
        Some(row) => {
            let seen = format::span(row.age_ms / 1000);
            let state = match row.state {
                InstanceState::Running => "which runs".to_owned(),
                InstanceState::Gone => format!("which is gone, last seen {seen} ago"),
                InstanceState::Stopped => format!("which has stopped, last seen {seen} ago"),
            };
            format!("Instance {}, {state}, as it wrote. {age}", row.name)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_notice_says_whose_figures_these_are_and_how_old() {
        let row = |state| InstanceRow { name: "web-7".to_owned(), state, age_ms: 61_000, ..InstanceRow::default() };
        let rows = [InstanceState::Running, InstanceState::Running, InstanceState::Gone].map(row);
        let said = |shown, newest| notice(&rows, shown, newest, 67_000).replace('\u{a0}', " ");
        assert_eq!(
            said(None, 60),
            "All instances together: 2 running, 1 gone. Steps of ten seconds, of which the last ended 7 s ago."
        );
        assert_eq!(
            said(Some(&rows[2]), 0),
            "Instance web-7, which is gone, last seen 1 m 1 s ago, as it wrote. There are no figures yet."
        );
    }

    #[test]
    fn markup_in_a_name_or_an_address_is_text() {
        let row = InstanceRow {
            name: "<b>&'".to_owned(),
            url: Some("http://a/\"onclick=\"alert(1)".to_owned()),
            ..InstanceRow::default()
        };
        let html = notice_html(&[], Some(&row), 0, 0);
        assert!(html.starts_with("Instance &lt;b&gt;&amp;&#39;, which runs"), "{html}");
        assert!(html.contains("<a href=\"http://a/&quot;onclick=&quot;alert(1)\">"), "{html}");
    }
}
