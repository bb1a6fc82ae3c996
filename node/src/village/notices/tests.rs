use lumbung_domain::informasi::Sasaran;
use lumbung_domain::record::Rt;
use lumbung_domain::region::VillageCode;

use super::*;
use crate::village::Wish;

const CODE: u64 = 3_505_012_001;

fn code() -> VillageCode {
    VillageCode::from_u64(CODE).unwrap()
}

fn id() -> RecordId {
    RecordId::from_parts(1_790_000_000_000, 1, 7)
}

fn notice(versi: u32, sasaran: Vec<Sasaran>) -> (v1::Notice, Informasi) {
    let informasi = Informasi {
        id: id(),
        versi,
        judul: format!("Versi {versi}"),
        isi: "Isi".to_owned(),
        kategori: None,
        terbit: None,
        berlaku_sampai: None,
        sasaran,
        ditarik: false,
    };
    (wire::to_wire(&informasi), informasi)
}

async fn take(village: &Village, (notice, informasi): &(v1::Notice, Informasi)) -> Taken {
    village.take_notice(notice, informasi).await.unwrap()
}

async fn rt(village: &Village, nomor: &str) -> RecordId {
    let record = Record::Rt(Rt { nomor: nomor.to_owned(), ..Rt::default() });
    let wish = Wish { id: None, kind: Kind::Rt, record: Some(record), seen: None };
    village.save("uji", Source::MANUAL, vec![wish]).await.unwrap().ids[0]
}

#[tokio::test]
async fn a_notice_is_kept_once_and_answered_once() {
    let folder = tempfile::tempdir().unwrap();
    let village = Village::create(folder.path(), code()).unwrap();
    let first = notice(1, vec![Sasaran::Desa(code())]);
    assert_eq!(take(&village, &first).await, Taken::Kept);
    let seq = village.barn().head().position.seq;
    assert_eq!(take(&village, &first).await, Taken::Known);
    assert_eq!(village.barn().head().position.seq, seq, "nothing was written");
    village.close();

    let village = Village::open(folder.path(), code()).unwrap();
    let kept = village.notices().unwrap();
    assert_eq!(kept.len(), 1);
    assert_eq!((&kept[0].informasi, &kept[0].readings), (&first.1, &vec![]));
    let receipt = village.receipt(id(), None).await.unwrap().unwrap();
    assert_eq!((receipt.versi, receipt.dibaca_ms, receipt.rt_id), (1, None, None));
}

#[tokio::test]
async fn the_highest_version_stays_whatever_comes_first() {
    let folder = tempfile::tempdir().unwrap();
    let village = Village::create(folder.path(), code()).unwrap();
    let sasaran = vec![Sasaran::Desa(code())];
    let (second, first) = (notice(2, sasaran.clone()), notice(1, sasaran.clone()));
    take(&village, &second).await;
    assert_eq!(take(&village, &first).await, Taken::Known);
    assert_eq!(village.notices().unwrap()[0].informasi, second.1);

    assert!(village.read_notice(id(), None, "uji").await.unwrap());
    assert!(!village.read_notice(id(), None, "uji").await.unwrap(), "known");
    // A correction waits to be read; a withdrawal does not.
    let third = notice(3, sasaran.clone());
    take(&village, &third).await;
    assert_eq!(village.notices().unwrap()[0].readings, vec![]);
    assert!(village.read_notice(id(), None, "uji").await.unwrap());
    let mut fourth = notice(4, sasaran);
    fourth.1.ditarik = true;
    fourth.0.withdrawn = true;
    take(&village, &fourth).await;
    let kept = village.notices().unwrap();
    assert_eq!(kept[0].readings.len(), 1);
    assert_eq!(kept[0].keberlakuan(village.clock().today()), Keberlakuan::Ditarik);
}

#[tokio::test]
async fn an_rt_reads_what_is_addressed_to_it() {
    let folder = tempfile::tempdir().unwrap();
    let village = Village::create(folder.path(), code()).unwrap();
    let (mine, other) = (rt(&village, "001").await, rt(&village, "002").await);
    let addressed = notice(1, vec![Sasaran::Rt(code(), mine)]);
    take(&village, &addressed).await;
    assert!(village.read_notice(id(), Some(mine), "uji").await.unwrap());
    let kept = village.notices().unwrap();
    assert_eq!(kept[0].readings.iter().map(|it| it.rt).collect::<Vec<_>>(), [Some(mine)]);
    let refused = village.read_notice(id(), Some(other), "uji").await;
    assert!(matches!(refused, Err(ReadNoticeError::NotAddressed)));
    let refused = village.read_notice(id(), Some(id()), "uji").await;
    assert!(matches!(refused, Err(ReadNoticeError::UnknownRt)));
    let refused = village.read_notice(mine, None, "uji").await;
    assert!(matches!(refused, Err(ReadNoticeError::Unknown)));
    // The village's own receipt is that it arrived.
    assert!(village.receipt(id(), None).await.unwrap().is_some());
}

#[tokio::test]
async fn a_store_that_lost_the_notice_takes_it_again_without_a_second_receipt() {
    let folder = tempfile::tempdir().unwrap();
    let village = Village::create(folder.path(), code()).unwrap();
    let (message, informasi) = notice(1, vec![Sasaran::Desa(code())]);
    take(&village, &(message.clone(), informasi.clone())).await;
    let seq = village.barn().head().position.seq;
    // What changed at rest reads as empty.
    village.barn().keep_paper(id(), |_| Some(Vec::new())).await.unwrap();
    assert_eq!(village.notices().unwrap(), vec![]);
    assert_eq!(take(&village, &(message, informasi)).await, Taken::Kept);
    assert_eq!(village.notices().unwrap().len(), 1);
    assert_eq!(village.barn().head().position.seq, seq);
}
