//! The date of HTTP answers, in the place of the crate of this name. That one panics while the wall clock is set before 1970 or after 9999, and
//! hyper then resets every connection. This one has what hyper and tower-http use of it, and dates
//! from 1970 to 9999.

use std::{
    fmt,
    str::FromStr,
    time::{SystemTime, UNIX_EPOCH},
};

use time::{Date, Month, OffsetDateTime, Time};

/// The last second of the year 9999.
const LAST_SECOND: u64 = 253_402_300_799;

const WEEKDAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// A time as HTTP writes it: `Sun, 06 Nov 1994 08:49:37 GMT`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct HttpDate(OffsetDateTime);

/// A time outside of HTTP's calendar becomes the nearest in it.
impl From<SystemTime> for HttpDate {
    fn from(time: SystemTime) -> Self {
        let seconds = time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()).min(LAST_SECOND);
        Self(OffsetDateTime::from_unix_timestamp(seconds.cast_signed()).unwrap_or(OffsetDateTime::UNIX_EPOCH))
    }
}

impl From<HttpDate> for SystemTime {
    fn from(HttpDate(at): HttpDate) -> Self {
        at.into()
    }
}

/// A text that is no date of HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Error;

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("no date of HTTP")
    }
}

impl std::error::Error for Error {}

/// The time of a date in the form that is not obsolete.
///
/// # Errors
/// Another text.
pub fn parse_http_date(text: &str) -> Result<SystemTime, Error> {
    text.parse().map(|HttpDate(at)| at.into())
}

impl FromStr for HttpDate {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        parse(text).map(Self).filter(|date| date.to_string() == text).ok_or(Error)
    }
}

fn parse(text: &str) -> Option<OffsetDateTime> {
    let mut words = text.split(' ').skip(1);
    let (day, month, year, clock) = (words.next()?, words.next()?, words.next()?, words.next()?);
    let month = MONTHS.iter().zip(1..).find(|(name, _)| **name == month).map(|(_, number)| number)?;
    let month = Month::try_from(month).ok()?;
    let mut clock = clock.split(':').map(|part| part.parse::<u8>().ok());
    let date = Date::from_calendar_date(year.parse().ok()?, month, day.parse().ok()?).ok()?;
    let time = Time::from_hms(clock.next()??, clock.next()??, clock.next()??).ok()?;
    Some(date.with_time(time).assume_utc())
}

impl fmt::Display for HttpDate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(at) = self;
        let weekday = WEEKDAYS[usize::from(at.weekday().number_days_from_monday())];
        let month = MONTHS[usize::from(u8::from(at.month())) - 1];
        let (day, year, hour, minute, second) = (at.day(), at.year(), at.hour(), at.minute(), at.second());
        write!(formatter, "{weekday}, {day:02} {month} {year:04} {hour:02}:{minute:02}:{second:02} GMT")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_date_is_read_as_it_is_written() {
        let at = UNIX_EPOCH + Duration::from_secs(784_111_777);
        assert_eq!(parse_http_date(&HttpDate::from(at).to_string()), Ok(at));
        for text in
            ["", "Sun, 06 Nov 1994 08:49:37", "Mon, 06 Nov 1994 08:49:37 GMT", "Sun, 6 Nov 1994 8:49:37 GMT", "now"]
        {
            assert_eq!(parse_http_date(text), Err(Error), "{text}");
        }
    }

    #[test]
    fn any_time_has_a_date() {
        let date = |time: SystemTime| HttpDate::from(time).to_string();
        let after = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
        assert_eq!(date(after(784_111_777)), "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(date(UNIX_EPOCH - Duration::from_secs(9)), "Thu, 01 Jan 1970 00:00:00 GMT");
        for seconds in [LAST_SECOND, LAST_SECOND + 9] {
            assert_eq!(date(after(seconds)), "Fri, 31 Dec 9999 23:59:59 GMT");
        }
    }
}
