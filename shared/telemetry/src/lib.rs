//! What every program of Lumbung does: log, read the wall clock, stop.

pub mod clock;
pub mod stop;

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

/// Starts logging to standard error: readable lines on a terminal, JSON
/// elsewhere. `LUMBUNG_LOG` sets the filter (`info` when it is not set). A
/// second call changes nothing.
pub fn start(default_filter: &str) {
    let filter =
        EnvFilter::try_from_env("LUMBUNG_LOG").unwrap_or_else(|_| EnvFilter::new(default_filter));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // An error here means that logging was started before.
    let _ = if std::io::stderr().is_terminal() {
        builder.with_target(false).try_init()
    } else {
        builder.json().flatten_event(true).try_init()
    };
}

/// Prints a line for people, like `println!`, but a reader that went away
/// (`| head`) ends nothing and is no error.
#[macro_export]
macro_rules! say {
    ($($text:tt)*) => {{
        use ::std::io::Write as _;
        drop(::std::writeln!(::std::io::stdout(), $($text)*));
    }};
}
