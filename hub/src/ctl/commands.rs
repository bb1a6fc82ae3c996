//! The commands as they are typed.

mod care;
mod lists;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use clap_complete::engine::ArgValueCompleter;

use super::complete;
use super::print::{Format, Language};

pub(super) use care::{
    AlertCommand, AskCommand, ContactCommand, LeftoversCommand, MachineCommand, MaintenanceCommand,
    NoticeCommand, NoticeTerms, RemarkCommand,
};
#[cfg(test)]
pub(crate) use lists::GAPS;
pub(super) use lists::{
    AuditArgs, Describe, GetArgs, HouseArgs, Reference, Search, WargaArgs, What,
};

/// Over the options that every command has, apart from its own.
const HUB_AND_OUTPUT: &str = "Hub dan keluaran";

/// Mengelola hub Lumbung kabupaten: melihat desa, temuan, dan karantina,
/// menjalankan tindakan, mengatur operator.
///
/// Kode keluar: 0 selesai, 1 gagal, 2 salah pakai, 3 tidak ada, 4 tidak bisa
/// dalam keadaan ini, 5 tidak diizinkan, 6 sebagian, 7 habis waktu, 8 hub
/// tidak menjawab, 9 selesai tetapi ada yang ditemukan.
#[derive(Parser)]
#[command(name = "lumbung-hubctl", version, disable_help_subcommand = true)]
pub(super) struct Cli {
    /// Hub: foldernya, soketnya, atau https://nama:porta.
    #[arg(long, global = true, help_heading = HUB_AND_OUTPUT, env = "LUMBUNG_HUB", default_value = "lumbung-kabupaten")]
    pub(super) hub: String,
    /// Berkas sertifikat operator, untuk hub dari jauh.
    #[arg(long, global = true, help_heading = HUB_AND_OUTPUT, env = "LUMBUNG_CERT")]
    pub(super) cert: Option<PathBuf>,
    /// Hub dengan nama ini di ~/.config/lumbung/hubctl.toml.
    #[arg(long, global = true, help_heading = HUB_AND_OUTPUT, env = "LUMBUNG_CONTEXT")]
    pub(super) context: Option<String>,
    /// Bentuk keluaran.
    #[arg(short, long, global = true, help_heading = HUB_AND_OUTPUT, value_enum, default_value_t = Format::Table)]
    pub(super) output: Format,
    /// Bahasa judul dan kata-kata di keluaran.
    #[arg(long, global = true, help_heading = HUB_AND_OUTPUT, value_enum, env = "LUMBUNG_LANG", default_value_t = Language::Id)]
    pub(super) lang: Language,
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Subcommand)]
pub(super) enum Command {
    /// Daftar: desa, temuan, karantina, warga, kejadian, dan lainnya.
    Get(Box<GetArgs>),
    /// Satu hal selengkapnya.
    #[command(subcommand)]
    Describe(Describe),
    /// Rekapitulasi PKK suatu wilayah.
    Recap {
        /// 3505 (kabupaten), 35.05.01 (kecamatan), 35.05.01.2001 (desa), atau
        /// desa/ID untuk dusun, RW, RT, dan dasawisma.
        #[arg(default_value = "3505", add = ArgValueCompleter::new(complete::regions))]
        region: String,
        /// Tanggal acuan, misalnya 2026-12-31 (bawaan: hari ini).
        #[arg(long)]
        date: Option<String>,
        /// Untuk umum, dari terbitan terakhir sampai tanggal itu.
        #[arg(long)]
        public: bool,
        /// Edisi lembar 4.16a dan 4.16b: dengan stiker P4K atau dengan 3 buta.
        #[arg(long, value_parser = ["p4k", "3buta"], default_value = "p4k")]
        edisi: String,
        /// Tulis ke berkas .csv atau .xlsx (- = keluaran baku, CSV).
        #[arg(long)]
        out: Option<PathBuf>,
    },
    /// Menerbitkan rekap untuk umum, sekali untuk tiap triwulan; tidak bisa diubah lagi.
    Publish {
        /// Hari terakhir triwulannya, misalnya 2026-12-31.
        day: String,
        #[command(flatten)]
        sure: Sure,
    },
    /// Siapa yang memakai satu NIK; angkanya dibaca dari masukan baku.
    FindNik,
    /// Membuka yang tertutup dari satu orang, sekali; dicatat selamanya.
    Reveal {
        /// Rujukan dari daftar, DESA/ID.
        #[arg(value_parser = Reference::parse)]
        reference: Reference,
        /// Untuk keperluan apa, misalnya nomor surat permohonan; tanpa NIK.
        #[arg(long)]
        reason: String,
        /// NIK, nomor KK dan nomor surat (bawaan).
        #[arg(long)]
        numbers: bool,
        /// Kesehatan, disabilitas, kehamilan, KB.
        #[arg(long)]
        specific: bool,
    },
    /// Catatan satu jenis.
    Query {
        /// dusun, rw, rt, dasawisma, rumah-tangga, keluarga, warga, atau mutasi.
        kind: String,
        /// Hanya desa ini.
        #[arg(long, add = ArgValueCompleter::new(complete::villages))]
        village: Option<String>,
        /// Paling banyak sekian.
        #[arg(long, default_value_t = 50)]
        limit: u32,
    },
    /// Menulis catatan satu jenis ke berkas (- = keluaran baku).
    Export(ExportArgs),
    /// Meminta desa sinkron.
    #[command(subcommand)]
    Sync(SyncCommand),
    /// Membuktikan semua baris satu desa terhadap log-nya.
    Prove {
        /// Kode desa.
        #[arg(add = ArgValueCompleter::new(complete::villages))]
        village: String,
    },
    /// Menahan satu desa: tidak digabung sampai dilepas atau waktunya habis.
    Hold {
        /// Kode desa.
        #[arg(add = ArgValueCompleter::new(complete::villages))]
        village: String,
        /// Sebabnya; tertulis di buku catatan.
        #[arg(long)]
        reason: String,
        /// Paling lama sekian hari.
        #[arg(long, default_value_t = 7)]
        days: u32,
    },
    /// Melepas desa yang ditahan.
    Release {
        /// Kode desa.
        #[arg(add = ArgValueCompleter::new(complete::villages))]
        village: String,
    },
    /// Mencabut izin komputer desa: sambungannya putus, tidak diterima lagi.
    Revoke {
        /// Kode desa.
        #[arg(add = ArgValueCompleter::new(complete::villages))]
        village: String,
        /// Sebabnya; tertulis di buku catatan.
        #[arg(long, default_value = "")]
        reason: String,
        #[command(flatten)]
        sure: Sure,
    },
    /// Token untuk node desa yang akan bergabung.
    #[command(subcommand)]
    Token(TokenCommand),
    /// Catatan yang belum bisa diterima hub.
    #[command(subcommand)]
    Quarantine(QuarantineCommand),
    /// Menanyakan sesuatu kepada desa.
    #[command(subcommand)]
    Ask(AskCommand),
    /// Informasi untuk desa.
    #[command(subcommand)]
    Notice(NoticeCommand),
    /// Siapa yang dihubungi tentang satu desa.
    #[command(subcommand)]
    Contact(ContactCommand),
    /// Catatan sesama operator tentang satu desa.
    #[command(subcommand)]
    Remark(RemarkCommand),
    /// Kuota sambungan satu desa.
    Budget {
        /// Kode desa.
        #[arg(add = ArgValueCompleter::new(complete::villages))]
        village: String,
        /// Paling banyak sekian kilobyte sehari; 0 = tanpa batas.
        kilobytes: u64,
    },
    /// Keputusan tentang komputer desa.
    #[command(subcommand)]
    Machine(MachineCommand),
    /// Catatan yang tersisa dari log lama satu desa.
    #[command(subcommand)]
    Leftovers(LeftoversCommand),
    /// Kapan tidak ada yang diberi tahu.
    #[command(subcommand)]
    Maintenance(MaintenanceCommand),
    /// Pemberitahuan lewat surel dan webhook.
    #[command(subcommand)]
    Alert(AlertCommand),
    /// Operator: siapa yang boleh masuk.
    #[command(subcommand)]
    Operators(OperatorsCommand),
    /// Buku catatan siapa melihat dan memutuskan apa.
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Apa yang pernah terjadi dengan desa dan datanya.
    Incidents {
        /// Hanya desa ini.
        #[arg(add = ArgValueCompleter::new(complete::villages))]
        village: Option<String>,
        /// Paling banyak sekian.
        #[arg(long, default_value_t = 100)]
        limit: u32,
    },
    /// Menunggu sampai desa-desa terbukti sama, tersambung, atau segar.
    Wait {
        /// Kode desa; tanpa kode berarti semua yang pernah terdengar.
        #[arg(add = ArgValueCompleter::new(complete::villages))]
        villages: Vec<String>,
        /// Yang ditunggu.
        #[arg(long = "for", value_enum, default_value_t = Awaited::Proven)]
        awaited: Awaited,
        /// Paling lama sekian detik.
        #[arg(long, default_value_t = 300)]
        timeout: u64,
    },
    /// Layar penuh yang hidup; tanpa layar: sekali cetak.
    Top,
    /// Siapa saya bagi hub ini, dan apa yang boleh.
    Whoami,
    /// Skrip pelengkap perintah dan kode desa: bash, zsh, fish.
    Completion {
        /// Untuk shell ini.
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },
}

