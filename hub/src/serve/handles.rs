//! How many files the system lets this process have open.
//!
//! Each session is one. The usual limit of a login is 1,024, and the one that
//! the administrator grants on asking much higher: so a starting hub asks.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Files kept for everything that is no session: the dataset, the console,
/// operators, visitors and handshakes.
const KEPT: u64 = 512;

/// Raises the limit as far as it goes; what it is then. `None` = none.
fn raised() -> Option<u64> {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current == maximum {
        return current;
    }
    match setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }) {
        Ok(()) => maximum,
        Err(error) => {
            tracing::warn!(%error, "the limit of open files can't be raised");
            current
        }
    }
}

/// Sessions that fit below a limit of open files, of those that are wanted.
fn fitting(limit: Option<u64>, wanted: usize) -> usize {
    let room = limit.map_or(u64::MAX, |limit| limit.saturating_sub(KEPT).max(limit / 2));
    wanted.min(usize::try_from(room).unwrap_or(usize::MAX))
}

/// Sessions that the hub holds at once, of those that are wanted.
pub(super) fn sessions(wanted: usize) -> usize {
    let limit = raised();
    let sessions = fitting(limit, wanted);
    if sessions < wanted {
        tracing::warn!(?limit, wanted, sessions, "the system allows too few open files");
        lumbung_telemetry::say!(
            "Peringatan: sistem hanya mengizinkan {} berkas terbuka, jadi paling banyak {sessions} \
             node terhubung bersamaan (bukan {wanted}). Naikkan LimitNOFILE.",
            limit.unwrap_or_default()
        );
    }
    sessions
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_raised_as_far_as_the_system_grants() {
        let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
        let Some(hard) = maximum else { return };
        setrlimit(Resource::Nofile, Rlimit { current: Some(hard - 1), maximum }).unwrap();
        assert_eq!(raised(), Some(hard));
        assert_eq!(getrlimit(Resource::Nofile).current, Some(hard));
    }

    #[test]
    fn no_more_sessions_are_held_than_files_can_be_open() {
        assert_eq!(fitting(None, 12_000), 12_000);
        assert_eq!(fitting(Some(1_048_576), 12_000), 12_000);
        assert_eq!(fitting(Some(4_096), 12_000), 3_584);
        assert_eq!(fitting(Some(256), 12_000), 128, "few, but some");
    }
}
