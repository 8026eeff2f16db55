//! The figures at the top of the overview: large is now, small is the window.

use leptos::prelude::*;
use watchboard_wire::{Latency, RecentRequests, Snapshot, TimelineColumns, WindowTotals, format};

use super::{
    cells::{RECENTLY, dash, error_tone, percent_change, rate, signed},
    charts,
    chunks::Chunks,
    memory::watches_another,
};
use crate::{
    components::{ChartData, FULL_PERCENT, StatTile, TIGHT_PERCENT},
    context::context,
    figures::Figures,
    live::figures_memo,
};

/// Requests, errors, latency, memory and CPU. The figures of requests are of the last ten seconds.
#[component]
pub(super) fn Tiles() -> impl IntoView {
    let recent = |now: fn(&RecentRequests) -> String, past: fn(&WindowTotals) -> String| {
        figures_memo(move |figures: &Figures| {
            if figures.is_past() { past(&figures.totals) } else { now(&figures.snapshot.requests.last_ten_seconds) }
        })
    };
    let label = |name: &'static str, scope: &'static str, of_charts: &'static str| {
        figures_memo(move |figures: &Figures| [name, if figures.are_of_charts() { of_charts } else { scope }].concat())
    };
    let host = |now: fn(&Snapshot) -> String, past: fn(&TimelineColumns) -> String| {
        figures_memo(
            move |figures: &Figures| {
                if figures.are_of_charts() { past(&figures.timeline.columns) } else { now(&figures.snapshot) }
            },
        )
    };
    let window = |read: fn(&WindowTotals) -> String| {
        figures_memo(move |figures: &Figures| format!("{} in the {}", read(&figures.totals), figures.window_text()))
    };
    let change =
        |read: fn(&WindowTotals) -> Option<String>| figures_memo(move |figures: &Figures| change(figures, read));
    let chunks = context::<Chunks>();
    let line = |data: Memo<ChartData>| Memo::new(move |_| data.with(|data| chunks.sparkline(data)));
    let calm = || Memo::new(|_| String::new());
    let whose = if watches_another() { "Application memory" } else { "Process memory" };
    view! {
        <div class="stats">
            <StatTile
                label=label("Requests", RECENTLY, "")
                value=recent(|recent| format::per_second(recent.per_second()), |totals| format::per_second(totals.per_second()))
                detail=window(|totals| format!("{}, {}", format::count(totals.requests as f64), format::per_second(totals.per_second())))
                change=change(|totals| percent_change(totals.per_second(), before_per_second(totals)?))
                line=line(charts::request_rate())
                tone=calm()
            />
            <StatTile
                label=label("Server errors", RECENTLY, "")
                value=recent(
                    |recent| recent.error_percent().map_or_else(dash, format::percent),
                    |totals| totals.error_percent().map_or_else(dash, format::percent),
                )
                detail=window(|totals| {
                    let percent = totals.error_percent().map(|percent| format!(", {}", format::percent(percent)));
                    format!("{}{}", format::count(totals.server_errors as f64), percent.unwrap_or_default())
                })
                change=change(error_change)
                line=line(charts::server_errors())
                tone=recent(|recent| error_tone(recent.error_percent()).to_owned(), |totals| error_tone(totals.error_percent()).to_owned())
            />
            <StatTile
                label=label("p99", RECENTLY, "")
                value=recent(|recent| p99(recent.latency), |totals| p99(totals.latency))
                detail=window(|totals| p99(totals.latency))
                change=change(|totals| percent_change(totals.latency?.p99_us as f64, totals.before?.latency_p99_us? as f64))
                line=line(charts::latency_p99())
                tone=calm()
            />
            <StatTile
                label=label(whose, "", ", at the end")
                value=host(rss, |columns| known_values(&columns.rss_bytes).last().map_or_else(dash, |bytes| format::bytes(bytes as f64)))
                detail=host(memory_detail, |_| "resident".to_owned())
                change=calm()
                line=line(charts::rss())
                tone=host(memory_tone, |_| String::new())
            />
            <StatTile
                label=label("CPU", "", ", mean")
                value=host(cpu, |columns| mean(known_values(&columns.process_cpu_percent)).map_or_else(dash, format::percent))
                detail=host(cpu_detail, |_| "of a core".to_owned())
                change=calm()
                line=line(charts::cpu())
                tone=calm()
            />
        </div>
    }
}

fn known_values<T: Copy>(column: &[Option<T>]) -> impl Iterator<Item = T> {
    column.iter().copied().flatten()
}

