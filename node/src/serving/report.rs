//! What `status` tells: figures, and what happened to the store in the
//! clerk's words.

use std::path::Path;

use lumbung_ledger::Seq;
use lumbung_telemetry::clock;
use serde::{Deserialize, Serialize};

use crate::backup::goes_ms;
use crate::barn::{Barn, Condition, Loss, Mending, OpenStep};
use crate::uplink::LinkState;

/// What `status` shows.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Report {
    /// Ten-digit code of the village.
    pub village: u64,
    /// Living records.
    pub records: u64,
    /// Last durable entry.
    pub seq: u64,
    /// Epoch of the log.
    pub epoch: u32,
    /// Name of the log.
    pub log_id: String,
    /// Sum over the records' content, shortened.
    pub fingerprint: String,
    /// Last entry the district confirmed.
    pub confirmed_seq: u64,
    /// When it did, Unix milliseconds; 0 = not since this start.
    pub confirmed_at_ms: i64,
    /// Whether the node is serving (not just opened for a command).
    pub serving: bool,
    /// Bytes received from the district since this start.
    pub received_bytes: u64,
    /// Bytes sent to the district since this start.
    pub sent_bytes: u64,
    /// Bytes on disk.
    pub disk_bytes: u64,
    /// How often the barn was opened.
    pub boots: u32,
    /// Records that were erased on request.
    #[serde(default)]
    pub erased: u64,
    /// Whether bytes of erased records may still lie in the store's files.
    #[serde(default)]
    pub scrub_pending: bool,
    /// The way to the district; nothing when not serving.
    #[serde(default)]
    pub link: Option<LinkState>,
    /// What opening had to do, in the clerk's words.
    pub steps: Vec<String>,
    /// What the disk has lost and nobody has said is entered again, in the
    /// clerk's words.
    #[serde(default)]
    pub losses: Vec<String>,
    /// When the node's newest own backup was made, Unix milliseconds; 0 =
    /// there is none.
    #[serde(default)]
    pub backup_at_ms: i64,
    /// The last entry in it.
    #[serde(default)]
    pub backup_seq: u64,
    /// What checking itself found, in the clerk's words.
    #[serde(default)]
    pub remarks: Vec<String>,
}

impl Report {
    /// Entries the district has not confirmed.
    #[must_use]
    pub fn waiting(&self) -> u64 {
        Seq(self.seq).since(Seq(self.confirmed_seq))
    }

    /// What is safe at the district, as a sentence for the clerk. What was
    /// confirmed before this start stays confirmed: a hub that has everything
    /// already has no reason to say so again.
    #[must_use]
    pub fn safety_sentence(&self) -> String {
        let met = self.confirmed_seq > 0 || self.link.as_ref().is_some_and(|link| link.connected);
        match (self.serving, self.confirmed_at_ms, self.waiting()) {
            (false, ..) => {
                "Node tidak sedang berjalan; kabupaten tidak bisa mengambil data.".to_owned()
            }
            (true, 0, _) if !met => {
                "Kabupaten belum menghubungi node sejak node dijalankan.".to_owned()
            }
            (true, 0, 0) if self.seq == 0 => "Belum ada perubahan untuk dikirim.".to_owned(),
            (true, 0, 0) => "Semua perubahan aman di kabupaten (dipastikan sebelum node \
                dijalankan ulang)."
                .to_owned(),
            (true, 0, waiting) => format!("{waiting} perubahan belum dipastikan kabupaten."),
            (true, at, 0) => {
                format!("Semua perubahan aman di kabupaten (dipastikan {}).", clock::display(at))
            }
            (true, at, waiting) => format!(
                "{waiting} perubahan belum dipastikan kabupaten (terakhir {}).",
                clock::display(at)
            ),
        }
    }
}

/// What had to be put right, as a sentence for the clerk.
pub(super) fn mending_sentence(mending: &Mending) -> String {
    let when = clock::display(mending.at_ms);
    format!(
        "Pada {when} node menyusun ulang {} hal dari log (penunjuk catatan {}, indeks {}, jumlah \
         isi {}). Log utuh, tidak ada catatan yang hilang. Periksa disk bila ini berulang.",
        mending.things(),
        mending.records,
        mending.index,
        u8::from(mending.sum)
    )
}

