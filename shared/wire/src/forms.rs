//! Which forms a stream may take, agreed in Hello.
//!
//! Both sides list what this build reads and writes; the hub picks the newest
//! of what both know and says so in Start. A side that lists nothing speaks
//! the first forms: `Batch` with both positions, `CaughtUp`, `Ack`, `Credit`.

use lumbung_proto::v1;

use crate::dictionary::{self, Dictionary};

/// Newest version of a block that this build reads and writes.
const BLOCK_NEWEST: u32 = 2;

/// The forms of one stream. The default is what every build understands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Forms {
    /// Whether batches travel as runs, and acks bare.
    pub slim: bool,
    /// Whether blocks may be of version 2 (columns).
    pub columns: bool,
    /// What small batches are compressed with.
    pub dictionary: Option<&'static Dictionary>,
    /// Whether authors whom the reader knows travel as a number.
    pub authors: bool,
}

impl Forms {
    /// Everything that this build knows.
    #[must_use]
    pub fn offered() -> v1::Forms {
        v1::Forms {
            slim: true,
            block: BLOCK_NEWEST,
            dictionaries: dictionary::ids().collect(),
            authors: true,
        }
    }

    /// The newest forms that this build and the other side know.
    #[must_use]
    pub fn common(theirs: Option<&v1::Forms>) -> Self {
        let Some(theirs) = theirs.filter(|theirs| theirs.slim) else { return Self::default() };
        Self {
            slim: true,
            columns: theirs.block >= BLOCK_NEWEST,
            dictionary: theirs.dictionaries.iter().filter_map(|id| dictionary::find(*id)).max(),
            authors: theirs.authors,
        }
    }

    /// The same forms with blocks of the version that Size names; 0 names none.
    #[must_use]
    pub const fn with_block(self, block: u32) -> Self {
        match block {
            0 => self,
            _ => Self { columns: self.slim && block >= BLOCK_NEWEST, ..self },
        }
    }

    /// Newest version of a block in these forms.
    #[must_use]
    pub const fn block(self) -> u32 {
        if self.columns { BLOCK_NEWEST } else { 1 }
    }

    /// How these forms are named in Start.
    #[must_use]
    pub fn to_wire(self) -> Option<v1::Forms> {
        self.slim.then(|| v1::Forms {
            slim: true,
            block: self.block(),
            dictionaries: self.dictionary.map(Dictionary::id).into_iter().collect(),
            authors: self.authors,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of a build from before authors were kept.
    fn theirs(dictionaries: &[u32]) -> v1::Forms {
        v1::Forms { slim: true, block: 2, dictionaries: dictionaries.to_vec(), authors: false }
    }

    #[test]
    fn the_newest_common_dictionary_is_taken_and_an_unknown_one_is_not() {
        let newest = dictionary::ids().max();
        let common = Forms::common(Some(&Forms::offered()));
        assert!(common.slim && common.columns && common.authors);
        assert_eq!(common.dictionary.map(Dictionary::id), newest);
        // A newer hub knows one more.
        let id = dictionary::ids().next().unwrap_or_default();
        let common = Forms::common(Some(&theirs(&[900, id, 901])));
        assert_eq!(common.dictionary.map(Dictionary::id), Some(id));
        assert_eq!(Forms::common(Some(&theirs(&[900]))).dictionary, None);
        assert_eq!(Forms::common(Some(&theirs(&[]))).dictionary, None);
        assert!(!Forms::common(Some(&theirs(&[id]))).authors);
    }

    #[test]
    fn a_side_that_lists_nothing_speaks_the_first_forms() {
        assert_eq!(Forms::common(None), Forms::default());
        assert_eq!(Forms::common(Some(&v1::Forms::default())), Forms::default());
        assert_eq!(Forms::default().to_wire(), None);
    }

    #[test]
    fn what_start_names_is_what_the_node_takes() {
        for forms in [
            Forms::common(Some(&Forms::offered())),
            Forms::common(Some(&theirs(&[]))),
            Forms { slim: true, ..Forms::default() },
            Forms::default(),
        ] {
            assert_eq!(Forms::common(forms.to_wire().as_ref()), forms);
        }
    }

    #[test]
    fn a_size_that_names_a_block_changes_nothing_else() {
        let newest = Forms::common(Some(&Forms::offered()));
        let rows = newest.with_block(1);
        assert_eq!(rows, Forms { columns: false, ..newest });
        assert_eq!(rows.with_block(newest.block()), newest);
        for forms in [newest, rows] {
            assert_eq!(forms.with_block(0), forms, "a hub that names none");
        }
        // The first forms know no columns, whatever is asked.
        assert_eq!(Forms::default().with_block(2), Forms::default());
    }
}
