//! Words in both languages of the hub, kept beside each other so that neither
//! can be missing.
//!
//! What people read is Bahasa Indonesia first: `Display` gives that, for
//! command lines and letters; pages choose by their reader.

use std::fmt;

use jiff::civil::DateTime;
use lumbung_domain::recap::tanggal_indonesia;
use lumbung_telemetry::clock;

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

    /// "24 Desember 2026 pukul 14.05", "24 December 2026, 14:05".
    #[must_use]
    pub fn moment(at_ms: i64) -> Self {
        let at = clock::local(at_ms);
        let (id, en) = hour(at);
        Self::at(at, &id, &en)
    }

    /// A moment to the second, for what machines did: "24 Desember 2026 pukul
    /// 14.05.09", "24 December 2026, 14:05:09".
    #[must_use]
    pub fn instant(at_ms: i64) -> Self {
        let at = clock::local(at_ms);
        let (id, en) = hour(at);
        Self::at(at, &format!("{id}.{:02}", at.second()), &format!("{en}:{:02}", at.second()))
    }

    fn at(at: DateTime, id: &str, en: &str) -> Self {
        Self::new(
            format!("{} pukul {id}", tanggal_indonesia(at.date())),
            format!("{}, {en}", at.strftime("%-d %B %Y")),
        )
    }
}

/// Who wrote an entry, as people call them: what nodes write under names of
/// their own is told in words, a clerk's name as it is.
#[must_use]
pub fn actor(name: &str) -> Words {
    match name {
        "operator-desa" => ("petugas desa", "an officer of that village").into(),
        "node" => ("komputer desa", "the village's computer").into(),
        "buku-penghapusan" => ("buku penghapusan", "the ledger of erasures").into(),
        name => Words::new(name, name),
    }
}

/// "14.05", "14:05".
fn hour(at: DateTime) -> (String, String) {
    let (hour, minute) = (at.hour(), at.minute());
    (format!("{hour:02}.{minute:02}"), format!("{hour:02}:{minute:02}"))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_language_writes_a_moment_its_own_way() {
        let at: jiff::Timestamp = "2026-12-24T14:05:09+07:00".parse().unwrap();
        let at_ms = at.as_millisecond();
        let moment = Words::new("24 Desember 2026 pukul 14.05", "24 December 2026, 14:05");
        assert_eq!(Words::moment(at_ms), moment);
        let instant = Words::new("24 Desember 2026 pukul 14.05.09", "24 December 2026, 14:05:09");
        assert_eq!(Words::instant(at_ms), instant);
    }
}
