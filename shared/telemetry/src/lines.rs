//! Log lines as JSON: `ts` (UTC), `level`, `code`, `msg`, then whatever else
//! the event names (`village`, `error`, ...), and `trace` where it belongs to a
//! call of somebody who traces ([`crate::calls`]).
//!
//! `code` is what the event says, or else is made from where it comes from
//! and its words, so it stays until those change. The same line again within
//! a minute is counted, not written, and the count follows as `times`. A run
//! of sixteen digits is never written, whatever an event holds: it could be
//! somebody's number.

use std::collections::{HashMap, VecDeque};
use std::fmt::{Debug, Write as _};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use crate::{calls, clock};

/// The same line within this time is counted only.
const SAME_WITHIN: Duration = Duration::from_secs(60);

/// Different lines remembered at once.
const REMEMBERED_MAX: usize = 512;

/// Warnings and errors since the start.
static WARNINGS: AtomicU64 = AtomicU64::new(0);
static ERRORS: AtomicU64 = AtomicU64::new(0);

/// Warnings and errors that this process has logged since its start.
#[must_use]
pub fn logged() -> (u64, u64) {
    (WARNINGS.load(Ordering::Relaxed), ERRORS.load(Ordering::Relaxed))
}

/// Warnings and errors kept in memory.
const LATELY_MAX: usize = 20;

/// A warning or an error that was logged. Nothing about a person is in it, as
/// in the log itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logged {
    /// When last, Unix milliseconds.
    pub at_ms: i64,
    /// `warn` or `error`.
    pub level: &'static str,
    /// Its stable code.
    pub code: String,
    /// What it says.
    pub words: String,
    /// How often in a row.
    pub times: u64,
}

static LATELY: Mutex<VecDeque<Logged>> = Mutex::new(VecDeque::new());

/// The last warnings and errors of this process, newest first.
#[must_use]
pub fn logged_lately() -> Vec<Logged> {
    LATELY.lock().unwrap_or_else(PoisonError::into_inner).iter().rev().cloned().collect()
}

fn remember(event: &Event<'_>, level: &'static str) {
    let mut fields = Fields::default();
    event.record(&mut fields);
    let Fields(fields) = fields;
    let text = |name: &str| fields.get(name).and_then(Value::as_str);
    let message = fields.get("message").cloned().unwrap_or_default();
    let target = event.metadata().target();
    let code = text("code").map_or_else(|| code(target, &message), ToOwned::to_owned);
    let said = text("message").unwrap_or_default();
    let words = match text("error") {
        Some(error) => format!("{said}: {error}"),
        None => said.to_owned(),
    };
    let at_ms = clock::now_ms();
    let mut lately = LATELY.lock().unwrap_or_else(PoisonError::into_inner);
    match lately.back_mut().filter(|last| last.code == code && last.words == words) {
        Some(last) => (last.at_ms, last.times) = (at_ms, last.times + 1),
        None => lately.push_back(Logged { at_ms, level, code, words, times: 1 }),
    }
    if lately.len() > LATELY_MAX {
        lately.pop_front();
    }
}

/// Counts warnings and errors, and keeps the last ones.
pub(crate) struct Tally;

impl<S: Subscriber> Layer<S> for Tally {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let (count, level) = match *event.metadata().level() {
            Level::WARN => (&WARNINGS, "warn"),
            Level::ERROR => (&ERRORS, "error"),
            _ => return,
        };
        count.fetch_add(1, Ordering::Relaxed);
        remember(event, level);
    }
}

/// Writes each event as a line of JSON.
pub(crate) struct JsonLines<W> {
    state: Mutex<State<W>>,
}

struct State<W> {
    out: W,
    seen: HashMap<u64, Seen>,
}

struct Seen {
    since: Instant,
    /// How often it came again.
    again: u64,
    line: Map<String, Value>,
}

impl<W: Write> JsonLines<W> {
    pub(crate) fn new(out: W) -> Self {
        Self { state: Mutex::new(State { out, seen: HashMap::new() }) }
    }

    /// Writes a line or counts it. Which trace it belongs to makes it no other
    /// line.
    fn take(&self, line: Map<String, Value>, trace: Option<String>, now: Instant) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.sweep(now);
        let mut hasher = DefaultHasher::new();
        Value::Object(line.clone()).to_string().hash(&mut hasher);
        match state.seen.get_mut(&hasher.finish()) {
            Some(seen) => seen.again += 1,
            None => {
                let mut line = line;
                if let Some(trace) = trace {
                    line.insert(calls::FIELD.to_owned(), Value::String(trace));
                }
                state.write(&line, 1);
                state.seen.insert(hasher.finish(), Seen { since: now, again: 0, line });
            }
        }
    }
}

