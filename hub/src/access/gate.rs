//! The gate: signing in and out, sessions, and the operators' accounts.
//!
//! The first operator is made with a code that the hub prints at start while
//! it has none; there is no default password. A session lasts twelve hours,
//! or half an hour without use.

mod accounts;
mod own;
mod refused;

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use lumbung_telemetry::clock;

pub(super) use self::accounts::must_manage;
use self::accounts::{check_account, is_name};
pub use self::own::NewCodes;
pub use self::refused::SignInRefused;
use super::account::{Account, Accounts, FirstUse, NewAccount, Session};
use super::attempts::Attempts;
use super::audit::{Act, AuditFilter, AuditLog, AuditNote};
use super::codes;
use super::operator::{Operator, Refused};
use super::password::{self, Hashing};
use super::proofs::Proofs;
use super::role::Role;
use crate::dataset::DatasetError;
use crate::metrics::{Entrance, OperatorCounts};

/// The longest session, milliseconds.
const SESSION_MS: i64 = 12 * 60 * 60 * 1000;

/// The longest pause within a session, milliseconds.
const IDLE_MS: i64 = 30 * 60 * 1000;

/// An unused session lasts at least this long, milliseconds.
pub const IDLE_AT_LEAST_MS: i64 = IDLE_MS - TOUCH_EVERY_MS;

/// A session's use is noted this often at most, milliseconds.
const TOUCH_EVERY_MS: i64 = 60_000;

/// A first password that nobody has used lets in for so long, milliseconds:
/// whoever handed it out has seen it.
pub const FIRST_PASSWORD_MS: i64 = 72 * 60 * 60 * 1000;

/// Longest name of a browser that is kept, characters.
const AGENT_MAX: usize = 120;

/// Bytes of a session's secret.
const SECRET_LEN: usize = 32;

/// Why a session is looked up.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Visit {
    /// Its operator asks for something.
    Asks,
    /// A page that stands open looks for news.
    Watches,
}

/// Where somebody signs in from.
#[derive(Clone, Debug, Default)]
pub struct Visitor {
    /// The address, when there is one.
    pub address: Option<IpAddr>,
    /// What the browser calls itself.
    pub agent: String,
}

