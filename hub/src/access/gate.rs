//! The gate: signing in and out, sessions, and the operators' accounts.
//!
//! The first operator is made with a code that the hub prints at start while
//! it has none; there is no default password. A session lasts twelve hours,
//! or half an hour without use.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use lumbung_telemetry::clock;

use super::account::{Account, Accounts, NewAccount, Session};
use super::attempts::Attempts;
use super::audit::{Act, AuditLog, AuditNote};
use super::codes;
use super::operator::{Operator, Refused};
use super::password::{self, Hashing, WeakPassword};
use super::role::{Right, Role};
use crate::dataset::DatasetError;
use crate::metrics::{Entrance, OperatorCounts};
use crate::words::Words;

/// The longest session, milliseconds.
const SESSION_MS: i64 = 12 * 60 * 60 * 1000;

/// The longest pause within a session, milliseconds.
const IDLE_MS: i64 = 30 * 60 * 1000;

/// A session's use is noted this often at most, milliseconds.
const TOUCH_EVERY_MS: i64 = 60_000;

/// The longest a supporter's account lasts, milliseconds.
const SUPPORT_MS_MAX: i64 = 14 * 24 * 60 * 60 * 1000;

/// Longest name of a browser that is kept, characters.
const AGENT_MAX: usize = 120;

/// Bytes of a session's secret.
const SECRET_LEN: usize = 32;

