use std::sync::Arc;

use lumbung_domain::region::{KecamatanCode, VillageCode};
use lumbung_identity::PublicKey;
use totp_rs::Builder;

use super::*;
use crate::access::account::{AccountChange, End, FirstUse};
use crate::access::audit::{AuditCheck, AuditEntry, AuditFilter};
use crate::access::proofs::FRESH_MS;
use crate::access::role::Right;
use crate::dataset::sqlite::SqliteDataset;

const PASSWORD: &str = "sapi merah di sawah";

struct Scene {
    _folder: tempfile::TempDir,
    store: Arc<SqliteDataset>,
    gate: Gate,
}

async fn scene() -> Scene {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(SqliteDataset::open(folder.path().join("hub.db")).unwrap());
    let gate = Gate::new(store.clone(), store.clone());
    let code = gate.first_code().await.unwrap().expect("no operator yet");
    gate.found(&code, "kepala", PASSWORD, &Visitor::default()).await.unwrap();
    Scene { _folder: folder, store, gate }
}

impl Scene {
    async fn enter(&self, name: &str, password: &str, code: &str) -> Result<String, SignInRefused> {
        self.gate.sign_in(name, password, code, &Visitor::default()).await
    }

    async fn head(&self) -> Operator {
        let secret = self.enter("kepala", PASSWORD, "").await.unwrap();
        self.gate.operator(&secret).await.unwrap().unwrap()
    }

    /// An account that the head made, of somebody who is signed in with their
    /// own password.
    async fn added(&self, head: &Operator, new: &NewAccount) -> Operator {
        let password = self.gate.add(head, new).await.unwrap();
        let secret = self.enter(&new.name, &password, "").await.unwrap();
        let who = self.gate.operator(&secret).await.unwrap().unwrap();
        self.gate.change_password(&who, &password, PASSWORD).await.unwrap();
        self.gate.operator(&secret).await.unwrap().unwrap()
    }
}

fn new(name: &str, role: Role, kecamatan: &[u64], until_ms: Option<i64>) -> NewAccount {
    let kecamatan = kecamatan.iter().map(|code| KecamatanCode::from_u64(*code).unwrap());
    NewAccount { name: name.into(), role, kecamatan: kecamatan.collect(), until_ms }
}

fn kecamatan_operator() -> NewAccount {
    new("siti", Role::KecamatanOperator, &[350_501], None)
}

fn open(active: bool) -> AccountChange {
    AccountChange { active: Some(active), ..AccountChange::default() }
}

#[tokio::test]
async fn the_first_operator_needs_the_code_and_comes_once() {
    let scene = scene().await;
    assert!(scene.gate.first_code().await.unwrap().is_none());
    let again = scene.gate.found("0000", "lain", PASSWORD, &Visitor::default()).await;
    assert!(matches!(again, Err(SignInRefused::NotFirst)));
    assert_eq!(scene.head().await.role(), Role::Head);
}

#[tokio::test]
async fn a_wrong_password_and_a_wrong_name_look_the_same() {
    let scene = scene().await;
    let wrong = scene.enter("kepala", "bukan sandinya", "").await.unwrap_err();
    let nobody = scene.enter("tidak.ada", PASSWORD, "").await.unwrap_err();
    assert_eq!(wrong.to_string(), nobody.to_string());
    for _ in 0..5 {
        drop(scene.enter("kepala", "bukan sandinya", "").await);
    }
    let wait = scene.enter("kepala", PASSWORD, "").await;
    assert!(matches!(wait, Err(SignInRefused::Wait { .. })), "the right one waits too: {wait:?}");
}

