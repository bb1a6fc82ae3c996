//! `get` and `describe`: what can be listed, and what can be told of one.

use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};
use clap_complete::engine::ArgValueCompleter;
use jiff::civil::DateTime;
use lumbung_domain::code_list::{Agama, Code, CodeList, Pekerjaan, PendidikanKk, StatusKawin};
use lumbung_domain::id::Kind;

use crate::ctl::complete;

/// What a house may have or lack.
const TRAITS: [&str; 9] =
    ["sehat", "tidak-sehat", "pdam", "sumur", "sungai", "air-lain", "jamban", "tps", "spal"];

/// What can be missing or wrong in a record of a kind, by code.
pub(crate) const GAPS: [(&str, Kind); 12] = [
    ("nik", Kind::Warga),
    ("nik_beda", Kind::Warga),
    ("tanggal_lahir", Kind::Warga),
    ("tempat", Kind::Warga),
    ("kepala", Kind::Keluarga),
    ("nomor_kk", Kind::Keluarga),
    ("kk_kosong", Kind::Keluarga),
    ("dasawisma", Kind::RumahTangga),
    ("kepala_di_luar", Kind::RumahTangga),
    ("sehat_diragukan", Kind::RumahTangga),
    ("sumber_air", Kind::RumahTangga),
    ("jumlah_mck", Kind::RumahTangga),
];

#[derive(Args)]
pub(in crate::ctl) struct GetArgs {
    /// Daftar mana.
    #[command(subcommand)]
    pub(in crate::ctl) what: What,
    /// Cetak lagi setiap ada perubahan, sampai dihentikan.
    #[arg(short, long, global = true)]
    pub(in crate::ctl) watch: bool,
}

/// The lists.
#[derive(Subcommand)]
pub(in crate::ctl) enum What {
    /// Desa.
    Villages {
        /// Hanya desa ini; boleh diulang.
        #[arg(long, add = ArgValueCompleter::new(complete::villages))]
        village: Vec<String>,
    },
    /// Yang perlu ditangani.
    Needs(OfVillage),
    /// Temuan antardesa.
    Findings {
        #[command(flatten)]
        of: OfVillage,
        /// Yang sudah tertutup juga.
        #[arg(long)]
        all: bool,
        #[command(flatten)]
        most: Most,
    },
    /// Karantina.
    Quarantine(OfVillage),
    /// Kejadian.
    Incidents {
        #[command(flatten)]
        of: OfVillage,
        #[command(flatten)]
        most: Most,
    },
    /// Sambungan yang terbuka.
    Sessions,
    /// Versi node, dan siapa yang tertinggal.
    Versions,
    /// Token bergabung.
    Tokens,
    /// Kunci komputer desa.
    Keys,
    /// Operator.
    Operators,
    /// Informasi untuk desa.
    Notices(Most),
    /// Buku catatan.
    Audit(AuditArgs),
    /// Mutu data tiap desa: yang kosong dan yang bertentangan.
    Quality {
        /// Hanya wilayah ini.
        #[arg(long, visible_alias = "village", add = ArgValueCompleter::new(complete::regions))]
        region: Option<String>,
        /// Jumlah yang dinyatakan desa sendiri, di samping yang terhitung dari catatannya.
        #[arg(long)]
        declared: bool,
    },
    /// Kesegaran tiap hari; baris terakhir sekarang.
    Freshness {
        /// Hanya wilayah ini.
        #[arg(long, visible_alias = "village", add = ArgValueCompleter::new(complete::regions))]
        region: Option<String>,
        /// Sekian hari terakhir.
        #[arg(long, default_value_t = 30)]
        days: u32,
    },
    /// Rekap yang sudah diterbitkan untuk umum.
    Publications,
    /// Kapan tidak ada yang diberi tahu.
    Maintenance,
    /// Warga yang cocok.
    Warga(Box<WargaArgs>),
    /// Keluarga yang cocok, menurut nama kepalanya.
    Keluarga {
        #[command(flatten)]
        search: Search,
        /// Yang tidak punya kepala.
        #[arg(long)]
        without_head: bool,
        /// Yang tidak punya nomor KK.
        #[arg(long)]
        without_number: bool,
        /// Yang punya kekurangan ini.
        #[arg(long, value_parser = gaps(Kind::Keluarga))]
        gap: Option<String>,
    },
    /// Rumah tangga yang cocok, menurut nama kepalanya.
    RumahTangga(HouseArgs),
    /// RT yang cocok.
    Rt(Search),
    /// Dasawisma yang cocok.
    Dasawisma(Search),
}