/// Why somebody was not let in, or an account was not changed. Nothing
/// changed.
#[derive(Debug, thiserror::Error)]
pub enum SignInRefused {
    /// Name, password or code: which one is not said.
    #[error("Nama, kata sandi atau kode tidak cocok.")]
    Wrong,
    /// Too many failures.
    #[error("Terlalu banyak percobaan. Coba lagi {seconds} detik lagi.")]
    Wait {
        /// For so long.
        seconds: i64,
    },
    /// A first operator exists, or the code is not the one shown.
    #[error("Kode tidak cocok, atau operator pertama sudah ada.")]
    NotFirst,
    /// The name can't be one.
    #[error("Nama operator: 3 sampai 40 huruf kecil, angka, titik atau tanda hubung.")]
    Name,
    /// The name is taken.
    #[error("Nama ini sudah dipakai operator lain.")]
    Taken,
    /// No such account.
    #[error("Operator ini tidak ada.")]
    Unknown,
    /// A kecamatan operator without kecamatan.
    #[error("Operator kecamatan harus punya paling sedikit satu kecamatan.")]
    NoKecamatan,
    /// A supporter without an end, or with one too far.
    #[error("Akun dukungan harus berakhir paling lama 14 hari lagi.")]
    NoEnd,
    /// Nobody could open it again.
    #[error("Ini kepala operator terakhir yang aktif; tidak bisa diubah atau diblokir.")]
    LastHead,
    /// The password is too easy.
    #[error(transparent)]
    Weak(#[from] WeakPassword),
    /// The role may not.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The store or the machine failed.
    #[error("Hub sedang tidak bisa memeriksa. Tidak ada yang berubah. Coba lagi sebentar.")]
    Failed(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl SignInRefused {
    /// Why, in both languages.
    #[must_use]
    pub fn words(&self) -> Words {
        let english = match self {
            Self::Wrong => "Name, password or code do not match.",
            Self::Wait { seconds } => {
                let english = format!("Too many attempts. Try again in {seconds} seconds.");
                return Words::new(self.to_string(), english);
            }
            Self::NotFirst => "The code does not match, or there is a first operator already.",
            Self::Name => "An operator's name: 3 to 40 small letters, digits, dots or hyphens.",
            Self::Taken => "Another operator has this name.",
            Self::Unknown => "There is no such operator.",
            Self::NoKecamatan => "An operator of kecamatan needs one kecamatan at least.",
            Self::NoEnd => "A supporter's account must end within 14 days.",
            Self::LastHead => {
                "This is the last head operator who may sign in; it can't be changed or closed."
            }
            Self::Weak(weak) => weak.english(),
            Self::Refused(refused) => refused.english(),
            Self::Failed(_) => {
                "The hub can't look just now. Nothing has changed. Try again in a moment."
            }
        };
        Words::new(self.to_string(), english)
    }
}

impl From<DatasetError> for SignInRefused {
    fn from(error: DatasetError) -> Self {
        Self::Failed(Box::new(error))
    }
}

impl From<getrandom::Error> for SignInRefused {
    fn from(error: getrandom::Error) -> Self {
        Self::Failed(Box::new(error))
    }
}

/// Where somebody signs in from.
#[derive(Clone, Debug, Default)]
pub struct Visitor {
    /// The address, when there is one.
    pub address: Option<IpAddr>,
    /// What the browser calls itself.
    pub agent: String,
}

/// One-time codes to be set up: nothing is kept until a code proves that the
/// app has them.
#[derive(Clone)]
pub struct NewCodes {
    /// The secret; comes back in [`Gate::keep_codes`].
    pub secret: Vec<u8>,
    /// The secret as people type it.
    pub typed: String,
    /// What an app reads as a QR code.
    pub address: String,
}

pub(super) struct Inside {
    pub(super) accounts: Arc<dyn Accounts>,
    audit: Arc<dyn AuditLog>,
    hashing: Hashing,
    attempts: Attempts,
    pub(super) counts: OperatorCounts,
    /// Hash of the code for the first operator, while there is none.
    first_code: Mutex<Option<[u8; 32]>>,
}

/// The gate. Clones are the same gate.
#[derive(Clone)]
pub struct Gate(Arc<Inside>);

impl Gate {
    /// A gate to these accounts.
    #[must_use]
    pub fn new(accounts: Arc<dyn Accounts>, audit: Arc<dyn AuditLog>) -> Self {
        Self(Arc::new(Inside {
            accounts,
            audit,
            hashing: Hashing::default(),
            attempts: Attempts::default(),
            counts: OperatorCounts::default(),
            first_code: Mutex::new(None),
        }))
    }

    pub(super) async fn store<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Inside) -> Result<T, SignInRefused> + Send + 'static,
    ) -> Result<T, SignInRefused> {
        let inside = Arc::clone(&self.0);
        let done = tokio::task::spawn_blocking(move || work(&inside)).await;
        done.unwrap_or_else(|error| Err(SignInRefused::Failed(Box::new(error))))
    }

    pub(super) async fn note(
        &self,
        operator: &str,
        act: Act,
        subject: &str,
        words: &str,
    ) -> Result<(), SignInRefused> {
        let note = AuditNote {
            operator: operator.to_owned(),
            act,
            subject: subject.to_owned(),
            words: words.to_owned(),
        };
        self.store(move |inside| {
            inside.audit.note(&note, clock::now_ms())?;
            Ok(())
        })
        .await
    }

    /// A code for the first operator, while there is none; to be shown to who
    /// runs the hub. Asking again makes the earlier one worthless.
    ///
    /// # Errors
    /// When the store or the machine fails.
    pub async fn first_code(&self) -> Result<Option<String>, SignInRefused> {
        self.store(|inside| {
            if !inside.accounts.accounts()?.is_empty() {
                return Ok(None);
            }
            let code = codes::random(4)?;
            let hash = codes::hash(&code);
            *inside.first_code.lock().unwrap_or_else(PoisonError::into_inner) = Some(hash);
            Ok(Some(code))
        })
        .await
    }

    /// Whether a code for the first operator is waiting.
    #[must_use]
    pub fn is_founding(&self) -> bool {
        self.0.first_code.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Makes the first operator, who may do everything.
    ///
    /// # Errors
    /// The code is wrong, there is an operator already, name or password
    /// can't be taken.
    pub async fn found(
        &self,
        code: &str,
        name: &str,
        password: &str,
        visitor: &Visitor,
    ) -> Result<(), SignInRefused> {
        let now_ms = clock::now_ms();
        self.may_try("operator pertama", visitor, now_ms)?;
        let given = codes::hash(code);
        let right = {
            let held = self.0.first_code.lock().unwrap_or_else(PoisonError::into_inner);
            held.is_some_and(|held| blake3::Hash::from(held) == blake3::Hash::from(given))
        };
        if !right {
            self.0.attempts.failed("operator pertama", visitor.address, now_ms);
            return Err(SignInRefused::NotFirst);
        }
        let new =
            NewAccount { name: name.into(), role: Role::Head, kecamatan: vec![], until_ms: None };
        let account = self.account_of(&new, password, now_ms).await?;
        self.note(name, Act::Founded, name, "").await?;
        let made = self.store(move |inside| Ok(inside.accounts.keep_first_account(&account)?));
        if !made.await? {
            return Err(SignInRefused::NotFirst);
        }
        *self.0.first_code.lock().unwrap_or_else(PoisonError::into_inner) = None;
        Ok(())
    }

    fn may_try(&self, name: &str, visitor: &Visitor, now_ms: i64) -> Result<(), SignInRefused> {
        match self.0.attempts.wait_ms(name, visitor.address, now_ms) {
            0 => Ok(()),
            wait_ms => Err(SignInRefused::Wait { seconds: wait_ms / 1_000 + 1 }),
        }
    }

    /// What operators do, counted since the start.
    #[must_use]
    pub fn counts(&self) -> &OperatorCounts {
        &self.0.counts
    }

    /// How many sessions are not over. Blocks.
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    pub fn sessions_open(&self) -> Result<u64, DatasetError> {
        let now_ms = clock::now_ms();
        self.0.accounts.count_sessions(now_ms - SESSION_MS, now_ms - IDLE_MS)
    }

    /// Signs in and gives the secret of the new session.
    ///
    /// # Errors
    /// [`SignInRefused::Wrong`] whatever was wrong; [`SignInRefused::Wait`].
    pub async fn sign_in(
        &self,
        name: &str,
        password: &str,
        code: &str,
        visitor: &Visitor,
    ) -> Result<String, SignInRefused> {
        let entered = self.enter(name, password, code, visitor).await;
        self.0.counts.came(match &entered {
            Ok(_) => Entrance::Entered,
            Err(SignInRefused::Wrong) => Entrance::Wrong,
            Err(SignInRefused::Wait { .. }) => Entrance::Waited,
            Err(_) => Entrance::Failed,
        });
        entered
    }

    async fn enter(
        &self,
        name: &str,
        password: &str,
        code: &str,
        visitor: &Visitor,
    ) -> Result<String, SignInRefused> {
        let name = name.trim().to_lowercase();
        let now_ms = clock::now_ms();
        self.may_try(&name, visitor, now_ms)?;
        let found = {
            let name = name.clone();
            self.store(move |inside| Ok(inside.accounts.account(&name)?)).await?
        };
        let hash = found.as_ref().map(|account| account.password.clone());
        let known = self.0.hashing.verify(password.to_owned(), hash).await;
        let entered = match found {
            Some(account) if known && account.is_open(now_ms) => {
                let two_factors = account.totp.is_some();
                self.proves(&account, code, now_ms).await?.then_some(two_factors)
            }
            _ => None,
        };
        let Some(two_factors) = entered else {
            self.0.attempts.failed(&name, visitor.address, now_ms);
            // A name that can't be one may be a password typed in its place.
            let subject = if is_name(&name) { name.as_str() } else { "?" };
            self.note(subject, Act::SignInFailed, subject, "").await?;
            return Err(SignInRefused::Wrong);
        };
        self.0.attempts.succeeded(&name);
        self.note(&name, Act::SignedIn, &name, "").await?;
        let mut secret = [0; SECRET_LEN];
        getrandom::fill(&mut secret)?;
        let session = Session {
            hash: *blake3::hash(&secret).as_bytes(),
            account: name,
            made_ms: now_ms,
            seen_ms: now_ms,
            two_factors,
            agent: visitor.agent.chars().take(AGENT_MAX).collect(),
        };
        let ended_ms = now_ms - SESSION_MS;
        self.store(move |inside| Ok(inside.accounts.open_session(&session, ended_ms)?)).await?;
        Ok(blake3::Hash::from(secret).to_hex().to_string())
    }

    /// Whether a code is the account's: of its app, or a recovery code. Each
    /// works once.
    async fn proves(
        &self,
        account: &Account,
        code: &str,
        now_ms: i64,
    ) -> Result<bool, SignInRefused> {
        let Some(secret) = &account.totp else { return Ok(true) };
        let step = codes::step(secret, &account.name, code, now_ms);
        let (name, hash) = (account.name.clone(), codes::hash(code));
        self.store(move |inside| match step {
            Some(step) => Ok(inside.accounts.spend_code(&name, step)?),
            None => Ok(inside.accounts.spend_recovery_code(&name, hash)?),
        })
        .await
    }

    /// Who a session's secret belongs to, now; `None` = nobody any more.
    ///
    /// # Errors
    /// When the store fails: then nobody is let in.
    pub async fn operator(&self, secret: &str) -> Result<Option<Operator>, SignInRefused> {
        let Ok(secret) = blake3::Hash::from_hex(secret) else { return Ok(None) };
        let hash = *blake3::hash(secret.as_bytes()).as_bytes();
        self.store(move |inside| {
            let now_ms = clock::now_ms();
            let Some((session, account)) = inside.accounts.session(hash)? else { return Ok(None) };
            let over =
                now_ms - session.made_ms >= SESSION_MS || now_ms - session.seen_ms >= IDLE_MS;
            if over || !account.is_open(now_ms) {
                inside.accounts.end_session(hash)?;
                return Ok(None);
            }
            if now_ms - session.seen_ms >= TOUCH_EVERY_MS {
                inside.accounts.touch_session(hash, now_ms)?;
            }
            let scope = account.scope();
            let Account { name, role, .. } = account;
            Ok(Some(Operator::signed_in(name, role, scope, hash, session.two_factors)))
        })
        .await
    }

    /// Ends the operator's session.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn sign_out(&self, who: &Operator) -> Result<(), SignInRefused> {
        let Some(hash) = who.session() else { return Ok(()) };
        self.note(who.name(), Act::SignedOut, who.name(), "").await?;
        self.store(move |inside| Ok(inside.accounts.end_session(hash)?)).await
    }

    /// The operator's own sessions, newest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn sessions(&self, who: &Operator) -> Result<Vec<Session>, SignInRefused> {
        let name = who.name().to_owned();
        self.store(move |inside| Ok(inside.accounts.sessions(&name)?)).await
    }

