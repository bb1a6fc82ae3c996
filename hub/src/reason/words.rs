//! Words that several reasons share: durations, moments, messages for the
//! clerk, troubles in English.

use super::{Need, Place, Severity, Words};
use crate::dataset::Upkeep;
use crate::outlook::Outlook;
use crate::puller::trouble::Trouble;
use crate::rhythm::{DAY_MS, HOUR_MS, Way};

/// Less than a tenth of the hub's disk free is too little, and less than this
/// on any disk: a first load of the district and a backup need room, bytes.
const DISK_FREE_MIN_BYTES: u64 = 2 * 1024 * 1024 * 1024;

/// A backup of the hub is old after this, milliseconds.
const BACKUP_OLD_MS: i64 = 2 * DAY_MS;

/// A new hub is to have its first backup within this, milliseconds.
const FIRST_BACKUP_WITHIN_MS: i64 = DAY_MS;

/// "2 hari 3 jam", "2 d 3 h": the two largest parts.
#[must_use]
pub fn duration(ms: i64) -> Words {
    let (days, hours) = (ms / DAY_MS, ms % DAY_MS / HOUR_MS);
    let minutes = ms % HOUR_MS / 60_000;
    let parts = match (days, hours) {
        (0, 0) => vec![(minutes.max(1), "menit", "min")],
        (0, _) => vec![(hours, "jam", "h")],
        _ => vec![(days, "hari", "d"), (hours, "jam", "h")],
    };
    let said = |unit: fn(&(i64, &'static str, &'static str)) -> &'static str| {
        let parts = parts.iter().filter(|part| part.0 > 0);
        parts.map(|part| format!("{} {}", part.0, unit(part))).collect::<Vec<_>>().join(" ")
    };
    Words::new(said(|part| part.1), said(|part| part.2))
}

/// How far a clock is off, to the nearest minute, or hour from one on: a clock
/// set three hours ahead is measured a moment short of that.
#[must_use]
pub fn clock_off(off_ms: i64) -> Words {
    let off_ms = off_ms.saturating_abs();
    let part_ms = if off_ms < HOUR_MS { 60_000 } else { HOUR_MS };
    duration(off_ms.saturating_add(part_ms / 2) / part_ms * part_ms)
}

/// Whom a message is for.
pub(super) struct Clerk {
    greeting: String,
    desa: String,
}

impl Clerk {
    pub(super) fn of(upkeep: &Upkeep) -> Self {
        let name = upkeep.narahubung.as_ref().map(|it| it.nama.trim()).unwrap_or_default();
        let greeting = if name.is_empty() {
            "Bapak/Ibu perangkat desa".to_owned()
        } else {
            format!("Bapak/Ibu {name}")
        };
        Self { greeting, desa: Place::Village(upkeep.heard.village).name() }
    }

    fn letter(&self, body: &str) -> String {
        format!("Yth. {}, {}. {body} Terima kasih. (Kabupaten, Lumbung)", self.greeting, self.desa)
    }
}

pub(super) fn silence_message(clerk: &Clerk, way: Way, since_ms: i64) -> String {
    let since = Words::moment(since_ms);
    clerk.letter(&match way {
        Way::Link => format!(
            "Komputer Lumbung desa tidak terhubung ke kabupaten sejak {since}. Catatan yang sudah \
             disimpan di desa aman. Mohon dicek: komputer menyala, dan internet hidup. Bila \
             internet belum pulih, mohon bawa bundel di stik ke kecamatan."
        ),
        Way::Stick => format!(
            "Bundel Lumbung terakhir dari desa kami terima {since}. Catatan di desa aman. Mohon \
             bawa bundel di stik pada pertemuan berikutnya di kecamatan."
        ),
    })
}

pub(super) fn clock_message(clerk: &Clerk, off: &str, way: &str) -> String {
    clerk.letter(&format!(
        "Jam komputer Lumbung desa {off} {way} dari jam sebenarnya. Catatan aman, tetapi tanggal \
         pada catatan baru bisa salah. Mohon setel jam dan tanggal komputer."
    ))
}

