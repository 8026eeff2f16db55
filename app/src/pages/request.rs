//! One request in a drawer over the page: the parts of its time, its commands, and the ways to its trace and its endpoint. The URL names it,
//! so that the drawer opens without scripts too.

use leptos::{html, prelude::*};
use watchboard_wire::{CommandStep, Reading, RequestCommands, SlowRequest, Unit, Unknown, format};

use super::cells::duration_cell;
use crate::{
    components::{Cell, Column, Fact, Facts, Slice, StackedBar, Stretch, Table, TableRow, numbers, words},
    figures::Figures,
    live::use_live,
    selection::{Selection, use_selection},
};

/// The element with the id of the request.
const ID: &str = "request-id";
const GONE: &str = "This view has no such request: it has left the window, or others were slower. Its trace can still be found by its id.";
const NO_PARTS: &str = "The parts of its time are recorded of the slowest requests alone.";

const REST: &str = "in the handler, and waiting for others than the database";

/// The link that opens a request. Its time of day and its duration are its key, since not every request has an id.
pub(super) fn request_href(selection: &Selection, at_unix_ms: u64, duration_us: u64) -> String {
    selection.to_request(key(at_unix_ms, duration_us)).href()
}

fn key(at_unix_ms: u64, duration_us: u64) -> String {
    format!("{at_unix_ms}.{duration_us}")
}

/// A request that a view has.
#[derive(Clone, Debug, PartialEq)]
struct RequestDetail {
    request: SlowRequest,
    /// Whether the parts of its time are known.
    has_parts: bool,
    /// How it failed, and with what message.
    failure: Option<(&'static str, Option<String>)>,
}

impl RequestDetail {
    fn is(&self, wanted: &str) -> bool {
        let SlowRequest { at_unix_ms, duration_us, request_id, .. } = &self.request;
        is_wanted(wanted, *at_unix_ms, *duration_us, request_id.as_deref())
    }
}

fn is_wanted(wanted: &str, at_unix_ms: u64, duration_us: u64, id: Option<&str>) -> bool {
    id == Some(wanted) || key(at_unix_ms, duration_us) == wanted
}

/// The request of a key or an id, among the slowest and the last that failed.
fn find(figures: &Figures, wanted: &str) -> Option<RequestDetail> {
    let of_endpoint = figures.endpoint.iter().flat_map(|endpoint| &endpoint.slowest);
    let slow = figures
        .slowest
        .iter()
        .chain(of_endpoint)
        .find(|request| is_wanted(wanted, request.at_unix_ms, request.duration_us, request.request_id.as_deref()));
    let samples = figures.causes.iter().flat_map(|cause| cause.samples.iter().map(move |sample| (cause, sample)));
    let failed = samples
        .into_iter()
        .find(|(_, sample)| is_wanted(wanted, sample.at_unix_ms, sample.duration_us, sample.request_id.as_deref()));
    let request = match (slow, failed) {
        (Some(slow), _) => slow.clone(),
        (None, Some((cause, sample))) => SlowRequest {
            at_unix_ms: sample.at_unix_ms,
            endpoint: cause.endpoint.clone(),
            status: cause.status,
            duration_us: sample.duration_us,
            first_byte_us: None,
            connect_us: None,
            response_bytes: 0,
            request_id: sample.request_id.clone(),
            database: None,
        },
        (None, None) => return None,
    };
    let failure = failed.map(|(cause, sample)| (cause.kind.word(), sample.message.clone()));
    Some(RequestDetail { request, has_parts: slow.is_some(), failure })
}

/// The parts of a request's time. They add up to it.
fn parts(request: &SlowRequest) -> Vec<Slice> {
    let whole = request.duration_us;
    let connect = request.connect_us.unwrap_or(0).min(whole);
    let database = request.database.as_ref().map_or(0, |database| database.elapsed_us).min(whole - connect);
    let waited = request.database.as_ref().map_or(0, |database| database.waited_us).min(whole - connect - database);
    // Commands may have gone on while the body was sent: their time counts once.
    let body =
        request.first_byte_us.map_or(0, |head| whole.saturating_sub(head)).min(whole - connect - waited - database);
    let rest = whole - connect - waited - database - body;
    let rest_name = if request.database.is_some() { "elsewhere" } else { "application" };
    let all: [Slice; 5] = [
        ("new connection to the application", connect as f64, ""),
        ("waiting for a connection to the database", waited as f64, ""),
        ("database", database as f64, "at least one command was under way"),
        (rest_name, rest as f64, REST),
        ("body", body as f64, "from the head of the response to its last byte, without commands"),
    ];
    all.into_iter().filter(|(_, us, _)| *us > 0.0).collect()
}

/// A command on the request's time.
pub(super) fn stretch(database: &RequestCommands, step: &CommandStep) -> Stretch {
    let name = database.names.get(usize::from(step.name)).cloned().unwrap_or_default();
    let [elapsed, at] = [u64::from(step.elapsed_us), step.at_us].map(|us| format::duration_us(us as f64));
    Stretch {
        at_us: step.at_us,
        elapsed_us: step.elapsed_us.into(),
        failed: step.failed,
        title: format!("{name}: {elapsed}, {at} after its arrival{}", if step.failed { ", failed" } else { "" }),
    }
}

const COLUMNS: &[Column] = &[
    words("Command"),
    numbers("After arrival", "when it was sent"),
    numbers("Took", "until its answer"),
    words("On the request's time"),
];

fn command_row(request: &SlowRequest, database: &RequestCommands, step: &CommandStep) -> TableRow {
    let name = database.names.get(usize::from(step.name)).cloned().unwrap_or_default();
    let name = if step.failed { Cell::words(format!("{name}, failed")).class("bad") } else { Cell::words(name) };
    vec![
        name,
        duration_cell(Some(step.at_us)),
        duration_cell(Some(step.elapsed_us.into())),
        Cell::steps(&[stretch(database, step)], request.duration_us),
    ]
}

/// What the drawer shows. What has ended does not change: it stays when it leaves the window.
#[derive(Clone, Copy)]
struct ShownRequest {
    selection: RwSignal<Selection>,
    figures: RwSignal<Figures>,
    kept: StoredValue<Option<RequestDetail>>,
}

impl ShownRequest {
    fn wanted(self) -> Option<String> {
        self.selection.with(|selection| selection.request.clone())
    }

