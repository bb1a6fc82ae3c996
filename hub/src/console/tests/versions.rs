//! The page of versions, with villages that are behind.

use lumbung_domain::region::roster;

use super::*;
use crate::dataset::{ContactNote, Dataset as _};

/// A district in which every version in use has some villages: those of the
/// first kecamatan are one version apart from each other.
async fn several() -> Console {
    let (folder, dataset) = district();
    let now_ms = clock::now_ms();
    let versions = ["0.0.8", "0.0.9", "0.1.0", "0.1.0", "0.2.0-uji.1", "0.2.0-uji.2", ""];
    for (at, desa) in roster().villages().iter().take(70).enumerate() {
        dataset.register(desa.code, "").unwrap();
        let note = ContactNote {
            at_ms: now_ms - at as i64 * 3_600_000,
            software: Some(versions[at % versions.len()].to_owned()),
            ..ContactNote::default()
        };
        dataset.note_contacts(&[(desa.code, note)]).unwrap();
    }
    console_over(folder, Arc::new(dataset)).await
}

#[tokio::test]
async fn villages_that_are_behind_are_told_oldest_first() {
    let console = several().await;
    let page = console.get("/versi").await;
    assert!(page.contains("30 dari 60 desa tertinggal versinya. 10 belum diketahui."), "{page}");
    let (_, behind) = page.split_once("id=\"tertinggal\"").unwrap();
    let (behind, unknown) = behind.split_once("id=\"tak-diketahui\"").unwrap();
    let first = |version: &str| behind.find(&format!("<td>{version}</td>")).unwrap();
    assert!(first("0.0.8") < first("0.0.9") && first("0.0.9") < first("0.2.0-uji.1"), "{behind}");
    assert!(!behind.contains("<td>0.1.0</td>") && !behind.contains("<td>0.2.0-uji.2</td>"));
    assert_eq!((behind.matches("<tr>").count(), unknown.matches("<li>").count()), (31, 10));
    // What is newest in a channel is newest there only.
    let (sums, _) = page.split_once("id=\"tertinggal\"").unwrap();
    for state in ["terbaru di uji", "tertinggal di uji", "terbaru", "tertinggal"] {
        assert!(sums.contains(&format!("<td>{state}</td>")), "{state}: {sums}");
    }
    assert!(sums.contains("33,3"), "twenty of sixty run the newest: {sums}");
    // An operator of a kecamatan gets the versions of its own.
    let session = console.session_of(Role::KecamatanOperator, &[350_501]).await;
    let own = console.get_as(&session, "/versi").await;
    assert!(own.contains("dari 10 desa tertinggal") && !own.contains("/desa/35.05.02."), "{own}");
}