    /// Ends all of the operator's sessions but this one.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn end_other_sessions(&self, who: &Operator) -> Result<(), SignInRefused> {
        self.note(who.name(), Act::SessionEnded, who.name(), "").await?;
        let (name, own) = (who.name().to_owned(), who.session());
        self.store(move |inside| {
            for session in inside.accounts.sessions(&name)? {
                if Some(session.hash) != own {
                    inside.accounts.end_session(session.hash)?;
                }
            }
            Ok(())
        })
        .await
    }

    /// Changes the operator's own password; every other session ends.
    ///
    /// # Errors
    /// The old password is wrong, or the new one too easy.
    pub async fn change_password(
        &self,
        who: &Operator,
        old: &str,
        new: &str,
    ) -> Result<(), SignInRefused> {
        let now_ms = clock::now_ms();
        self.may_try(who.name(), &Visitor::default(), now_ms)?;
        let mut account = self.own(who).await?;
        let right = self.0.hashing.verify(old.to_owned(), Some(account.password.clone())).await;
        if !right {
            self.0.attempts.failed(who.name(), None, now_ms);
            return Err(SignInRefused::Wrong);
        }
        password::check(new, who.name())?;
        account.password = self.hashed(new).await?;
        self.note(who.name(), Act::PasswordChanged, who.name(), "").await?;
        self.store(move |inside| Ok(inside.accounts.keep_account(&account, false)?)).await?;
        self.end_other_sessions(who).await
    }

    /// One-time codes for the operator to set up.
    ///
    /// # Errors
    /// When the machine has no randomness.
    pub fn new_codes(&self, who: &Operator) -> Result<NewCodes, SignInRefused> {
        Ok(offer(codes::new_secret()?, who.name()))
    }

    /// The codes of a secret as people type it, to be shown once more.
    #[must_use]
    pub fn same_codes(&self, who: &Operator, typed: &str) -> Option<NewCodes> {
        codes::read_typed(typed).map(|secret| offer(secret, who.name()))
    }

    /// Sets up one-time codes once `code` proves that the app has them, and
    /// gives the recovery codes: shown now and never again.
    ///
    /// # Errors
    /// [`SignInRefused::Wrong`] when the code is not one of this secret.
    pub async fn keep_codes(
        &self,
        who: &Operator,
        secret: Vec<u8>,
        code: &str,
    ) -> Result<Vec<String>, SignInRefused> {
        let step = codes::step(&secret, who.name(), code, clock::now_ms());
        let step = step.ok_or(SignInRefused::Wrong)?;
        let mut account = self.own(who).await?;
        account.totp = Some(secret);
        let recovery = codes::recovery()?;
        let hashes: Vec<_> = recovery.iter().map(|code| codes::hash(code)).collect();
        self.note(who.name(), Act::CodesChanged, who.name(), "dipasang").await?;
        self.store(move |inside| {
            inside.accounts.keep_recovery_codes(&account.name, &hashes)?;
            inside.accounts.keep_account(&account, false)?;
            inside.accounts.spend_code(&account.name, step)?;
            Ok(())
        })
        .await?;
        self.end_other_sessions(who).await?;
        Ok(recovery)
    }

    /// Whether the operator has set up one-time codes.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn has_codes(&self, who: &Operator) -> Result<bool, SignInRefused> {
        Ok(self.own(who).await?.totp.is_some())
    }

    async fn own(&self, who: &Operator) -> Result<Account, SignInRefused> {
        self.named(who.name()).await
    }

    pub(super) async fn named(&self, name: &str) -> Result<Account, SignInRefused> {
        let name = name.to_owned();
        let found = self.store(move |inside| Ok(inside.accounts.account(&name)?)).await?;
        found.ok_or(SignInRefused::Unknown)
    }

    async fn hashed(&self, password: &str) -> Result<String, SignInRefused> {
        let hash = self.0.hashing.hash(password.to_owned()).await;
        hash.ok_or_else(|| SignInRefused::Failed("a password can't be hashed now".into()))
    }

    /// Every account.
    ///
    /// # Errors
    /// [`SignInRefused::Refused`] without [`Right::ManageOperators`].
    pub async fn accounts(&self, who: &Operator) -> Result<Vec<Account>, SignInRefused> {
        who.must(Right::ManageOperators)?;
        self.store(|inside| Ok(inside.accounts.accounts()?)).await
    }

    /// Makes an account and gives its first password, to be told to its
    /// owner.
    ///
    /// # Errors
    /// [`SignInRefused::Refused`]; name, kecamatan or end can't be taken.
    pub async fn add(&self, who: &Operator, new: &NewAccount) -> Result<String, SignInRefused> {
        who.must(Right::ManageOperators)?;
        let password = codes::random(4)?;
        let account = self.account_of(new, &password, clock::now_ms()).await?;
        let words = described(&account);
        if self.named(&new.name).await.is_ok() {
            return Err(SignInRefused::Taken);
        }
        self.note(who.name(), Act::AccountMade, &new.name, &words).await?;
        self.store(move |inside| Ok(inside.accounts.keep_account(&account, true)?)).await?;
        Ok(password)
    }

    /// Changes role, kecamatan and end of an account, or blocks it. Its
    /// sessions end.
    ///
    /// # Errors
    /// [`SignInRefused::Refused`], [`SignInRefused::Unknown`],
    /// [`SignInRefused::LastHead`]; kecamatan or end can't be taken.
    pub async fn change(
        &self,
        who: &Operator,
        changed: &NewAccount,
        active: bool,
    ) -> Result<(), SignInRefused> {
        who.must(Right::ManageOperators)?;
        check_account(changed, clock::now_ms())?;
        let old = self.named(&changed.name).await?;
        let NewAccount { role, kecamatan, until_ms, .. } = changed.clone();
        let account = Account { role, kecamatan, until_ms, active, ..old };
        self.keep_a_head(&account).await?;
        let words = described(&account);
        self.note(who.name(), Act::AccountChanged, &changed.name, &words).await?;
        self.store(move |inside| Ok(inside.accounts.keep_account(&account, true)?)).await
    }

    /// A new first password for an account whose owner lost it; one-time
    /// codes are taken away, sessions end, certificates count no longer.
    ///
    /// # Errors
    /// [`SignInRefused::Refused`], [`SignInRefused::Unknown`].
    pub async fn reset(&self, who: &Operator, name: &str) -> Result<String, SignInRefused> {
        who.must(Right::ManageOperators)?;
        let mut account = self.named(name).await?;
        let password = codes::random(4)?;
        account.password = self.hashed(&password).await?;
        account.totp = None;
        self.note(who.name(), Act::PasswordChanged, name, "sandi awal baru").await?;
        self.store(move |inside| {
            inside.accounts.keep_recovery_codes(&account.name, &[])?;
            inside.accounts.revoke_operator_keys(&account.name, clock::now_ms())?;
            Ok(inside.accounts.keep_account(&account, true)?)
        })
        .await?;
        Ok(password)
    }

    async fn keep_a_head(&self, account: &Account) -> Result<(), SignInRefused> {
        let stays = account.role == Role::Head && account.active && account.until_ms.is_none();
        let name = account.name.clone();
        let others = self.store(move |inside| {
            let all = inside.accounts.accounts()?;
            let is_head = |it: &Account| it.role == Role::Head && it.is_open(clock::now_ms());
            Ok(all.iter().any(|it| it.name != name && is_head(it)))
        });
        if stays || others.await? { Ok(()) } else { Err(SignInRefused::LastHead) }
    }

    async fn account_of(
        &self,
        new: &NewAccount,
        password: &str,
        now_ms: i64,
    ) -> Result<Account, SignInRefused> {
        check_account(new, now_ms)?;
        password::check(password, &new.name)?;
        Ok(Account {
            name: new.name.clone(),
            role: new.role,
            kecamatan: new.kecamatan.clone(),
            password: self.hashed(password).await?,
            totp: None,
            totp_step: 0,
            active: true,
            until_ms: new.until_ms,
            made_ms: now_ms,
        })
    }
}