fn mean(values: impl Iterator<Item = f32>) -> Option<f64> {
    let (count, sum) = values.fold((0_u32, 0.0), |(count, sum), value| (count + 1, sum + f64::from(value)));
    (count > 0).then(|| sum / f64::from(count))
}

/// The change against the window before; empty unless both windows have figures for nearly all of their time.
fn change(figures: &Figures, read: fn(&WindowTotals) -> Option<String>) -> String {
    let (totals, window) = (&figures.totals, figures.window());
    let is_whole = |seconds: u64| seconds + 2 * window.step_seconds() >= window.seconds();
    let are_whole = is_whole(totals.seconds) && totals.before.is_some_and(|before| is_whole(before.seconds));
    // The earlier span is as long as the past one.
    let before = match (&figures.earlier, figures.query.earlier) {
        (Some(_), Some(earlier)) => Some(earlier.word()),
        _ => are_whole.then(|| window.long_word()),
    };
    let change = before.and_then(|before| Some(format!("{} from the {before} before", read(totals)?)));
    change.unwrap_or_default()
}

fn before_per_second(totals: &WindowTotals) -> Option<f64> {
    totals.before.map(|before| rate(before.requests, before.seconds))
}

/// The change of the share of server errors, in points.
fn error_change(totals: &WindowTotals) -> Option<String> {
    let before = totals.before.filter(|before| before.requests > 0)?;
    let share = 100.0 * before.server_errors as f64 / before.requests as f64;
    Some(signed(totals.error_percent()? - share, " points"))
}

fn p99(latency: Option<Latency>) -> String {
    latency.map_or_else(dash, |latency| format::duration_us(latency.p99_us as f64))
}

fn rss(snapshot: &Snapshot) -> String {
    snapshot.memory.process.as_ref().map_or_else(|_| dash(), |process| format::bytes(process.rss_bytes as f64))
}

/// The fill of the nearest limit, or why nothing is known.
fn memory_detail(snapshot: &Snapshot) -> String {
    match snapshot.memory.headline() {
        Ok(headline) => format!(
            "{}: {} of {}",
            headline.scope,
            format::percent(headline.percent()),
            format::bytes(headline.limit_bytes as f64)
        ),
        Err(unknown) => unknown.to_string(),
    }
}

fn memory_tone(snapshot: &Snapshot) -> String {
    let percent = snapshot.memory.headline().map_or(0.0, |headline| headline.percent());
    let tone = match percent {
        _ if snapshot.memory.process.is_err() => "bad",
        percent if percent >= FULL_PERCENT => "bad",
        percent if percent >= TIGHT_PERCENT => "warn",
        _ => "",
    };
    tone.to_owned()
}

fn cpu(snapshot: &Snapshot) -> String {
    let percent = snapshot.memory.process.as_ref().ok().and_then(|process| process.cpu_percent);
    percent.map_or_else(dash, format::percent)
}

fn cpu_detail(snapshot: &Snapshot) -> String {
    let of_system =
        |(percent, cpus): (f64, usize)| format!("of a core; system: {} of {cpus} cores", format::percent(percent));
    let system = snapshot.memory.system.as_ref().ok();
    system.and_then(|system| Some(of_system((system.cpu_percent?, system.cpus as usize)))).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use watchboard_wire::{RefreshQuery, RefreshResponse, Window, WindowBefore};

    fn figures(seconds: u64, before: Option<WindowBefore>) -> Figures {
        let mut answer = RefreshResponse::default();
        answer.timeline.window = Window::FifteenMinutes;
        answer.totals = WindowTotals { seconds, requests: 1_120, server_errors: 56, before, ..WindowTotals::default() };
        Figures::new(RefreshQuery::default(), answer)
    }

    #[test]
    fn a_change_is_told_only_of_two_whole_windows() {
        let rate = |totals: &WindowTotals| percent_change(totals.per_second(), before_per_second(totals)?);
        let before = WindowBefore { seconds: 900, requests: 1_000, server_errors: 10, latency_p99_us: None };
        assert_eq!(change(&figures(900, Some(before)), rate), "+12\u{a0}% from the 15 minutes before");
        assert_eq!(change(&figures(900, Some(before)), error_change), "+4.0 points from the 15 minutes before");
        let none = WindowBefore { requests: 0, ..before };
        let young = WindowBefore { seconds: 300, ..before };
        for (seconds, before) in [(900, None), (900, Some(none)), (900, Some(young)), (100, Some(before))] {
            assert_eq!(change(&figures(seconds, before), rate), "");
        }
        assert_eq!([0.01, -3.21, 250.4].map(|value| signed(value, " %")), ["±0 %", "-3.2 %", "+250 %"]);
    }
}
