//! Writing a notice: what is checked before it is sent, and where past ones
//! go.

use super::*;

const TEXT: &str = "judul=Posyandu+serentak&isi=Kamis+pagi&kategori=1";

impl Console {
    async fn notice_form(&self, session: &str, rest: &str) -> String {
        self.post_as(session, "/informasi", &format!("{TEXT}&{rest}"), "http://hub").await
    }
}

#[tokio::test]
async fn whom_a_notice_reaches_is_counted_before_it_is_sent() {
    let console = console().await;
    let head = console.head.clone();
    for (chosen, words) in [
        ("semua=ya", "Kirim ke 248 desa"),
        ("kecamatan=350501", "Kirim ke 11 desa"),
        ("kecamatan=350501&desa=3505012001&desa=3505022001", "Kirim ke 12 desa"),
        ("desa=3505012001&desa=3505012002", "Kirim ke 2 desa"),
    ] {
        let page = console.notice_form(&head, chosen).await;
        assert!(page.starts_with("HTTP/1.1 200") && page.contains(words), "{chosen}: {page}");
    }
    assert!(console.get("/informasi").await.contains("Belum ada informasi"), "nothing is kept yet");
    let changed = console.notice_form(&head, "desa=3505012001&kirim=ubah").await;
    assert!(changed.contains("1 dari 11 desa dipilih"), "{changed}");
    assert!(changed.contains("value=\"3505012001\" checked"), "{changed}");
    assert!(changed.contains("value=\"Posyandu serentak\""), "{changed}");
    let sent = console.notice_form(&head, "desa=3505012001&kirim=ya").await;
    assert!(sent.contains("location: /informasi/"), "{sent}");
    assert!(console.get("/informasi").await.contains("Posyandu serentak"));
}

#[tokio::test]
async fn a_kecamatan_operator_writes_to_its_own_only() {
    let console = console().await;
    let session = console.session_of(Role::KecamatanOperator, &[350_501]).await;
    if !Role::KecamatanOperator.may(Right::Inform) {
        assert!(console.notice_form(&session, "desa=3505012001").await.starts_with("HTTP/1.1 403"));
        return;
    }
    let form = console.get_as(&session, "/informasi/tulis").await;
    assert!(form.contains("3505012001") && !form.contains("3505022001"), "{form}");
    for foreign in ["semua=ya", "kecamatan=350502", "desa=3505022001"] {
        for sure in ["", "&kirim=ya"] {
            let page = console.notice_form(&session, &format!("{foreign}{sure}")).await;
            assert!(page.starts_with("HTTP/1.1 404"), "{foreign}{sure}: {page}");
        }
    }
}

#[tokio::test]
async fn past_notices_stand_apart() {
    let console = console().await;
    let head = console.head.clone();
    let past = "terbit=2020-01-01&sampai=2020-01-02&semua=ya&kirim=ya";
    assert!(console.notice_form(&head, past).await.contains("location: /informasi/"));
    let page = console.get("/informasi").await;
    assert!(page.contains("Lewat atau ditarik (1)"), "{page}");
    let until = "terbit=2020-01-01&semua=ya&kirim=ya";
    console.notice_form(&head, until).await;
    let page = console.get("/informasi").await;
    let (in_force, past) = page.split_once("Lewat atau ditarik").unwrap();
    assert_eq!(in_force.matches("Posyandu serentak").count(), 1, "{page}");
    assert_eq!(past.matches("Posyandu serentak").count(), 1, "{page}");
}
