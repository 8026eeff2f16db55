//! The times of a span as the fields of a page give them: `from=2026-11-23T12:03`, in UTC. Pages read Unix seconds alone, so a browser is sent
//! on to these.

use axum::{
    http::Uri,
    response::{IntoResponse, Redirect, Response},
};
use time::{Date, Time};

/// Where a query with such times leads; `None` if it has none, or one that cannot be read.
pub(super) fn redirect(uri: &Uri) -> Option<Response> {
    in_seconds(uri.query()?).map(|query| Redirect::to(&["?", &query].concat()).into_response())
}

fn in_seconds(query: &str) -> Option<String> {
    let mut is_changed = false;
    let pair = |pair: &str| {
        let second = match pair.split_once('=') {
            Some((name @ ("from" | "to"), value)) if value.contains('T') => {
                (name, unix_second(&value.replace("%3A", ":"))?)
            }
            _ => return Some(pair.to_owned()),
        };
        is_changed = true;
        Some(format!("{}={}", second.0, second.1))
    };
    let pairs: Vec<String> = query.split('&').map(pair).collect::<Option<_>>()?;
    is_changed.then(|| pairs.join("&"))
}

/// With seconds or without.
fn unix_second(text: &str) -> Option<u64> {
    let (date, time) = text.split_once('T')?;
    let mut date = date.splitn(3, '-');
    let year = date.next()?.parse().ok()?;
    let month = date.next()?.parse::<u8>().ok()?.try_into().ok()?;
    let date = Date::from_calendar_date(year, month, date.next()?.parse().ok()?).ok()?;
    let mut parts = time.splitn(3, ':').map(|part| part.parse::<u8>().ok());
    let (hour, minute) = (parts.next()??, parts.next()??);
    let time = Time::from_hms(hour, minute, parts.next().unwrap_or(Some(0))?).ok()?;
    date.with_time(time).assume_utc().unix_timestamp().try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_fields_become_unix_seconds_and_all_else_stays() {
        let asked = "view=memory&from=2026-11-23T12%3A03&to=2026-11-23T12:04:05&endpoint=GET%20/T";
        let wanted = "view=memory&from=1795435380&to=1795435445&endpoint=GET%20/T";
        assert_eq!(in_seconds(asked).as_deref(), Some(wanted));
        for query in
            ["", "from=5&to=9", "endpoint=T", "from=2026-13-01T00:00&to=9", "from=T&to=9", "from=2026-11-23T24:00"]
        {
            assert_eq!(in_seconds(query), None, "{query}");
        }
    }
}
