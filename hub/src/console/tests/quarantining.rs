//! The quarantine desk: trying again, asking the village, page by page.

use super::*;
use crate::dataset::Scope;
use crate::dataset::notices::{Addressee, Notices as _};
use crate::dataset::{Dataset as _, QuarantinedEntry};
use crate::recap::tests::{refuse, troubled_district};

/// The village that has a record which nobody can read.
const TROUBLED: u64 = 3_505_012_002;

async fn with_refused(count: u64) -> (Console, Arc<SqliteDataset>) {
    let (folder, dataset) = troubled_district();
    let village = VillageCode::from_u64(3_505_022_001).unwrap();
    refuse(&dataset, village, count);
    let dataset = Arc::new(dataset);
    (console_over(folder, Arc::clone(&dataset)).await, dataset)
}

fn waiting(dataset: &SqliteDataset) -> Vec<QuarantinedEntry> {
    dataset.quarantine(&Scope::whole()).unwrap()
}

async fn sent(console: &Console, session: &str, path: &str) -> String {
    console.post_as(session, path, "", "http://hub").await
}

#[tokio::test]
async fn a_record_is_taken_once_it_can_be_and_stays_until_then() {
    let (console, dataset) = with_refused(2).await;
    let head = console.head.clone();
    let entries = waiting(&dataset);
    let (unread, sound) = (&entries[0], &entries[1]);
    assert_eq!((entries.len(), unread.village.as_u64()), (3, TROUBLED));
    let dusun = || {
        let regions = dataset.facts(&Scope::whole(), sound.village).unwrap().regions;
        regions.iter().filter(|region| region.label == "Baru").count()
    };
    assert_eq!(dusun(), 0);

    let taken = sent(&console, &head, &format!("/karantina/{}/ulang", sound.number)).await;
    assert!(taken.contains("location: /karantina?hasil=diterima"), "{taken}");
    assert_eq!((waiting(&dataset).len(), dusun()), (2, 1));
    let page = console.get("/karantina?hasil=diterima").await;
    assert!(page.contains("Catatan itu sekarang diterima"), "{page}");
    let again = sent(&console, &head, &format!("/karantina/{}/ulang", sound.number)).await;
    assert!(again.starts_with("HTTP/1.1 404"), "{again}");

    let stays = sent(&console, &head, &format!("/karantina/{}/ulang", unread.number)).await;
    assert!(stays.contains("location: /karantina?hasil=tetap"), "{stays}");
    assert_eq!(waiting(&dataset).len(), 2);
    assert!(console.get("/audit").await.contains("coba lagi"));
    // What is of another kecamatan is not there for its neighbour.
    let session = console.session_of(Role::KecamatanOperator, &[350_502]).await;
    for deed in ["ulang", "kembali"] {
        let answer =
            sent(&console, &session, &format!("/karantina/{}/{deed}", unread.number)).await;
        assert!(answer.starts_with("HTTP/1.1 404"), "{answer}");
    }
}

#[tokio::test]
async fn a_village_is_asked_to_correct_what_can_not_be_taken() {
    let (console, dataset) = with_refused(1).await;
    let unread = waiting(&dataset)[0].clone();
    let session = console.session_of(Role::KecamatanOperator, &[350_501]).await;
    let asked = sent(&console, &session, &format!("/karantina/{}/kembali", unread.number)).await;
    assert!(asked.contains("location: /karantina?hasil=dikirim"), "{asked}");
    assert_eq!(waiting(&dataset).len(), 2, "it waits until the village has corrected it");
    let due = |village: VillageCode| {
        let to = Addressee { village, log: None, software: "" };
        dataset.due_notices(to, 0, clock::today(), 9).unwrap()
    };
    let letters = due(unread.village);
    assert_eq!(letters.len(), 1);
    let letter = &letters[0].informasi;
    assert!(letter.isi.contains(&unread.reason) && letter.isi.contains(&unread.id.to_string()));
    assert!(due(VillageCode::from_u64(3_505_012_001).unwrap()).is_empty());

    // Whoever comes next sees that the village was asked, about this one only.
    let page = console.get("/karantina").await;
    assert_eq!(page.matches("Desa sudah diminta memperbaikinya").count(), 1, "{page}");
    assert_eq!(page.matches("Minta sekali lagi").count(), 1, "{page}");
    assert!(page.contains("href=\"/informasi/1\""), "{page}");
    // A notice that was withdrawn asks for nothing any more.
    sent(&console, &console.head, "/informasi/1/tarik").await;
    assert!(!console.get("/karantina").await.contains("sudah diminta"));
}

#[tokio::test]
async fn a_long_quarantine_is_read_page_by_page() {
    let (console, dataset) = with_refused(104).await;
    let entries = waiting(&dataset);
    let (mut path, mut seen) = ("/karantina?desa=35.05.02.2001".to_owned(), Vec::new());
    loop {
        let page = console.get(&path).await;
        let forms = page.split("method=\"post\" action=\"/karantina/").skip(1);
        let numbers = forms.map(|rest| rest.split('/').next().unwrap().parse::<i64>().unwrap());
        let before = seen.len();
        seen.extend(numbers);
        assert!(seen.len() - before <= 50, "{path}");
        let Some((_, next)) = page.split_once("href=\"/karantina?desa=35.05.02.2001&amp;sesudah=")
        else {
            break;
        };
        let after = next.split('"').next().unwrap();
        path = format!("/karantina?desa=35.05.02.2001&sesudah={after}");
    }
    let own = entries.iter().filter(|entry| entry.village.as_u64() == 3_505_022_001);
    assert_eq!(seen, own.map(|entry| entry.number).collect::<Vec<_>>());
    assert_eq!(seen.len(), 104);
}
