//! The village while an import is being planned: the census changes at once,
//! and what stood there before is remembered once.

use std::collections::HashMap;

use lumbung_domain::id::RecordId;
use lumbung_domain::record::Record;

use super::{Operation, PlannedChange};
use crate::village::census::Census;

/// A census being changed.
pub(super) struct Draft<'a> {
    census: &'a mut Census,
    before: HashMap<RecordId, Option<Record>>,
    order: Vec<RecordId>,
}

/// What writing a record did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Put {
    Created,
    Updated,
    Same,
}

impl<'a> Draft<'a> {
    pub(super) fn new(census: &'a mut Census) -> Self {
        Self { census, before: HashMap::new(), order: Vec::new() }
    }

    /// The village as it would be now.
    pub(super) const fn census(&self) -> &Census {
        self.census
    }

    /// Writes a record, unless it says what is there already.
    pub(super) fn put(&mut self, id: RecordId, record: Record) -> Put {
        if self.census.get(id) == Some(&record) {
            return Put::Same;
        }
        let before = self.census.insert(id, record);
        let put = if before.is_some() { Put::Updated } else { Put::Created };
        self.before.entry(id).or_insert_with(|| {
            self.order.push(id);
            before
        });
        put
    }

    /// Every record that differs from what stood there, parents first.
    pub(super) fn into_changes(self) -> Vec<PlannedChange> {
        let mut changes: Vec<PlannedChange> = self
            .order
            .iter()
            .filter_map(|id| {
                let record = self.census.get(*id)?;
                let before = self.before.get(id)?;
                let operation = match before {
                    None => Operation::Create,
                    Some(before) if before == record => return None,
                    Some(_) => Operation::Update,
                };
                Some(PlannedChange { id: *id, record: record.clone(), operation })
            })
            .collect();
        // Stable: within a kind the sheet's order stays.
        changes.sort_by_key(|change| change.record.kind());
        changes
    }
}
