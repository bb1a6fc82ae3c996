//! Words in both languages of the hub, kept beside each other so that neither
//! can be missing.
//!
//! What people read is Bahasa Indonesia first: `Display` gives that, for
//! command lines and letters; pages choose by their reader.

use std::fmt;

/// Words in both languages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words {
    /// In Bahasa Indonesia.
    pub id: String,
    /// In English.
    pub en: String,
}

impl Words {
    /// Words in both languages.
    #[must_use]
    pub fn new(id: impl Into<String>, en: impl Into<String>) -> Self {
        Self { id: id.into(), en: en.into() }
    }
}

impl From<(&str, &str)> for Words {
    fn from((id, en): (&str, &str)) -> Self {
        Self::new(id, en)
    }
}

impl fmt::Display for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.id)
    }
}