impl<W: Write> State<W> {
    /// Tells how often lines came again whose time is over.
    fn sweep(&mut self, now: Instant) {
        let full = self.seen.len() >= REMEMBERED_MAX;
        let over = |seen: &Seen| full || now.duration_since(seen.since) >= SAME_WITHIN;
        let ended: Vec<Seen> = self.seen.extract_if(|_, seen| over(seen)).map(|it| it.1).collect();
        for seen in ended.into_iter().filter(|seen| seen.again > 0) {
            self.write(&seen.line, seen.again);
        }
    }

    fn write(&mut self, line: &Map<String, Value>, times: u64) {
        let at = jiff::Timestamp::from_millisecond(clock::now_ms());
        let mut whole = Map::new();
        whole.insert("ts".to_owned(), Value::String(at.unwrap_or_default().to_string()));
        whole.extend(line.clone());
        if times > 1 {
            whole.insert("times".to_owned(), times.into());
        }
        // A log that can't be written is no reason to stop.
        let _ = writeln!(self.out, "{}", Value::Object(whole));
    }
}

/// The id of the trace that a span names.
struct TraceOf(String);

impl<S, W> Layer<S> for JsonLines<W>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
    W: Write + Send + 'static,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        if let (Some(Value::String(trace)), Some(span)) =
            (fields.0.remove(calls::FIELD), context.span(id))
        {
            span.extensions_mut().insert(TraceOf(trace));
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let Fields(mut fields) = fields;
        let words = fields.remove("message").unwrap_or_default();
        let target = event.metadata().target();
        let code = fields.remove("code").unwrap_or_else(|| Value::String(code(target, &words)));
        let mut line = Map::new();
        let level = event.metadata().level().as_str().to_ascii_lowercase();
        line.insert("level".to_owned(), Value::String(level));
        line.insert("code".to_owned(), code);
        line.insert("msg".to_owned(), words);
        line.extend(fields);
        let trace = context.event_scope(event).and_then(|mut spans| {
            spans.find_map(|span| span.extensions().get::<TraceOf>().map(|it| it.0.clone()))
        });
        self.take(line, trace, Instant::now());
    }
}

/// "puller-3fa2": the module, and four digits that stand for the words.
fn code(target: &str, words: &Value) -> String {
    let module = target.split("::").nth(1).unwrap_or(target);
    // FNV-1a: must not change with the compiler, as Rust's own hasher may.
    let hash = words
        .as_str()
        .unwrap_or_default()
        .bytes()
        .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    format!("{module}-{:04x}", hash >> 16 ^ hash & 0xffff)
}

#[derive(Default)]
struct Fields(Map<String, Value>);

impl Fields {
    fn add(&mut self, field: &Field, value: impl Into<Value>) {
        self.0.insert(field.name().to_owned(), value.into());
    }
}