#[tokio::test]
async fn a_kecamatan_operator_sees_it_and_no_other() {
    let scene = scene().await;
    let head = scene.head().await;
    let password = scene.gate.add(&head, &kecamatan_operator()).await.unwrap();
    let secret = scene.enter("Siti ", &password, "").await.unwrap();
    let siti = scene.gate.operator(&secret).await.unwrap().unwrap();
    scene.gate.change_password(&siti, &password, PASSWORD).await.unwrap();
    let siti = scene.gate.operator(&secret).await.unwrap().unwrap();
    assert!(siti.scope().holds(VillageCode::from_u64(3_505_012_001).unwrap()));
    assert!(!siti.scope().holds(VillageCode::from_u64(3_505_022_001).unwrap()));
    for refused in [
        scene.gate.accounts(&siti).await.err(),
        scene.gate.add(&siti, &kecamatan_operator()).await.err(),
        scene.gate.reset(&siti, "kepala").await.err(),
        scene.gate.change(&siti, "siti", &AccountChange::default()).await.err(),
    ] {
        assert!(matches!(refused, Some(SignInRefused::Refused(_))), "{refused:?}");
    }
}

#[tokio::test]
async fn blocking_and_resetting_end_sessions_at_once() {
    let scene = scene().await;
    let head = scene.head().await;
    let password = scene.gate.add(&head, &kecamatan_operator()).await.unwrap();
    let secret = scene.enter("siti", &password, "").await.unwrap();
    scene.gate.change(&head, "siti", &open(false)).await.unwrap();
    assert!(scene.gate.operator(&secret).await.unwrap().is_none());
    assert!(matches!(scene.enter("siti", &password, "").await, Err(SignInRefused::Wrong)));
    scene.gate.change(&head, "siti", &open(true)).await.unwrap();
    let secret = scene.enter("siti", &password, "").await.unwrap();
    let new = scene.gate.reset(&head, "siti").await.unwrap();
    assert!(scene.gate.operator(&secret).await.unwrap().is_none());
    assert!(scene.enter("siti", &password, "").await.is_err());
    assert!(scene.enter("siti", &new, "").await.is_ok());
}

#[tokio::test]
async fn the_last_head_stays() {
    let scene = scene().await;
    let head = scene.head().await;
    let auditor = AccountChange { role: Some(Role::Auditor), ..AccountChange::default() };
    let refused = scene.gate.change(&head, "kepala", &auditor).await;
    assert!(matches!(refused, Err(SignInRefused::LastHead)), "{refused:?}");
    let support = new("bantu", Role::Support, &[], None);
    assert!(matches!(scene.gate.add(&head, &support).await, Err(SignInRefused::NoEnd)));
}

#[tokio::test]
async fn a_code_works_once_and_a_recovery_code_too() {
    let scene = scene().await;
    let head = scene.head().await;
    assert_eq!(scene.gate.recovery_codes(&head).await.unwrap(), None, "not set up");
    let offer = scene.gate.new_codes(&head).unwrap();
    let app = Builder::new().with_secret(offer.secret.clone()).build_noncompliant();
    let wrong = scene.gate.keep_codes(&head, offer.secret.clone(), "000000", PASSWORD).await;
    assert!(wrong.is_err() || app.generate_current().to_string() == "000000");
    let code = app.generate_current().to_string();
    let stolen = scene.gate.keep_codes(&head, offer.secret.clone(), &code, "").await;
    assert!(matches!(stolen, Err(SignInRefused::Wrong)), "a session without the password");
    let recovery = scene.gate.keep_codes(&head, offer.secret, &code, PASSWORD).await.unwrap();
    assert!(scene.enter("kepala", PASSWORD, "").await.is_err(), "the password alone");
    assert!(scene.enter("kepala", PASSWORD, &code).await.is_err(), "a code twice");
    let secret = scene.enter("kepala", PASSWORD, &recovery[0]).await.unwrap();
    assert!(scene.gate.operator(&secret).await.unwrap().unwrap().has_two_factors());
    assert!(scene.enter("kepala", PASSWORD, &recovery[0]).await.is_err(), "a recovery code twice");
    let left = scene.gate.recovery_codes(&head).await.unwrap();
    assert_eq!(left, Some(recovery.len() as u64 - 1));
}

