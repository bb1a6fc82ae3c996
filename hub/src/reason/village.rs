//! What needs somebody at one village.

use lumbung_domain::region::VillageCode;

use super::words::{self, Clerk, clock_off, duration};
use super::{KEY_REVOKED, Need, Place, Severity, Words, is_overdue};
use crate::dataset::{Hold, IncidentKind, Upkeep};
use crate::outlook::VillageOutlook;
use crate::puller::trouble::Trouble;
use crate::rhythm::{DAY_MS, Freshness, Way};

/// Entries may wait in quarantine this long before somebody must look,
/// milliseconds: most are taken by the next version.
const QUARANTINE_ACT_MS: i64 = DAY_MS;

/// A node renews its certificate after two thirds of its 45 days; less than a
/// fifth left means that it did not, milliseconds.
const CERTIFICATE_LEFT_MS: i64 = 9 * DAY_MS;

/// A clock this far off is worth a sentence, milliseconds.
const CLOCK_ADVICE_MS: i64 = 300 * 1000;

/// A clock this far off writes wrong dates into records, milliseconds.
const CLOCK_ACT_MS: i64 = DAY_MS;

/// Findings may be open this long before somebody must look, milliseconds.
const FINDINGS_ACT_MS: i64 = 3 * DAY_MS;

/// Less than this on a village's disk is worth a sentence, bytes.
const DISK_ADVICE_BYTES: u64 = 2_000_000_000;

/// Less than this must be mended before nothing can be saved, bytes: a store
/// that is rewritten needs its size twice.
const DISK_ACT_BYTES: u64 = 500_000_000;

/// So many unclean stops in a month are often.
const STOPS_ADVICE: u32 = 5;

/// What needs somebody at a village. `shared`: its silence is told of
/// elsewhere, together with others'.
pub(super) fn needs(village: &VillageOutlook, shared: bool, now_ms: i64) -> Vec<Need> {
    let Some(upkeep) = &village.upkeep else { return Vec::new() };
    if village.held {
        return upkeep.hold.iter().map(|hold| held(upkeep, hold)).collect();
    }
    let mut needs: Vec<_> = [
        trouble(upkeep),
        revoked(upkeep),
        silence(village, upkeep).filter(|_| !shared),
        leftovers(upkeep),
        damaged(upkeep),
        quarantine(upkeep, now_ms),
        certificate(village, upkeep, now_ms),
        clock(upkeep),
        disk(upkeep),
        stops(upkeep),
        budget(upkeep),
        findings(upkeep, now_ms),
        never_joined(village, upkeep),
        incident(village, upkeep),
    ]
    .into_iter()
    .flatten()
    .collect();
    for need in &mut needs {
        need.call.clone_from(&upkeep.narahubung);
    }
    needs
}

/// A village that is held needs nothing but to be remembered.
fn held(upkeep: &Upkeep, hold: &Hold) -> Need {
    let (until, reason, by) = (Words::moment(hold.until_ms), &hold.reason, &hold.by);
    need(
        "ditahan",
        Severity::Advice,
        village_of(upkeep),
        hold.since_ms,
        Words::new(
            format!("Ditahan oleh {by} sampai {until}: {reason}. Catatan desa aman di desa."),
            format!("Held by {by} until {}: {reason}. Its records are safe there.", until.en),
        ),
        Words::new("Lepas bila sudah selesai.", "Release it when that is over."),
    )
}

fn need(
    code: &'static str,
    severity: Severity,
    village: VillageCode,
    since_ms: i64,
    what: Words,
    todo: Words,
) -> Need {
    let place = Place::Village(village);
    let villages = vec![village];
    Need { code, severity, place, since_ms, what, todo, message: None, call: None, villages }
}

const fn village_of(upkeep: &Upkeep) -> VillageCode {
    upkeep.heard.village
}

fn trouble(upkeep: &Upkeep) -> Option<Need> {
    let trouble = Trouble::from_code(&upkeep.trouble)?;
    // The hub's own disk is one need of the hub, whichever village met it.
    let (village, since_ms) = (village_of(upkeep), upkeep.heard.trouble_since_ms);
    let what = Words::new(trouble.sentence(), words::trouble_en(trouble));
    let todo = trouble.todo();
    let need = need(trouble.code(), Severity::Act, village, since_ms, what, todo);
    let message = words::trouble_message(trouble, &Clerk::of(upkeep));
    Some(Need { message, ..need })
}