/// What is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Awaited {
    /// Terbukti sama dengan desanya.
    Proven,
    /// Sambungannya terbuka.
    Connected,
    /// Segar.
    Fresh,
}

/// A destructive act needs a word.
#[derive(Args)]
pub(super) struct Sure {
    /// Tanpa bertanya lagi.
    #[arg(long)]
    pub(super) yes: bool,
}

#[derive(Subcommand)]
pub(super) enum SyncCommand {
    /// Sekarang.
    Now {
        /// Kode desa.
        #[arg(required = true, add = ArgValueCompleter::new(complete::villages))]
        villages: Vec<String>,
    },
}

#[derive(Subcommand)]
pub(super) enum TokenCommand {
    /// Membuat token untuk satu desa; hanya token yang ke keluaran baku.
    Create {
        /// Kode desa.
        #[arg(add = ArgValueCompleter::new(complete::villages))]
        village: String,
        /// Alamat umum hub yang bisa dicapai desa; diingat.
        #[arg(long)]
        address: Option<String>,
        /// Berlaku berapa hari.
        #[arg(long, default_value_t = 7)]
        days: u32,
        /// Komputer yang bergabung menggantikan yang sekarang.
        #[arg(long)]
        replace: bool,
    },
    /// Membuat token yang belum dipakai tidak berlaku.
    Cancel {
        /// Nomor dari daftar.
        number: i64,
    },
}

