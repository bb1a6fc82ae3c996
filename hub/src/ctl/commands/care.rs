//! What operators write to villages, note about them and decide.

use clap::{Args, Subcommand};
use clap_complete::engine::ArgValueCompleter;
use lumbung_domain::code_list::KategoriInformasi;

use super::Sure;
use super::lists::listed;
use crate::ctl::complete;

#[derive(Subcommand)]
pub(in crate::ctl) enum AskCommand {
    /// Tentang satu temuan, kepada kedua desanya.
    Finding {
        /// Nomor di daftar.
        number: i64,
        /// Pertanyaannya, tanpa NIK (- = dibaca dari masukan baku).
        #[arg(long)]
        message: String,
    },
}

#[derive(Subcommand)]
pub(in crate::ctl) enum NoticeCommand {
    /// Menulis informasi baru.
    Write {
        /// Judulnya, satu baris.
        #[arg(long)]
        title: String,
        /// Isinya (- = dibaca dari masukan baku).
        #[arg(long)]
        text: String,
        /// Untuk siapa: 3505, kecamatan, desa, atau desa/ID-RT; boleh diulang.
        #[arg(long, required = true, add = ArgValueCompleter::new(complete::regions))]
        to: Vec<String>,
        #[command(flatten)]
        when: NoticeTerms,
        /// Hanya menghitung sampai ke berapa desa; tidak dikirim.
        #[arg(long)]
        dry_run: bool,
    },
    /// Memperbaiki; yang tidak disebut tetap.
    Correct {
        /// Nomor di daftar.
        number: i64,
        /// Judul barunya.
        #[arg(long)]
        title: Option<String>,
        /// Isi barunya (- = dibaca dari masukan baku).
        #[arg(long)]
        text: Option<String>,
        #[command(flatten)]
        when: NoticeTerms,
    },
    /// Menarik: desa diberi tahu bahwa tidak berlaku lagi.
    Withdraw {
        /// Nomor di daftar.
        number: i64,
        #[command(flatten)]
        sure: Sure,
    },
}

/// What a notice is about, and when it is in force.
#[derive(Args)]
pub(in crate::ctl) struct NoticeTerms {
    /// Kategori, nama atau nomornya.
    #[arg(
        long,
        value_parser = listed::<KategoriInformasi>,
        add = ArgValueCompleter::new(complete::labels::<KategoriInformasi>)
    )]
    pub(in crate::ctl) category: Option<u32>,
    /// Hari pertama berlaku, misalnya 2026-12-31 (bawaan: hari ini).
    #[arg(long)]
    pub(in crate::ctl) from: Option<String>,
    /// Hari terakhir berlaku (bawaan: sampai ditarik).
    #[arg(long)]
    pub(in crate::ctl) until: Option<String>,
}

#[derive(Subcommand)]
pub(in crate::ctl) enum ContactCommand {
    /// Mencatat.
    Set {
        /// Kode desa.
        #[arg(add = ArgValueCompleter::new(complete::villages))]
        village: String,
        /// Nama.
        #[arg(long)]
        name: String,
        /// Nomor telepon.
        #[arg(long)]
        telephone: String,
    },
    /// Menghapus.
    Clear {
        /// Kode desa.
        #[arg(add = ArgValueCompleter::new(complete::villages))]
        village: String,
    },
}

#[derive(Subcommand)]
pub(in crate::ctl) enum RemarkCommand {
    /// Menulis, di tempat yang sebelumnya.
    Set {
        /// Kode desa.
        #[arg(add = ArgValueCompleter::new(complete::villages))]
        village: String,
        /// Isinya, tanpa NIK (- = dibaca dari masukan baku).
        words: String,
    },
    /// Menghapus.
    Clear {
        /// Kode desa.
        #[arg(add = ArgValueCompleter::new(complete::villages))]
        village: String,
    },
}

#[derive(Subcommand)]
pub(in crate::ctl) enum MachineCommand {
    /// Berkas rusak yang disisihkan di komputer desa sudah diperiksa dan boleh
    /// dihapus.
    ReleaseDamaged {
        /// Kode desa.
        #[arg(add = ArgValueCompleter::new(complete::villages))]
        village: String,
        #[command(flatten)]
        sure: Sure,
    },
    /// Dua komputer menjawab untuk desa ini, dan tinggal satu: lanjutkan.
    OneLeft {
        /// Kode desa.
        #[arg(add = ArgValueCompleter::new(complete::villages))]
        village: String,
        #[command(flatten)]
        sure: Sure,
    },
}

#[derive(Subcommand)]
pub(in crate::ctl) enum LeftoversCommand {
    /// Mengembalikannya; desa memakai isinya sendiri bila sudah ada.
    Return {
        /// Kode desa.
        #[arg(add = ArgValueCompleter::new(complete::villages))]
        village: String,
    },
    /// Mengakhirinya: tidak terbaca lagi, versinya tetap tersimpan.
    End {
        /// Kode desa.
        #[arg(add = ArgValueCompleter::new(complete::villages))]
        village: String,
        #[command(flatten)]
        sure: Sure,
    },
}

#[derive(Subcommand)]
pub(in crate::ctl) enum MaintenanceCommand {
    /// Mulai sekarang tidak ada yang diberi tahu tentang wilayah ini.
    Start {
        /// 3505 (semuanya), kode kecamatan, atau kode desa.
        #[arg(add = ArgValueCompleter::new(complete::regions))]
        region: String,
        /// Selama berapa jam.
        #[arg(long)]
        hours: u32,
        /// Sebabnya.
        #[arg(long, default_value = "")]
        reason: String,
    },
    /// Mengakhiri lebih awal.
    End {
        /// Nomor di daftar.
        number: i64,
    },
}

#[derive(Subcommand)]
pub(in crate::ctl) enum AlertCommand {
    /// Mengirim surat percobaan lewat semua saluran di pemberitahuan.toml.
    Test,
}