#[tokio::test]
async fn every_act_is_in_the_log() {
    let scene = scene().await;
    let head = scene.head().await;
    scene.gate.add(&head, &kecamatan_operator()).await.unwrap();
    let AuditCheck::Whole(end) = scene.store.check_audit().unwrap() else { panic!("broken") };
    assert_eq!(end, scene.store.audit_head().unwrap());
    let filter = AuditFilter { limit: 10, ..AuditFilter::default() };
    let acts: Vec<_> = scene.store.audit(&filter).unwrap().into_iter().map(|it| it.act).collect();
    assert_eq!(acts, ["operator.baru", "masuk", "operator.pertama"]);
}

fn refuses<T>(outcome: &Result<T, SignInRefused>) -> bool {
    matches!(outcome, Err(SignInRefused::Refused(_)))
}

#[tokio::test]
async fn nobody_makes_touches_or_certifies_more_than_they_are() {
    let scene = scene().await;
    let head = scene.head().await;
    let day_ms = 24 * 60 * 60 * 1000;
    for target in Role::ALL {
        let kecamatan: &[u64] = if target.is_of_kecamatan() { &[350_501] } else { &[] };
        let until_ms = (target == Role::Support).then(|| clock::now_ms() + day_ms);
        let name = format!("sasaran.{}", target.name().replace('.', "-"));
        scene.gate.add(&head, &new(&name, target, kecamatan, until_ms)).await.unwrap();
    }
    for role in Role::ALL {
        let kecamatan: &[u64] = if role.is_of_kecamatan() { &[350_501] } else { &[] };
        let until_ms = (role == Role::Support).then(|| clock::now_ms() + day_ms);
        let own = format!("uji.{}", role.name().replace('.', "-"));
        let who = scene.added(&head, &new(&own, role, kecamatan, until_ms)).await;
        for target in Role::ALL {
            let may = match role {
                Role::Head => true,
                Role::Security => target != Role::Head,
                _ => false,
            };
            let kecamatan: &[u64] = if target.is_of_kecamatan() { &[350_501] } else { &[] };
            let until_ms = (target == Role::Support).then(|| clock::now_ms() + day_ms);
            let name = format!("baru.{}-{}", own.len(), target.name().replace('.', "-"));
            let made = scene.gate.add(&who, &new(&name, target, kecamatan, until_ms)).await;
            assert_eq!((made.is_ok(), refuses(&made)), (may, !may), "{role} makes {target}");
            let name = format!("sasaran.{}", target.name().replace('.', "-"));
            let changed = scene.gate.change(&who, &name, &open(true)).await;
            assert_eq!((changed.is_ok(), refuses(&changed)), (may, !may), "{role} and {target}");
            let reset = scene.gate.reset(&who, &name).await;
            assert_eq!((reset.is_ok(), refuses(&reset)), (may, !may), "{role} resets {target}");
            // A certificate is the account's rights at once: of no more than
            // they have.
            let certified = may && Right::ALL.iter().all(|it| role.may(*it) || !target.may(*it));
            let key = scene.gate.certify(&who, &name, PublicKey([7; 32]), 1).await;
            assert_eq!((key.is_ok(), refuses(&key)), (certified, !certified), "{role}, {target}");
        }
        let rise = AccountChange { role: Some(Role::Head), ..AccountChange::default() };
        if role != Role::Head {
            assert!(refuses_or_own(&scene.gate.change(&who, &own, &rise).await), "{role}");
            assert!(refuses_or_own(&scene.gate.change(&who, &own, &open(true)).await), "{role}");
        }
        assert!(refuses_or_own(&scene.gate.reset(&who, &own).await), "{role} resets itself");
    }
    let demoted = AccountChange { role: Some(Role::Head), ..AccountChange::default() };
    let who = scene.added(&head, &new("keamanan", Role::Security, &[], None)).await;
    assert!(refuses(&scene.gate.change(&who, "sasaran.auditor", &demoted).await));
}

