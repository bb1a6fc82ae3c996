//! Dictionaries for small batches, by their id.
//!
//! A lone record shares little with itself and much with every other record:
//! its dictionary holds what fictitious villages and ordinary edits have in
//! common (`lumbung-tests`, program `dictionary`, trains it; nobody's data is
//! in it). A dictionary is never changed: a better one gets the next id, and
//! old ids stay, so that old nodes and kept batches stay readable.

use std::cmp::Ordering;
use std::fmt;
use std::sync::OnceLock;

use zstd::dict::{DecoderDictionary, EncoderDictionary};

/// How hard small batches are compressed. A few hundred bytes take some tens
/// of microseconds.
const LEVEL: i32 = 12;

/// Every dictionary this build knows, oldest first.
static KNOWN: [Dictionary; 1] =
    [Dictionary::new(1, include_bytes!("../dictionaries/1.zstd-dictionary"))];

/// One dictionary.
pub struct Dictionary {
    id: u32,
    bytes: &'static [u8],
    encoder: OnceLock<EncoderDictionary<'static>>,
    decoder: OnceLock<DecoderDictionary<'static>>,
}

impl Dictionary {
    const fn new(id: u32, bytes: &'static [u8]) -> Self {
        Self { id, bytes, encoder: OnceLock::new(), decoder: OnceLock::new() }
    }

    /// The number that names it in Hello and in every batch made with it.
    #[must_use]
    pub const fn id(&self) -> u32 {
        self.id
    }

    pub(crate) fn encoder(&self) -> &EncoderDictionary<'static> {
        self.encoder.get_or_init(|| EncoderDictionary::copy(self.bytes, LEVEL))
    }

    pub(crate) fn decoder(&self) -> &DecoderDictionary<'static> {
        self.decoder.get_or_init(|| DecoderDictionary::copy(self.bytes))
    }
}

/// The ids of all known dictionaries.
pub(crate) fn ids() -> impl Iterator<Item = u32> {
    KNOWN.iter().map(Dictionary::id)
}

/// The dictionary with this id.
#[must_use]
pub fn find(id: u32) -> Option<&'static Dictionary> {
    KNOWN.iter().find(|known| known.id == id)
}

impl PartialEq for Dictionary {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for Dictionary {}

impl PartialOrd for Dictionary {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// A newer one is greater.
impl Ord for Dictionary {
    fn cmp(&self, other: &Self) -> Ordering {
        self.id.cmp(&other.id)
    }
}

impl fmt::Debug for Dictionary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Dictionary({})", self.id)
    }
}
