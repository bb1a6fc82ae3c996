//! Pages as a browser gets them.

use std::sync::Arc;
use std::time::Duration;

use lumbung_domain::region::{KecamatanCode, VillageCode};
use lumbung_telemetry::clock;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

mod data;
mod finding;
mod founding;
mod guarded;
mod language;
mod noticing;
mod quarantining;
mod versions;

use super::*;
use crate::access::gate::Visitor;
use crate::access::{NewAccount, Right, Role};
use crate::dataset::sqlite::SqliteDataset;
use crate::desk::DeskParts;
use crate::live::{Live, Phase};
use crate::puller::Wishes;
use crate::recap::tests::district;

const PASSWORD: &str = "sapi merah di sawah";

/// A console over three villages, and the folder that goes with them.
struct Console {
    _folder: tempfile::TempDir,
    address: std::net::SocketAddr,
    live: Arc<Live>,
    gate: Gate,
    /// The head operator's session.
    head: String,
    state: ConsoleState,
}

async fn console() -> Console {
    let (folder, dataset) = district();
    console_over(folder, Arc::new(dataset)).await
}

async fn console_over(folder: tempfile::TempDir, dataset: Arc<SqliteDataset>) -> Console {
    let gate = Gate::new(dataset.clone(), dataset.clone());
    let code = gate.first_code().await.unwrap().unwrap();
    gate.found(&code, "kepala", PASSWORD, &Visitor::default()).await.unwrap();
    let mut console = console_over_gate(folder, dataset, gate).await;
    console.head = console.gate.sign_in("kepala", PASSWORD, "", &Visitor::default()).await.unwrap();
    console
}

/// The same with a gate at which nobody has signed in yet.
async fn console_over_gate(
    folder: tempfile::TempDir,
    dataset: Arc<SqliteDataset>,
    gate: Gate,
) -> Console {
    let live = Arc::new(Live::default());
    let desk = Arc::new(Desk::new(DeskParts {
        counts: gate.counts().clone(),
        arrivals: crate::uplink::Arrivals::default(),
        dataset: dataset.clone(),
        audit: dataset.clone(),
        live: Arc::clone(&live),
        registry: dataset,
        wishes: Wishes::default(),
        identity: folder.path().join("identity"),
        letters: crate::alerting::config_file(folder.path()),
    }));
    let state = ConsoleState { desk, gate: gate.clone(), front: Front::default(), map: None };
    let address = serve(state.clone()).await;
    Console { _folder: folder, address, live, gate, head: String::new(), state }
}

async fn serve(state: ConsoleState) -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = router(state).into_make_service_with_connect_info::<std::net::SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

impl Console {
    /// The same console behind a proxy, or not.
    async fn behind(mut self, front: Front) -> Self {
        self.address = serve(ConsoleState { front, ..self.state.clone() }).await;
        self
    }

    /// The session of a new operator.
    async fn session_of(&self, role: Role, kecamatan: &[u64]) -> String {
        let head = self.gate.operator(&self.head).await.unwrap().unwrap();
        let bound = if kecamatan.is_empty() { "" } else { "-kec" };
        let name = format!("uji.{}{bound}", role.name().replace('.', "-"));
        let kecamatan =
            kecamatan.iter().map(|code| KecamatanCode::from_u64(*code).unwrap()).collect();
        let day_ms = 24 * 60 * 60 * 1000;
        let until_ms = (role == Role::Support).then(|| clock::now_ms() + day_ms);
        let new = NewAccount { name: name.clone(), role, kecamatan, until_ms };
        let password = self.gate.add(&head, &new).await.unwrap();
        let session = self.gate.sign_in(&name, &password, "", &Visitor::default()).await.unwrap();
        let who = self.gate.operator(&session).await.unwrap().unwrap();
        self.gate.change_password(&who, &password, PASSWORD).await.unwrap();
        session
    }