fn refuses_or_own<T>(outcome: &Result<T, SignInRefused>) -> bool {
    matches!(outcome, Err(SignInRefused::Refused(_) | SignInRefused::Own))
}

#[tokio::test]
async fn who_is_of_a_kecamatan_makes_nobody_of_more() {
    let scene = scene().await;
    let head = scene.head().await;
    let one = &[350_501][..];
    let who = scene.added(&head, &new("keamanan", Role::Security, one, None)).await;
    scene.gate.add(&head, &new("semua", Role::Auditor, &[], None)).await.unwrap();
    for (name, kecamatan, may) in
        [("satu", one, true), ("dua", &[350_501, 350_502][..], false), ("seluruh", &[], false)]
    {
        let made = scene.gate.add(&who, &new(name, Role::Auditor, kecamatan, None)).await;
        assert_eq!((made.is_ok(), refuses(&made)), (may, !may), "{kecamatan:?}");
    }
    // Whoever sees more is not there for them, by whatever they try.
    let unknown = |outcome: &dyn std::fmt::Debug| format!("{outcome:?}") == "Err(Unknown)";
    let (absent, key) = (AccountChange::default(), PublicKey([7; 32]));
    for name in ["semua", "kepala", "tidak.ada"] {
        assert!(unknown(&scene.gate.reset(&who, name).await), "{name}");
        assert!(unknown(&scene.gate.change(&who, name, &absent).await), "{name}");
        assert!(unknown(&scene.gate.certify(&who, name, key, 1).await), "{name}");
        assert!(unknown(&scene.gate.revoke_certificates(&who, name).await), "{name}");
    }
    let listed = scene.gate.accounts(&who).await.unwrap();
    let listed: Vec<_> = listed.iter().map(|account| account.name.as_str()).collect();
    assert_eq!(listed, ["keamanan", "satu"]);
    let wide = AccountChange { kecamatan: Some(vec![]), ..AccountChange::default() };
    assert!(refuses(&scene.gate.change(&who, "satu", &wide).await));
}

#[tokio::test]
async fn a_first_password_opens_nothing_but_the_way_to_another() {
    let scene = scene().await;
    let head = scene.head().await;
    let password = scene.gate.add(&head, &kecamatan_operator()).await.unwrap();
    let secret = scene.enter("siti", &password, "").await.unwrap();
    let siti = scene.gate.operator(&secret).await.unwrap().unwrap();
    assert!(siti.has_first_password() && Right::ALL.iter().all(|right| !siti.may(*right)));
    let same = scene.gate.change_password(&siti, &password, &password).await;
    assert!(matches!(same, Err(SignInRefused::Weak(_))), "{same:?}");
    scene.gate.change_password(&siti, &password, PASSWORD).await.unwrap();
    let siti = scene.gate.operator(&secret).await.unwrap().unwrap();
    assert!(!siti.has_first_password() && siti.may(Right::SeeRecords));
    let again = scene.gate.reset(&head, "siti").await.unwrap();
    let secret = scene.enter("siti", &again, "").await.unwrap();
    assert!(scene.gate.operator(&secret).await.unwrap().unwrap().has_first_password());
}

