//! The commands about the district's notices, as the `Local` service answers
//! them.

use std::collections::HashMap;

use bytes::Bytes;
use lumbung_domain::id::RecordId;
use lumbung_domain::informasi::Keberlakuan;
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
    let asked = move |notice: &Notice| {
        let in_force = || {
            let state = notice.keberlakuan(today);
            matches!(state, Keberlakuan::Berlaku | Keberlakuan::BelumTerbit)
        };
        id.is_none_or(|id| notice.informasi.id == id) && (request.all || id.is_some() || in_force())
    };
    let village = village.clone();
    let notices = blocking(move || {
        let mut notices = village.notices()?;
        notices.retain(asked);
        if let Some(rt) = rt {
            notices.retain(|notice| notice.informasi.reaches_rt(village.code(), rt));
        }
        notices.iter().map(|notice| to_wire(&village, notice)).collect::<Result<_, _>>()
    });
    Ok(v1::NoticesReply { notices: notices.await? })
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