pub(super) fn disk_message(clerk: &Clerk, free: &str) -> String {
    clerk.letter(&format!(
        "Ruang disk komputer Lumbung desa tinggal {free}. Catatan yang tersimpan aman, tetapi bila \
         penuh, catatan baru tidak bisa disimpan. Mohon pindahkan atau hapus berkas lain yang tidak \
         dipakai; jangan hapus apa pun di folder Lumbung."
    ))
}

/// For whoever is turned away since the key was revoked.
pub(super) fn revoked_message(clerk: &Clerk) -> String {
    clerk.letter(
        "Izin komputer Lumbung desa dicabut, jadi kabupaten tidak menerima kirimannya lagi. Catatan \
         di komputer itu aman; mohon jangan menghapus apa pun. Kami akan memberi token baru supaya \
         desa bisa bergabung lagi. Kapan kami bisa membantu?",
    )
}

/// For whoever has not come yet, `joined` or not.
pub(super) fn first_message(clerk: &Clerk, joined: bool) -> String {
    clerk.letter(if joined {
        "Komputer Lumbung desa sudah bergabung, tetapi belum pernah mengirim. Mohon dicek: komputer \
         menyala, Lumbung berjalan, dan internet hidup. Bila belum ada internet, mohon bawa bundel \
         di stik ke kecamatan."
    } else {
        "Desa sudah terdaftar di Lumbung, tetapi komputernya belum bergabung. Kapan kami bisa \
         membantu memasangnya? Tokennya kami berikan saat itu."
    })
}

pub(super) fn damaged_message(clerk: &Clerk) -> String {
    clerk.letter(
        "Berkas data yang rusak disisihkan di komputer Lumbung desa. Data yang dipakai sekarang \
         aman. Mohon dicek apakah ada catatan dari hari-hari sebelum kerusakan yang sekarang tidak \
         ada; bila ada, mohon diisi lagi dari kertas, lalu kabari kami.",
    )
}

pub(super) fn stops_message(clerk: &Clerk) -> String {
    clerk.letter(
        "Komputer Lumbung desa sering mati mendadak. Catatan yang tersimpan tidak hilang. Mohon \
         matikan komputer lewat menu, dan bila listrik sering padam, pakailah UPS kecil.",
    )
}

/// For a village whose data went back in time.
pub(super) fn rewound_message(clerk: &Clerk) -> String {
    clerk.letter(
        "Data di komputer Lumbung desa kembali ke keadaan lama. Catatan yang sudah sampai di \
         kabupaten aman dan dikembalikan sendiri. Apakah disknya dipulihkan dari cadangan, atau \
         foldernya disalin ke komputer lain?",
    )
}

pub(super) fn kecamatan_message(name: &str, since_ms: i64) -> String {
    format!(
        "Yth. Bapak/Ibu di {name}. Sebagian besar komputer Lumbung desa di {name} tidak terhubung \
         ke kabupaten sejak sekitar {}. Catatan di desa aman. Apakah ada pemadaman listrik atau \
         gangguan jaringan? Terima kasih. (Kabupaten, Lumbung)",
        Words::moment(since_ms)
    )
}

/// What a trouble asks of the village; `None` where it can do nothing.
pub(super) fn trouble_message(trouble: Trouble, clerk: &Clerk) -> Option<String> {
    let body = match trouble {
        Trouble::Twin => {
            "Dua komputer mengirim atas nama desa ini, jadi kabupaten berhenti menerima dulu. \
             Catatan di keduanya aman. Mohon matikan salah satu dan kabari kami yang mana."
        }
        Trouble::NodeLog | Trouble::NodeDisk => {
            "Disk komputer Lumbung desa bermasalah. Mohon jangan menghapus apa pun dan jangan \
             memasang ulang. Catatan yang sudah terkirim aman di kabupaten. Kami akan membantu."
        }
        Trouble::Protocol | Trouble::LostTail | Trouble::Forked => {
            "Program Lumbung di komputer desa perlu diperbarui. Catatan aman. Mohon beri tahu kami \
             kapan petugas bisa datang."
        }
        Trouble::OtherVillage
        | Trouble::BadBatch
        | Trouble::Dictionary
        | Trouble::Differs
        | Trouble::HubDisk => return None,
    };
    Some(clerk.letter(body))
}

