//! What one transaction keeps at hand: prepared statements of the shelves
//! and the numbers of actors.

use std::collections::HashMap;
use std::sync::Arc;

use rusqlite::{CachedStatement, Connection, OptionalExtension as _};

use super::schema::{SHELF_SQL, Shelf};

/// What is done to a shelf.
#[derive(Clone, Copy)]
pub(super) enum Act {
    /// Insert unless there is a row.
    Insert,
    /// Insert or replace.
    Put,
    /// Read what a change needs to know.
    Find,
    /// Delete.
    Remove,
}

const ACTS: usize = 4;

/// The statements of the shelves, each taken out of the connection's cache at
/// its first use and given back with the transaction.
pub(super) struct Statements<'c> {
    conn: &'c Connection,
    slots: [Option<CachedStatement<'c>>; Shelf::COUNT * ACTS],
}

impl<'c> Statements<'c> {
    pub(super) fn new(conn: &'c Connection) -> Self {
        Self { conn, slots: [const { None }; Shelf::COUNT * ACTS] }
    }

    pub(super) fn get(
        &mut self,
        shelf: Shelf,
        act: Act,
    ) -> rusqlite::Result<&mut CachedStatement<'c>> {
        let slot = &mut self.slots[shelf.index() * ACTS + act as usize];
        match slot {
            Some(statement) => Ok(statement),
            None => {
                let sql = &SHELF_SQL[shelf.index()];
                let sql = match act {
                    Act::Insert => &sql.insert,
                    Act::Put => &sql.put,
                    Act::Find => &sql.find,
                    Act::Remove => &sql.remove,
                };
                Ok(slot.insert(self.conn.prepare_cached(sql)?))
            }
        }
    }
}

/// Actor names and the small numbers that stand for them in the rows.
#[derive(Default)]
pub(super) struct Actors {
    numbers: HashMap<Arc<str>, i64>,
    last: Option<(Arc<str>, i64)>,
}

impl Actors {
    /// The actor's number, given out now if the name is new.
    pub(super) fn number(&mut self, conn: &Connection, name: &Arc<str>) -> rusqlite::Result<i64> {
        if let Some((last, number)) = &self.last
            && (Arc::ptr_eq(last, name) || last == name)
        {
            return Ok(*number);
        }
        let number = match self.numbers.get(name) {
            Some(number) => *number,
            None => {
                let number = stored_number(conn, name)?;
                self.numbers.insert(Arc::clone(name), number);
                number
            }
        };
        self.last = Some((Arc::clone(name), number));
        Ok(number)
    }

    /// Forgets every number: those of a transaction that was rolled back do
    /// not exist.
    pub(super) fn forget(&mut self) {
        self.numbers.clear();
        self.last = None;
    }
}

fn stored_number(conn: &Connection, name: &str) -> rusqlite::Result<i64> {
    let found = conn
        .prepare_cached("SELECT number FROM actor WHERE name = ?1")?
        .query_row([name], |row| row.get(0))
        .optional()?;
    match found {
        Some(number) => Ok(number),
        None => {
            conn.prepare_cached("INSERT INTO actor (name) VALUES (?1)")?.execute([name])?;
            Ok(conn.last_insert_rowid())
        }
    }
}
