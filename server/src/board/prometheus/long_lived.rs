//! WebSockets, other upgraded connections and streams by endpoint.

use std::sync::Arc;

use watchboard_wire::{ClosedBy, Closes, EndpointTotals, LongLivedKind, LongLivedTotals};

use super::{
    exposition::{Exposition, Kind},
    text::seconds,
};

/// Ways to close with series of their own, for each endpoint and kind. Clients choose the codes.
const MAX_CLOSES: usize = 12;
/// The code and the side of all ways past the bound.
const REST: &str = "(rest)";

/// Writes the figures of endpoints that are shown; `labels` names one.
pub(super) fn write(out: &mut Exposition, endpoints: &[Arc<EndpointTotals>], labels: fn(&EndpointTotals) -> String) {
    for kind in LongLivedKind::ALL {
        let rows = endpoints.iter().filter_map(|endpoint| {
            let totals = endpoint.long_lived.iter().find(|it| it.kind == kind)?;
            Some((labels(endpoint), totals))
        });
        write_kind(out, kind, &rows.collect::<Vec<_>>());
    }
}

fn write_kind(out: &mut Exposition, kind: LongLivedKind, rows: &[(String, &LongLivedTotals)]) {
    let name = |figure: &str| format!("watchboard_{}_{figure}", kind.plural());
    let all = || rows.iter();
    // Of those that are not observed only the number is known.
    let observed = || rows.iter().filter(|(_, totals)| totals.is_observed());
    let open = observed().map(|(labels, totals)| (labels, totals.open));
    out.all((Kind::Gauge, &name("open"), "Those that are open now."), open);
    let opened = all().map(|(labels, totals)| (labels, totals.opened));
    out.all((Kind::Counter, &name("opened_total"), "Those that were opened."), opened);
    let closed = observed().flat_map(|(labels, totals)| {
        let of_row = bounded_closes(&totals.closes, kind);
        of_row.into_iter().map(move |(way, count)| (format!("{labels},{way}"), count))
    });
    out.all((Kind::Counter, &name("closed_total"), "Those that ended, by the side that closed first."), closed);
    let (sum, count) = (name("duration_seconds_sum"), name("duration_seconds_count"));
    if observed().next().is_some() {
        out.family(Kind::Summary, &name("duration_seconds"), "Time from the opening to the end, of those that ended.");
        for (labels, totals) in observed() {
            out.sample(&sum, labels, seconds(totals.duration_sum_us));
            out.sample(&count, labels, totals.ends());
        }
    }
    // What the client of a stream sent is the body of its request.
    let is_stream = kind == LongLivedKind::Stream;
    let both_ways = |read: fn(&LongLivedTotals) -> (u64, u64)| {
        observed().flat_map(move |(labels, totals)| {
            let (received, sent) = read(totals);
            let received = (!is_stream).then(|| (format!("{labels},direction=\"received\""), received));
            received.into_iter().chain([(format!("{labels},direction=\"sent\""), sent)])
        })
    };
    let bytes = both_ways(|totals| (totals.received_bytes, totals.sent_bytes));
    out.all((Kind::Counter, &name("bytes_total"), "Bytes from and to clients, also of those that are open."), bytes);
    if kind == LongLivedKind::WebSocket {
        let messages = both_ways(|totals| (totals.received_messages, totals.sent_messages));
        let help = "Messages from and to clients, without control frames.";
        out.all((Kind::Counter, &name("messages_total"), help), messages);
        let unparsed = observed().map(|(labels, totals)| (labels, totals.unparsed));
        let help = "Those whose frames could not be read from some point on.";
        out.all((Kind::Counter, &name("unparsed_total"), help), unparsed);
    }
}

/// The labels of each way to close, with its count. Only WebSockets have codes.
fn bounded_closes(closes: &[Closes], kind: LongLivedKind) -> Vec<(String, u64)> {
    let text = |code: &str, by: &str| match kind {
        LongLivedKind::WebSocket => format!("code=\"{code}\",by=\"{by}\""),
        LongLivedKind::Upgrade | LongLivedKind::Stream => format!("by=\"{by}\""),
    };
    let labels = |closes: &Closes| {
        let code = closes.code.map_or_else(|| "unknown".to_owned(), |code| code.to_string());
        text(&code, closes.by.map_or("unknown", ClosedBy::word))
    };
    let (own, rest) = closes.split_at(closes.len().min(MAX_CLOSES));
    let mut shown: Vec<(String, u64)> = own.iter().map(|closes| (labels(closes), closes.count)).collect();
    if !rest.is_empty() {
        shown.push((text(REST, REST), rest.iter().map(|closes| closes.count).sum()));
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::{super::exposition::Format, *};

    fn written(totals: LongLivedTotals) -> String {
        let endpoint = EndpointTotals { route: "/chat".into(), long_lived: vec![totals], ..EndpointTotals::default() };
        let mut out = Exposition::new(Format::Text);
        write(&mut out, &[Arc::new(endpoint)], |endpoint| format!("http_route=\"{}\"", endpoint.route));
        out.finish()
    }

    #[test]
    fn of_websockets_that_are_not_observed_only_the_number_is_there() {
        let text =
            written(LongLivedTotals { opened: 3, unobserved: 3, ..LongLivedTotals::new(LongLivedKind::WebSocket) });
        let samples: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
        assert_eq!(samples, ["watchboard_websockets_opened_total{http_route=\"/chat\"} 3"]);
    }

    #[test]
    fn codes_past_the_bound_are_one_and_no_end_is_lost() {
        let closes =
            (4000..4020).map(|code| Closes { code: Some(code), by: Some(ClosedBy::Client), count: 2 }).collect();
        let text = written(LongLivedTotals { opened: 40, closes, ..LongLivedTotals::new(LongLivedKind::WebSocket) });
        let samples = text.lines().filter(|line| line.starts_with("watchboard_websockets_closed_total"));
        assert_eq!(samples.clone().count(), MAX_CLOSES + 1);
        assert_eq!(samples.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum::<u64>(), 40);
        assert!(text.contains("code=\"(rest)\",by=\"(rest)\"} 16\n"), "{text}");
    }
}
