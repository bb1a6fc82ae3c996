//! The deeds: what each is called, says before it is done, and asks for.

use lumbung_domain::region::Desa;
use maud::{Markup, html};

use super::super::form::Field;
use super::super::language::Language;
use super::Before;
use crate::access::Right;

/// What can be done to a village.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::console) enum Deed {
    Sync,
    Prove,
    Hold,
    Release,
    Budget,
    Contact,
    Remark,
    Token,
    Replace,
    Revoke,
    Twin,
    Leftovers,
    Damaged,
}

impl Deed {
    /// Every deed, in the order of the page.
    pub(in crate::console) const ALL: [Self; 13] = [
        Self::Sync,
        Self::Prove,
        Self::Contact,
        Self::Remark,
        Self::Hold,
        Self::Release,
        Self::Budget,
        Self::Twin,
        Self::Leftovers,
        Self::Damaged,
        Self::Token,
        Self::Replace,
        Self::Revoke,
    ];

    /// Its name in a path.
    pub(in crate::console) const fn code(self) -> &'static str {
        match self {
            Self::Sync => "sinkron",
            Self::Prove => "buktikan",
            Self::Hold => "tahan",
            Self::Release => "lepas",
            Self::Budget => "kuota",
            Self::Contact => "narahubung",
            Self::Remark => "catatan",
            Self::Token => "token",
            Self::Replace => "ganti",
            Self::Revoke => "cabut",
            Self::Twin => "kembar",
            Self::Leftovers => "sisa",
            Self::Damaged => "berkas-rusak",
        }
    }

    pub(super) fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|deed| deed.code() == code)
    }

    /// Who may.
    pub(in crate::console) const fn right(self) -> Right {
        match self {
            Self::Sync
            | Self::Prove
            | Self::Hold
            | Self::Release
            | Self::Budget
            | Self::Contact
            | Self::Remark => Right::Act,
            Self::Token
            | Self::Replace
            | Self::Revoke
            | Self::Twin
            | Self::Leftovers
            | Self::Damaged => Right::ManageKeys,
        }
    }

    /// Whether it is hard to take back.
    pub(in crate::console) const fn is_grave(self) -> bool {
        matches!(self, Self::Revoke | Self::Twin | Self::Leftovers | Self::Replace | Self::Damaged)
    }

    pub(in crate::console) const fn title(self) -> (&'static str, &'static str) {
        match self {
            Self::Sync => ("Sinkronkan sekarang", "Sync now"),
            Self::Prove => ("Buktikan sekarang", "Prove now"),
            Self::Hold => ("Tahan desa", "Hold the village"),
            Self::Release => ("Lepas penahanan", "Release the hold"),
            Self::Budget => ("Ubah kuota", "Change the budget"),
            Self::Contact => ("Ubah narahubung", "Change whom to call"),
            Self::Remark => ("Ubah catatan", "Change the notes"),
            Self::Token => ("Buat token", "Make a token"),
            Self::Replace => ("Ganti komputer", "Replace the machine"),
            Self::Revoke => ("Cabut kunci", "Revoke the key"),
            Self::Twin => ("Nyatakan tinggal satu komputer", "Say that one machine is left"),
            Self::Leftovers => ("Putuskan catatan lama", "Decide about old records"),
            Self::Damaged => ("Berkas rusak boleh dihapus", "Damaged store may go"),
        }
    }

    /// What will happen.
    pub(super) const fn explanation(self) -> (&'static str, &'static str) {
        match self {
            Self::Sync => (
                "Hub menghubungi desa sekarang juga, atau memintanya menyatakan isinya bila sudah \
                 tersambung. Tidak ada data yang berubah karenanya.",
                "The hub calls the village at once, or asks it what it has if the line is open. \
                 No data changes by that.",
            ),
            Self::Prove => (
                "Semua baris desa ini di hub dibandingkan satu per satu dengan log desa, dan yang \
                 beda diperbaiki dari log. Berjalan begitu desa terhubung; bisa beberapa menit.",
                "Every row of this village at the hub is compared with the village's log, and what \
                 differs is repaired from the log. It runs once the village is connected and may \
                 take minutes.",
            ),
            Self::Hold => (
                "Selama ditahan, hub tidak menarik dari desa ini dan tidak memberi peringatan \
                 tentangnya. Yang sudah tergabung tetap ada; catatan baru aman menunggu di desa.",
                "While it is held, the hub does not pull from this village and tells nobody of it. \
                 What is merged stays; new records wait safely in the village.",
            ),
            Self::Release => (
                "Hub kembali menarik dari desa ini. Desa yang menghubungi hub sendiri datang paling \
                 lama sepuluh menit lagi.",
                "The hub pulls from this village again. One that calls the hub itself comes within \
                 ten minutes.",
            ),
            Self::Budget => (
                "Berlaku sejak desa menghubungi hub berikutnya. Bila kuota habis, desa hanya \
                 melapor sebentar sampai besok.",
                "Counts from the village's next contact. When it is spent, the village only calls \
                 in until tomorrow.",
            ),
            Self::Contact => (
                "Orang yang dihubungi bila desa ini bermasalah. Kosongkan keduanya bila tidak ada \
                 lagi.",
                "Whom to call when something is wrong with this village. Leave both empty when \
                 there is nobody any more.",
            ),
            Self::Remark => (
                "Untuk operator lain. Jangan tulis NIK atau hal tentang warga.",
                "For the other operators. No identity numbers, nothing about residents.",
            ),
            Self::Token => (
                "Token dipakai sekali oleh komputer desa untuk bergabung, dan berlaku tujuh hari.",
                "The village's machine joins with it once; it is valid for seven days.",
            ),
            Self::Replace => (
                "Untuk komputer yang rusak atau hilang. Begitu komputer baru bergabung dengan \
                 token ini, yang lama tidak diterima lagi; data desa di kabupaten kembali ke yang \
                 baru.",
                "For a machine that is broken or lost. Once a new one joins with this token, the \
                 old one is no longer accepted; what the district holds goes back to the new one.",
            ),
            Self::Revoke => (
                "Komputer desa langsung diputus dan tidak diterima lagi. Yang sudah tergabung \
                 tetap ada. Untuk bergabung lagi, desa perlu token baru.",
                "The village's machine is cut off at once and no longer accepted. What is merged \
                 stays. It needs a new token to join again.",
            ),
            Self::Twin => (
                "Hanya bila satu dari dua komputer sudah benar-benar dimatikan. Penggabungan desa \
                 ini berjalan lagi pada kontak berikutnya.",
                "Only when one of the two machines is really off. Merging goes on at the next \
                 contact.",
            ),
            Self::Leftovers => (
                "Catatan dari log lama desa yang dipasang ulang, tidak ikut dihitung. Kembalikan \
                 ke desa (desa memakai isinya sendiri bila sudah ada), atau akhiri (versinya tetap \
                 tersimpan di hub).",
                "Records of the closed log of a village that was reinstalled; they count nowhere. \
                 Hand them back (the village keeps its own where it has any), or end them (their \
                 versions stay at the hub).",
            ),
            Self::Damaged => (
                "Hanya bila sudah diperiksa, atau yang hilang sudah diisi lagi dari kertas. Komputer \
                 desa menghapus berkas yang disisihkan itu 30 hari sesudah diberi tahu; data yang \
                 dipakai desa sekarang tidak berubah.",
                "Only when somebody has looked, or what was lost has been entered again from paper. \
                 The village's machine removes the store it set aside 30 days after it was told; \
                 the data it works with now does not change.",
            ),
        }
    }
}

