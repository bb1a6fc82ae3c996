//! Accounts of operators and their sessions, as the store keeps them.

use lumbung_domain::region::KecamatanCode;
use lumbung_identity::PublicKey;

use super::certificate::OperatorKey;
use super::password;
use super::role::Role;
use super::scope::Scope;
use crate::dataset::DatasetError;

/// An operator's account.
#[derive(Clone)]
pub struct Account {
    /// What its owner signs in with, and what the audit log writes. Lower-case
    /// letters, digits, dots and dashes.
    pub name: String,
    /// The role.
    pub role: Role,
    /// Of these kecamatan only; empty = the whole kabupaten.
    pub kecamatan: Vec<KecamatanCode>,
    /// Argon2id hash of the password, PHC string.
    pub password: String,
    /// Secret of the one-time codes; `None` = not set up.
    pub totp: Option<Vec<u8>>,
    /// The last time step a one-time code was used for: each works once.
    pub totp_step: u64,
    /// The password is the one somebody else was shown: it opens nothing but
    /// the way to another one.
    pub first_password: bool,
    /// What became of the first password.
    pub first_use: FirstUse,
    /// May sign in.
    pub active: bool,
    /// Ends at, hub clock, Unix milliseconds; `None` = never.
    pub until_ms: Option<i64>,
    /// Made at, hub clock.
    pub made_ms: i64,
}

/// When and from where a first password, which whoever made the account has
/// seen, was used first: its owner can tell whether that was them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FirstUse {
    /// Hub clock, Unix milliseconds; 0 = it was not used.
    pub at_ms: i64,
    /// From which address.
    pub from: String,
    /// Its hash, once another one took its place; empty until then.
    pub password: String,
}

impl Account {
    /// The villages it may see.
    #[must_use]
    pub fn scope(&self) -> Scope {
        match (self.role.is_of_kecamatan(), &self.kecamatan[..]) {
            (false, []) => Scope::everything(),
            (_, some) => Scope::of_kecamatan(some.iter().copied()),
        }
    }

    /// Whether this is the first password it was made with and still opens it.
    /// Takes as long as a sign-in.
    #[must_use]
    pub fn opens_with_first(&self, password: &str, now_ms: i64) -> bool {
        self.first_password && self.is_open(now_ms) && password::is(password, &self.password)
    }

    /// Whether it may sign in now.
    #[must_use]
    pub fn is_open(&self, now_ms: i64) -> bool {
        self.active && self.until_ms.is_none_or(|until| now_ms < until)
    }
}

/// An account to be made.
#[derive(Clone, Debug)]
pub struct NewAccount {
    /// See [`Account::name`].
    pub name: String,
    /// The role.
    pub role: Role,
    /// Of these kecamatan only.
    pub kecamatan: Vec<KecamatanCode>,
    /// Ends at; a supporter's must.
    pub until_ms: Option<i64>,
}

/// When an account is to end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum End {
    /// When it does now.
    #[default]
    Stays,
    /// Never.
    Never,
    /// At this moment, hub clock, Unix milliseconds.
    At(i64),
}

/// What is to become of an account. What is not named stays.
#[derive(Clone, Debug, Default)]
pub struct AccountChange {
    /// The role.
    pub role: Option<Role>,
    /// Of these kecamatan only; empty = the whole kabupaten.
    pub kecamatan: Option<Vec<KecamatanCode>>,
    /// When it ends.
    pub end: End,
    /// Whether it may sign in.
    pub active: Option<bool>,
}

impl AccountChange {
    /// The account as it is afterwards.
    pub(super) fn of(&self, account: Account) -> Account {
        Account {
            role: self.role.unwrap_or(account.role),
            kecamatan: self.kecamatan.clone().unwrap_or_else(|| account.kecamatan.clone()),
            until_ms: match self.end {
                End::Stays => account.until_ms,
                End::Never => None,
                End::At(ms) => Some(ms),
            },
            active: self.active.unwrap_or(account.active),
            ..account
        }
    }
}

/// A session of an operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Hash of its secret.
    pub hash: [u8; 32],
    /// Whose.
    pub account: String,
    /// Signed in at, hub clock, Unix milliseconds.
    pub made_ms: i64,
    /// Last used at, to the minute.
    pub seen_ms: i64,
    /// A one-time code was proved.
    pub two_factors: bool,
    /// What the browser calls itself.
    pub agent: String,
}

/// Accounts and sessions. Changes are durable when they return.
pub trait Accounts: Send + Sync + 'static {
    /// Every account, by name.
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    fn accounts(&self) -> Result<Vec<Account>, DatasetError>;

    /// One account.
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    fn account(&self, name: &str) -> Result<Option<Account>, DatasetError>;

    /// Makes an account, or writes all of it anew; ends its sessions when
    /// `sign_out`.
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    fn keep_account(&self, account: &Account, sign_out: bool) -> Result<(), DatasetError>;

    /// Makes the first account; `false` when there is one already.
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    fn keep_first_account(&self, account: &Account) -> Result<bool, DatasetError>;

    /// Notes that a one-time code of this step was used; `false` when one of
    /// that step or a later one was used before.
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    fn spend_code(&self, account: &str, step: u64) -> Result<bool, DatasetError>;

    /// Replaces the account's recovery codes by these hashes.
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    fn keep_recovery_codes(&self, account: &str, hashes: &[[u8; 32]]) -> Result<(), DatasetError>;

    /// How many recovery codes the account has left.
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    fn recovery_codes(&self, account: &str) -> Result<u64, DatasetError>;

    /// Uses up a recovery code; `false` when there is no such.
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    fn spend_recovery_code(&self, account: &str, hash: [u8; 32]) -> Result<bool, DatasetError>;

    /// Opens a session; those that ended before `ended_ms` go.
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    fn open_session(&self, session: &Session, ended_ms: i64) -> Result<(), DatasetError>;

    /// The session with this hash and its account as it is now.
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    fn session(&self, hash: [u8; 32]) -> Result<Option<(Session, Account)>, DatasetError>;

    /// How many sessions were made and used after these moments.
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    fn count_sessions(&self, made_ms: i64, seen_ms: i64) -> Result<u64, DatasetError>;

    /// Sessions of an account, newest first.
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    fn sessions(&self, account: &str) -> Result<Vec<Session>, DatasetError>;

    /// Notes that a session was used.
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    fn touch_session(&self, hash: [u8; 32], seen_ms: i64) -> Result<(), DatasetError>;

    /// Ends one session.
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    fn end_session(&self, hash: [u8; 32]) -> Result<(), DatasetError>;

    /// Keeps the key of an account's certificate.
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    fn keep_operator_key(&self, key: &OperatorKey) -> Result<(), DatasetError>;

    /// What is known of a key.
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    fn operator_key(&self, key: &PublicKey) -> Result<Option<OperatorKey>, DatasetError>;

    /// Lets none of an account's keys count any more; how many did.
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    fn revoke_operator_keys(&self, account: &str, now_ms: i64) -> Result<u64, DatasetError>;
}
