//! Searching, one person's page, and opening what is closed.

use super::*;
use crate::access::Right;
use crate::desk::search::LOOKUPS_AN_HOUR;

/// The only NIK of [`district`].
const NIK: &str = "3505904101900001";

impl Console {
    async fn send_as(&self, session: &str, path: &str, form: &str) -> String {
        self.post_as(session, path, form, "http://hub").await
    }

    /// Where a form that was posted leads to.
    async fn sent_to(&self, session: &str, path: &str, form: &str) -> String {
        let answer = self.send_as(session, path, form).await;
        assert!(answer.starts_with("HTTP/1.1 303"), "{answer}");
        let line = answer.lines().find(|line| line.starts_with("location: ")).unwrap();
        line.trim_start_matches("location: ").to_owned()
    }
}

fn person() -> String {
    format!("/warga/35.05.01.2001/{}", crate::recap::tests::loose())
}

#[tokio::test]
async fn a_question_is_answered_under_a_ticket_that_is_its_owners() {
    let console = console().await;
    let session = console.session_of(Role::KecamatanOperator, &[350_501]).await;
    let path = console.sent_to(&session, "/cari", "apa=warga&nama=tidak").await;
    assert!(path.starts_with("/cari/") && !path.contains("tidak"), "no name in the address");
    let page = console.get_as(&session, &path).await;
    assert!(page.contains("Tidak Nyata") && page.contains("dari 105."), "{page}");
    assert!(!page.contains("35.05.02."), "nothing of another kecamatan");
    let second = console.get_as(&session, &format!("{path}?hal=2")).await;
    assert!(second.contains("51–100"), "{second}");
    let other = console.get(&path).await;
    assert!(other.starts_with("HTTP/1.1 303"), "another's ticket: {other}");
    for foreign in ["35.05.02", "35.05.02.2001", "3505"] {
        let form = format!("apa=warga&wilayah={foreign}");
        let page = console.send_as(&session, "/cari", &form).await;
        assert!(page.starts_with("HTTP/1.1 404"), "{foreign}: {page}");
    }
    for what in ["keluarga", "rumah", "rt", "dasawisma"] {
        let path = console.sent_to(&session, "/cari", &format!("apa={what}")).await;
        let page = console.get_as(&session, &path).await;
        assert!(page.contains("class=\"results\"><li>"), "{what}: {page}");
        assert!(!page.contains("style=\"") && !page.contains("35.05.02."));
    }
}

#[tokio::test]
async fn a_nik_leads_to_its_person_and_stands_nowhere() {
    let console = console().await;
    let path = console.sent_to(&console.head, "/cari/nik", &format!("nik={NIK}")).await;
    assert_eq!(path, person());
    let page = console.get(&path).await;
    assert!(page.contains("Sendiri Sekali") && page.contains("****************"), "{page}");
    assert!(!page.contains("350590"), "not a digit of it");
    assert!(page.contains("Hamil</dt><dd>****************"), "{page}");
    let session = console.session_of(Role::KecamatanOperator, &[350_502]).await;
    let page = console.send_as(&session, "/cari/nik", &format!("nik={NIK}")).await;
    assert!(page.contains("Tidak ada warga dengan NIK ini"), "{page}");
    assert!(console.get_as(&session, &path).await.starts_with("HTTP/1.1 404"));
    let auditor = console.session_of(Role::Auditor, &[]).await;
    let page = console.send_as(&auditor, "/cari/nik", &format!("nik={NIK}")).await;
    assert!(page.starts_with("HTTP/1.1 403"), "{page}");
    assert!(!console.get_as(&auditor, "/cari").await.contains("/cari/nik"));
    let log = console.get("/audit").await;
    assert_eq!(
        log.matches("Orang dicari dengan NIK").count(),
        3,
        "two entries and the choice: {log}"
    );
    assert!(!log.contains("350590"), "not a digit of it");
    for _ in 2..=LOOKUPS_AN_HOUR {
        console.send_as(&console.head, "/cari/nik", &format!("nik={NIK}")).await;
    }
    let page = console.send_as(&console.head, "/cari/nik", &format!("nik={NIK}")).await;
    assert!(page.starts_with("HTTP/1.1 422") && page.contains("sudah mencari 60 NIK"), "{page}");
}

#[tokio::test]
async fn what_is_closed_opens_once_with_a_reason_that_is_noted() {
    let console = console().await;
    let path = person();
    let reason = "alasan=Permohonan+surat+470";
    for (form, words) in [
        (reason, "Pilih apa yang perlu dibuka"),
        ("nomor=1&alasan=ya", "Tulis alasannya"),
        ("nomor=1&alasan=Untuk+3505904101900001", "Jangan tulis NIK"),
    ] {
        let page = console.send_as(&console.head, &path, form).await;
        assert!(page.starts_with("HTTP/1.1 422") && page.contains(words), "{form}: {page}");
        assert!(!page.contains(NIK), "{form}");
    }
    let page = console.send_as(&console.head, &path, &format!("nomor=1&{reason}")).await;
    assert!(page.starts_with("HTTP/1.1 200") && page.contains(NIK), "{page}");
    assert!(page.contains("cache-control: no-store"));
    // The page and the log lead to each other.
    let told = path.strip_prefix("/warga/").map(|subject| format!("/audit?tentang={subject}"));
    let told = told.filter(|told| page.contains(told)).expect("the way to the log");
    let log = console.get(&told).await;
    assert!(log.contains("Permohonan surat 470") && log.contains(&path), "{log}");
    assert!(!log.contains(NIK), "{log}");
    assert!(page.contains("Hamil</dt><dd>****************"), "only what was asked");
    assert!(!console.get(&path).await.contains(NIK), "closed again");
    let page = console.send_as(&console.head, &path, &format!("spesifik=1&{reason}")).await;
    assert!(page.contains("Hamil</dt><dd>ya") && !page.contains(NIK), "{page}");
    for _ in 0..28 {
        let page = console.send_as(&console.head, &path, &format!("nomor=1&{reason}")).await;
        assert!(page.starts_with("HTTP/1.1 200"));
    }
    let page = console.send_as(&console.head, &path, &format!("nomor=1&{reason}")).await;
    assert!(page.starts_with("HTTP/1.1 422") && !page.contains(NIK), "the limit: {page}");
}

#[tokio::test]
async fn each_role_opens_what_its_rights_say() {
    let console = console().await;
    let house = "/rumah/35.05.01.2001/".to_owned() + &crate::recap::tests::house(0);
    for role in Role::ALL {
        let kecamatan: &[u64] = if role.is_of_kecamatan() { &[350_501] } else { &[] };
        let session = console.session_of(role, kecamatan).await;
        let status = |right| if role.may(right) { "HTTP/1.1 200" } else { "HTTP/1.1 403" };
        for path in ["/cari", &person(), &house] {
            let page = console.get_as(&session, path).await;
            assert!(page.starts_with(status(Right::SeeRecords)), "{role} {path}: {page}");
        }
        let form = "nomor=1&alasan=Permohonan+surat+470";
        let page = console.send_as(&session, &person(), form).await;
        assert!(page.starts_with(status(Right::Reveal)), "{role}: {page}");
    }
}
