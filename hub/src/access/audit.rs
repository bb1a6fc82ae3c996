//! The log of who saw and decided what.
//!
//! Entries are only ever added, and each carries the hash of all before it:
//! `hash(n) = blake3(hash(n-1) ‖ n ‖ fields)`. A chain alone can't show that
//! its end was cut off or that all of it was written anew; its head is told
//! to the villages' nodes, which keep it. Entries name records by their ids
//! and hold no personal data.

use super::witness::Witnesses;
use crate::dataset::DatasetError;

/// Longest reason or remark, characters.
pub const WORDS_MAX: usize = 500;

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Act {
    /// The first operator was made with the code shown at start.
    Founded,
    /// Signed in.
    SignedIn,
    /// Failed to sign in.
    SignInFailed,
    /// Signed out.
    SignedOut,
    /// An account was made.
    AccountMade,
    /// An account was changed, blocked or opened.
    AccountChanged,
    /// A password was changed.
    PasswordChanged,
    /// One-time codes were set up or taken away.
    CodesChanged,
    /// A session was ended by hand.
    SessionEnded,
    /// An operator's certificate was issued or revoked.
    Certified,
    /// One person's identity number or specific data was shown.
    Revealed,
    /// A person was looked for by identity number.
    LookedUp,
    /// Records left as a file.
    Exported,
    /// A village was asked to sync or to prove itself now.
    SyncAsked,
    /// Diagnostics of a village were read.
    Diagnosed,
    /// A village is held, or no longer.
    Held,
    /// A remark, a contact or a budget of a village was changed.
    VillageNoted,
    /// A token was handed out or cancelled.
    Token,
    /// A node's key was revoked.
    Revoked,
    /// A decision about a lost branch or about two machines.
    Decided,
    /// A quarantined entry was tried again or sent back.
    Quarantine,
    /// A question about a finding was sent.
    Asked,
    /// A notice was written, changed or withdrawn.
    Noticed,
    /// A time without alerts was set or ended.
    Maintenance,
    /// A backup of the hub was made, or put back.
    BackedUp,
    /// A recap for the public was made.
    Published,
}

impl Act {
    /// Every act.
    pub const ALL: [Self; 26] = [
        Self::Founded,
        Self::SignedIn,
        Self::SignInFailed,
        Self::SignedOut,
        Self::AccountMade,
        Self::AccountChanged,
        Self::PasswordChanged,
        Self::CodesChanged,
        Self::SessionEnded,
        Self::Certified,
        Self::Revealed,
        Self::LookedUp,
        Self::Exported,
        Self::SyncAsked,
        Self::Diagnosed,
        Self::Held,
        Self::VillageNoted,
        Self::Token,
        Self::Revoked,
        Self::Decided,
        Self::Quarantine,
        Self::Asked,
        Self::Noticed,
        Self::Maintenance,
        Self::BackedUp,
        Self::Published,
    ];

    /// Its stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Founded => "operator.pertama",
            Self::SignedIn => "masuk",
            Self::SignInFailed => "masuk.gagal",
            Self::SignedOut => "keluar",
            Self::AccountMade => "operator.baru",
            Self::AccountChanged => "operator.ubah",
            Self::PasswordChanged => "sandi.ubah",
            Self::CodesChanged => "kode.ubah",
            Self::SessionEnded => "sesi.akhiri",
            Self::Certified => "operator.sertifikat",
            Self::Revealed => "data.buka",
            Self::LookedUp => "data.cari-nik",
            Self::Exported => "data.ekspor",
            Self::SyncAsked => "desa.sinkron",
            Self::Diagnosed => "desa.diagnostik",
            Self::Held => "desa.tahan",
            Self::VillageNoted => "desa.catatan",
            Self::Token => "token",
            Self::Revoked => "kunci.cabut",
            Self::Decided => "desa.keputusan",
            Self::Quarantine => "karantina",
            Self::Asked => "temuan.tanya",
            Self::Noticed => "informasi",
            Self::Maintenance => "pemeliharaan",
            Self::BackedUp => "hub.cadangan",
            Self::Published => "rekap.terbit",
        }
    }

    /// What was done, for people.
    #[must_use]
    pub const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Founded => ("Operator pertama dibuat", "First operator made"),
            Self::SignedIn => ("Masuk", "Signed in"),
            Self::SignInFailed => ("Gagal masuk", "Sign-in failed"),
            Self::SignedOut => ("Keluar", "Signed out"),
            Self::AccountMade => ("Operator ditambahkan", "Operator added"),
            Self::AccountChanged => ("Operator diubah", "Operator changed"),
            Self::PasswordChanged => ("Kata sandi diubah", "Password changed"),
            Self::CodesChanged => ("Kode dua langkah diubah", "Two-step codes changed"),
            Self::SessionEnded => ("Sesi diakhiri", "Session ended"),
            Self::Certified => ("Sertifikat operator", "Operator certificate"),
            Self::Revealed => ("Data satu orang dibuka", "One person's data revealed"),
            Self::LookedUp => ("Orang dicari dengan NIK", "Person looked up by NIK"),
            Self::Exported => ("Data diekspor", "Data exported"),
            Self::SyncAsked => ("Desa diminta sinkron", "Village asked to sync"),
            Self::Diagnosed => ("Diagnostik desa dibaca", "Village diagnostics read"),
            Self::Held => ("Penahanan desa diubah", "Village hold changed"),
            Self::VillageNoted => ("Catatan desa diubah", "Village notes changed"),
            Self::Token => ("Token bergabung", "Joining token"),
            Self::Revoked => ("Kunci desa dicabut", "Village key revoked"),
            Self::Decided => ("Keputusan tentang desa", "Decision about a village"),
            Self::Quarantine => ("Karantina ditangani", "Quarantine handled"),
            Self::Asked => ("Pertanyaan dikirim ke desa", "Question sent to villages"),
            Self::Noticed => ("Informasi", "Notice"),
            Self::Maintenance => ("Masa pemeliharaan", "Maintenance window"),
            Self::BackedUp => ("Cadangan hub", "Backup of the hub"),
            Self::Published => ("Rekap diterbitkan", "Recap published"),
        }
    }
}

