//! Incidents of the link in words: what happened, that the data is safe, and
//! the evidence (positions, counts, times, short tags). No personal data.
//!
//! A position reads as epoch.number@chain, the chain shortened.

use lumbung_ledger::Position;
use lumbung_proto::v1::{BundleHeader, Replaced};

use crate::dataset::{HandedBack, IncidentKind, NewIncident};
use crate::words::Words;

/// Which side of a restart was written past the fork.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Parted {
    /// The hub has more than the node.
    LostTail,
    /// Both went on.
    Forked,
}

/// What is left to do where two machines answer, as the console calls it.
const ONE_LEFT: &str = "Matikan salah satu, lalu di konsol, halaman desa ini, pilih Nyatakan \
     tinggal satu komputer (atau jalankan perintah lumbung-hub villages resolve)";
const ONE_LEFT_EN: &str = "Turn one off, then choose Say that one machine is left on this \
     village's page of the console (or run the command lumbung-hub villages resolve)";

/// Short enough to read, long enough to tell two apart.
fn tag(bytes: &[u8]) -> String {
    bytes.iter().take(4).map(|byte| format!("{byte:02x}")).collect()
}

fn place(position: Position) -> String {
    format!("{}.{}@{}", position.epoch, position.seq, tag(&position.chain.0))
}

