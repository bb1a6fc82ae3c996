//! Incidents of the link in words: what happened, that the data is safe, and
//! the evidence (positions, counts, times, short tags). No personal data.
//!
//! A position reads as epoch.number@chain, the chain shortened.

use lumbung_ledger::Position;
use lumbung_proto::v1::Replaced;
use lumbung_telemetry::clock;

use crate::dataset::{HandedBack, IncidentKind, NewIncident};

/// Which side of a restart was written past the fork.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Parted {
    /// The hub has more than the node.
    LostTail,
    /// Both went on.
    Forked,
}

/// Short enough to read, long enough to tell two apart.
fn tag(bytes: &[u8]) -> String {
    bytes.iter().take(4).map(|byte| format!("{byte:02x}")).collect()
}

fn place(position: Position) -> String {
    format!("{}.{}@{}", position.epoch, position.seq, tag(&position.chain.0))
}

/// A contact's number goes by the hub's clock.
fn contact(number: u64) -> String {
    match i64::try_from(number) {
        Ok(0) => "tidak ada".to_owned(),
        Ok(at_ms) => clock::display(at_ms),
        Err(_) => number.to_string(),
    }
}

/// The log was restarted: hub at `hub`, node at `node`, common up to `fork`.
pub(crate) fn restarted(
    parted: Parted,
    hub: Position,
    node: Position,
    fork: Position,
    lost: u64,
) -> NewIncident {
    let (kind, what) = match parted {
        Parted::LostTail => (
            IncidentKind::LostTail,
            "Node kehilangan catatan terakhirnya (listrik padam atau cadangan lama dipulihkan)",
        ),
        Parted::Forked => (
            IncidentKind::Forked,
            "Riwayat node berbeda dengan yang sudah tergabung (cadangan dipulihkan lalu ditulisi, \
             atau disk digandakan)",
        ),
    };
    NewIncident::new(
        kind,
        format!(
            "{what}. Hub di {}, node di {}; keduanya sama sampai nomor {}. {lost} versi catatan \
             disimpan di hub dan dikembalikan ke desa; tidak ada yang hilang. Node melanjutkan \
             dalam epoch {}.",
            place(hub),
            place(node),
            fork.seq,
            node.epoch
        ),
    )
}

/// What became of the versions that were handed back.
pub(super) fn returned(what: HandedBack) -> NewIncident {
    let HandedBack { applied, equal, conflicts } = what;
    let hint = match conflicts {
        0 => "",
        _ => {
            " Versi yang kalah tetap tersimpan di hub: lihat lumbung-hub villages branch; tanyakan \
            desa mana yang benar."
        }
    };
    NewIncident::new(
        IncidentKind::Returned,
        format!(
            "Catatan yang hilang di desa sudah dikembalikan: {applied} ditulis lagi, {equal} sudah \
             sama, {conflicts} memakai isi desa karena sudah diubah di sana.{hint}"
        ),
    )
}

/// A new log of the same village.
pub(super) fn reinstalled(
    old: Position,
    new: Position,
    left: u64,
    replaced: Option<Replaced>,
) -> NewIncident {
    NewIncident::new(
        IncidentKind::Reinstalled,
        format!(
            "{}Node dipasang ulang dan memulai log baru ({}; yang lama {} berakhir di {}). {left} \
             catatan lama tetap terbaca di hub tetapi tidak ikut dihitung sampai desa mengirimnya \
             lagi. Putuskan dengan lumbung-hub villages leftovers.",
            damage(old, replaced),
            tag(&new.log_id.0),
            tag(&old.log_id.0),
            place(old)
        ),
    )
}

/// A new log that begins with what the hub had.
pub(super) fn rebuilt(
    old: Position,
    new: Position,
    records: u64,
    replaced: Option<Replaced>,
) -> NewIncident {
    NewIncident::new(
        IncidentKind::Rebuilt,
        format!(
            "{}Node dibangun ulang dari data kabupaten: log baru {} melanjutkan {} dari log {}. \
             {records} catatan sedang dicocokkan.",
            damage(old, replaced),
            tag(&new.log_id.0),
            place(old),
            tag(&old.log_id.0)
        ),
    )
}

/// Why the new log was needed, if the node says so: its store was damaged.
/// What had not come here is named, because only the village can find it.
fn damage(old: Position, replaced: Option<Replaced>) -> String {
    let Some(Replaced { at_ms, last_seq }) = replaced else { return String::new() };
    let unsent = match last_seq > old.seq.0 {
        false => "Semua yang pernah disimpan di sana sudah ada di hub. ".to_owned(),
        true => format!(
            "Perubahan nomor {} sampai {last_seq} tidak pernah sampai di hub: hanya ada di berkas \
             yang rusak, mungkin juga di cadangan komputer desa. Minta desa mencatatnya lagi atau \
             kirim teknisi; berkas itu jangan dihapus dulu. ",
            old.seq.0 + 1
        ),
    };
    let unsent = if last_seq == 0 { String::new() } else { unsent };
    format!(
        "Berkas data di komputer desa rusak dan disisihkan di sana ({}, jam komputer desa). {unsent}",
        clock::display(at_ms)
    )
}

/// The node remembers more confirmations than the hub.
pub(super) fn hub_behind(acked: Position, hub: Option<Position>) -> NewIncident {
    let here =
        hub.map_or_else(|| "tidak punya apa-apa".to_owned(), |hub| format!("di {}", place(hub)));
    NewIncident::new(
        IncidentKind::HubBehind,
        format!(
            "Data hub mundur: node ingat hub memastikan sampai {}, hub sekarang {here}. Mungkin \
             hub.db lama dipulihkan. Desa mengirim lagi sisanya; tidak ada yang hilang.",
            place(acked)
        ),
    )
    .about(format!("{} {acked}", acked.log_id))
}

/// A disk that remembers an older contact than the last one.
pub(super) fn rewound(shown: u64, last: u64, incarnation: &[u8]) -> NewIncident {
    NewIncident::new(
        IncidentKind::Rewound,
        format!(
            "Disk node dipulihkan atau digandakan: kontak terakhir yang diingatnya {}, padahal \
             kontak terakhir {} (sesi {}). Yang sudah tergabung aman. Pastikan hanya satu komputer \
             yang dipakai desa ini.",
            contact(shown),
            contact(last),
            tag(incarnation)
        ),
    )
}

/// Two machines take turns.
pub(super) fn taking_turns(shown: u64, last: u64, incarnation: &[u8]) -> NewIncident {
    NewIncident::new(
        IncidentKind::Twin,
        format!(
            "Dua komputer bergantian menjawab untuk desa ini: yang sekarang (sesi {}) terakhir \
             terhubung {}, yang lain {}. Penggabungan dihentikan; yang sudah tergabung aman. \
             Matikan salah satu, lalu jalankan lumbung-hub villages resolve.",
            tag(incarnation),
            contact(shown),
            contact(last)
        ),
    )
}

/// Two machines at once.
pub(super) fn at_once(one: &[u8], other: &[u8]) -> NewIncident {
    NewIncident::new(
        IncidentKind::Twin,
        format!(
            "Dua komputer terhubung bersamaan untuk desa ini (sesi {} dan {}). Penggabungan \
             dihentikan; yang sudah tergabung aman. Matikan salah satu, lalu jalankan lumbung-hub \
             villages resolve.",
            tag(one),
            tag(other)
        ),
    )
}