/// Its computer is turned away, and none has taken its place.
fn revoked(upkeep: &Upkeep) -> Option<Need> {
    (upkeep.revoked_ms != 0).then(|| {
        let need = need(
            KEY_REVOKED,
            Severity::Act,
            village_of(upkeep),
            upkeep.revoked_ms,
            Words::new(
                "Kunci komputer desa dicabut: hub menolaknya. Data di desa dan di hub aman, tetapi \
                 tidak ada yang masuk lagi.",
                "The key of the village's computer is revoked: the hub turns it away. The data is \
                 safe in the village and here, but nothing comes in any more.",
            ),
            Words::new(
                "Buat token baru dan bantu desa bergabung lagi dengan token itu.",
                "Make a new token and help the village to join again with it.",
            ),
        );
        Need { message: Some(words::revoked_message(&Clerk::of(upkeep))), ..need }
    })
}

fn silence(village: &VillageOutlook, upkeep: &Upkeep) -> Option<Need> {
    // Whoever is turned away is silent for that.
    if !is_overdue(village) || upkeep.revoked_ms != 0 {
        return None;
    }
    // A single village that is a little late mostly comes back by itself.
    let severity = match village.own_freshness() {
        Freshness::Terlambat => Severity::Advice,
        _ => Severity::Act,
    };
    let silence_ms = village.silence_ms.unwrap_or_default();
    let usual_ms = village.rhythm.p95_ms;
    let since_ms = village.last_ms();
    let (what, todo) = match upkeep.heard.way() {
        Way::Link => (
            Words::new(
                format!(
                    "Tidak terdengar selama {}; biasanya paling lama {}. Catatan di desa tetap \
                     tersimpan di sana.",
                    duration(silence_ms).id,
                    duration(usual_ms).id
                ),
                format!(
                    "Not heard of for {}; usually {} at most. Records in the village are kept \
                     there.",
                    duration(silence_ms).en,
                    duration(usual_ms).en
                ),
            ),
            Words::new(
                "Hubungi perangkat desa: apakah komputernya menyala dan internetnya hidup? Bila \
                 internet lama mati, minta bundel di stik.",
                "Call the village: is its computer on and its line alive? If it lasts, ask for a \
                 bundle on a stick.",
            ),
        ),
        Way::Stick => (
            Words::new(
                format!(
                    "Stik terakhir datang {} lalu; biasanya paling lama {}.",
                    duration(silence_ms).id,
                    duration(usual_ms).id
                ),
                format!(
                    "The last stick came {} ago; usually {} at most.",
                    duration(silence_ms).en,
                    duration(usual_ms).en
                ),
            ),
            Words::new(
                "Minta desa membawa bundel pada pertemuan berikutnya.",
                "Ask the village to bring a bundle to the next meeting.",
            ),
        ),
    };
    let message = Some(words::silence_message(&Clerk::of(upkeep), upkeep.heard.way(), since_ms));
    let need = need("desa_diam", severity, village_of(upkeep), since_ms, what, todo);
    Some(Need { message, ..need })
}

fn leftovers(upkeep: &Upkeep) -> Option<Need> {
    let count = upkeep.leftovers;
    (count > 0).then(|| {
        need(
            "sisa_log",
            Severity::Act,
            village_of(upkeep),
            0,
            Words::new(
                format!(
                    "Dipasang ulang; {count} catatan lama menunggu keputusan. Semua tersimpan."
                ),
                format!("Reinstalled; {count} old records wait for a decision. All are kept."),
            ),
            Words::new(
                "Putuskan: kembalikan ke desa atau akhiri.",
                "Decide: hand them back to the village, or end them.",
            ),
        )
    })
}

fn damaged(upkeep: &Upkeep) -> Option<Need> {
    (upkeep.damaged > 0).then(|| {
        let need = need(
            "berkas_rusak",
            Severity::Advice,
            village_of(upkeep),
            upkeep.damaged_since_ms,
            Words::new(
                "Berkas data yang rusak disisihkan di komputer desa; mungkin berisi catatan yang \
                 belum pernah sampai di sini.",
                "A damaged store is kept aside on the village's machine; records that never \
                 arrived here may be in it.",
            ),
            Words::new(
                "Isi lagi yang hilang dari kertas atau minta teknisi memeriksanya, lalu nyatakan \
                 berkas rusak boleh dihapus.",
                "Enter again from paper what is lost, or have a technician look, then say that \
                 the damaged store may go.",
            ),
        );
        Need { message: Some(words::damaged_message(&Clerk::of(upkeep))), ..need }
    })
}