/// What a deed asks for; `typed` is what was typed before, by field.
pub(super) fn inputs<'a>(
    deed: Deed,
    language: Language,
    desa: &Desa,
    before: &'a Before,
    typed: impl Fn(&str) -> &'a str,
) -> Markup {
    let say = |id, en| language.say(id, en);
    let or = |name: &str, known: &'a str| match typed(name) {
        "" => known,
        typed => typed,
    };
    let reason = Field {
        name: "alasan",
        label: say("Alasan", "Reason"),
        value: typed("alasan"),
        hint: Some(say(
            "Tercatat selamanya; tanpa nama atau NIK warga.",
            "Kept for ever; no names or numbers of residents.",
        )),
        ..Field::default()
    };
    match deed {
        Deed::Sync
        | Deed::Prove
        | Deed::Release
        | Deed::Token
        | Deed::Replace
        | Deed::Twin
        | Deed::Damaged => html! {},
        Deed::Hold => html! {
            (reason.render())
            (Field {
                name: "hari", label: say("Berapa hari", "For how many days"), kind: "number",
                value: or("hari", "3"), ..Field::default()
            }.render())
        },
        Deed::Budget => {
            let known = before.kilobytes.to_string();
            html! {
                (Field {
                    name: "kb", label: say("Kilobita sehari", "Kilobytes a day"), kind: "number",
                    value: match typed("kb") { "" => &known, typed => typed },
                    hint: Some(say("0 = tanpa batas.", "0 = no bound.")), ..Field::default()
                }.render())
            }
        }
        Deed::Contact => html! {
            (Field { name: "nama", label: say("Nama", "Name"), value: or("nama", &before.nama),
                     required: false, ..Field::default() }.render())
            (Field { name: "telepon", label: say("Nomor telepon", "Telephone number"), kind: "tel",
                     value: or("telepon", &before.telepon), required: false,
                     ..Field::default() }.render())
        },
        Deed::Remark => html! {
            div class="field" {
                label for="catatan" { (say("Catatan", "Notes")) }
                textarea id="catatan" name="catatan" rows="6" lang="id" { (or("catatan", &before.remark)) }
            }
        },
        Deed::Revoke => html! {
            (Field {
                name: "nama", label: say("Ketik nama desa", "Type the village's name"),
                value: typed("nama"), hint: Some(desa.name), ..Field::default()
            }.render())
            (reason.render())
        },
        Deed::Leftovers => html! {
            ul { @for (kind, count) in &before.leftovers { li { (kind) ": " (language.count(*count)) } } }
            fieldset class="field checks" {
                legend { (say("Putusan", "Decision")) }
                label { input type="radio" name="putusan" value="kembalikan" required; " "
                    (say("Kembalikan ke desa", "Hand them back")) }
                label { input type="radio" name="putusan" value="akhiri"; " "
                    (say("Akhiri", "End them")) }
            }
        },
    }
}

