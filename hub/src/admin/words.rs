//! What is read from a request, and what a refusal says.

use jiff::civil::Date;
use lumbung_domain::id::{Kind, RecordId};
use lumbung_domain::recap::Edisi;
use lumbung_domain::region::{Desa, KecamatanCode, VillageCode, roster};
use lumbung_proto::v1;
use lumbung_telemetry::clock;
use tonic::Status;

use crate::access::{Operator, SignInRefused};
use crate::desk::exporting::{ExportOrder, FileForm};
use crate::desk::{Desk, DeskError};
use crate::exports::Disclosure;
use crate::recap::{Audience, Printed, Recap, RegionRef};

/// A refusal of the desk, in its own words. The code is what a command's exit
/// code comes from.
impl From<DeskError> for Status {
    fn from(error: DeskError) -> Self {
        let words = error.to_string();
        match error {
            DeskError::Refused(_) => Self::permission_denied(words),
            DeskError::NotThere => Self::not_found(words),
            DeskError::Unfit(_) => Self::failed_precondition(words),
            DeskError::Failed(cause) => {
                tracing::error!(error = %cause, "an operator's command can't be answered");
                Self::internal(words)
            }
        }
    }
}

/// A refusal of the gate, in its own words.
#[allow(clippy::needless_pass_by_value, reason = "takes what `map_err` gives")]
pub(super) fn gate_refused(error: SignInRefused) -> Status {
    let words = error.to_string();
    match error {
        SignInRefused::Refused(_) => Status::permission_denied(words),
        SignInRefused::Unknown => Status::not_found(words),
        SignInRefused::Name | SignInRefused::NoKecamatan | SignInRefused::NoEnd => {
            Status::invalid_argument(words)
        }
        SignInRefused::Failed(cause) => {
            tracing::error!(error = %cause, "the gate can't answer a command");
            Status::internal(words)
        }
        _ => Status::failed_precondition(words),
    }
}

/// A village that must be named. One that is not in the roster is answered
/// like one out of reach.
pub(super) fn village(code: &str) -> Result<VillageCode, Status> {
    let known = VillageCode::parse(code).ok().filter(|code| roster().village(*code).is_some());
    Ok(known.ok_or(DeskError::NotThere)?)
}

/// A village that may be named.
pub(super) fn maybe_village(code: &str) -> Result<Option<VillageCode>, Status> {
    if code.is_empty() { Ok(None) } else { village(code).map(Some) }
}

/// A village as people say it.
pub(super) fn name_of(code: VillageCode) -> String {
    roster().village(code).map_or_else(|| code.to_string(), Desa::full_name)
}

pub(super) fn kecamatan(code: &str) -> Result<KecamatanCode, Status> {
    KecamatanCode::parse(code).ok_or_else(|| {
        Status::invalid_argument(format!("Kecamatan {code} tidak dikenal. Tidak ada yang diubah."))
    })
}

pub(super) fn kind(name: &str) -> Result<Kind, Status> {
    Kind::from_name(name)
        .ok_or_else(|| Status::invalid_argument(format!("Jenis catatan {name} tidak dikenal.")))
}

pub(super) fn region(text: &str) -> Result<RegionRef, Status> {
    RegionRef::parse(text).map_err(|error| Status::invalid_argument(error.to_string()))
}

/// A region that may be named.
pub(super) fn maybe_region(text: &str) -> Result<Option<RegionRef>, Status> {
    if text.is_empty() { Ok(None) } else { region(text).map(Some) }
}

/// The record that a village's code and an id name.
pub(super) fn record(village: &str, id: &str) -> Result<(VillageCode, RecordId), Status> {
    let id = id.parse().map_err(|_| DeskError::NotThere)?;
    Ok((self::village(village)?, id))
}

pub(super) fn date(text: &str) -> Result<Date, Status> {
    match text {
        "" => Ok(clock::today()),
        text => day(text),
    }
}

/// A day that must be named.
pub(super) fn day(text: &str) -> Result<Date, Status> {
    text.parse().map_err(|_| Status::invalid_argument("Tanggal ditulis seperti 2026-12-31."))
}

/// Whom a sheet is for.
pub(super) const fn audience(public: bool) -> Audience {
    if public { Audience::Public } else { Audience::Office }
}

/// An edition of sheets 4.16a and 4.16b; the usual one when none is named.
pub(super) fn edition(name: &str) -> Result<Edisi, Status> {
    Edisi::from_name(name).ok_or_else(|| {
        Status::invalid_argument(
            "Edisi lembar 4.16a dan 4.16b: p4k (dengan stiker P4K) atau 3buta (dengan 3 buta).",
        )
    })
}

/// What a sheet prints for the office, or for anybody.
pub(super) fn printed(recap: &Recap, public: bool) -> Result<Printed, Status> {
    recap.printed(audience(public)).ok_or_else(|| {
        Status::failed_precondition(
            "Lembar per rumah tidak bisa dibuat untuk umum. Pakai lembar RT ke atas.",
        )
    })
}

/// How many rows are wanted, within what one answer may hold.
pub(super) const fn rows(wanted: u32) -> u32 {
    const USUAL: u32 = 100;
    const MOST: u32 = 10_000;
    match wanted {
        0 => USUAL,
        wanted if wanted > MOST => MOST,
        wanted => wanted,
    }
}

/// The file an operator orders.
pub(super) fn export_order(
    who: &Operator,
    asked: v1::ExportRecordsRequest,
) -> Result<ExportOrder, Status> {
    let region = match (maybe_village(&asked.village)?, asked.kecamatan.as_str()) {
        (Some(village), _) => RegionRef::Desa(village),
        (None, "") => Desk::whole_region(who)?,
        (None, code) => RegionRef::Kecamatan(kecamatan(code)?),
    };
    let keep_until = asked.keep_until.parse().map_err(|_| {
        Status::failed_precondition(
            "Sebutkan sampai kapan berkas boleh disimpan, misalnya 2026-12-31. Tidak ada yang \
             ditulis.",
        )
    })?;
    Ok(ExportOrder {
        kind: kind(&asked.kind)?,
        region,
        form: if asked.workbook { FileForm::Xlsx } else { FileForm::Csv },
        disclosed: Disclosure { numbers: asked.with_numbers, specific: asked.with_specific },
        purpose: asked.purpose,
        keep_until,
    })
}