pub(super) struct Inside {
    pub(super) accounts: Arc<dyn Accounts>,
    audit: Arc<dyn AuditLog>,
    hashing: Hashing,
    attempts: Attempts,
    proofs: Proofs,
    pub(super) counts: OperatorCounts,
    /// Whether what asks for a code is closed to who has none.
    demands_codes: bool,
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
        Self::demanding(accounts, audit, false)
    }

    /// A gate to these accounts; whether operators must have one-time codes
    /// before they open data, take it out, or change keys and accounts.
    #[must_use]
    pub fn demanding(
        accounts: Arc<dyn Accounts>,
        audit: Arc<dyn AuditLog>,
        demands_codes: bool,
    ) -> Self {
        Self(Arc::new(Inside {
            demands_codes,
            accounts,
            audit,
            hashing: Hashing::default(),
            attempts: Attempts::default(),
            proofs: Proofs::default(),
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

    /// Whether a code for the first operator is waiting. It no longer is once
    /// there is an operator, who may have been made by a command meanwhile.
    pub async fn is_founding(&self) -> bool {
        let waits = |inside: &Inside| {
            inside.first_code.lock().unwrap_or_else(PoisonError::into_inner).is_some()
        };
        if !waits(&self.0) {
            return false;
        }
        let looked = self.store(move |inside| {
            if !inside.accounts.accounts()?.is_empty() {
                *inside.first_code.lock().unwrap_or_else(PoisonError::into_inner) = None;
            }
            Ok(waits(inside))
        });
        looked.await.unwrap_or(true)
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
        let mut account = self.account_of(&new, password, now_ms).await?;
        account.first_password = false;
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
        // Whoever holds a first password that was used is told so; looking
        // takes as long for every name.
        let used = found.as_ref().map(|account| account.first_use.clone());
        let entered = match found {
            Some(account) if known && account.is_open(now_ms) => {
                self.proves(&account, code, now_ms).await?.then_some(account)
            }
            _ => None,
        };
        let Some(account) = entered else {
            self.0.attempts.failed(&name, visitor.address, now_ms);
            let hash = used.as_ref().map(|used| used.password.clone());
            let hash = hash.filter(|hash| !hash.is_empty());
            let spent = !known && self.0.hashing.verify(password.to_owned(), hash).await;
            if let Some(used) = used.filter(|_| spent) {
                self.note(&name, Act::SignInFailed, &name, "sandi awal yang sudah dipakai").await?;
                return Err(SignInRefused::FirstPasswordUsed(used.at_ms, used.from));
            }
            // A name that can't be one may be a password typed in its place.
            let subject = if is_name(&name) { name.as_str() } else { "?" };
            self.note(subject, Act::SignInFailed, subject, "").await?;
            return Err(SignInRefused::Wrong);
        };
        let two_factors = account.totp.is_some();
        if let Err(error) = self.must_count(account.clone(), now_ms).await {
            self.note(&name, Act::SignInFailed, &name, "sandi awal lewat waktunya").await?;
            return Err(error);
        }
        self.0.attempts.succeeded(&name);
        let from = visitor.address.map(|address| address.to_string()).unwrap_or_default();
        let words = match (account.first_password, from.as_str()) {
            (false, _) => String::new(),
            (true, "") => "dengan sandi awal".to_owned(),
            (true, from) => format!("dengan sandi awal, dari {from}"),
        };
        self.note(&name, Act::SignedIn, &name, &words).await?;
        if account.first_password && account.first_use.at_ms == 0 {
            let first_use = FirstUse { at_ms: now_ms, from, ..FirstUse::default() };
            let used = Account { first_use, ..account };
            self.store(move |inside| Ok(inside.accounts.keep_account(&used, false)?)).await?;
        }
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
        if two_factors {
            self.0.proofs.proved(session.hash, now_ms);
        }
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

    /// Passes unless the account's password is a first one that was handed
    /// out too long ago. When that was stands in the audit log.
    async fn must_count(&self, account: Account, now_ms: i64) -> Result<(), SignInRefused> {
        if !account.first_password {
            return Ok(());
        }
        let given = self.store(move |inside| {
            let mut given_ms = account.made_ms;
            for act in [Act::AccountMade, Act::PasswordChanged] {
                let filter = AuditFilter {
                    act: Some(act.code().into()),
                    subject: Some(account.name.clone()),
                    limit: 1,
                    ..AuditFilter::default()
                };
                let noted = inside.audit.audit(&filter)?;
                given_ms = noted.iter().map(|entry| entry.at_ms).fold(given_ms, i64::max);
            }
            Ok(given_ms)
        });
        let age_ms = now_ms - given.await?;
        if age_ms < FIRST_PASSWORD_MS { Ok(()) } else { Err(SignInRefused::FirstPasswordOver) }
    }

    /// Who a session's secret belongs to, now, when they ask for something;
    /// `None` = nobody any more.
    ///
    /// # Errors
    /// When the store fails: then nobody is let in.
    pub async fn operator(&self, secret: &str) -> Result<Option<Operator>, SignInRefused> {
        self.look(secret, Visit::Asks, clock::now_ms()).await
    }

    /// Who a session's secret belongs to, now, when a page of theirs looks
    /// for news by itself; `None` = nobody any more. An open page alone
    /// doesn't keep a session from ending.
    ///
    /// # Errors
    /// When the store fails: then nobody is let in.
    pub async fn watcher(&self, secret: &str) -> Result<Option<Operator>, SignInRefused> {
        self.look(secret, Visit::Watches, clock::now_ms()).await
    }

    async fn look(
        &self,
        secret: &str,
        visit: Visit,
        now_ms: i64,
    ) -> Result<Option<Operator>, SignInRefused> {
        let Ok(secret) = blake3::Hash::from_hex(secret) else { return Ok(None) };
        let hash = *blake3::hash(secret.as_bytes()).as_bytes();
        self.store(move |inside| {
            let Some((session, account)) = inside.accounts.session(hash)? else { return Ok(None) };
            let over =
                now_ms - session.made_ms >= SESSION_MS || now_ms - session.seen_ms >= IDLE_MS;
            if over || !account.is_open(now_ms) {
                inside.accounts.end_session(hash)?;
                return Ok(None);
            }
            if visit == Visit::Asks && now_ms - session.seen_ms >= TOUCH_EVERY_MS {
                inside.accounts.touch_session(hash, now_ms)?;
            }
            let lacks = match (&account.totp, inside.demands_codes) {
                (Some(_), _) => (!inside.proofs.are_fresh(hash, now_ms)).then_some(Refused::Stale),
                (None, true) => Some(Refused::NoCodes),
                (None, false) => None,
            };
            Ok(Some(Operator::signed_in(account, &session, lacks)))
        })
        .await
    }

    /// Whether this hub closes what asks for a code to who has none.
    #[must_use]
    pub fn demands_codes(&self) -> bool {
        self.0.demands_codes
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

    pub(super) async fn named(&self, name: &str) -> Result<Account, SignInRefused> {
        let name = name.to_owned();
        let found = self.store(move |inside| Ok(inside.accounts.account(&name)?)).await?;
        found.ok_or(SignInRefused::Unknown)
    }

    async fn hashed(&self, password: &str) -> Result<String, SignInRefused> {
        let hash = self.0.hashing.hash(password.to_owned()).await;
        hash.ok_or_else(|| SignInRefused::Failed("a password can't be hashed now".into()))
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
            first_password: true,
            first_use: FirstUse::default(),
            active: true,
            until_ms: new.until_ms,
            made_ms: now_ms,
        })
    }
}

#[cfg(test)]
mod tests;