/// What to do about a trouble.
pub(crate) fn trouble_todo(trouble: Trouble) -> Words {
    match trouble {
        Trouble::OtherVillage => {
            Words::new("Periksa alamat desa ini.", "Check this village's address.")
        }
        Trouble::Protocol => Words::new("Perbarui node desa.", "Update the village's node."),
        Trouble::LostTail | Trouble::Forked => Words::new(
            "Perbarui node desa; selebihnya berjalan sendiri.",
            "Update the village's node; the rest goes by itself.",
        ),
        Trouble::Twin => Words::new(
            "Matikan salah satu komputer, lalu nyatakan tinggal satu.",
            "Turn one machine off, then say that one is left.",
        ),
        Trouble::BadBatch => Words::new(
            "Hub mencoba lagi sendiri; bila berulang, periksa disk komputer desa.",
            "The hub tries again by itself; if it comes again, check the disk of the village's \
             computer.",
        ),
        Trouble::Dictionary => Words::new("Perbarui hub kabupaten.", "Update the district's hub."),
        Trouble::Differs => Words::new(
            "Tunggu perbaikan otomatis; lewat sehari, baca sebabnya di daftar kejadian.",
            "Wait for the repair; after a day, read why in the list of incidents.",
        ),
        Trouble::NodeLog => Words::new(
            "Desa jangan menghapus apa pun. Periksa disknya, lalu pulihkan node dari cadangan atau \
             dari data kabupaten.",
            "The village must not delete anything. Check its disk, then restore the node from a \
             backup or from the district's data.",
        ),
        Trouble::NodeDisk => Words::new(
            "Minta desa memeriksa komputernya.",
            "Ask the village to check its computer.",
        ),
        Trouble::HubDisk => Words::new(
            "Sediakan ruang kosong; periksa disk komputer kabupaten.",
            "Make room; check the disk of the district's computer.",
        ),
    }
}

/// What is wrong, in English; see [`Trouble::sentence`].
#[must_use]
pub const fn trouble_en(trouble: Trouble) -> &'static str {
    match trouble {
        Trouble::OtherVillage => {
            "Another village's node answers at this address. Nothing is taken."
        }
        Trouble::Protocol => "Node and hub speak no common version. What is merged is safe.",
        Trouble::LostTail => {
            "The node lost its last records and is too old to take them back. They are safe here."
        }
        Trouble::Forked => {
            "The node's history differs from what is merged, and it is too old to reconcile. What \
             is merged is safe."
        }
        Trouble::Twin => {
            "Two machines answer for this village. Merging is stopped; what is merged is safe."
        }
        Trouble::BadBatch => {
            "What the node sent did not verify and was refused whole. What is merged is safe."
        }
        Trouble::Dictionary => {
            "The node uses a dictionary that this hub doesn't know. What is merged is safe."
        }
        Trouble::Differs => {
            "What the hub holds differs from the village. It is being repaired from the village's \
             log; its figures can't be trusted until then."
        }
        Trouble::NodeLog => {
            "The node's log does not prove itself. What is merged is safe and left as it is."
        }
        Trouble::NodeDisk => "The node can't read its disk. What is merged is safe.",
        Trouble::HubDisk => "The hub can't store. What is merged and what villages hold is safe.",
    }
}