fn quarantine(upkeep: &Upkeep, now_ms: i64) -> Option<Need> {
    let (count, since_ms) = (upkeep.quarantined, upkeep.quarantine_since_ms);
    let old = since_ms > 0 && now_ms - since_ms >= QUARANTINE_ACT_MS;
    (count > 0).then(|| {
        need(
            "karantina",
            if old { Severity::Act } else { Severity::Advice },
            village_of(upkeep),
            since_ms,
            Words::new(
                format!("{count} catatan belum bisa diterima hub. Isinya tersimpan utuh."),
                format!("Records that the hub can't take yet: {count}. They are kept whole."),
            ),
            Words::new(
                "Lihat sebabnya di karantina. Dari sana, minta desa memperbaiki yang keliru; yang belum \
                 dikenal hub, coba lagi sesudah hub diperbarui.",
                "See why in the quarantine. From there, ask the village to correct what is wrong; \
                 what the hub doesn't know yet, try again after its update.",
            ),
        )
    })
}

fn certificate(village: &VillageOutlook, upkeep: &Upkeep, now_ms: i64) -> Option<Need> {
    let until_ms = upkeep.certified_until_ms?;
    if until_ms - now_ms >= CERTIFICATE_LEFT_MS {
        return None;
    }
    // One that is away can't renew; it does so when it comes.
    let severity = if village.in_touch { Severity::Act } else { Severity::Advice };
    let verb = if until_ms <= now_ms { ("berakhir", "ended") } else { ("akan berakhir", "ends") };
    Some(need(
        "sertifikat",
        severity,
        village_of(upkeep),
        until_ms - CERTIFICATE_LEFT_MS,
        Words::new(
            format!("Sertifikat komputer desa {} {}. Data aman.", verb.0, Words::moment(until_ms)),
            format!(
                "The certificate of its computer {} {}. Data is safe.",
                verb.1,
                Words::moment(until_ms).en
            ),
        ),
        if village.in_touch {
            Words::new(
                "Seharusnya diperbarui sendiri. Lihat log hub; bila perlu mulai ulang node desa.",
                "It should have been renewed by itself. See the hub's log; restart the node.",
            )
        } else {
            Words::new(
                "Tidak perlu apa-apa: diperbarui sendiri begitu desa tersambung.",
                "Nothing: it is renewed as soon as the village connects.",
            )
        },
    ))
}

fn clock(upkeep: &Upkeep) -> Option<Need> {
    let link = upkeep.link.as_ref()?;
    let off_ms = link.clock_ahead_ms;
    if off_ms.saturating_abs() < CLOCK_ADVICE_MS {
        return None;
    }
    let severity =
        if off_ms.saturating_abs() >= CLOCK_ACT_MS { Severity::Act } else { Severity::Advice };
    let off = clock_off(off_ms);
    let way = if off_ms > 0 { ("lebih cepat", "ahead") } else { ("lebih lambat", "behind") };
    let need = need(
        "jam",
        severity,
        village_of(upkeep),
        link.at_ms,
        Words::new(
            format!(
                "Jam komputer desa {} {}. Urutan data tidak terpengaruh; tanggal pada catatan baru \
                 bisa salah.",
                off.id, way.0
            ),
            format!(
                "The clock of its computer is {} {}. The order of data is not affected; dates on \
                 new records may be wrong.",
                off.en, way.1
            ),
        ),
        Words::new("Minta desa menyetel jam.", "Ask the village to set its clock."),
    );
    Some(Need { message: Some(words::clock_message(&Clerk::of(upkeep), &off.id, way.0)), ..need })
}

fn budget(upkeep: &Upkeep) -> Option<Need> {
    let link = upkeep.link.as_ref()?;
    let (spent, budget) = (link.spent_today_bytes, upkeep.budget_bytes);
    (budget > 0 && spent >= budget).then(|| {
        need(
            "kuota",
            Severity::Advice,
            village_of(upkeep),
            link.at_ms,
            Words::new(
                format!(
                    "Kuota harian sambungan habis ({} dari {} kB); desa hanya melapor sebentar \
                     sampai besok.",
                    spent / 1_000,
                    budget / 1_000
                ),
                format!(
                    "The line's budget of the day is spent ({} of {} kB); the village only calls \
                     in until tomorrow.",
                    spent / 1_000,
                    budget / 1_000
                ),
            ),
            Words::new("Bila sering, naikkan kuotanya.", "If it happens often, raise the budget."),
        )
    })
}

fn disk(upkeep: &Upkeep) -> Option<Need> {
    let machine = upkeep.machine.as_ref()?;
    let free = machine.disk_free_bytes.filter(|free| *free < DISK_ADVICE_BYTES)?;
    let severity = if free < DISK_ACT_BYTES { Severity::Act } else { Severity::Advice };
    let megabytes = format!("{} MB", free / 1_000_000);
    let need = need(
        "disk_desa_penuh",
        severity,
        village_of(upkeep),
        0,
        Words::new(
            format!("Disk hampir penuh di desa: tinggal {megabytes}. Catatannya aman."),
            format!("The disk in the village is nearly full: {megabytes} left. Records are safe."),
        ),
        Words::new(
            "Minta desa membersihkan berkas lain di komputernya: bila penuh, catatan baru tidak \
             bisa disimpan.",
            "Ask the village to remove other files: once it is full, nothing new can be saved.",
        ),
    );
    Some(Need { message: Some(words::disk_message(&Clerk::of(upkeep), &megabytes)), ..need })
}

