//! Sealed files that carry a village's log where no link does: backups,
//! bundles on a USB stick, and the district's answers to them; and backups of
//! the hub itself.
//!
//! Every medium has a short readable preamble, then an age-encrypted stream
//! of frames (see `frame`), closed by a trailer with counts and a digest
//! over everything before it. So a copy that was cut off, a changed byte or
//! a lost frame is refused before anything is done with the content. Batches
//! are those of the network and prove themselves in the same way.
//!
//! Knows media only as readers and writers; what to do with the content is
//! for node and hub. Beside them stands the [`LineBook`], the text file in
//! which both note what must outlive their stores.

mod backup;
mod bundle;
mod frame;
mod hub_backup;
mod key;
mod line_book;
mod medium;

#[cfg(test)]
mod tests;

pub use backup::{BackupReader, BackupWriter, Verified, reseal};
pub use bundle::{Answer, Bundle, BundleWriter, write_answer};
pub use hub_backup::{HubBackupReader, HubBackupWriter};
pub use key::{KeyError, Passphrase, PublicKey, SecretKey};
pub use line_book::LineBook;
pub use medium::{Keys, MediaError, MediumKind, Protection};
