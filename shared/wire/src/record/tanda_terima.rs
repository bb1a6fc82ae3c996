//! Tanda terima.

use lumbung_domain::record::TandaTerima;
use lumbung_proto::v1;

use super::{DecodeRecordError, id_from_wire, id_to_wire, maybe_id_from_wire, maybe_id_to_wire};

pub(super) fn to_wire(receipt: &TandaTerima) -> v1::TandaTerima {
    v1::TandaTerima {
        informasi_id: id_to_wire(receipt.informasi_id),
        versi: receipt.versi,
        rt_id: maybe_id_to_wire(receipt.rt_id),
        diterima_ms: receipt.diterima_ms,
        dibaca_ms: receipt.dibaca_ms.unwrap_or_default(),
    }
}

pub(super) fn from_wire(receipt: &v1::TandaTerima) -> Result<TandaTerima, DecodeRecordError> {
    Ok(TandaTerima {
        informasi_id: id_from_wire(&receipt.informasi_id, "informasi_id")?,
        versi: receipt.versi,
        rt_id: maybe_id_from_wire(&receipt.rt_id, "rt_id")?,
        diterima_ms: receipt.diterima_ms,
        dibaca_ms: (receipt.dibaca_ms != 0).then_some(receipt.dibaca_ms),
    })
}
