//! One line per village: why it is late or wrong, or that all is well.

use super::together::Shared;
use super::words::duration;
use super::{Need, Place, Severity, Words, is_overdue};
use crate::live::Phase;
use crate::outlook::VillageOutlook;
use crate::rhythm::{Freshness, Way};

/// Says it. `own` are the village's needs; the first that somebody must act
/// on is the reason.
pub(super) fn of(
    village: &VillageOutlook,
    shared: Option<Shared>,
    own: &[Need],
    now_ms: i64,
) -> Words {
    let Some(upkeep) = &village.upkeep else {
        return Words::new("Belum terdaftar.", "Not listed yet.");
    };
    let held = own.iter().find(|need| need.code == "ditahan");
    if let Some(need) = held.or_else(|| own.iter().find(|need| need.code == upkeep.trouble)) {
        return need.what.clone();
    }
    match shared {
        Some(Shared::Uplink) => {
            return Words::new(
                "Putus bersama semua desa: internet kabupaten sendiri sedang mati.",
                "Broke with all others: the district's own line is down.",
            );
        }
        Some(Shared::Kecamatan(code)) => {
            let name = Place::Kecamatan(code).name();
            return Words::new(
                format!("Diam bersama desa lain di {name}: mungkin listrik atau jaringan di sana."),
                format!("Silent with others in {name}: probably power or network there."),
            );
        }
        None => {}
    }
    let first = own
        .iter()
        .find(|need| need.severity == Severity::Act)
        .or_else(|| own.iter().find(|need| matches!(need.code, "desa_diam" | "belum_pernah")));
    if let Some(need) = first {
        return need.what.clone();
    }
    presently(village, now_ms)
}

/// A village of which nothing is wrong.
fn presently(village: &VillageOutlook, now_ms: i64) -> Words {
    let live = village.live.as_ref();
    match live.map(|live| (live.phase, live.lag())) {
        Some((Phase::CatchingUp, lag)) if lag > 0 => {
            return Words::new(
                format!("Sedang mengejar: kurang {lag} catatan."),
                format!("Catching up: {lag} records to go."),
            );
        }
        Some((Phase::Live, 0)) if live.is_some_and(|live| live.proven()) => {
            return Words::new("Terhubung dan terbukti sama.", "Connected and proven equal.");
        }
        Some((Phase::Live, _)) => {
            return Words::new("Terhubung.", "Connected.");
        }
        _ => {}
    }
    let (last_ms, silence) = (village.last_ms(), duration(village.silence_ms.unwrap_or_default()));
    let by_stick = village.upkeep.as_ref().is_some_and(|it| it.heard.way() == Way::Stick);
    if by_stick {
        return Words::new(
            format!("Datang lewat stik, terakhir {}.", Words::moment(last_ms)),
            format!("Comes by stick, last {}.", Words::moment(last_ms).en),
        );
    }
    if village.freshness > Freshness::Segar && !is_overdue(village) {
        return Words::new(
            format!(
                "Terakhir terdengar {}; hub sendiri sempat tidak bisa mendengar.",
                Words::moment(last_ms)
            ),
            format!(
                "Last heard of {}; the hub itself could not hear for a while.",
                Words::moment(last_ms).en
            ),
        );
    }
    let usual = duration(village.rhythm.p95_ms);
    let restarted =
        village.incident.as_ref().filter(|it| now_ms - it.at_ms < village.rhythm.p95_ms);
    match restarted {
        Some(incident) => Words::new(
            format!("Tidak tersambung selama {}. {}.", silence.id, incident.heading()),
            format!("Not connected for {}. {}.", silence.en, incident.heading_en()),
        ),
        None => Words::new(
            format!("Tidak tersambung selama {}; itu biasa (sampai {}).", silence.id, usual.id),
            format!("Not connected for {}; that is usual (up to {}).", silence.en, usual.en),
        ),
    }
}