    async fn ask_as(&self, session: &str, path: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let cookie = format!("cookie: sesi={session}\r\n");
        let request =
            format!("GET {path} HTTP/1.1\r\nhost: hub\r\n{cookie}connection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        stream
    }

    async fn get_as(&self, session: &str, path: &str) -> String {
        let mut answer = Vec::new();
        self.ask_as(session, path).await.read_to_end(&mut answer).await.unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    }

    async fn get(&self, path: &str) -> String {
        self.get_as(&self.head, path).await
    }

    /// Sends a form; `from` is the site it claims to come from.
    async fn post_as(&self, session: &str, path: &str, form: &str, from: &str) -> String {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let length = form.len();
        let request = format!(
            "POST {path} HTTP/1.1\r\nhost: hub\r\ncookie: sesi={session}\r\norigin: {from}\r\n\
             content-type: application/x-www-form-urlencoded\r\ncontent-length: {length}\r\n\
             connection: close\r\n\r\n{form}"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    }
}

#[tokio::test]
async fn every_page_answers_with_its_guards() {
    let console = console().await;
    for path in [
        "/",
        "/?kelas=segar&kecamatan=35.05.01",
        "/desa",
        "/desa?tampilan=tabel&urut=kontak&arah=balik",
        "/desa/35.05.01.2001",
        "/rekap",
        "/rekap?wilayah=35.05.01&tanggal=2026-12-31",
        "/rekap?wilayah=35.05.01.2001&tanggal=",
        "/rekap/rekap.csv?wilayah=3505",
        "/rekap/rekap.xlsx?wilayah=35.05.02",
        "/temuan",
        "/cari",
        "/style.css",
        "/live.js",
    ] {
        let page = console.get(path).await;
        assert!(page.starts_with("HTTP/1.1 200"), "{path}: {page}");
        assert!(page.contains("content-security-policy: default-src 'self';"), "{path}");
        assert!(!page.contains("style=\"") && !page.contains("onclick"), "{path}");
    }
}

#[tokio::test]
async fn what_is_not_there_is_said_in_words() {
    let console = console().await;
    for (path, status, words) in [
        ("/desa/35.05.01.2999", 404, "tidak ada, atau di luar wilayah"),
        // In the kabupaten, but not registered here.
        ("/desa/35.05.03.2001", 200, "Belum terdaftar"),
        ("/desa/35.05.03.2001/tindakan/token", 200, "sekali"),
        ("/desa/35.05.03.2001/tindakan/tahan", 404, "tidak ada, atau di luar wilayah"),
        ("/rekap?wilayah=35.06.01", 404, "Wilayah ini tidak dikenal"),
        ("/rekap?tanggal=kemarin", 400, "Tanggal ini tidak bisa dibaca"),
        ("/peta", 404, "belum diberi peta"),
        ("/lain", 404, "Halaman ini tidak ada"),
    ] {
        let page = console.get(path).await;
        assert!(page.starts_with(&format!("HTTP/1.1 {status}")), "{path}: {page}");
        assert!(page.contains(words), "{path}: {page}");
    }
}

/// Reads until `words` arrive.
async fn wait_for(stream: &mut TcpStream, words: &str) -> String {
    let mut seen = Vec::new();
    let reading = async {
        loop {
            assert!(stream.read_buf(&mut seen).await.unwrap() > 0, "the stream ended");
            let text = String::from_utf8_lossy(&seen);
            if text.contains(words) {
                return text.into_owned();
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(20), reading).await.unwrap()
}

#[tokio::test]
async fn a_watcher_gets_everything_once_and_then_what_changes() {
    let console = console().await;
    let mut stream = console.ask_as(&console.head, "/events").await;
    // The last part of the first event.
    let first = wait_for(&mut stream, "\"perlu\"").await;
    assert_eq!(first.matches("\"d\":").count(), 248);
    assert!(first.contains("id: "), "{first}");
    assert!(first.contains("0 dari 248 desa segar"), "{first}");
    console
        .live
        .update(VillageCode::from_u64(3_505_012_001).unwrap(), |live| live.phase = Phase::Live);
    let next = wait_for(&mut stream, "1 dari 248 desa segar").await;
    assert_eq!(next.matches("\"d\":").count(), 1, "only one village changed: {next}");
}

/// Bytes of an answer over the wire, as a browser that takes gzip gets it.
async fn weight(console: &Console, path: &str) -> usize {
    let mut stream = TcpStream::connect(console.address).await.unwrap();
    let cookie = format!("cookie: sesi={}\r\naccept-encoding: gzip\r\n", console.head);
    let request = format!("GET {path} HTTP/1.1\r\nhost: hub\r\n{cookie}connection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    assert!(String::from_utf8_lossy(&answer).contains("content-encoding: gzip"), "{path}");
    answer.len()
}

#[tokio::test]
async fn the_first_screen_weighs_little() {
    let console = console().await;
    let page = weight(&console, "/").await;
    let rest = weight(&console, "/style.css").await + weight(&console, "/live.js").await;
    let events = wait_for(&mut console.ask_as(&console.head, "/events").await, "\"perlu\"").await;
    let all = page + rest + events.len();
    assert!(all <= 60_000, "{all} bytes: page {page}, rest {rest}, events {}", events.len());
}

#[tokio::test]
async fn a_telephone_sees_the_villages_that_are_well_as_one_line() {
    let console = console().await;
    let page = console.get("/").await;
    assert_eq!(page.matches("class=\"kec folds\"").count(), 22, "{page}");
    let never = "<b data-huruf=\"B\">11</b>";
    assert!(page.contains("aria-controls=\"i350501\"") && page.contains(never), "{page}");
    let village = VillageCode::from_u64(3_505_012_001).unwrap();
    console.live.update(village, |live| {
        live.phase = Phase::Stopped;
        live.trouble = "isi_beda".to_owned();
    });
    wait_for(&mut console.ask_as(&console.head, "/events").await, "\"s\":\"M\"").await;
    let page = console.get("/").await;
    let first = page.split("class=\"fold\"").nth(1).unwrap().split("</details>").next().unwrap();
    assert!(first.contains("<b data-huruf=\"B\">10</b>"), "{first}");
    let one = console.get("/?kecamatan=350502").await;
    assert!(!one.contains("kec folds"), "what was chosen is shown: {one}");
    assert!(one.contains(">Desa di Kecamatan Udanawu<"), "{one}");
    let page = console.get("/?kelas=hilang&kecamatan=350501").await;
    let table = "href=\"/desa?tampilan=tabel&amp;kelas=hilang&amp;kecamatan=350501\"";
    assert!(page.contains(table), "the table keeps what was chosen");
    let page = console.get("/desa?tampilan=tabel&kelas=hilang&kecamatan=350501").await;
    assert!(page.contains("href=\"/?kelas=hilang&amp;kecamatan=350501\""), "and so do the tiles");
    assert!(console.get("/?kelas=hilang").await.contains(">Desa: hilang<"));
}

#[tokio::test]
async fn nobody_sees_a_page_without_a_session() {
    let console = console().await;
    for session in ["", "0000", &"0".repeat(64)] {
        for path in [
            "/",
            "/desa",
            "/peta",
            "/versi",
            "/desa/35.05.01.2001",
            "/rekap",
            "/rekap/rekap.csv",
            "/temuan",
            "/cari",
        ] {
            let page = console.get_as(session, path).await;
            assert!(page.starts_with("HTTP/1.1 303") && page.contains("/masuk"), "{path}: {page}");
        }
        assert!(console.get_as(session, "/events").await.starts_with("HTTP/1.1 401"));
    }
}

#[tokio::test]
async fn a_kecamatan_operator_gets_nothing_of_another_kecamatan() {
    let console = console().await;
    let session = console.session_of(Role::KecamatanOperator, &[350_501]).await;
    let first = console.get_as(&session, "/").await;
    assert!(first.contains("/desa/35.05.01.2001") && !first.contains("/desa/35.05.02."));
    let table = console.get_as(&session, "/desa").await;
    assert!(table.contains("/desa/35.05.01.2001") && !table.contains("/desa/35.05.02."));
    let stream = &mut console.ask_as(&session, "/events").await;
    let events = wait_for(stream, "\"perlu\"").await;
    assert!(events.contains("3505012001") && !events.contains("3505022"), "{events}");
    for path in [
        "/desa/35.05.02.2001",
        "/desa/35.05.02.2001/diagnostik",
        "/desa/35.05.02.2001/tindakan/sinkron",
        "/desa/35.05.02.2001/tindakan/catatan",
        "/karantina?desa=35.05.02.2001",
        "/temuan?desa=35.05.02.2001",
        "/rekap?wilayah=3505",
        "/rekap?wilayah=35.05.02",
        "/rekap?wilayah=35.05.02.2001",
        "/rekap/rekap.csv?wilayah=35.05.02",
        "/rekap/rekap.xlsx?wilayah=3505",
    ] {
        let page = console.get_as(&session, path).await;
        assert!(page.starts_with("HTTP/1.1 404"), "{path}: {page}");
    }
    for (deed, form) in [("sinkron", ""), ("tahan", "alasan=uji&hari=1"), ("catatan", "catatan=a")]
    {
        let path = format!("/desa/35.05.02.2001/tindakan/{deed}");
        let answer = console.post_as(&session, &path, form, "http://hub").await;
        assert!(answer.starts_with("HTTP/1.1 404"), "{path}: {answer}");
    }
    let own = console.get_as(&session, "/rekap").await;
    assert!(own.starts_with("HTTP/1.1 200"), "its own kecamatan without asking: {own}");
}

#[tokio::test]
async fn another_site_changes_nothing() {
    let console = console().await;
    for from in ["http://lain.example", "null", "http://hub.example", "https://hub:8700"] {
        let form = "nama=penyusup&peran=kab.kepala";
        let answer = console.post_as(&console.head, "/operator", form, from).await;
        assert!(answer.starts_with("HTTP/1.1 403"), "{from}: {answer}");
    }
    let head = console.gate.operator(&console.head).await.unwrap().unwrap();
    assert_eq!(console.gate.accounts(&head).await.unwrap().len(), 1);
}

#[tokio::test]
async fn accounts_are_kept_through_the_pages() {
    let console = console().await;
    let form = "nama=siti&peran=kec.operator&kecamatan=350501&kecamatan=350502&hari=30";
    let answer = console.post_as(&console.head, "/operator", form, "http://hub").await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("Sandi awal untuk"), "{answer}");
    assert!(answer.contains("dalam 72 jam"), "{answer}");
    let head = console.gate.operator(&console.head).await.unwrap().unwrap();
    let accounts = console.gate.accounts(&head).await.unwrap();
    let siti = accounts.iter().find(|account| account.name == "siti").unwrap();
    assert_eq!(siti.kecamatan.len(), 2);
    for (form, words) in [
        ("nama=siti&peran=auditor", "sudah dipakai"),
        ("nama=X&peran=auditor", "Nama operator: 3 sampai 40"),
        ("nama=budi&peran=kec.operator", "paling sedikit satu kecamatan"),
        ("nama=budi&peran=raja", "tidak dikenal"),
        ("nama=budi&peran=dukungan", "14 hari"),
    ] {
        let answer = console.post_as(&console.head, "/operator", form, "http://hub").await;
        assert!(answer.starts_with("HTTP/1.1 422") && answer.contains(words), "{form}: {answer}");
    }
    // The form comes filled with the days that are left, and sending it as it
    // is moves the end by nothing.
    assert!(
        console.get("/operator/siti").await.contains("name=\"hari\" type=\"number\" value=\"30\"")
    );
    let closed = "peran=kec.operator&kecamatan=350501&hari=30&tutup=ya";
    let until_ms = siti.until_ms;
    let answer = console.post_as(&console.head, "/operator/siti", closed, "http://hub").await;
    assert!(answer.starts_with("HTTP/1.1 303"), "{answer}");
    let accounts = console.gate.accounts(&head).await.unwrap();
    let siti = accounts.iter().find(|account| account.name == "siti").unwrap();
    assert_eq!((siti.active, siti.until_ms), (false, until_ms));
    let log = console.get("/audit").await;
    assert!(log.contains("Operator diubah") && log.contains("Utuh"), "{log}");
}

#[tokio::test]
async fn pages_speak_english_when_asked() {
    let console = console().await;
    let answer = console.post_as(&console.head, "/bahasa", "ke=en", "http://hub").await;
    assert!(answer.contains("set-cookie: bahasa=en"), "{answer}");
    let session = format!("{}; bahasa=en", console.head);
    for (path, words) in
        [("/akun", "My account"), ("/audit", "Audit log"), ("/operator", "New operator")]
    {
        let page = console.get_as(&session, path).await;
        assert!(page.contains(words) && page.contains("<html lang=\"en\">"), "{path}: {page}");
    }
}

/// Signs in as a browser that a proxy speaks for.
async fn signed_in_by_proxy(console: &Console, proto: &str) -> String {
    let mut stream = TcpStream::connect(console.address).await.unwrap();
    let form = format!("nama=kepala&sandi={}", PASSWORD.replace(' ', "+"));
    let request = format!(
        "POST /masuk HTTP/1.1\r\nhost: hub\r\norigin: https://hub\r\nx-forwarded-proto: {proto}\r\n\
         x-forwarded-for: 10.9.8.7\r\ncontent-type: application/x-www-form-urlencoded\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n{form}",
        form.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn cookies_stay_on_https_where_a_proxy_makes_it() {
    let here = std::net::IpAddr::from([127, 0, 0, 1]);
    let elsewhere = std::net::IpAddr::from([10, 0, 0, 1]);
    for (front, proto, secure) in [
        (Front::default(), "https", false),
        (Front { https: true, proxy: None }, "http", true),
        (Front { https: false, proxy: Some(here) }, "https", true),
        (Front { https: false, proxy: Some(here) }, "http", false),
        (Front { https: false, proxy: Some(elsewhere) }, "https", false),
    ] {
        let console = console().await.behind(front).await;
        let answer = signed_in_by_proxy(&console, proto).await;
        assert!(answer.starts_with("HTTP/1.1 303"), "{front:?}: {answer}");
        assert_eq!(answer.contains("; Secure\r\n"), secure, "{front:?} {proto}: {answer}");
        let told = answer.contains("strict-transport-security: max-age=31536000");
        assert_eq!(told, secure, "{front:?} {proto}: {answer}");
    }
}

#[tokio::test]
async fn a_first_password_leads_to_the_account_and_nowhere_else() {
    let console = console().await;
    let head = console.gate.operator(&console.head).await.unwrap().unwrap();
    let new = NewAccount {
        name: "siti".into(),
        role: Role::KabupatenOperator,
        kecamatan: vec![],
        until_ms: None,
    };
    let password = console.gate.add(&head, &new).await.unwrap();
    let session = console.gate.sign_in("siti", &password, "", &Visitor::default()).await.unwrap();
    for path in ["/", "/cari", "/ekspor", "/akun/kode", "/events"] {
        let page = console.get_as(&session, path).await;
        assert!(page.starts_with("HTTP/1.1 303") && page.contains("location: /akun"), "{page}");
    }
    let page = console.get_as(&session, "/akun").await;
    assert!(page.contains("Sandi awal Anda pernah dilihat"), "{page}");
    let form = format!("lama={password}&baru={}", PASSWORD.replace(' ', "+"));
    let answer = console.post_as(&session, "/akun/sandi", &form, "http://hub").await;
    assert!(answer.contains("location: /\r\n"), "{answer}");
    assert!(console.get_as(&session, "/cari").await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn a_security_officer_is_offered_no_head() {
    let console = console().await;
    let session = console.session_of(Role::Security, &[]).await;
    let page = console.get_as(&session, "/operator").await;
    assert!(page.contains("value=\"kab.operator\"") && !page.contains("value=\"kab.kepala\""));
    for (path, form) in [
        ("/operator", "nama=naik&peran=kab.kepala"),
        ("/operator/kepala", "peran=auditor"),
        ("/operator/kepala/sandi", ""),
    ] {
        let answer = console.post_as(&session, path, form, "http://hub").await;
        assert!(answer.starts_with("HTTP/1.1 403"), "{path}: {answer}");
    }
    let own = "peran=kab.kepala";
    let answer = console.post_as(&session, "/operator/uji.kab-keamanan", own, "http://hub").await;
    assert!(answer.starts_with("HTTP/1.1 422"), "{answer}");
}

#[tokio::test]
async fn what_asks_for_a_code_leads_to_it_and_back() {
    let mut console = console().await;
    // Of a hub that demands codes: the way to set them up.
    let store = Arc::new(SqliteDataset::open(console._folder.path().join("lain.db")).unwrap());
    let gate = Gate::demanding(store.clone(), store, true);
    let code = gate.first_code().await.unwrap().unwrap();
    gate.found(&code, "kepala", PASSWORD, &Visitor::default()).await.unwrap();
    let session = gate.sign_in("kepala", PASSWORD, "", &Visitor::default()).await.unwrap();
    console.address = serve(ConsoleState { gate: gate.clone(), ..console.state.clone() }).await;
    let page = console.get_as(&session, "/operator").await;
    assert!(page.starts_with("HTTP/1.1 428") && page.contains("href=\"/akun/kode\""), "{page}");
    assert!(console.get_as(&session, "/akun").await.contains("Kabupaten ini mewajibkannya"));

    let who = gate.operator(&session).await.unwrap().unwrap();
    let offer = gate.new_codes(&who).unwrap();
    let app = totp_rs::Builder::new().with_secret(offer.secret.clone()).build_noncompliant();
    let code = app.generate_current().to_string();
    let recovery = gate.keep_codes(&who, offer.secret, &code, PASSWORD).await.unwrap();
    assert!(console.get_as(&session, "/operator").await.starts_with("HTTP/1.1 200"), "proved");
    gate.forget_proofs();
    let page = console.get_as(&session, "/operator").await;
    assert!(page.starts_with("HTTP/1.1 401") && page.contains("action=\"/akun/bukti\""), "{page}");
    assert!(page.contains("name=\"ke\" value=\"/operator\""), "{page}");
    let form = format!("ke=%2Foperator&kode={}", recovery[0]);
    let answer = console.post_as(&session, "/akun/bukti", &form, "http://hub").await;
    assert!(answer.contains("location: /operator\r\n"), "{answer}");
    assert!(console.get_as(&session, "/operator").await.starts_with("HTTP/1.1 200"));
    let form = format!("ke=%2F%2Flain.example&kode={}", recovery[1]);
    let answer = console.post_as(&session, "/akun/bukti", &form, "http://hub").await;
    assert!(answer.contains("location: /\r\n"), "no other site: {answer}");
}