#[derive(Subcommand)]
pub(super) enum QuarantineCommand {
    /// Memberi tahu desanya mengapa catatan itu belum diterima.
    Return {
        /// Nomor di daftar.
        number: i64,
    },
    /// Mencoba lagi, misalnya setelah hub diperbarui.
    Replay {
        /// Nomor di daftar; tanpa nomor berarti semua.
        number: Option<i64>,
        /// Hanya desa ini.
        #[arg(long, add = ArgValueCompleter::new(complete::villages))]
        village: Option<String>,
    },
}

#[derive(Subcommand)]
pub(super) enum OperatorsCommand {
    /// Menambah operator; hanya sandi awalnya yang ke keluaran baku.
    Add(AccountArgs),
    /// Mengubah peran, kecamatan, masa berlaku; atau memblokir. Yang tidak
    /// disebut tetap seperti semula.
    Change(ChangeArgs),
    /// Sertifikat untuk bekerja dari jauh: kunci dibuat di sini, berkasnya
    /// rahasia.
    Certificate {
        /// Nama operator.
        name: String,
        /// Berkas yang ditulis.
        #[arg(long)]
        out: PathBuf,
        /// Berlaku sekian hari.
        #[arg(long, default_value_t = 90)]
        days: u32,
    },
    /// Semua sertifikat operator ini tidak berlaku lagi.
    RevokeCertificates {
        /// Nama operator.
        name: String,
        #[command(flatten)]
        sure: Sure,
    },
    /// Sandi awal baru; kode dua langkah dilepas, semua sesi dan sertifikat
    /// berakhir.
    Reset {
        /// Nama operator.
        name: String,
        #[command(flatten)]
        sure: Sure,
    },
}

