//! The dataset's file as a whole: copied while it is in use, checked, and
//! made fit to be put back.

use std::fs::File;
use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use super::{SqliteDataset, erasing, store_failed};
use crate::dataset::DatasetError;

impl SqliteDataset {
    /// Copies the file as of one moment into a new one; durable on return.
    /// Merges go on meanwhile. What lies in unused space stays behind.
    ///
    /// # Errors
    /// [`DatasetError::Store`], for example when there is such a file already
    /// or the disk has no room.
    pub fn copy_to(&self, to: &Path) -> Result<(), DatasetError> {
        // A connection of its own: a reading one may not write anywhere.
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let conn = Connection::open_with_flags(self.path(), flags)?;
        conn.busy_timeout(super::schema::BUSY_WITHIN)?;
        let target = to.to_str().ok_or_else(|| {
            store_failed(std::io::Error::other("the copy's path is not plain text"))
        })?;
        conn.execute("VACUUM INTO ?1", [target])?;
        File::open(to).and_then(|file| file.sync_all()).map_err(store_failed)
    }

    /// Lets SQLite check every page, row and index of the file.
    ///
    /// # Errors
    /// [`DatasetError::Store`] with the first thing that is wrong.
    pub fn check_file(&self) -> Result<(), DatasetError> {
        let said: String = self
            .read(|conn| Ok(conn.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?))?;
        match said.as_str() {
            "ok" => Ok(()),
            _ => Err(store_failed(std::io::Error::other(said))),
        }
    }

    /// Ends all sessions of operators and every token that is still open:
    /// whoever used or ended them since is not in this file. It is closed
    /// without a write-ahead log.
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    pub fn forget_visitors(self, now_ms: i64) -> Result<(), DatasetError> {
        let writer = self.writer();
        let conn = &writer.conn;
        conn.execute("DELETE FROM operator_session", [])?;
        conn.execute(
            "UPDATE join_token SET expires_ms = ?1 WHERE used_ms IS NULL AND expires_ms > ?1",
            [now_ms],
        )?;
        erasing::truncate_log(conn)?;
        Ok(())
    }
}
