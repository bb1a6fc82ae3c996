//! What every program of Lumbung does: log, read the wall clock, stop.

pub mod clock;
pub mod said;
pub mod stop;

mod lines;

use std::io::IsTerminal;

use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _};

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
    let all = tracing_subscriber::registry().with(filter).with(lines::Tally).with(layer);
    // An error here means that logging was started before.
    let _ = all.try_init();
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
