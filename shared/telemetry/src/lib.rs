//! What every program of Lumbung does: log, read the wall clock, stop, print
//! tables. With the feature `traces` also what one of them does: trace.

pub mod calls;
pub mod clock;
pub mod said;
pub mod stop;
pub mod table;
#[cfg(feature = "traces")]
pub mod traces;

mod lines;

use std::io::IsTerminal;

use tracing::Subscriber;
use tracing_subscriber::filter::{FilterExt as _, LevelFilter, filter_fn};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer};

pub use lines::{Logged, logged, logged_lately, masked};

/// In which form a program logs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// Readable lines on a terminal, JSON elsewhere.
    #[default]
    Fitting,
    /// Readable lines.
    Text,
    /// JSON lines.
    Json,
}

/// Starts logging to standard error, see [`start_as`].
pub fn start(default_filter: &str) {
    start_as(default_filter, Format::Fitting);
}

/// Starts logging to standard error. `LUMBUNG_LOG` sets the filter
/// (`default_filter` when it is not set). A second call changes nothing.
pub fn start_as(default_filter: &str, format: Format) {
    // An error here means that logging was started before.
    let _ = tracing_subscriber::registry().with(logs(default_filter, format)).try_init();
}

/// What writes events, and what counts them. Of spans it has a use for those
/// alone that name a caller's trace ([`calls`]): where nothing else asks for
/// others, none are made.
fn logs<S>(default_filter: &str, format: Format) -> impl Layer<S> + use<S>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    let filter =
        EnvFilter::try_from_env("LUMBUNG_LOG").unwrap_or_else(|_| EnvFilter::new(default_filter));
    let text = match format {
        Format::Fitting => std::io::stderr().is_terminal(),
        Format::Text => true,
        Format::Json => false,
    };
    let layer = if text {
        let layer = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
        layer.with_ansi(std::io::stderr().is_terminal()).with_target(false).boxed()
    } else {
        lines::JsonLines::new(std::io::stderr()).boxed()
    };
    let is_event = |meta: &tracing::Metadata<'_>| meta.is_event();
    let events = filter_fn(is_event).with_max_level_hint(LevelFilter::TRACE);
    let names_trace =
        |meta: &tracing::Metadata<'_>| meta.is_span() && meta.target() == calls::TARGET;
    let traces = filter_fn(names_trace).with_max_level_hint(LevelFilter::ERROR);
    lines::Tally.and_then(layer).with_filter(filter.and(events).or(traces))
}

/// Prints a line for people, like `println!`, but a reader that went away
/// (`| head`) ends nothing and is no error.
#[macro_export]
macro_rules! say {
    ($($text:tt)*) => { $crate::said::line($crate::said::Stream::Out, ::std::format_args!($($text)*)) };
}

/// Prints a remark beside what was asked for, like `eprintln!`.
#[macro_export]
macro_rules! remark {
    ($($text:tt)*) => { $crate::said::line($crate::said::Stream::Err, ::std::format_args!($($text)*)) };
}
