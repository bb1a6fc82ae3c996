//! The commands about the district's notices, as the `Local` service answers
//! them.

use std::collections::HashMap;

use bytes::Bytes;
use lumbung_domain::id::RecordId;
use lumbung_domain::record::Record;
use lumbung_proto::v1::{self, kept_notice};
use lumbung_wire::informasi;
use tonic::Status;

use super::refusal::{blocking, submit_failed};
use crate::barn::StoreError;
use crate::village::notices::{Notice, ReadNoticeError};
use crate::village::{Village, decoded};

/// The notices that were asked for, newest first.
pub(super) async fn list(
    village: &Village,
    request: v1::NoticesRequest,
) -> Result<v1::NoticesReply, Status> {
    let (rt, id) = (maybe_id(&request.rt)?, maybe_id(&request.id)?);
    let today = village.clock().today();
    let village = village.clone();
    let answer = blocking(move || {
        let mut notices = village.notices()?;
        notices.retain(|notice| {
            id.is_none_or(|id| notice.informasi.id == id)
                && rt.is_none_or(|rt| notice.informasi.reaches_rt(village.code(), rt))
        });
        let found = notices.len();
        // Who asks for one by its name gets it, whatever became of it.
        if !request.all && id.is_none() {
            notices.retain(|notice| !notice.keberlakuan(today).is_past());
        }
        let past = u32::try_from(found - notices.len()).unwrap_or(u32::MAX);
        let told = notices.iter().map(|notice| to_wire(&village, notice));
        let notices = told.collect::<Result<_, StoreError>>()?;
        Ok(v1::NoticesReply { notices, past })
    });
    answer.await
}

fn to_wire(village: &Village, notice: &Notice) -> Result<v1::KeptNotice, StoreError> {
    let mut numbers = HashMap::new();
    for rt in notice.readings.iter().filter_map(|reading| reading.rt) {
        if let Some((_, Record::Rt(record))) = village.barn().get(rt)?.as_ref().and_then(decoded) {
            numbers.insert(rt, record.nomor);
        }
    }
    let readings = notice.readings.iter().map(|reading| kept_notice::Reading {
        rt: reading.rt.map_or_else(Bytes::new, |rt| Bytes::copy_from_slice(rt.as_bytes())),
        nomor: reading.rt.and_then(|rt| numbers.remove(&rt)).unwrap_or_default(),
        read_ms: reading.read_ms,
        version: reading.versi,
    });
    Ok(v1::KeptNotice {
        notice: Some(informasi::to_wire(&notice.informasi)),
        arrived_ms: notice.arrived_ms,
        readings: readings.collect(),
    })
}

/// Notes a reading.
pub(super) async fn read(
    village: &Village,
    request: v1::ReadNoticeRequest,
) -> Result<v1::ReadNoticeReply, Status> {
    let id = maybe_id(&request.id)?.unwrap_or_default();
    let rt = maybe_id(&request.rt)?;
    match village.read_notice(id, rt, &request.actor).await {
        Ok(written) => Ok(v1::ReadNoticeReply { known: !written }),
        Err(ReadNoticeError::Unknown) => Err(Status::not_found(
            "Informasi itu tidak ada di desa ini. Tidak ada yang dicatat. Lihat `lumbung-node \
             notices list`.",
        )),
        Err(ReadNoticeError::UnknownRt) => Err(Status::not_found(
            "RT itu tidak ada di desa ini. Tidak ada yang dicatat. Lihat `lumbung-node list rt`.",
        )),
        Err(ReadNoticeError::NotAddressed) => Err(Status::failed_precondition(
            "Informasi itu tidak ditujukan ke RT itu. Tidak ada yang dicatat.",
        )),
        Err(ReadNoticeError::Barn(error)) => Err(submit_failed(&error)),
    }
}

fn maybe_id(bytes: &Bytes) -> Result<Option<RecordId>, Status> {
    match bytes.is_empty() {
        true => Ok(None),
        false => RecordId::from_slice(bytes)
            .map(Some)
            .ok_or_else(|| Status::invalid_argument("not an id")),
    }
}

#[cfg(test)]
mod tests {
    use lumbung_domain::informasi::{Informasi, Sasaran};
    use lumbung_domain::region::VillageCode;

    use super::*;

    async fn titles(village: &Village, request: v1::NoticesRequest) -> (Vec<String>, u32) {
        let reply = list(village, request).await.unwrap();
        let notices = reply.notices.into_iter().filter_map(|kept| kept.notice);
        (notices.map(|notice| notice.judul).collect(), reply.past)
    }

    #[tokio::test]
    async fn what_is_past_is_told_to_who_asks_for_all() {
        let folder = tempfile::tempdir().unwrap();
        let code = VillageCode::from_u64(3_505_012_001).unwrap();
        let village = Village::create(folder.path(), code).unwrap();
        let today = village.clock().today();
        let days =
            [("kemarin", today.yesterday().ok()), ("hari ini", Some(today)), ("kapan", None)];
        for ((judul, berlaku_sampai), number) in days.into_iter().zip(1..) {
            let informasi = Informasi {
                id: RecordId::from_parts(1_790_000_000_000, 1, number),
                versi: 1,
                judul: judul.to_owned(),
                isi: "Isi".to_owned(),
                kategori: None,
                terbit: None,
                berlaku_sampai,
                sasaran: vec![Sasaran::Desa(code)],
                ditarik: judul == "kapan",
            };
            let notice = informasi::to_wire(&informasi);
            village.take_notice(&notice, &informasi).await.unwrap();
        }
        let request = v1::NoticesRequest::default();
        assert_eq!(titles(&village, request).await, (vec!["hari ini".to_owned()], 2));
        let all = v1::NoticesRequest { all: true, ..Default::default() };
        let (mut told, past) = titles(&village, all).await;
        told.sort_unstable();
        assert_eq!((told, past), (vec!["hari ini".into(), "kapan".into(), "kemarin".into()], 0));
        let old = RecordId::from_parts(1_790_000_000_000, 1, 1);
        let id = Bytes::copy_from_slice(old.as_bytes());
        let one = v1::NoticesRequest { id, ..Default::default() };
        assert_eq!(titles(&village, one).await, (vec!["kemarin".to_owned()], 0));
    }
}