/// A contact's number goes by the hub's clock.
fn contact(number: u64) -> Words {
    match i64::try_from(number) {
        Ok(0) => Words::new("tidak ada", "none"),
        Ok(at_ms) => Words::instant(at_ms),
        Err(_) => Words::new(number.to_string(), number.to_string()),
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
    let (kind, what, what_en) = match parted {
        Parted::LostTail => (
            IncidentKind::LostTail,
            "Node kehilangan catatan terakhirnya (listrik padam atau cadangan lama dipulihkan)",
            "The node lost its last records (a power cut, or an old backup was restored)",
        ),
        Parted::Forked => (
            IncidentKind::Forked,
            "Riwayat node berbeda dengan yang sudah tergabung (cadangan dipulihkan lalu ditulisi, \
             atau disk digandakan)",
            "The node's history differs from what is merged (a backup was restored and written \
             to, or a disk was copied)",
        ),
    };
    let (hub, epoch, node, fork) = (place(hub), node.epoch, place(node), fork.seq);
    let words = Words::new(
        format!(
            "{what}. Hub di {hub}, node di {node}; keduanya sama sampai nomor {fork}. {lost} versi \
             catatan disimpan di hub dan dikembalikan ke desa; tidak ada yang hilang. Node \
             melanjutkan dalam epoch {epoch}."
        ),
        format!(
            "{what_en}. Hub at {hub}, node at {node}; both are the same up to entry {fork}. {lost} \
             versions of records are kept at the hub and handed back to the village; nothing is \
             lost. The node goes on in epoch {epoch}."
        ),
    );
    NewIncident::new(kind, words)
}

/// What became of the versions that were handed back.
pub(crate) fn returned(what: HandedBack) -> NewIncident {
    let HandedBack { applied, equal, conflicts } = what;
    let (hint, hint_en) = match conflicts {
        0 => ("", ""),
        _ => (
            " Versi yang kalah tetap tersimpan di hub: minta petugas komputer hub menampilkannya \
             (lumbung-hub villages branch), lalu tanyakan desa mana yang benar.",
            " The hub keeps the versions that did not win: let whoever minds the hub's machine \
             show them (lumbung-hub villages branch), and ask the village which is right.",
        ),
    };
    let words = Words::new(
        format!(
            "Catatan yang hilang di desa sudah dikembalikan: {applied} ditulis lagi, {equal} sudah \
             sama, {conflicts} memakai isi desa karena sudah diubah di sana, atau nomornya sudah \
             dipakai catatan lain.{hint}"
        ),
        format!(
            "Records that the village had lost were handed back: {applied} written again, {equal} \
             the same already, {conflicts} kept as the village has them, because they were changed \
             there, or another record has their number by now.{hint_en}"
        ),
    );
    NewIncident::new(IncidentKind::Returned, words)
}

/// A new log of the same village.
pub(crate) fn reinstalled(
    old: Position,
    new: Position,
    left: u64,
    replaced: Option<Replaced>,
) -> NewIncident {
    let damage = damage(old, replaced);
    let (log, old_log, end) = (tag(&new.log_id.0), tag(&old.log_id.0), place(old));
    let words = Words::new(
        format!(
            "{}Node dipasang ulang dan memulai log baru ({log}; yang lama {old_log} berakhir di \
             {end}). {left} catatan lama tetap terbaca di hub tetapi tidak ikut dihitung sampai \
             desa mengirimnya lagi. Putuskan di konsol, halaman desa ini: Putuskan catatan \
             lama (atau dengan perintah lumbung-hub villages leftovers).",
            damage.id
        ),
        format!(
            "{}The node was reinstalled and began a new log ({log}; the old one {old_log} ends at \
             {end}). {left} old records can still be read at the hub but don't count until the \
             village sends them again. Decide at the console, on this village's page: Decide \
             about old records (or with the command lumbung-hub villages leftovers).",
            damage.en
        ),
    );
    NewIncident::new(IncidentKind::Reinstalled, words)
}

/// A new log that begins with what the hub had.
pub(crate) fn rebuilt(
    old: Position,
    new: Position,
    records: u64,
    replaced: Option<Replaced>,
) -> NewIncident {
    let damage = damage(old, replaced);
    let (log, old_log, end) = (tag(&new.log_id.0), tag(&old.log_id.0), place(old));
    let words = Words::new(
        format!(
            "{}Node dibangun ulang dari data kabupaten: log baru {log} melanjutkan {end} dari log \
             {old_log}. {records} catatan sedang dicocokkan.",
            damage.id
        ),
        format!(
            "{}The node was rebuilt from the district's data: the new log {log} goes on from {end} \
             of log {old_log}. {records} records are being compared.",
            damage.en
        ),
    );
    NewIncident::new(IncidentKind::Rebuilt, words)
}

/// Why the new log was needed, if the node says so: its store was damaged.
/// What had not come here is named, because only the village can find it.
fn damage(old: Position, replaced: Option<Replaced>) -> Words {
    let Some(Replaced { at_ms, last_seq, .. }) = replaced else { return Words::new("", "") };
    let first = old.seq.0 + 1;
    let unsent = match last_seq {
        0 => Words::new("", ""),
        last if last < first => Words::new(
            "Semua yang pernah disimpan di sana sudah ada di hub. ",
            "All that was ever saved there is at the hub. ",
        ),
        last => Words::new(
            format!(
                "Perubahan nomor {first} sampai {last} tidak pernah sampai di hub: hanya ada di \
                 berkas yang rusak, mungkin juga di cadangan komputer desa. Minta desa mencatatnya \
                 lagi atau kirim teknisi; berkas itu jangan dihapus dulu. "
            ),
            format!(
                "Changes {first} to {last} never came to the hub: they are in the damaged files \
                 only, perhaps in a backup of the village's computer too. Ask the village to record \
                 them again, or send somebody; those files must not be deleted yet. "
            ),
        ),
    };
    let at = Words::instant(at_ms);
    Words::new(
        format!(
            "Berkas data di komputer desa rusak dan disisihkan di sana ({at}, jam komputer desa). {}",
            unsent.id
        ),
        format!(
            "The data files on the village's computer were damaged and set aside there ({}, the \
             village's clock). {}",
            at.en, unsent.en
        ),
    )
}

/// The node remembers more confirmations than the hub.
pub(super) fn hub_behind(acked: Position, hub: Option<Position>) -> NewIncident {
    let here =
        hub.map_or_else(|| "tidak punya apa-apa".to_owned(), |hub| format!("di {}", place(hub)));
    let here_en =
        hub.map_or_else(|| "has nothing".to_owned(), |hub| format!("stands at {}", place(hub)));
    let until = place(acked);
    let words = Words::new(
        format!(
            "Data hub mundur: node ingat hub memastikan sampai {until}, hub sekarang {here}. \
             Mungkin cadangan hub dipasang kembali. Desa mengirim lagi sisanya; tidak ada yang hilang."
        ),
        format!(
            "The hub's data went back: the node remembers that the hub confirmed up to {until}, \
             and the hub {here_en} now. Perhaps a backup of the hub was restored. The village sends the \
             rest again; nothing is lost."
        ),
    );
    NewIncident::new(IncidentKind::HubBehind, words).about(format!("{} {acked}", acked.log_id))
}

/// The node began an epoch by itself: it lost entries that nobody else had.
pub(super) fn lost_unsent(hub: Position, node: Position) -> NewIncident {
    let (here, epoch, there) = (place(hub), node.epoch, place(node));
    let words = Words::new(
        format!(
            "Node kehilangan catatan terakhirnya (penyimpanan lama dipulihkan, atau disk rusak) dan \
             melanjutkan dalam epoch {epoch}. Hub di {here}, node di {there}: yang sudah tergabung \
             utuh, tetapi yang hilang belum pernah sampai ke sini. Minta desa melihat lumbung-node \
             status: di situ nomor yang hilang; isi lagi dari berkas kertasnya."
        ),
        format!(
            "The node lost its last records (an old store was put back, or the disk failed) and \
             goes on in epoch {epoch}. Hub at {here}, node at {there}: what is merged is whole, \
             but what was lost had never come here. Ask the village to look at lumbung-node \
             status, which names the numbers that are lost, and to enter them again from paper."
        ),
    );
    // Something is left to do, unlike with a tail that is handed back.
    NewIncident::new(IncidentKind::Rewound, words).about(format!("{} {epoch}", node.log_id))
}

/// A disk that remembers an older contact than the last one.
pub(super) fn rewound(shown: u64, last: u64, incarnation: &[u8]) -> NewIncident {
    let (shown, last, session) = (contact(shown), contact(last), tag(incarnation));
    let words = Words::new(
        format!(
            "Disk node dipulihkan atau digandakan: kontak terakhir yang diingatnya {}, padahal \
             kontak terakhir {} (sesi {session}). Yang sudah tergabung aman. Pastikan hanya satu \
             komputer yang dipakai desa ini.",
            shown.id, last.id
        ),
        format!(
            "The node's disk was restored or copied: the last contact it remembers is {}, but the \
             last one was {} (session {session}). What is merged is safe. Make sure that this \
             village uses one machine only.",
            shown.en, last.en
        ),
    );
    NewIncident::new(IncidentKind::Rewound, words)
}

/// Two machines take turns.
pub(super) fn taking_turns(shown: u64, last: u64, incarnation: &[u8]) -> NewIncident {
    let (shown, last, session) = (contact(shown), contact(last), tag(incarnation));
    let words = Words::new(
        format!(
            "Dua komputer bergantian menjawab untuk desa ini: yang sekarang (sesi {session}) \
             terakhir terhubung {}, yang lain {}. Penggabungan dihentikan; yang sudah tergabung \
             aman. {ONE_LEFT}.",
            shown.id, last.id
        ),
        format!(
            "Two machines take turns in answering for this village: the present one (session \
             {session}) was connected last at {}, the other at {}. Merging is stopped; what is \
             merged is safe. {ONE_LEFT_EN}.",
            shown.en, last.en
        ),
    );
    NewIncident::new(IncidentKind::Twin, words)
}

/// A stick whose history is another than the one merged.
pub(crate) fn stick_parted(stick: &BundleHeader, to: Position) -> NewIncident {
    let (number, made) = (stick.number, Words::instant(stick.time_ms));
    let words = Words::new(
        format!(
            "Bundel nomor {number} (dibuat {made}) membawa riwayat lain daripada yang sudah \
             tergabung: cadangan dipulihkan, atau disk digandakan. Tidak ada yang digabung; yang \
             sudah tergabung aman. Pastikan hanya satu komputer yang dipakai desa ini, lalu bawa \
             jawabannya ke sana (perintah lumbung-hub bundle export)."
        ),
        format!(
            "Bundle {number} (made {}) brings another history than the one merged: a backup was \
             restored, or a disk copied. Nothing was merged; what is merged is safe. Make sure that \
             the village uses one computer only, then carry the answer there (lumbung-hub bundle \
             export).",
            made.en
        ),
    );
    NewIncident::new(IncidentKind::Rewound, words).about(format!("{} {to}", to.log_id))
}

/// Two machines whose sticks take turns.
pub(crate) fn sticks_taking_turns(
    stick: &BundleHeader,
    to: Position,
    stored: Position,
) -> NewIncident {
    let (number, made) = (stick.number, Words::instant(stick.time_ms));
    let (to, stored) = (place(to), place(stored));
    let words = Words::new(
        format!(
            "Dua komputer bergantian mengirim stik untuk desa ini: bundel nomor {number} (dibuat \
             {made}) sampai {to}, padahal yang tergabung terakhir {stored} dari komputer lain. \
             Penggabungan dihentikan; yang sudah tergabung aman. {ONE_LEFT}, dan minta stik baru \
             dari komputer yang tinggal."
        ),
        format!(
            "Two machines take turns sending sticks for this village: bundle {number} (made {}) \
             leads to {to}, but what was merged last is {stored} of another machine. Merging is \
             stopped; what is merged is safe. {ONE_LEFT_EN}, and ask for a new stick of the \
             computer that is left.",
            made.en
        ),
    );
    NewIncident::new(IncidentKind::Twin, words)
}

/// Two machines, one on a line and the other by stick, take turns.
pub(super) fn line_and_sticks(to: Position, stored: Position, incarnation: &[u8]) -> NewIncident {
    let (to, stored, session) = (place(to), place(stored), tag(incarnation));
    let words = Words::new(
        format!(
            "Dua komputer bergantian mengirim untuk desa ini: yang terhubung sekarang (sesi \
             {session}) sampai {to}, padahal yang tergabung terakhir {stored} dari komputer lain, \
             lewat stik atau sambungan. Penggabungan dihentikan; yang sudah tergabung aman. \
             {ONE_LEFT}."
        ),
        format!(
            "Two machines take turns for this village: the one connected now (session {session}) \
             leads to {to}, but what was merged last is {stored} of another machine, by stick or \
             over a line. Merging is stopped; what is merged is safe. {ONE_LEFT_EN}."
        ),
    );
    NewIncident::new(IncidentKind::Twin, words)
}

/// Two machines at once.
pub(super) fn at_once(one: &[u8], other: &[u8]) -> NewIncident {
    let (one, other) = (tag(one), tag(other));
    let words = Words::new(
        format!(
            "Dua komputer terhubung bersamaan untuk desa ini (sesi {one} dan {other}). \
             Penggabungan dihentikan; yang sudah tergabung aman. {ONE_LEFT}."
        ),
        format!(
            "Two machines are connected at once for this village (sessions {one} and {other}). \
             Merging is stopped; what is merged is safe. {ONE_LEFT_EN}."
        ),
    );
    NewIncident::new(IncidentKind::Twin, words)
}
