//! The first operator, first passwords, and sessions that end.

use super::*;
use crate::access::Accounts as _;
use crate::access::Operator;
use crate::access::gate::IDLE_AT_LEAST_MS;

#[tokio::test]
async fn a_hub_whose_first_operator_a_command_made_asks_them_in() {
    let (folder, dataset) = district();
    let dataset = Arc::new(dataset);
    let gate = Gate::new(dataset.clone(), dataset.clone());
    gate.first_code().await.unwrap().expect("no operator yet");
    let mut console = console_over_gate(folder, Arc::clone(&dataset), gate).await;
    for path in ["/", "/masuk", "/rekap"] {
        let page = console.get_as("", path).await;
        assert!(page.contains("location: /awal\r\n"), "{path}: {page}");
    }
    assert!(console.get_as("", "/awal").await.starts_with("HTTP/1.1 200"));
    // As `lumbung-hub operators add` does, with a gate of its own.
    let command = Gate::new(dataset.clone(), dataset);
    let new =
        NewAccount { name: "kepala".into(), role: Role::Head, kecamatan: vec![], until_ms: None };
    let password = command.add(&Operator::of_this_machine("uji"), &new).await.unwrap();
    let page = console.get_as("", "/masuk").await;
    assert!(page.starts_with("HTTP/1.1 200") && page.contains("action=\"/masuk\""), "{page}");
    assert!(console.get_as("", "/").await.contains("location: /masuk\r\n"));
    assert!(console.get_as("", "/awal").await.contains("location: /masuk\r\n"));
    console.head =
        console.gate.sign_in("kepala", &password, "", &Visitor::default()).await.unwrap();
    assert!(console.get("/akun").await.contains("Sandi awal Anda pernah dilihat"));
}

/// The address by which a page without a script loads itself anew.
fn anew(page: &str) -> String {
    let (_, rest) = page.split_once("http-equiv=\"refresh\" content=\"60;url=").unwrap();
    rest.split('"').next().unwrap().replace("&amp;", "&")
}

#[tokio::test]
async fn a_page_that_loads_itself_anew_keeps_no_session_alive() {
    let (folder, dataset) = district();
    let dataset = Arc::new(dataset);
    let console = console_over(folder, Arc::clone(&dataset)).await;
    let page = console.get("/?muat=ya&kelas=hilang").await;
    let anew = anew(&page);
    assert_eq!(anew, "/?muat=ya&kelas=hilang&sendiri=1");
    // The links on it do not say that nobody asked.
    assert_eq!(page.matches("sendiri=1").count(), 1, "{page}");
    let session = |dataset: &SqliteDataset| dataset.sessions("kepala").unwrap().remove(0);
    let long_ago = clock::now_ms() - IDLE_AT_LEAST_MS;
    dataset.touch_session(session(&dataset).hash, long_ago).unwrap();
    let again = console.get(&anew).await;
    assert!(again.starts_with("HTTP/1.1 200") && again.contains("content=\"60;url="), "{again}");
    assert_eq!(session(&dataset).seen_ms, long_ago, "nobody was there");
    // Nor does a page that could not be shown.
    console.get("/temuan/x?sendiri=1").await;
    assert_eq!(session(&dataset).seen_ms, long_ago, "nobody was there");
    console.get("/?kelas=hilang").await;
    assert!(session(&dataset).seen_ms > long_ago, "somebody pressed a link");
    // Once it is over, it is over.
    dataset.touch_session(session(&dataset).hash, long_ago - 120_000).unwrap();
    assert!(console.get(&anew).await.contains("location: /masuk?habis=1"));
}

#[tokio::test]
async fn a_first_password_that_waited_too_long_is_told_so_at_the_door() {
    let (folder, dataset) = district();
    let dataset = Arc::new(dataset);
    let console = console_over(folder, Arc::clone(&dataset)).await;
    let head = console.gate.operator(&console.head).await.unwrap().unwrap();
    let new =
        NewAccount { name: "siti".into(), role: Role::Auditor, kecamatan: vec![], until_ms: None };
    let password = console.gate.add(&head, &new).await.unwrap();
    let mut account = dataset.account("siti").unwrap().unwrap();
    account.name = "tua".into();
    account.made_ms -= crate::access::gate::FIRST_PASSWORD_MS;
    dataset.keep_account(&account, true).unwrap();
    let enter = |name: &'static str, password: &str| {
        let form = format!("nama={name}&sandi={password}");
        let console = &console;
        async move { console.post_as("", "/masuk", &form, "http://hub").await }
    };
    let late = enter("tua", &password).await;
    assert!(late.starts_with("HTTP/1.1 422") && late.contains("sudah lewat 72 jam"), "{late}");
    assert!(!late.contains("set-cookie: sesi="), "{late}");
    // Whoever does not know it hears nothing of the kind.
    assert!(enter("tua", "salah").await.contains("tidak cocok"));
    assert!(enter("siti", &password).await.contains("set-cookie: sesi="));
    let anew = console.gate.reset(&head, "tua").await.unwrap();
    assert!(enter("tua", &anew).await.contains("set-cookie: sesi="));
}

#[tokio::test]
async fn an_empty_hub_says_how_the_first_village_comes() {
    let folder = tempfile::tempdir().unwrap();
    let dataset = SqliteDataset::open(folder.path().join("hub.db")).unwrap();
    let console = console_over(folder, Arc::new(dataset)).await;
    for path in ["/", "/perlu"] {
        let page = console.get(path).await;
        assert!(page.contains("Belum ada desa yang bergabung"), "{path}: {page}");
        assert!(!page.contains("berjalan sendiri"), "{path}: {page}");
    }
}