/// What a deed came to, by the code in the village page's address.
pub(in crate::console) fn news(code: &str) -> Option<(&'static str, &'static str)> {
    Some(match code {
        "ditanya" => (
            "Desa sedang tersambung dan diminta menyatakan isinya. Lihat \"Terakhir terbukti \
             sama\" beberapa detik lagi.",
            "The village is connected and was asked what it has. See \"Last proven equal\" in a \
             few seconds.",
        ),
        "dihubungi" => ("Hub menghubungi desa sekarang.", "The hub is calling the village now."),
        "menunggu" => (
            "Komputer desa ini yang menghubungi hub, dan sekarang belum tersambung. Begitu datang, \
             langsung disinkronkan. Hubungi perangkat desa bila mendesak.",
            "This village's machine calls the hub, and is not here now. It is synced as soon as it \
             comes. Call the village if it is urgent.",
        ),
        "dibuktikan" => (
            "Pembuktian diminta. Hasilnya tampil di halaman ini setelah selesai.",
            "The proof is asked for. Its result will be shown on this page.",
        ),
        "ditahan" => (
            "Desa ditahan. Tidak ada yang hilang; catatan baru menunggu di desa.",
            "The village is held. Nothing is lost; new records wait there.",
        ),
        "dilepas" => ("Penahanan dilepas.", "The hold is released."),
        "kuota" => (
            "Kuota disimpan; berlaku pada kontak berikutnya.",
            "The budget is kept; it counts from the next contact.",
        ),
        "narahubung" => ("Narahubung disimpan.", "Whom to call is kept."),
        "catatan" => ("Catatan disimpan.", "The notes are kept."),
        "dicabut" => (
            "Kunci dicabut; komputer desa tidak diterima lagi. Data yang tergabung tetap ada.",
            "The key is revoked; the machine is no longer accepted. What is merged stays.",
        ),
        "tinggal-satu" => (
            "Penggabungan berjalan lagi pada kontak berikutnya.",
            "Merging goes on at the next contact.",
        ),
        "dikembalikan" => (
            "Catatan lama dikembalikan ke desa pada kontak berikutnya.",
            "Old records go back to the village at the next contact.",
        ),
        "boleh-dihapus" => (
            "Dicatat. Komputer desa diberi tahu pada kontak berikutnya, atau lewat jawaban di stik.",
            "Noted. The village's machine is told at its next contact, or by an answer on a stick.",
        ),
        "diakhiri" => (
            "Catatan lama diakhiri. Versinya tetap tersimpan di hub.",
            "Old records are ended. Their versions stay at the hub.",
        ),
        _ => return None,
    })
}
