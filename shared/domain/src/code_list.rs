//! Official code lists.
//!
//! A [`Code`] is a number of one list, typed by the list, so that a religion
//! can't be stored as an occupation. Numbers are the official ones and are
//! never renumbered. A number read from the wire is kept even when this
//! version has no label for it: a newer node may know more. Lists that a form
//! fixes for good are enums instead, declared beside the records and named in `choice`.

mod choice;
mod informasi;
mod kependudukan;
mod pekerjaan;
mod peristiwa;
mod rumah;
#[cfg(test)]
mod tests;

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;

pub use informasi::KategoriInformasi;
pub use kependudukan::{
    Agama, Asuransi, Cacat, CaraKb, DapatMembacaHuruf, GolonganDarah, KelasSosial, KtpEl,
    PendidikanKk, PendidikanSedang, SakitMenahun, Shdk, StatusDasar, StatusKawin, StatusPenduduk,
    StatusRekam, Warganegara,
};
pub use pekerjaan::Pekerjaan;
pub use peristiwa::{JenisKelahiran, JenisPindah, PenolongKelahiran, Peristiwa, TempatDilahirkan};
pub use rumah::{Atap, Dinding, Lantai, StatusRumah, SumberAirMinum};

/// One row of a code list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CodeEntry {
    /// The official number; never 0.
    pub code: u16,
    /// The official label, Bahasa Indonesia.
    pub label: &'static str,
}

/// A list of official codes. Implemented by empty marker types.
pub trait CodeList: Eq + 'static {
    /// The list's name in tables and messages ("agama").
    const NAME: &'static str;

    /// Every row, ascending by number.
    fn entries() -> &'static [CodeEntry];

    /// Other spellings that sheets in use carry, with the number they mean.
    fn aliases() -> &'static [(&'static str, u16)] {
        &[]
    }
}

/// A number of the list `L`; never 0. The constants beside the lists may stand
/// in patterns.
#[derive(PartialEq, Eq)]
pub struct Code<L>(u16, PhantomData<fn() -> L>);

impl<L> Code<L> {
    /// A number known to be listed, for the constants beside the lists.
    const fn listed(number: u16) -> Self {
        Self(number, PhantomData)
    }

    /// The official number.
    #[must_use]
    pub const fn number(self) -> u16 {
        self.0
    }
}

impl<L: CodeList> Code<L> {
    /// The code with this number, if the list has it.
    #[must_use]
    pub fn new(number: u16) -> Option<Self> {
        entry::<L>(number).map(|_| Self::listed(number))
    }

    /// The code as another node sent it: 0 is "not filled", any other number
    /// is kept, listed or not.
    #[must_use]
    pub const fn from_wire(number: u16) -> Option<Self> {
        if number == 0 { None } else { Some(Self::listed(number)) }
    }

    /// The official label, if this version knows the number.
    #[must_use]
    pub fn label(self) -> Option<&'static str> {
        entry::<L>(self.0).map(|entry| entry.label)
    }

    /// Reads what a sheet or a person wrote: the number or the label. Case,
    /// spaces and a leading apostrophe don't matter. Empty, `-` and `0` are
    /// "not filled".
    ///
    /// # Errors
    ///
    /// The text names nothing in the list. The error doesn't repeat the text.
    pub fn parse(text: &str) -> Result<Option<Self>, ParseCodeError> {
        let key = fold(text);
        if is_blank(&key) {
            return Ok(None);
        }
        if let Some(number) = whole_number(&key) {
            return Self::new(number)
                .map(Some)
                .ok_or(ParseCodeError::UnlistedNumber { list: L::NAME, number });
        }
        let labels = L::entries().iter().map(|entry| (entry.label, entry.code));
        labels
            .chain(L::aliases().iter().copied())
            .find(|(label, _)| fold(label) == key)
            .map(|(_, number)| Some(Self::listed(number)))
            .ok_or(ParseCodeError::UnknownLabel { list: L::NAME })
    }
}

fn entry<L: CodeList>(number: u16) -> Option<&'static CodeEntry> {
    let entries = L::entries();
    entries.binary_search_by_key(&number, |entry| entry.code).ok().map(|at| &entries[at])
}

/// The text names nothing in the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseCodeError {
    /// A number that the list doesn't have.
    #[error("kode {number} tidak ada dalam daftar {list}")]
    UnlistedNumber {
        /// The list's name.
        list: &'static str,
        /// The number as read.
        number: u16,
    },
    /// Words that are no label of the list, or a number out of any range.
    #[error("isian ini tidak ada dalam daftar {list}")]
    UnknownLabel {
        /// The list's name.
        list: &'static str,
    },
}

/// The form in which two spellings of one label are equal: lower case, no
/// spaces, no leading apostrophe.
fn fold(text: &str) -> String {
    text.trim()
        .trim_start_matches(['\'', '\u{2019}'])
        .chars()
        .filter(|c| !c.is_whitespace() && !c.is_control() && *c != '\u{feff}')
        .flat_map(char::to_lowercase)
        .collect()
}

fn is_blank(key: &str) -> bool {
    key.is_empty() || key == "-" || whole_number(key) == Some(0)
}

/// "7", "07" and the "7.0" that spreadsheets write for whole numbers.
fn whole_number(key: &str) -> Option<u16> {
    let digits = key.strip_suffix(".0").unwrap_or(key);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    digits.parse().ok()
}

// Written out because `derive` would demand the same of the marker `L`. Only
// equality is derived: constants of a type with a written one can't stand in
// patterns.
impl<L> Clone for Code<L> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<L> Copy for Code<L> {}

impl<L: Eq> PartialOrd for Code<L> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<L: Eq> Ord for Code<L> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.cmp(&other.0)
    }
}

impl<L> Hash for Code<L> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl<L> fmt::Debug for Code<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Code({})", self.0)
    }
}

/// Declares a marker type with its rows and other spellings.
macro_rules! code_list {
    (
        $(#[$doc:meta])*
        $marker:ident = $name:literal { $($code:literal => $label:literal,)* }
        aliases { $($alias:literal => $alias_code:literal,)* }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $marker {}

        impl super::CodeList for $marker {
            const NAME: &'static str = $name;

            fn entries() -> &'static [super::CodeEntry] {
                const ENTRIES: &[super::CodeEntry] =
                    &[$(super::CodeEntry { code: $code, label: $label },)*];
                ENTRIES
            }

            fn aliases() -> &'static [(&'static str, u16)] {
                const ALIASES: &[(&str, u16)] = &[$(($alias, $alias_code),)*];
                ALIASES
            }
        }
    };
}
use code_list;