/// Whether changes are taken, as a sentence for the clerk; nothing when they
/// always were.
#[must_use]
pub fn condition_sentence(condition: Condition) -> Option<String> {
    let sentence = match condition {
        Condition::Sound => return None,
        Condition::Full { since_ms } => format!(
            "Disk komputer ini penuh sejak {}. Yang sudah tersimpan aman; yang baru belum bisa \
             disimpan. Kosongkan ruang disk (pindahkan berkas lain, jangan \
             isi folder data): node melanjutkan sendiri, tidak perlu dijalankan ulang.",
            clock::display(since_ms)
        ),
        Condition::HadNoRoom { since_ms, until_ms } => format!(
            "Disk komputer ini penuh dari {} sampai {}. Sekarang menyimpan lagi. Yang sudah \
             tersimpan utuh; lihat apakah yang disimpan tepat saat disk penuh ada.",
            clock::display(since_ms),
            clock::display(until_ms)
        ),
        Condition::ReadOnly { since_ms } => format!(
            "Disk komputer ini hanya bisa dibaca sejak {}, biasanya karena disk rusak atau kabelnya \
             lepas. Yang sudah tersimpan aman, tetap bisa dibaca, dan tetap dikirim ke kabupaten; \
             yang baru belum bisa disimpan. Hubungi yang mengurus komputer ini: disk perlu \
             diperiksa, biasanya sesudah komputer dinyalakan ulang. Begitu disk bisa ditulisi node \
             menyimpan lagi sendiri.",
            clock::display(since_ms)
        ),
        Condition::WasReadOnly { since_ms, until_ms } => format!(
            "Disk komputer ini hanya bisa dibaca dari {} sampai {}. Sekarang menyimpan lagi. Yang \
             sudah tersimpan utuh; lihat apakah yang disimpan tepat saat itu ada. Periksa disk.",
            clock::display(since_ms),
            clock::display(until_ms)
        ),
        Condition::Failed { since_ms } => format!(
            "Disk komputer ini bermasalah sejak {}. Yang sudah tersimpan aman; yang baru tidak \
             bisa disimpan. Hentikan node, periksa disk, lalu jalankan lagi.",
            clock::display(since_ms)
        ),
    };
    Some(sentence)
}

/// A damaged store that lies aside, as a sentence for the clerk.
pub(super) fn set_aside_sentence(path: &Path) -> String {
    if let Some(goes_ms) = goes_ms(path) {
        return format!(
            "Berkas data yang pernah rusak di {} boleh dihapus: kabupaten sudah memastikan tidak ada \
             yang hilang. Dihapus sendiri mulai {}.",
            path.display(),
            clock::display(goes_ms)
        );
    }
    format!(
        "Berkas data yang pernah rusak masih disimpan di {}. Mungkin masih berisi catatan yang \
         belum terkirim. Hapus hanya bila kabupaten mengatakan boleh.",
        path.display()
    )
}

/// What opening had to do, as a sentence for the clerk; `reached` is the last
/// entry that the district had confirmed before.
#[must_use]
pub fn step_sentence(step: &OpenStep, reached: Seq) -> String {
    match step {
        OpenStep::HalfSnapshotRemoved => "Listrik pernah padam saat basis data merapikan diri; \
            berkas yang belum selesai sudah dibuang. Data utuh, tidak perlu tindakan."
            .to_owned(),
        OpenStep::SnapshotSetAside => "Berkas bantu basis data rusak dan sudah disisihkan; isinya \
            disusun ulang dari catatan. Data utuh, tidak perlu tindakan."
            .to_owned(),
        OpenStep::LostTail { kept, witnessed } => {
            let lost = lost_words(*kept, *witnessed);
            if reached >= *witnessed {
                format!(
                    "{lost} Yang hilang sudah ada di kabupaten dan dikembalikan pada kontak \
                     berikutnya, tidak perlu tindakan."
                )
            } else {
                format!("{lost} {}", unsure_words(*kept, *witnessed, reached))
            }
        }
        OpenStep::ErasedAgain { records } => format!(
            "Penyimpanan berisi {records} catatan yang menurut buku penghapusan sudah dihapus \
             permanen (mungkin dikembalikan dari cadangan lama). Catatan itu dihapus lagi."
        ),
        OpenStep::Rewritten { before, after } => format!(
            "Penyimpanan disusun ulang, dari {} menjadi {} KB. Data utuh; yang dihapus permanen \
             sudah hilang dari berkas.",
            before.div_ceil(1024),
            after.div_ceil(1024)
        ),
        OpenStep::RewritePostponed { erased: false } => "Penyimpanan belum bisa disusun ulang, \
            mungkin karena ruang disk kurang. Data utuh. Sediakan ruang disk, lalu jalankan ulang \
            node."
            .to_owned(),
        OpenStep::RewritePostponed { erased: true } => "Penyimpanan belum bisa disusun ulang, \
            mungkin karena ruang disk kurang: sisa catatan yang dihapus permanen masih ada di \
            berkas. Data lain utuh. Sediakan ruang disk, lalu jalankan ulang node."
            .to_owned(),
    }
}