fn stops(upkeep: &Upkeep) -> Option<Need> {
    let machine = upkeep.machine.as_ref()?;
    let (count, since_ms) = (machine.recent_stops, machine.counted_since_ms);
    (count >= STOPS_ADVICE).then(|| {
        let need = need(
            "sering_mati",
            Severity::Advice,
            village_of(upkeep),
            since_ms,
            Words::new(
                format!(
                    "Komputer desa {count} kali mati mendadak sejak {}. Catatan yang tersimpan \
                     tidak hilang.",
                    Words::moment(since_ms)
                ),
                format!(
                    "Its computer went off without being stopped {count} times since {}. Nothing \
                     that was saved is lost.",
                    Words::moment(since_ms).en
                ),
            ),
            Words::new(
                "Sarankan UPS kecil, dan mematikan komputer lewat menu.",
                "Suggest a small UPS, and shutting the computer down properly.",
            ),
        );
        Need { message: Some(words::stops_message(&Clerk::of(upkeep))), ..need }
    })
}

fn findings(upkeep: &Upkeep, now_ms: i64) -> Option<Need> {
    let (count, since_ms) = (upkeep.findings, upkeep.findings_since_ms);
    let old = since_ms > 0 && now_ms - since_ms >= FINDINGS_ACT_MS;
    (count > 0).then(|| {
        need(
            "temuan",
            if old { Severity::Act } else { Severity::Advice },
            village_of(upkeep),
            since_ms,
            Words::new(
                format!("{count} temuan terbuka dengan desa lain."),
                format!("Open findings with other villages: {count}."),
            ),
            Words::new(
                "Cocokkan kedua desa di meja temuan.",
                "Settle them with both villages at the desk of findings.",
            ),
        )
    })
}

fn never_joined(village: &VillageOutlook, upkeep: &Upkeep) -> Option<Need> {
    let dialled = village.live.as_ref().is_some_and(|live| live.last_contact_ms > 0);
    (village.last_ms() == 0 && !dialled && upkeep.revoked_ms == 0).then(|| {
        let joined = upkeep.certified_until_ms.is_some();
        let (told, todo) = if joined {
            (
                Words::new(
                    "Sudah bergabung, tetapi belum pernah mengirim.",
                    "Has joined, but has never sent anything.",
                ),
                Words::new(
                    "Token baru tidak perlu. Minta desa menyalakan Lumbung (lumbung-node serve) dan \
                     memeriksa internetnya, atau membawa stik.",
                    "No new token is needed. Ask the village to start Lumbung (lumbung-node serve) \
                     and to check its internet, or to bring a stick.",
                ),
            )
        } else {
            (
                Words::new("Terdaftar, tetapi belum bergabung.", "Listed, but has not joined."),
                Words::new(
                    "Buat token dan bantu desa memasang node.",
                    "Make a token and help the village to set up its node.",
                ),
            )
        };
        let need = need(
            "belum_pernah",
            Severity::Advice,
            village_of(upkeep),
            0,
            told,
            todo,
        );
        Need { message: Some(words::first_message(&Clerk::of(upkeep), joined)), ..need }
    })
}

/// The newest incident that leaves something to do. What has mended itself is
/// told on the village's page.
fn incident(village: &VillageOutlook, upkeep: &Upkeep) -> Option<Need> {
    let incident = village.incident.as_ref()?;
    let (code, todo, message) = match IncidentKind::from_code(&incident.code)? {
        IncidentKind::Rewound => (
            "disk_mundur",
            Words::new(
                "Tanyakan ke desa: apakah disk dipulihkan dari cadangan, atau digandakan?",
                "Ask the village: was its disk restored from a backup, or copied?",
            ),
            Some(words::rewound_message(&Clerk::of(upkeep))),
        ),
        IncidentKind::Unrepaired => (
            "belum_diperbaiki",
            Words::new(
                "Baca kejadiannya di halaman desa; minta pembuktian ulang.",
                "Read the incident on the village's page; ask for another proof.",
            ),
            None,
        ),
        _ => return None,
    };
    let what = Words::new(&incident.sentence, incident.english());
    let need = need(code, Severity::Advice, village.desa.code, incident.at_ms, what, todo);
    Some(Need { message, ..need })
}