/// One village, or all.
#[derive(Args)]
pub(in crate::ctl) struct OfVillage {
    /// Hanya yang menyangkut desa ini.
    #[arg(long, add = ArgValueCompleter::new(complete::villages))]
    pub(in crate::ctl) village: Option<String>,
}

/// How many.
#[derive(Args)]
pub(in crate::ctl) struct Most {
    /// Paling banyak sekian.
    #[arg(long, default_value_t = 100)]
    pub(in crate::ctl) limit: u32,
}

#[derive(Args)]
pub(in crate::ctl) struct AuditArgs {
    /// Hanya oleh operator ini.
    #[arg(long)]
    pub(in crate::ctl) operator: Option<String>,
    /// Hanya tindakan ini, misalnya data.buka.
    #[arg(long, add = ArgValueCompleter::new(complete::acts))]
    pub(in crate::ctl) act: Option<String>,
    /// Hanya tentang ini: kode desa, id catatan, nama operator.
    #[arg(long)]
    pub(in crate::ctl) about: Option<String>,
    /// Sejak 2026-12-31 atau 2026-12-31T13:00, waktu setempat.
    #[arg(long, value_parser = since)]
    pub(in crate::ctl) since: Option<i64>,
    /// Sampai akhir hari itu, atau sampai jam itu.
    #[arg(long, value_parser = until)]
    pub(in crate::ctl) until: Option<i64>,
    #[command(flatten)]
    pub(in crate::ctl) most: Most,
}

/// What every search may name.
#[derive(Args)]
pub(in crate::ctl) struct Search {
    /// Awal kata-kata namanya (- = dibaca dari masukan baku).
    #[arg(long)]
    pub(in crate::ctl) name: Option<String>,
    /// Hanya wilayah ini: 35.05.01, 35.05.01.2001, atau desa/ID.
    #[arg(long, visible_alias = "village", add = ArgValueCompleter::new(complete::regions))]
    pub(in crate::ctl) region: Option<String>,
    #[command(flatten)]
    pub(in crate::ctl) most: Most,
}

#[derive(Args)]
pub(in crate::ctl) struct WargaArgs {
    #[command(flatten)]
    pub(in crate::ctl) search: Search,
    /// Jenis kelamin.
    #[arg(long, value_parser = ["L", "P"])]
    pub(in crate::ctl) sex: Option<String>,
    /// Paling muda sekian tahun.
    #[arg(long, value_parser = clap::value_parser!(u32).range(0..=255))]
    pub(in crate::ctl) age_from: Option<u32>,
    /// Paling tua sekian tahun.
    #[arg(long, value_parser = clap::value_parser!(u32).range(0..=255))]
    pub(in crate::ctl) age_to: Option<u32>,
    /// Umur pada tanggal ini (bawaan: hari ini).
    #[arg(long)]
    pub(in crate::ctl) date: Option<String>,
    /// Pendidikan dalam KK, nama atau nomornya.
    #[arg(
        long,
        value_parser = listed::<PendidikanKk>,
        add = ArgValueCompleter::new(complete::labels::<PendidikanKk>)
    )]
    pub(in crate::ctl) pendidikan: Option<u32>,
    /// Pekerjaan, nama atau nomornya.
    #[arg(
        long,
        value_parser = listed::<Pekerjaan>,
        add = ArgValueCompleter::new(complete::labels::<Pekerjaan>)
    )]
    pub(in crate::ctl) pekerjaan: Option<u32>,
    /// Agama, nama atau nomornya.
    #[arg(
        long,
        value_parser = listed::<Agama>,
        add = ArgValueCompleter::new(complete::labels::<Agama>)
    )]
    pub(in crate::ctl) agama: Option<u32>,
    /// Status perkawinan, nama atau nomornya.
    #[arg(
        long,
        value_parser = listed::<StatusKawin>,
        add = ArgValueCompleter::new(complete::labels::<StatusKawin>)
    )]
    pub(in crate::ctl) kawin: Option<u32>,
    /// Hanya kepala keluarga.
    #[arg(long)]
    pub(in crate::ctl) heads: bool,
    /// Yang tidak punya NIK.
    #[arg(long)]
    pub(in crate::ctl) without_nik: bool,
    /// Yang belum punya keluarga atau rumah yang dikenal.
    #[arg(long)]
    pub(in crate::ctl) unplaced: bool,
    /// Yang meninggal atau pindah juga.
    #[arg(long)]
    pub(in crate::ctl) gone_too: bool,
    /// Yang punya kekurangan ini.
    #[arg(long, value_parser = gaps(Kind::Warga))]
    pub(in crate::ctl) gap: Option<String>,
}

