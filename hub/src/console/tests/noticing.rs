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

/// The record ids of the RT boxes on a page.
fn rt_boxes(page: &str) -> Vec<String> {
    let boxes = page.split("name=\"rt\" value=\"").skip(1);
    boxes.map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn some_rt_of_one_village_are_chosen_step_by_step() {
    let console = console().await;
    let head = console.head.clone();
    for many in ["desa=3505012001&desa=3505012002", "kecamatan=350501&desa=3505012001", "semua=ya"]
    {
        let page = console.notice_form(&head, &format!("{many}&kirim=rt")).await;
        assert!(page.starts_with("HTTP/1.1 422") && page.contains("Pilih satu desa"), "{page}");
    }
    let unjoined = console.notice_form(&head, "desa=3505032001&kirim=rt").await;
    assert!(unjoined.starts_with("HTTP/1.1 422"), "{unjoined}");

    let form = console.notice_form(&head, "desa=3505012001&kirim=rt").await;
    let rts = rt_boxes(&form);
    assert_eq!(rts.len(), 3, "{form}");
    assert!(form.contains("RT 1 (RW 1") && form.contains("value=\"Posyandu serentak\""), "{form}");
    let two = format!("desa=3505012001&rt={}&rt={}", rts[0], rts[1]);
    let review = console.notice_form(&head, &two).await;
    assert!(review.contains("2 RT di Desa Jaten") && review.contains("RT 2 (RW 1"), "{review}");
    let changed = console.notice_form(&head, &format!("{two}&kirim=ubah")).await;
    assert_eq!(changed.matches("checked").count(), 2, "{changed}");
    let back = console.notice_form(&head, &format!("{two}&kirim=desa")).await;
    assert!(rt_boxes(&back).is_empty() && back.contains("value=\"3505012001\" checked"), "{back}");

    let sent = console.notice_form(&head, &format!("{two}&kirim=ya")).await;
    assert!(sent.contains("location: /informasi/1"), "{sent}");
    let page = console.get("/informasi/1").await;
    assert!(page.contains("2 RT di Desa Jaten") && page.contains("RT 1 (RW 1"), "{page}");
    // The same record ids are in another village of this district: only those
    // of the village that is named count.
    let unknown = "desa=3505012001&rt=01a0c8fa-9400-8000-8000-00000000ffff";
    let answer = console.notice_form(&head, &format!("{unknown}&kirim=ya")).await;
    assert!(answer.starts_with("HTTP/1.1 404"), "{answer}");
    let session = console.session_of(Role::KecamatanOperator, &[350_502]).await;
    let foreign = console.notice_form(&session, "desa=3505012001&kirim=rt").await;
    assert!(foreign.starts_with("HTTP/1.1 404") && rt_boxes(&foreign).is_empty(), "{foreign}");
}

#[tokio::test]
async fn a_correction_is_the_next_version_of_what_was_read() {
    let console = console().await;
    let head = console.head.clone();
    console.notice_form(&head, "terbit=2026-11-01&semua=ya&kirim=ya").await;
    assert!(console.get("/informasi/1").await.contains("/informasi/1/perbaiki"));
    let form = console.get("/informasi/1/perbaiki").await;
    for kept in ["value=\"Posyandu serentak\"", "Kamis pagi", "value=\"2026-11-01\"", "value=\"1\""]
    {
        assert!(form.contains(kept), "{kept}: {form}");
    }
    let correct = async |versi: u32, judul: &str| {
        let fields = format!("versi={versi}&judul={judul}&isi=Jumat&kategori=1&semua=ya");
        console.post_as(&head, "/informasi/1/perbaiki", &fields, "http://hub").await
    };
    let empty = correct(1, "").await;
    assert!(empty.starts_with("HTTP/1.1 422") && empty.contains("Jumat"), "{empty}");
    assert!(correct(1, "Ralat").await.contains("location: /informasi/1"));
    let page = console.get("/informasi/1").await;
    assert!(page.contains("Ralat") && page.contains("versi 2"), "{page}");
    let late = correct(1, "Telat").await;
    assert!(late.starts_with("HTTP/1.1 422") && late.contains("baru saja diubah"), "{late}");
    assert!(console.get("/informasi/1").await.contains("Ralat"));
    console.post_as(&head, "/informasi/1/tarik", "", "http://hub").await;
    assert!(correct(3, "Lagi").await.contains("sudah ditarik"));
    assert!(!console.get("/informasi/1").await.contains("/informasi/1/perbaiki"));
}

#[tokio::test]
async fn what_waits_here_stands_on_the_villages_page() {
    let console = console().await;
    let head = console.head.clone();
    let page = console.get("/desa/35.05.01.2001").await;
    assert!(!page.contains("Menunggu di sini"), "{page}");
    console.notice_form(&head, "desa=3505012001&kirim=ya").await;
    let page = console.get("/desa/35.05.01.2001").await;
    let (_, waiting) = page.split_once("Menunggu di sini untuk desa").unwrap();
    let words = "1 informasi atau pertanyaan, paling lama 1 menit";
    assert!(waiting.contains(words), "{waiting}");
    assert!(!console.get("/desa/35.05.01.2002").await.contains("Menunggu di sini"));
}
