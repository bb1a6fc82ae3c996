//! Folding the write-ahead log into the file, beside the writer.
//!
//! By itself SQLite folds inside the commit that made the log too long, which
//! then waits for two more syncs of the disk while every village waits for it.
//! Here a thread does it with a connection of its own, and the writer goes on.
//! While transactions follow one another without a pause the log can't begin
//! anew; the commit that makes it far too long folds the little that is left,
//! and then it can.
//!
//! Nothing that is durable depends on it: a commit syncs the log, and a file
//! whose log was not folded is read together with it.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use rusqlite::wal::CheckpointMode;
use rusqlite::{Connection, OpenFlags};

/// Pages in the write-ahead log that were not folded into the file when it is
/// folded (64 MiB): during a first load the same index pages change in every
/// transaction, and each folding writes them once. Measured: a quarter of it
/// costs about a tenth of the speed, four times as much wins nothing.
pub(super) const FOLD_PAGES: u32 = 8 * 1024;

/// Pages in the log at which a commit folds what is left (1 GiB). Each time
/// stops all villages for a sixth of a second; a whole district's first load
/// ends before it comes to that. A longer log would make reading slower.
pub(super) const PAGES_MAX: u32 = 16 * FOLD_PAGES;

/// Folds a file's log when it is long.
pub(super) struct Folding {
    path: PathBuf,
    /// Pages not folded at which the thread begins.
    pages: u32,
    /// The thread's connection, kept from one folding to the next.
    conn: Arc<Mutex<Option<Connection>>>,
    running: Option<JoinHandle<()>>,
}

/// What is in the log, pages.
#[derive(Debug, Clone, Copy)]
struct Log {
    pages: u32,
    folded: u32,
}

impl Folding {
    /// Folds the log of the file at `path` once `pages` of it wait.
    pub(super) fn new(path: &Path, pages: u32) -> Self {
        Self { path: path.to_owned(), pages, conn: Arc::default(), running: None }
    }

    /// Has the log folded if it is long; called by the writer between two
    /// transactions. A folding that fails leaves everything as it was: it is
    /// tried again after a later commit.
    pub(super) fn after_commit(&mut self, writer: &Connection) {
        if self.running.as_ref().is_some_and(|thread| !thread.is_finished()) {
            return;
        }
        let Ok(log) = look(writer, CheckpointMode::NOOP) else { return };
        if log.pages < PAGES_MAX && log.pages.saturating_sub(log.folded) >= self.pages {
            self.begin();
        }
    }

    fn begin(&mut self) {
        self.settle();
        let (path, conn) = (self.path.clone(), Arc::clone(&self.conn));
        let thread = std::thread::Builder::new().name("log-folder".to_owned()).spawn(move || {
            stand_back();
            let mut conn = conn.lock().unwrap_or_else(PoisonError::into_inner);
            if let Err(error) = fold(&path, &mut conn) {
                tracing::warn!(%error, "the write-ahead log could not be folded");
            }
        });
        match thread {
            Ok(thread) => self.running = Some(thread),
            Err(error) => tracing::warn!(%error, "no thread to fold the write-ahead log"),
        }
    }

    /// Waits until no folding is under way: SQLite lets only one go on.
    pub(super) fn settle(&mut self) {
        if let Some(thread) = self.running.take() {
            // Its panic was reported where it happened, and harmed nobody.
            drop(thread.join());
        }
    }
}

impl Drop for Folding {
    fn drop(&mut self) {
        self.settle();
    }
}

fn fold(path: &Path, kept: &mut Option<Connection>) -> rusqlite::Result<()> {
    let conn = match kept.take() {
        Some(conn) => conn,
        None => {
            let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            let conn = Connection::open_with_flags(path, flags)?;
            // The log is synced before the file is written, the file before
            // the log may begin anew.
            conn.execute_batch("PRAGMA synchronous = FULL;")?;
            conn
        }
    };
    look(&conn, CheckpointMode::PASSIVE)?;
    *kept = Some(conn);
    Ok(())
}

fn look(conn: &Connection, mode: CheckpointMode) -> rusqlite::Result<Log> {
    let (pages, folded) = conn.wal_checkpoint_v2(None::<&str>, mode)?;
    // Below zero: no log.
    let at_least_none = |count: i32| u32::try_from(count).unwrap_or(0);
    Ok(Log { pages: at_least_none(pages), folded: at_least_none(folded) })
}

/// The thread inherits the writer's priority and shall not have it.
fn stand_back() {
    if let Err(error) = rustix::process::setpriority_process(None, 0) {
        tracing::debug!(%error, "the log is folded at the writer's priority");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FEW: u32 = 16;

    fn writer(path: &Path) -> Connection {
        let conn = Connection::open(path).unwrap();
        conn.execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0; \
             CREATE TABLE isi (nomor INTEGER PRIMARY KEY, bytes BLOB);",
        )
        .unwrap();
        conn
    }

    fn write(conn: &Connection, kib: u32) {
        let rows = "INSERT INTO isi (bytes) VALUES (zeroblob(1024))";
        let tx = conn.unchecked_transaction().unwrap();
        for _ in 0..kib {
            tx.execute(rows, []).unwrap();
        }
        tx.commit().unwrap();
    }

    fn log(conn: &Connection) -> Log {
        look(conn, CheckpointMode::NOOP).unwrap()
    }

    #[test]
    fn a_short_log_stays_and_a_long_one_is_folded_by_another_thread() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("uji.db");
        let conn = writer(&path);
        let mut folding = Folding::new(&path, FEW);
        folding.after_commit(&conn);
        folding.settle();
        assert_eq!(log(&conn).folded, 0, "{:?}", log(&conn));
        for _ in 0..5 {
            write(&conn, 200);
            folding.after_commit(&conn);
            folding.settle();
            let log = log(&conn);
            assert!(log.pages > FEW && log.folded == log.pages, "{log:?}");
            // Everything is folded, so the next transaction begins it anew.
            assert!(log.pages < 200, "{log:?}");
        }
    }

    #[test]
    fn the_writer_goes_on_meanwhile_and_a_later_commit_has_the_rest_folded() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("uji.db");
        let conn = writer(&path);
        let mut folding = Folding::new(&path, FEW);
        write(&conn, 200);
        // Somebody reads what the first transaction left: only that is folded.
        let reader = Connection::open(&path).unwrap();
        let read = reader.unchecked_transaction().unwrap();
        let seen: u32 = read.query_row("SELECT count(*) FROM isi", [], |row| row.get(0)).unwrap();
        write(&conn, 200);
        folding.after_commit(&conn);
        folding.settle();
        let partly = log(&conn);
        assert!(0 < partly.folded && partly.folded < partly.pages, "{partly:?}");
        drop(read);
        assert_eq!(seen, 200);
        write(&conn, 1);
        folding.after_commit(&conn);
        folding.settle();
        let whole = log(&conn);
        assert_eq!(whole.folded, whole.pages, "{whole:?}");
        drop((folding, reader, conn));
        // The last connection to close leaves one file.
        let left: Vec<_> = std::fs::read_dir(dir.path()).unwrap().map(|it| it.unwrap()).collect();
        assert_eq!(left.len(), 1, "{left:?}");
    }
}