fn offer(secret: Vec<u8>, name: &str) -> NewCodes {
    NewCodes { typed: codes::typed(&secret), address: codes::address(&secret, name), secret }
}

fn is_name(name: &str) -> bool {
    let fits =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-".contains(&byte);
    (3..=40).contains(&name.len())
        && name.bytes().all(fits)
        && name.bytes().any(|byte| byte.is_ascii_lowercase())
}

fn check_account(new: &NewAccount, now_ms: i64) -> Result<(), SignInRefused> {
    if !is_name(&new.name) {
        return Err(SignInRefused::Name);
    }
    if new.role.is_of_kecamatan() && new.kecamatan.is_empty() {
        return Err(SignInRefused::NoKecamatan);
    }
    let ends =
        new.until_ms.is_some_and(|until| (now_ms..=now_ms + SUPPORT_MS_MAX).contains(&until));
    if new.role == Role::Support && !ends {
        return Err(SignInRefused::NoEnd);
    }
    Ok(())
}

fn described(account: &Account) -> String {
    let kecamatan: Vec<_> = account.kecamatan.iter().map(ToString::to_string).collect();
    let state = if account.active { "aktif" } else { "diblokir" };
    format!("{} {} {state}", account.role, kecamatan.join(" "))
}

#[cfg(test)]
mod tests;