#[derive(Args)]
pub(super) struct AccountArgs {
    /// Nama untuk masuk: huruf kecil, angka, titik, tanda hubung.
    pub(super) name: String,
    /// Peran: kab.kepala, kab.operator, kec.operator, kab.keamanan, auditor, dukungan.
    #[arg(long, default_value = "kab.operator")]
    pub(super) role: String,
    /// Hanya kecamatan ini; boleh diulang.
    #[arg(long, add = ArgValueCompleter::new(complete::kecamatan))]
    pub(super) kecamatan: Vec<String>,
    /// Berlaku sekian hari.
    #[arg(long, default_value_t = 0)]
    pub(super) days: u32,
}

#[derive(Args)]
pub(super) struct ChangeArgs {
    /// Nama operator.
    pub(super) name: String,
    /// Peran: kab.kepala, kab.operator, kec.operator, kab.keamanan, auditor, dukungan.
    #[arg(long)]
    pub(super) role: Option<String>,
    /// Hanya kecamatan ini; boleh diulang.
    #[arg(long, conflicts_with = "whole", add = ArgValueCompleter::new(complete::kecamatan))]
    pub(super) kecamatan: Vec<String>,
    /// Seluruh kabupaten, tidak lagi kecamatan tertentu.
    #[arg(long)]
    pub(super) whole: bool,
    /// Berlaku sekian hari.
    #[arg(long, conflicts_with = "endless", value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) days: Option<u32>,
    /// Tanpa batas waktu lagi.
    #[arg(long)]
    pub(super) endless: bool,
    /// Tidak boleh masuk lagi.
    #[arg(long, conflicts_with = "open")]
    pub(super) block: bool,
    /// Boleh masuk lagi.
    #[arg(long)]
    pub(super) open: bool,
}

#[derive(Subcommand)]
pub(super) enum AuditCommand {
    /// Memeriksa rantai buku catatan, dan membandingkannya dengan para saksi.
    Verify,
}

#[derive(Args)]
pub(super) struct ExportArgs {
    /// dusun, rw, rt, dasawisma, rumah-tangga, keluarga, warga, atau mutasi.
    #[arg(long, default_value = "warga")]
    pub(super) kind: String,
    /// Hanya desa ini.
    #[arg(
        long,
        conflicts_with = "kecamatan",
        add = ArgValueCompleter::new(complete::villages)
    )]
    pub(super) village: Option<String>,
    /// Hanya kecamatan ini, misalnya 35.05.01.
    #[arg(long, add = ArgValueCompleter::new(complete::kecamatan))]
    pub(super) kecamatan: Option<String>,
    /// Tulis NIK dan nomor KK lengkap.
    #[arg(long)]
    pub(super) with_nik: bool,
    /// Tulis juga data spesifik: kesehatan, disabilitas, tanggal lahir anak, telepon, titik rumah.
    #[arg(long)]
    pub(super) with_specific: bool,
    /// Untuk apa data ini dipakai; tertulis di berkasnya dan di buku catatan.
    #[arg(long)]
    pub(super) purpose: String,
    /// Berkas boleh disimpan sekian hari, lalu harus dihapus.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(i32).range(1..=366))]
    pub(super) keep_days: i32,
    /// Berkas tujuan: .csv, .xlsx, atau - untuk keluaran baku.
    pub(super) file: PathBuf,
}