#[tokio::test]
async fn whoever_holds_a_first_password_learns_that_another_used_it() {
    let scene = scene().await;
    let head = scene.head().await;
    let password = scene.gate.add(&head, &kecamatan_operator()).await.unwrap();
    let account = || scene.store.account("siti").unwrap().unwrap();
    assert_eq!(account().first_use, FirstUse::default());
    // Whoever made the account is quicker than its owner.
    let visitor = Visitor { address: "10.0.0.7".parse().ok(), agent: "uji".to_owned() };
    let secret = scene.gate.sign_in("siti", &password, "", &visitor).await.unwrap();
    let taker = scene.gate.operator(&secret).await.unwrap().unwrap();
    assert!(Right::ALL.iter().all(|right| taker.must(*right).is_err()), "it reads nothing");
    let used = account().first_use;
    assert!(used.at_ms > 0 && used.from == "10.0.0.7" && used.password.is_empty(), "{used:?}");
    scene.enter("siti", &password, "").await.unwrap();
    assert_eq!(account().first_use, used, "the first time it was used");
    scene.gate.change_password(&taker, &password, PASSWORD).await.unwrap();
    let owner = scene.enter("siti", &password, "").await.unwrap_err();
    assert!(matches!(owner, SignInRefused::FirstPasswordUsed(..)), "{owner:?}");
    assert!(owner.to_string().contains("dari 10.0.0.7"), "{owner}");
    assert!(owner.words().en.contains("from 10.0.0.7"), "{owner}");
    // Nobody else is told anything, and the owner sees it on their page.
    let wrong = scene.enter("siti", "bukan sandinya", "").await;
    assert!(matches!(wrong, Err(SignInRefused::Wrong)), "{wrong:?}");
    let siti = scene.gate.operator(&secret).await.unwrap().unwrap();
    assert_eq!(scene.gate.first_use(&siti).await.unwrap().unwrap().from, "10.0.0.7");
    let filter =
        AuditFilter { subject: Some("siti".to_owned()), limit: 20, ..AuditFilter::default() };
    let noted: Vec<_> = scene.store.audit(&filter).unwrap();
    for (act, words) in [
        (Act::SignedIn, "dengan sandi awal, dari 10.0.0.7"),
        (Act::PasswordChanged, "sandi awal diganti"),
        (Act::SignInFailed, "sandi awal yang sudah dipakai"),
    ] {
        let is = |entry: &AuditEntry| entry.act == act.code() && entry.words == words;
        assert!(noted.iter().any(is), "{words}: {noted:?}");
    }
    // A new first password is a new beginning.
    scene.gate.reset(&head, "siti").await.unwrap();
    assert_eq!(account().first_use, FirstUse::default());
    assert!(matches!(scene.enter("siti", &password, "").await, Err(SignInRefused::Wrong)));
}

#[tokio::test]
async fn whoever_is_on_the_hubs_machine_is_head_by_their_users_name() {
    let scene = scene().await;
    let local = Operator::of_this_machine("siti");
    assert_eq!((local.name(), local.role()), ("lokal:siti", Role::Head));
    assert!(local.scope().is_whole() && local.session().is_none());
    assert!(!local.has_first_password() && !local.has_two_factors());
    // The file's permissions are the proof: no right asks for a code.
    for right in Right::ALL {
        assert_eq!(local.must(right), Ok(()), "{right:?}");
    }
    scene.gate.add(&local, &kecamatan_operator()).await.unwrap();
    let filter =
        AuditFilter { operator: Some("lokal:siti".to_owned()), limit: 9, ..AuditFilter::default() };
    let noted = scene.store.audit(&filter).unwrap();
    assert_eq!((noted.len(), noted[0].act.as_str()), (1, Act::AccountMade.code()));
    assert_eq!(noted[0].subject, "siti");
    // No account can have that name, and it is nobody's own account.
    let named = new("lokal:siti", Role::Auditor, &[], None);
    assert!(matches!(scene.gate.add(&local, &named).await, Err(SignInRefused::Name)));
    assert!(scene.enter("lokal:siti", PASSWORD, "").await.is_err());
    let changed = scene.gate.change_password(&local, PASSWORD, PASSWORD).await;
    assert!(matches!(changed, Err(SignInRefused::Unknown)), "{changed:?}");
}

