//! Where lines for people go: the process's own streams, or aside, when a
//! command runs within another process on behalf of its caller.

use std::cell::RefCell;
use std::fmt::{self, Write as _};
use std::io::Write as _;

/// Which stream a line is meant for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// What was asked for.
    Out,
    /// Remarks.
    Err,
}

/// What a command said, stream by stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// What was asked for.
    pub out: String,
    /// Remarks.
    pub err: String,
}

thread_local! {
    static ASIDE: RefCell<Option<Said>> = const { RefCell::new(None) };
}

/// Does `work` on this thread and keeps aside what it says.
pub fn aside<T>(work: impl FnOnce() -> T) -> (T, Said) {
    ASIDE.with_borrow_mut(|aside| *aside = Some(Said::default()));
    let done = work();
    (done, ASIDE.take().unwrap_or_default())
}

/// Says a line; see [`crate::say!`] and [`crate::remark!`].
pub fn line(stream: Stream, text: fmt::Arguments<'_>) {
    let kept = ASIDE.with_borrow_mut(|aside| match (aside, stream) {
        (None, _) => false,
        (Some(said), Stream::Out) => writeln!(said.out, "{text}").is_ok(),
        (Some(said), Stream::Err) => writeln!(said.err, "{text}").is_ok(),
    });
    if kept {
        return;
    }
    match stream {
        Stream::Out => drop(writeln!(std::io::stdout(), "{text}")),
        Stream::Err => drop(writeln!(std::io::stderr(), "{text}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_aside_is_kept_stream_by_stream() {
        let (done, said) = aside(|| {
            crate::say!("satu {}", 1);
            crate::remark!("dua");
            3
        });
        assert_eq!((done, said.out.as_str(), said.err.as_str()), (3, "satu 1\n", "dua\n"));
        assert!(ASIDE.with_borrow(Option::is_none));
    }
}
