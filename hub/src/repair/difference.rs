//! What differs between the rows and the log, record by record.

use std::collections::BTreeMap;

use lumbung_domain::id::RecordId;
use lumbung_wire::tree::{Part, Place};

/// A record that is not the same on both sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Differing {
    /// What the rows hold; `None`: no row.
    pub own: Option<Part>,
    /// What the log holds; `None`: it has ended there or never was.
    pub told: Option<Part>,
    /// The RT it hangs under, by the log if the log has it.
    pub rt: Option<RecordId>,
    /// The place that lists it: a rumah tangga, or what hangs loose.
    pub place: Place,
}

/// Everything that differs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// The records, by id.
    pub records: BTreeMap<RecordId, Differing>,
}

impl Difference {
    /// Records the hub lacks.
    #[must_use]
    pub fn missing(&self) -> usize {
        self.count(|record| record.own.is_none())
    }

    /// Records the hub has and the log does not.
    #[must_use]
    pub fn surplus(&self) -> usize {
        self.count(|record| record.told.is_none())
    }

    /// Records both have, with other content.
    #[must_use]
    pub fn altered(&self) -> usize {
        self.count(|record| record.own.is_some() && record.told.is_some())
    }

    fn count(&self, what: impl Fn(&Differing) -> bool) -> usize {
        self.records.values().filter(|record| what(record)).count()
    }
}
