use std::sync::Arc;

use lumbung_domain::region::{KecamatanCode, VillageCode};
use totp_rs::Builder;

use super::*;
use crate::access::audit::{AuditCheck, AuditFilter};
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
}

fn kecamatan_operator() -> NewAccount {
    NewAccount {
        name: "siti".into(),
        role: Role::KecamatanOperator,
        kecamatan: vec![KecamatanCode::from_u64(350_501).unwrap()],
        until_ms: None,
    }
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
    assert!(siti.scope().holds(VillageCode::from_u64(3_505_012_001).unwrap()));
    assert!(!siti.scope().holds(VillageCode::from_u64(3_505_022_001).unwrap()));
    for refused in [
        scene.gate.accounts(&siti).await.err(),
        scene.gate.add(&siti, &kecamatan_operator()).await.err(),
        scene.gate.reset(&siti, "kepala").await.err(),
        scene.gate.change(&siti, &kecamatan_operator(), true).await.err(),
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
    scene.gate.change(&head, &kecamatan_operator(), false).await.unwrap();
    assert!(scene.gate.operator(&secret).await.unwrap().is_none());
    assert!(matches!(scene.enter("siti", &password, "").await, Err(SignInRefused::Wrong)));
    scene.gate.change(&head, &kecamatan_operator(), true).await.unwrap();
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
    let own = NewAccount {
        name: "kepala".into(),
        role: Role::Auditor,
        kecamatan: vec![],
        until_ms: None,
    };
    let refused = scene.gate.change(&head, &own, true).await;
    assert!(matches!(refused, Err(SignInRefused::LastHead)), "{refused:?}");
    let support = NewAccount { role: Role::Support, name: "bantu".into(), ..own };
    assert!(matches!(scene.gate.add(&head, &support).await, Err(SignInRefused::NoEnd)));
}

#[tokio::test]
async fn a_code_works_once_and_a_recovery_code_too() {
    let scene = scene().await;
    let head = scene.head().await;
    let offer = scene.gate.new_codes(&head).unwrap();
    let app = Builder::new().with_secret(offer.secret.clone()).build_noncompliant();
    let wrong = scene.gate.keep_codes(&head, offer.secret.clone(), "000000").await;
    assert!(wrong.is_err() || app.generate_current().to_string() == "000000");
    let code = app.generate_current().to_string();
    let recovery = scene.gate.keep_codes(&head, offer.secret, &code).await.unwrap();
    assert!(scene.enter("kepala", PASSWORD, "").await.is_err(), "the password alone");
    assert!(scene.enter("kepala", PASSWORD, &code).await.is_err(), "a code twice");
    let secret = scene.enter("kepala", PASSWORD, &recovery[0]).await.unwrap();
    assert!(scene.gate.operator(&secret).await.unwrap().unwrap().has_two_factors());
    assert!(scene.enter("kepala", PASSWORD, &recovery[0]).await.is_err(), "a recovery code twice");
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