#[derive(Args)]
pub(in crate::ctl) struct HouseArgs {
    #[command(flatten)]
    pub(in crate::ctl) search: Search,
    /// Yang punya ini; boleh diulang.
    #[arg(long, value_parser = TRAITS)]
    pub(in crate::ctl) with: Vec<String>,
    /// Yang tidak punya ini; boleh diulang.
    #[arg(long, value_parser = TRAITS)]
    pub(in crate::ctl) without: Vec<String>,
    /// Yang tidak ada di dasawisma mana pun di RT-nya.
    #[arg(long)]
    pub(in crate::ctl) without_dasawisma: bool,
    /// Yang punya kekurangan ini.
    #[arg(long, value_parser = gaps(Kind::RumahTangga))]
    pub(in crate::ctl) gap: Option<String>,
}

#[derive(Subcommand)]
pub(in crate::ctl) enum Describe {
    /// Satu desa.
    Village {
        /// Kode desa.
        #[arg(add = ArgValueCompleter::new(complete::villages))]
        code: String,
    },
    /// Keadaan komputer satu desa, ditanyakan kepadanya sekarang.
    Machine {
        /// Kode desa.
        #[arg(add = ArgValueCompleter::new(complete::villages))]
        code: String,
    },
    /// Satu temuan, pernyataan kedua desa berdampingan.
    Finding {
        /// Nomor di daftar.
        number: i64,
    },
    /// Satu informasi dan tanda terimanya di tiap desa.
    Notice {
        /// Nomor di daftar.
        number: i64,
    },
    /// Satu warga; nomor dan data spesifiknya tertutup.
    Warga {
        /// Rujukan dari daftar, DESA/ID.
        #[arg(value_parser = Reference::parse)]
        reference: Reference,
    },
    /// Satu rumah tangga dengan penghuninya.
    RumahTangga {
        /// Rujukan dari daftar, DESA/ID.
        #[arg(value_parser = Reference::parse)]
        reference: Reference,
    },
}

/// A record by its village's code and its id.
#[derive(Clone)]
pub(in crate::ctl) struct Reference {
    pub(in crate::ctl) village: String,
    pub(in crate::ctl) id: String,
}

impl Reference {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let (village, id) = text
            .split_once('/')
            .ok_or("ditulis DESA/ID, seperti kolom rujukan di daftar; bukan NIK")?;
        Ok(Self { village: village.to_owned(), id: id.to_owned() })
    }
}

/// The gaps that records of a kind can have.
fn gaps(kind: Kind) -> PossibleValuesParser {
    PossibleValuesParser::new(GAPS.iter().filter(|gap| gap.1 == kind).map(|gap| gap.0))
}

/// A number of an official list, by number or label.
pub(super) fn listed<L: CodeList>(text: &str) -> Result<u32, String> {
    let code = Code::<L>::parse(text).map_err(|error| error.to_string())?;
    Ok(code.map_or(0, |code| u32::from(code.number())))
}

/// Unix milliseconds of a moment in East Java.
fn local(at: DateTime) -> Result<i64, String> {
    let at = jiff::tz::offset(7).to_timestamp(at).map_err(|error| error.to_string())?;
    Ok(at.as_millisecond())
}

fn moment(text: &str) -> Result<DateTime, String> {
    text.parse().map_err(|_| "ditulis seperti 2026-12-31 atau 2026-12-31T13:00".to_owned())
}

fn since(text: &str) -> Result<i64, String> {
    local(moment(text)?)
}

/// A day is meant to its end.
fn until(text: &str) -> Result<i64, String> {
    let at = moment(text)?;
    match text.contains(['T', 't', ' ']) {
        true => local(at),
        false => local(at.date().tomorrow().map_err(|error| error.to_string())?.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_meant_from_its_first_to_its_last_moment_in_east_java() {
        let (from, to) = (since("2026-11-24").unwrap(), until("2026-11-24").unwrap());
        assert_eq!(from, 1_795_453_200_000, "17.00 UTC the day before");
        assert_eq!(to - from, 24 * 60 * 60 * 1000);
        let noon = since("2026-11-24T12:00").unwrap();
        assert_eq!(until("2026-11-24T12:00").unwrap(), noon);
        assert_eq!(noon - from, 12 * 60 * 60 * 1000);
        assert!(since("kemarin").is_err() && until("2026-13-01").is_err());
    }

    #[test]
    fn lists_are_named_by_number_or_label_and_records_by_reference() {
        assert_eq!(listed::<Agama>("Islam"), listed::<Agama>("1"));
        assert!(listed::<Agama>("entah").is_err());
        let told = Reference::parse("3505902001010001").err().unwrap();
        assert!(!told.contains("3505902001010001"), "what was typed may be a number");
        assert_eq!(Reference::parse("35.05.01.2001/01J").ok().unwrap().id, "01J");
    }
}