/// What was there before a backup of the hub was put back.
pub(super) fn hub_set_aside(outlook: &Outlook) -> Option<Need> {
    let folders = outlook.hub.set_aside;
    (folders > 0).then(|| Need {
        code: "sisa_pulih_hub",
        severity: Severity::Advice,
        place: Place::Hub,
        since_ms: 0,
        what: Words::new(
            format!(
                "{folders} folder sebelum-pulih-… di komputer hub masih menyimpan data kabupaten \
                 dari sebelum cadangan dipasang kembali, juga catatan yang sudah dihapus."
            ),
            format!(
                "{folders} sebelum-pulih-… folders on the hub's computer still hold the district's \
                 data from before a backup was put back, erased records included."
            ),
        ),
        todo: Words::new(
            "Hapus folder itu bila semua desa sudah terbukti sama lagi.",
            "Delete them once every village is proven equal again.",
        ),
        message: None,
        call: None,
        villages: Vec::new(),
    })
}

/// The hub's disk, when it is nearly full.
pub(super) fn hub_disk(outlook: &Outlook) -> Option<Need> {
    let disk = outlook.hub.disk?;
    let low = disk.free_bytes < DISK_FREE_MIN_BYTES || disk.free_bytes < disk.total_bytes / 10;
    low.then(|| {
        // In whole gigabytes it stays the same need while it shrinks slowly.
        let free_gb = disk.free_bytes / 1_000_000_000;
        Need {
            code: "disk_hub_penuh",
            severity: Severity::Act,
            place: Place::Hub,
            since_ms: 0,
            what: Words::new(
                format!("Ruang disk hub tinggal {free_gb} GB. Data masih aman."),
                format!("The hub's disk has {free_gb} GB left. Data is still safe."),
            ),
            todo: Words::new(
                "Sediakan ruang sebelum penuh: bila penuh, hub berhenti menerima.",
                "Make room before it is full: a full hub stops merging.",
            ),
            message: None,
            call: None,
            villages: Vec::new(),
        }
    })
}

/// The hub's own backup, when the last is old or there is none.
pub(super) fn hub_backup(outlook: &Outlook) -> Option<Need> {
    let hub = &outlook.hub;
    let (since_ms, bound_ms) = match hub.backup_ms {
        Some(at_ms) => (at_ms, BACKUP_OLD_MS),
        None => (hub.first_started_ms, FIRST_BACKUP_WITHIN_MS),
    };
    (outlook.now_ms - since_ms >= bound_ms).then(|| Need {
        code: "cadangan_hub",
        severity: Severity::Act,
        place: Place::Hub,
        since_ms,
        what: match hub.backup_ms {
            Some(at_ms) => Words::new(
                format!("Cadangan terakhir hub dibuat {}.", Words::moment(at_ms)),
                format!("The hub's last backup was made {}.", Words::moment(at_ms).en),
            ),
            None => Words::new(
                "Hub belum pernah dicadangkan. Bila disknya rusak, data harus diambil lagi dari \
                 semua desa, dan keputusan operator hilang.",
                "The hub was never backed up. If its disk breaks, all data must be fetched from \
                 the villages again, and what operators decided is lost.",
            ),
        },
        todo: Words::new(
            "Jalankan lumbung-hub backup create ke disk lain, dan jadwalkan setiap hari.",
            "Run lumbung-hub backup create to another disk, and have it run every day.",
        ),
        message: None,
        call: None,
        villages: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_off_by_the_nearest_minute_or_hour() {
        let said = |ms| clock_off(ms).id;
        assert_eq!(said(3 * HOUR_MS - 40), "3 jam");
        assert_eq!(said(-(3 * HOUR_MS + 40)), "3 jam");
        assert_eq!(said(5 * 60_000 - 40), "5 menit");
        assert_eq!(said(HOUR_MS - 1), "1 jam");
        assert_eq!(said(2 * DAY_MS - 40), "2 hari");
        assert!(!said(i64::MIN).is_empty());
    }
}