fn lost_words(kept: Seq, witnessed: Seq) -> String {
    let first = kept.next();
    format!(
        "Disk kehilangan catatan nomor {first} sampai {witnessed}. Catatan sampai nomor {kept} aman."
    )
}

fn unsure_words(kept: Seq, witnessed: Seq, reached: Seq) -> String {
    format!(
        "Nomor {} sampai {witnessed} belum dipastikan sampai di kabupaten. Yang sudah sampai \
         dikembalikan pada kontak berikutnya; yang tidak kembali harus diisi lagi dari berkas \
         kertasnya.",
        reached.max(kept).next()
    )
}

/// What the disk has lost, as a sentence for the clerk.
fn loss_sentence(loss: &Loss) -> String {
    let Loss { kept, witnessed, confirmed, at_ms } = *loss;
    format!(
        "{} Diketahui {}. {} Bila sudah: lumbung-node status --sudah-diisi",
        lost_words(kept, witnessed),
        clock::display(at_ms),
        unsure_words(kept, witnessed, confirmed)
    )
}

/// What opening had to do and what the disk has lost, in the clerk's words; a
/// loss that is still told is not told twice. `reached` is the last entry that
/// the district had confirmed before.
#[must_use]
pub fn happenings(barn: &Barn, reached: Seq) -> (Vec<String>, Vec<String>) {
    let losses = barn.losses();
    let told = |step: &&OpenStep| match step {
        OpenStep::LostTail { witnessed, .. } => reached >= *witnessed,
        _ => true,
    };
    let steps = barn.steps().iter().filter(told).map(|step| step_sentence(step, reached));
    (steps.collect(), losses.iter().map(loss_sentence).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lost_tail_needs_nothing_from_the_clerk_only_when_the_district_had_it() {
        let lost = OpenStep::LostTail { kept: Seq(63), witnessed: Seq(93) };
        for (reached, from) in
            [(93, None), (100, None), (80, Some(81)), (63, Some(64)), (0, Some(64))]
        {
            let said = step_sentence(&lost, Seq(reached));
            assert!(said.contains("nomor 64 sampai 93. Catatan sampai nomor 63 aman."), "{said}");
            assert_eq!(said.contains("tidak perlu tindakan"), from.is_none(), "{said}");
            let unsure = from.map(|from: u64| format!("Nomor {from} sampai 93 belum dipastikan"));
            assert!(unsure.is_none_or(|words| said.contains(&words)), "{reached}: {said}");
        }
    }

    #[test]
    fn what_was_confirmed_before_a_restart_is_still_told() {
        let mut report: Report = serde_json::from_value(serde_json::json!({
            "village": 3_505_012_001_u64, "records": 63, "seq": 63, "epoch": 1, "log_id": "",
            "fingerprint": "", "confirmed_seq": 63, "confirmed_at_ms": 0, "serving": true,
            "received_bytes": 0, "sent_bytes": 0, "disk_bytes": 0, "boots": 2, "steps": [],
        }))
        .unwrap();
        let said = |report: &Report| report.safety_sentence();
        assert!(said(&report).starts_with("Semua perubahan aman di kabupaten"));
        report.seq = 70;
        assert_eq!(said(&report), "7 perubahan belum dipastikan kabupaten.");
        report.confirmed_seq = 0;
        assert!(said(&report).starts_with("Kabupaten belum menghubungi node"));
        report.serving = false;
        assert!(said(&report).starts_with("Node tidak sedang berjalan"));
    }
}