impl Visit for Fields {
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.add(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.add(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.add(field, value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field, masked(value));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let mut text = String::new();
        // Writing to a String can't fail.
        let _ = write!(text, "{value:?}");
        self.add(field, masked(&text));
    }
}

/// The text without runs of sixteen digits or more, which could be somebody's
/// number.
#[must_use]
pub fn masked(text: &str) -> String {
    const RUN: usize = 16;
    let mut out = String::with_capacity(text.len());
    let mut digits = String::new();
    for c in text.chars().chain(['\0']) {
        if c.is_ascii_digit() {
            digits.push(c);
            continue;
        }
        out.push_str(if digits.len() >= RUN { "[angka]" } else { &digits });
        digits.clear();
        out.push(c);
    }
    out.pop();
    out
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;

    /// A file that can be read while it is written.
    #[derive(Clone, Default)]
    struct Shared(Arc<Mutex<Vec<u8>>>);

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    impl Shared {
        fn lines(&self) -> Vec<Value> {
            let bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let text = String::from_utf8(bytes).unwrap();
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
        }
    }

    fn logged(events: impl FnOnce()) -> Vec<Value> {
        let out = Shared::default();
        let subscriber = tracing_subscriber::registry().with(JsonLines::new(out.clone()));
        tracing::subscriber::with_default(subscriber, events);
        out.lines()
    }

    #[test]
    fn a_line_says_when_how_bad_what_and_of_whom() {
        let lines = logged(|| {
            tracing::warn!(village = 7_u64, error = %"disk \"x\"\n", "can't be read");
            tracing::error!(code = "WCH-1101", "told");
        });
        assert_eq!(lines.len(), 2);
        let first = &lines[0];
        assert!(first["ts"].as_str().unwrap().ends_with('Z'));
        assert_eq!((&first["level"], &first["msg"]), (&"warn".into(), &"can't be read".into()));
        assert_eq!((&first["village"], &first["error"]), (&7.into(), &"disk \"x\"\n".into()));
        assert!(first["code"].as_str().unwrap().starts_with("lines-"), "{first}");
        assert_eq!(lines[1]["code"], "WCH-1101");
    }

    #[test]
    fn a_line_of_a_call_says_which_trace_it_belongs_to() {
        let id = "0af7651916cd43dd8448eb211c80319c";
        let header = format!("00-{id}-b7ad6b7169203331-01");
        let lines = logged(|| {
            tracing::warn!("before");
            calls::span(Some(&header)).in_scope(|| {
                tracing::warn!("within");
                tracing::warn!(village = 7_u64, "within");
            });
            calls::span(Some("nonsense")).in_scope(|| tracing::warn!("of none"));
            // A flood of calls is one line, whatever traces they are of.
            let other = header.replace(id, "1af7651916cd43dd8448eb211c80319c");
            calls::span(Some(&other)).in_scope(|| tracing::warn!("within"));
        });
        let traces: Vec<_> = lines.iter().map(|line| line["trace"].as_str()).collect();
        assert_eq!(traces, [None, Some(id), Some(id), None], "{lines:?}");
    }

    #[test]
    fn the_last_warnings_are_kept_without_numbers_of_persons() {
        let subscriber = tracing_subscriber::registry().with(Tally);
        tracing::subscriber::with_default(subscriber, || {
            for _ in 0..2 {
                tracing::error!(error = "of 3505900101900001", "kept twice in a row");
            }
            tracing::info!("no trouble");
        });
        let kept = logged_lately();
        let own: Vec<_> = kept.iter().filter(|it| it.words.starts_with("kept twice")).collect();
        assert_eq!(own.len(), 1, "{kept:?}");
        assert_eq!((own[0].times, own[0].level), (2, "error"));
        assert_eq!(own[0].words, "kept twice in a row: of [angka]");
        assert!(own[0].code.starts_with("lines-") && kept.len() <= LATELY_MAX);
    }

    #[test]
    fn a_code_stays_as_long_as_the_words() {
        let of = |words: &str| code("lumbung_hub::puller::session", &words.into());
        assert_eq!(of("link lost"), of("link lost"));
        assert_ne!(of("link lost"), of("not reachable"));
        assert_eq!(of("link lost"), "puller-03ec");
    }

    #[test]
    fn a_flood_is_one_line_and_a_count() {
        let out = Shared::default();
        let lines = JsonLines::new(out.clone());
        let line = |words: &str| Map::from_iter([("msg".to_owned(), words.into())]);
        let began = Instant::now();
        for _ in 0..315 {
            lines.take(line("again"), None, began);
        }
        lines.take(line("other"), None, began);
        assert_eq!(out.lines().len(), 2);
        lines.take(line("later"), None, began + SAME_WITHIN);
        let all = out.lines();
        assert_eq!((all.len(), &all[2]["times"]), (4, &314.into()));
        assert_eq!((&all[2]["msg"], &all[3]["msg"]), (&"again".into(), &"later".into()));
        lines.take(line("again"), None, began + SAME_WITHIN);
        assert_eq!(out.lines().len(), 5, "it begins anew");
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let out = Shared::default();
        let lines = JsonLines::new(out.clone());
        let now = Instant::now();
        for number in 0..REMEMBERED_MAX * 3 {
            lines.take(Map::from_iter([("n".to_owned(), number.into())]), None, now);
        }
        assert_eq!(out.lines().len(), REMEMBERED_MAX * 3);
        assert!(lines.state.lock().unwrap().seen.len() <= REMEMBERED_MAX);
    }

    #[test]
    fn sixteen_digits_are_never_written() {
        let number = "9".repeat(16);
        let lines = logged(|| {
            tracing::info!(error = %format!("nik={number}."), text = number.as_str(), "{number}");
        });
        let text = lines[0].to_string();
        assert!(!text.contains(&number) && text.contains("nik=[angka]."), "{text}");
        assert_eq!(masked("123456789012345 a1"), "123456789012345 a1");
    }
}