    /// The request of the URL, if a view has had it.
    fn get(self) -> Option<RequestDetail> {
        let wanted = self.wanted()?;
        if let Some(kept) = self.kept.get_value().filter(|kept| kept.is(&wanted)) {
            return Some(kept);
        }
        let detail = self.figures.with(|figures| find(figures, &wanted));
        self.kept.set_value(detail.clone());
        detail
    }
}

/// The drawer with the request of the URL.
#[component]
pub(super) fn RequestDrawer() -> impl IntoView {
    let shown = ShownRequest { selection: use_selection(), figures: use_live().figures, kept: StoredValue::new(None) };
    let facts = Memo::new(move |_| match (shown.get(), shown.wanted()) {
        (Some(detail), _) => Ok(shown.figures.with_untracked(|figures| facts(&detail, figures))),
        (None, Some(_)) => Err(Unknown::because(GONE)),
        (None, None) => Ok(vec![]),
    });
    let parts = Memo::new(move |_| {
        let measured = shown.get().filter(|detail| detail.has_parts);
        Ok(measured.map_or(vec![], |detail| parts(&detail.request)))
    });
    let rows = Memo::new(move |_| Ok(shown.get().map_or(vec![], |detail| command_rows(&detail.request))));
    let about = move || {
        let text =
            |detail| shown.selection.with(|it| shown.figures.with_untracked(|figures| about(&detail, it, figures)));
        shown.get().map(text).unwrap_or_default()
    };
    let element = NodeRef::<html::Div>::new();
    let copied = RwSignal::new("");
    Effect::new(move |_| {
        let is_open = shown.wanted().is_some();
        copied.set("");
        if let Some(drawer) = element.get().filter(|_| is_open) {
            // It takes the focus once it is laid out.
            request_animation_frame(move || _ = drawer.focus());
        }
    });
    // The one button is in the text.
    let press = move |event: leptos::ev::MouseEvent| {
        let target: leptos::web_sys::HtmlElement = event_target(&event);
        if target.tag_name() == "BUTTON" {
            copied.set(copy());
        }
    };
    let close = move || shown.selection.with(|selection| selection.without_request().href());
    view! {
        <div
            class="drawer"
            role="dialog"
            aria-labelledby="request-title"
            tabindex="-1"
            node_ref=element
            on:click=press
        >
            <h2 id="request-title">"One request"</h2>
            <a class="close" href=close>"Close"</a>
            <Facts facts />
            <div hidden=move || parts.with(is_empty)>
                <StackedBar label="Time" parts unit=Unit::DurationUs />
            </div>
            <div hidden=move || rows.with(is_empty)>
                <Table caption="Database commands" columns=COLUMNS rows />
            </div>
            <div class="about" inner_html=about></div>
            <p role="status">{copied}</p>
        </div>
    }
}

fn is_empty<T>(reading: &Reading<Vec<T>>) -> bool {
    reading.as_ref().is_ok_and(Vec::is_empty)
}

/// What it was.
fn facts(RequestDetail { request, failure, has_parts }: &RequestDetail, figures: &Figures) -> Vec<Fact> {
    let plain = |name, value: String| (name, value, String::new());
    let us = format!("{}\u{a0}µs", format::exact(request.duration_us));
    let mut facts = vec![
        plain("Endpoint", request.endpoint.clone()),
        plain("Status", request.status.to_string()),
        plain("Ended at", figures.snapshot.date_time(request.at_unix_ms)),
        ("From arrival to its end", format::duration_us(request.duration_us as f64), us),
    ];
    if *has_parts {
        facts.push(("Sent", format::bytes(request.response_bytes as f64), format::exact(request.response_bytes)));
    }
    facts.extend(failure.as_ref().map(|(kind, _)| plain("Ended as", (*kind).to_owned())));
    facts
}

/// Its commands, each on the request's time.
fn command_rows(request: &SlowRequest) -> Vec<TableRow> {
    let database = request.database.iter();
    database.flat_map(|it| it.steps.iter().map(|step| command_row(request, it, step))).collect()
}

/// Its message, its id, and the links to its trace and to its endpoint.
fn about(detail: &RequestDetail, selection: &Selection, figures: &Figures) -> String {
    let RequestDetail { request, failure, has_parts } = detail;
    let mut about = String::new();
    let mut add = |class: &str, content: &str| about.extend(["<p class=\"", class, "\">", content, "</p>"]);
    let link = |class: &str, href: &str, text: &str| {
        let [href, text] = [href, text].map(escape);
        format!("<a class=\"{class}\" rel=\"noreferrer\" href=\"{href}\">{text}</a>")
    };
    let more = request.database.as_ref().map_or(0, |it| (it.commands as usize).saturating_sub(it.steps.len()));
    if more > 0 {
        add("more", &format!("{more} more commands, without their times."));
    }
    if !has_parts {
        add("more", NO_PARTS);
    }
    if let Some((_, Some(message))) = failure {
        add("failure", &escape(message));
    }
    if let Some(id) = &request.request_id {
        let button = "<button class=\"scripted\" type=\"button\">Copy</button>";
        add("", &format!("Trace or request id: <code id=\"{ID}\">{}</code> {button}", escape(id)));
        if let Some(href) = figures.snapshot.trace_url.as_ref().and_then(|template| template.address(id)) {
            add("", &link("trace", &href, "Open its trace"));
        }
    } else {
        add("", "No trace or request id came with it.");
    }
    let endpoint = selection.to_endpoint(&request.endpoint).href();
    add("", &link("", &endpoint, &format!("All of {}", request.endpoint)));
    about
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}

/// Copies the id, and says what became of it. The clipboard's own interface exists on https alone, so this is the older one.
fn copy() -> &'static str {
    #[cfg(feature = "hydrate")]
    {
        use wasm_bindgen::JsCast;

        let text = document().get_element_by_id(ID);
        if let (Some(text), Ok(Some(chosen))) = (text, window().get_selection()) {
            _ = chosen.select_all_children(&text);
        }
        if document().unchecked_into::<web_sys::HtmlDocument>().exec_command("copy").is_ok_and(|copied| copied) {
            return "Copied";
        }
    }
    "Selected: copy it by Ctrl C"
}

#[cfg(test)]
mod tests;
