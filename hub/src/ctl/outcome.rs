//! How a command ends: one exit code per kind of end, for scripts.

use std::process::ExitCode;

use tonic::{Code, Status};

/// How a command ended. The numbers never change their meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Exit {
    /// Done.
    Done = 0,
    /// Failed.
    Failed = 1,
    /// Used wrongly.
    Usage = 2,
    /// There is no such thing, or it is out of reach.
    NotFound = 3,
    /// It can't be done as things stand.
    Conflict = 4,
    /// The role may not, or nobody knows who asks.
    NotAllowed = 5,
    /// Some of it was done.
    Partial = 6,
    /// It did not happen in time.
    TimedOut = 7,
    /// The hub does not answer.
    Unreachable = 8,
    /// Done, and something was found.
    Findings = 9,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why a command ended otherwise than well, for people; without words when
/// there is nothing to tell.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) exit: Exit,
    pub(super) words: String,
}

impl Failure {
    pub(super) fn new(exit: Exit, words: impl Into<String>) -> Self {
        Self { exit, words: words.into() }
    }
}

impl From<Status> for Failure {
    fn from(status: Status) -> Self {
        let exit = match status.code() {
            Code::InvalidArgument => Exit::Usage,
            Code::NotFound => Exit::NotFound,
            Code::FailedPrecondition | Code::AlreadyExists | Code::Aborted => Exit::Conflict,
            Code::PermissionDenied | Code::Unauthenticated => Exit::NotAllowed,
            Code::DeadlineExceeded => Exit::TimedOut,
            Code::Unavailable => Exit::Unreachable,
            _ => Exit::Failed,
        };
        let words = match status.code() {
            // The transport's own words are not for people.
            Code::Unavailable | Code::Unknown | Code::Cancelled => {
                "Sambungan ke hub terputus sebelum jawabannya lengkap. Coba lagi sebentar."
                    .to_owned()
            }
            Code::Unimplemented => "Hub ini belum mengenal perintah itu. Perbarui hub.".to_owned(),
            _ => status.message().to_owned(),
        };
        let exit = if status.code() == Code::Unknown { Exit::Unreachable } else { exit };
        Self::new(exit, words)
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        // Who reads through `head` has seen enough.
        if error.kind() == std::io::ErrorKind::BrokenPipe {
            return Self::new(Exit::Done, "");
        }
        Self::new(Exit::Failed, format!("Berkas atau layar tidak bisa ditulisi: {error}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_has_its_own_exit_code() {
        for (status, exit) in [
            (Status::invalid_argument("a"), Exit::Usage),
            (Status::not_found("a"), Exit::NotFound),
            (Status::failed_precondition("a"), Exit::Conflict),
            (Status::permission_denied("a"), Exit::NotAllowed),
            (Status::unauthenticated("a"), Exit::NotAllowed),
            (Status::unavailable("a"), Exit::Unreachable),
            (Status::unknown("a"), Exit::Unreachable),
            (Status::internal("a"), Exit::Failed),
        ] {
            assert_eq!(Failure::from(status).exit, exit);
        }
    }
}