#[tokio::test]
async fn a_change_leaves_what_it_does_not_name() {
    let scene = scene().await;
    let head = scene.head().await;
    let until_ms = Some(clock::now_ms() + 60_000);
    let new = NewAccount { until_ms, ..kecamatan_operator() };
    scene.gate.add(&head, &new).await.unwrap();
    scene.gate.change(&head, "siti", &open(false)).await.unwrap();
    let siti = scene.store.account("siti").unwrap().unwrap();
    assert!(!siti.active);
    let as_before = (Role::KecamatanOperator, new.kecamatan.clone(), until_ms);
    assert_eq!((siti.role, siti.kecamatan, siti.until_ms), as_before);
    let endless = AccountChange { end: End::Never, ..AccountChange::default() };
    scene.gate.change(&head, "siti", &endless).await.unwrap();
    let siti = scene.store.account("siti").unwrap().unwrap();
    assert_eq!((siti.active, siti.until_ms), (false, None));
}

#[tokio::test]
async fn a_page_that_stands_open_keeps_no_session_alive() {
    let scene = scene().await;
    for (visit, lives) in [(Visit::Watches, false), (Visit::Asks, true)] {
        let secret = scene.enter("kepala", PASSWORD, "").await.unwrap();
        let mut now_ms = clock::now_ms();
        let ends_ms = now_ms + IDLE_MS + 60_000;
        let mut found = true;
        while found && now_ms < ends_ms {
            now_ms += 60_000;
            found = scene.gate.look(&secret, visit, now_ms).await.unwrap().is_some();
        }
        assert_eq!(found, lives);
    }
}

#[tokio::test]
async fn what_asks_for_a_code_is_open_for_a_while_after_one() {
    let scene = scene().await;
    let head = scene.head().await;
    let offer = scene.gate.new_codes(&head).unwrap();
    let app = Builder::new().with_secret(offer.secret.clone()).build_noncompliant();
    let code = app.generate_current().to_string();
    let recovery = scene.gate.keep_codes(&head, offer.secret, &code, PASSWORD).await.unwrap();
    let secret = scene.enter("kepala", PASSWORD, &recovery[0]).await.unwrap();
    let begun_ms = clock::now_ms();
    let at = async |ms| scene.gate.look(&secret, Visit::Asks, ms).await.unwrap().unwrap();
    let later_ms = begun_ms + FRESH_MS;
    for right in Right::ALL {
        assert_eq!(at(begun_ms).await.must(right), Ok(()), "{right:?}");
        let stale = if right.asks_for_code() { Err(Refused::Stale) } else { Ok(()) };
        assert_eq!(at(later_ms).await.must(right), stale, "{right:?}");
    }
    let who = at(later_ms).await;
    assert!(refuses(&scene.gate.add(&who, &kecamatan_operator()).await));
    let wrong = scene.gate.prove(&who, &recovery[0]).await;
    assert!(matches!(wrong, Err(SignInRefused::Wrong)), "a code twice: {wrong:?}");
    scene.gate.prove(&who, &recovery[1]).await.unwrap();
    let who = scene.gate.operator(&secret).await.unwrap().unwrap();
    assert_eq!(who.must(Right::Reveal), Ok(()));
}

#[tokio::test]
async fn a_hub_that_demands_codes_opens_nothing_to_who_has_none() {
    let mut scene = scene().await;
    assert_eq!(scene.head().await.must(Right::Reveal), Ok(()), "others ask only who has them");
    scene.gate = Gate::demanding(scene.store.clone(), scene.store.clone(), true);
    let head = scene.head().await;
    for right in Right::ALL {
        let lacking = if right.asks_for_code() { Err(Refused::NoCodes) } else { Ok(()) };
        assert_eq!(head.must(right), lacking, "{right:?}");
    }
    let offer = scene.gate.new_codes(&head).unwrap();
    let app = Builder::new().with_secret(offer.secret.clone()).build_noncompliant();
    let code = app.generate_current().to_string();
    let recovery = scene.gate.keep_codes(&head, offer.secret, &code, PASSWORD).await.unwrap();
    let secret = scene.enter("kepala", PASSWORD, &recovery[0]).await.unwrap();
    let head = scene.gate.operator(&secret).await.unwrap().unwrap();
    assert_eq!(head.must(Right::Reveal), Ok(()));
}