/// Something to be noted.
#[derive(Clone, Debug)]
pub struct AuditNote {
    /// Who: an account's name, or `lokal:<user>` on the hub's own machine.
    pub operator: String,
    /// What.
    pub act: Act,
    /// On what: a village's code, a record's id, an account's name.
    pub subject: String,
    /// The reason given, or what was changed. No personal data.
    pub words: String,
}

/// An entry of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// Its number, from 1 without gaps.
    pub seq: u64,
    /// When, hub clock, Unix milliseconds.
    pub at_ms: i64,
    /// Who.
    pub operator: String,
    /// Code of what, see [`Act::code`].
    pub act: String,
    /// On what.
    pub subject: String,
    /// Reason or remark.
    pub words: String,
    /// Hash over this entry and all before it.
    pub hash: [u8; 32],
}

impl AuditEntry {
    /// The hash this entry must have after `previous`.
    #[must_use]
    pub fn chained(&self, previous: &[u8; 32]) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new();
        hasher.update(b"lumbung audit 1").update(previous);
        hasher.update(&self.seq.to_le_bytes()).update(&self.at_ms.to_le_bytes());
        for field in [&self.operator, &self.act, &self.subject, &self.words] {
            hasher.update(&(field.len() as u64).to_le_bytes()).update(field.as_bytes());
        }
        *hasher.finalize().as_bytes()
    }
}

/// The end of the log: what a witness keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditHead {
    /// Entries so far.
    pub seq: u64,
    /// Hash over all of them; zeros for none.
    pub hash: [u8; 32],
}

/// What checking the whole log came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuditCheck {
    /// Every entry follows from those before it.
    Whole(AuditHead),
    /// This entry is missing or was changed.
    BrokenAt(u64),
}

/// Which entries to read.
#[derive(Clone, Debug, Default)]
pub struct AuditFilter {
    /// Of this operator.
    pub operator: Option<String>,
    /// With this code.
    pub act: Option<String>,
    /// About this subject.
    pub subject: Option<String>,
    /// At this moment or later, hub clock, Unix milliseconds.
    pub since_ms: Option<i64>,
    /// Before this moment.
    pub until_ms: Option<i64>,
    /// Older than this entry (paging).
    pub before: Option<u64>,
    /// At most so many.
    pub limit: u32,
}

/// The log. Entries are durable when [`AuditLog::note`] returns.
pub trait AuditLog: Witnesses {
    /// Adds an entry and returns the new head.
    ///
    /// # Errors
    /// [`DatasetError::Store`]: nothing was noted.
    fn note(&self, note: &AuditNote, at_ms: i64) -> Result<AuditHead, DatasetError>;

    /// Entries, newest first.
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    fn audit(&self, filter: &AuditFilter) -> Result<Vec<AuditEntry>, DatasetError>;

    /// The end of the log.
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    fn audit_head(&self) -> Result<AuditHead, DatasetError>;

    /// The head as it was after entry `seq`; `None` = there is no such.
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    fn audit_head_at(&self, seq: u64) -> Result<Option<AuditHead>, DatasetError>;

    /// Walks the whole chain.
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    fn check_audit(&self) -> Result<AuditCheck, DatasetError>;

    /// Walks what was added since this process walked the chain last, if that
    /// still stands where it stood. What was walked already is not read again:
    /// [`Self::check_audit`] does that.
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    fn check_audit_on(&self) -> Result<AuditCheck, DatasetError>;

    /// How often an operator did this since a moment.
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    fn count_acts(&self, operator: &str, act: Act, since_ms: i64) -> Result<u64, DatasetError>;
}
