//! `operators`: who may sign in to the console, from the hub's own machine.

use std::sync::Arc;

use anyhow::Context;
use clap::{Args, Subcommand};
use lumbung_domain::region::KecamatanCode;
use lumbung_telemetry::clock;

use super::table;
use crate::access::{AccountChange, End, Gate, NewAccount, Operator, Role};
use crate::dataset::sqlite::SqliteDataset;

#[derive(Subcommand)]
pub(super) enum OperatorsCommand {
    /// Semua operator.
    List,
    /// Menambah operator dan mencetak sandi awalnya.
    Add {
        #[command(flatten)]
        account: AccountArgs,
        /// Hanya mencetak sandinya.
        #[arg(long)]
        plain: bool,
    },
    /// Mengubah peran, kecamatan, atau masa berlaku. Yang tidak disebut tetap
    /// seperti semula.
    Change(ChangeArgs),
    /// Sandi awal baru; kode dua langkah dilepas dan semua sesi berakhir.
    Reset {
        /// Nama operator.
        name: String,
    },
}

#[derive(Args)]
pub(super) struct AccountArgs {
    /// Nama untuk masuk: huruf kecil, angka, titik, tanda hubung.
    name: String,
    /// Peran: kab.kepala, kab.operator, kec.operator, kab.keamanan, auditor, dukungan.
    #[arg(long, default_value = "kab.operator")]
    role: String,
    /// Hanya kecamatan ini; boleh diulang.
    #[arg(long)]
    kecamatan: Vec<String>,
    /// Berlaku sekian hari.
    #[arg(long)]
    days: Option<u16>,
}

#[derive(Args)]
pub(super) struct ChangeArgs {
    /// Nama operator.
    name: String,
    /// Peran: kab.kepala, kab.operator, kec.operator, kab.keamanan, auditor, dukungan.
    #[arg(long)]
    role: Option<String>,
    /// Hanya kecamatan ini; boleh diulang.
    #[arg(long, conflicts_with = "whole")]
    kecamatan: Vec<String>,
    /// Seluruh kabupaten, tidak lagi kecamatan tertentu.
    #[arg(long)]
    whole: bool,
    /// Berlaku sekian hari.
    #[arg(long, conflicts_with = "endless")]
    days: Option<u16>,
    /// Tanpa batas waktu lagi.
    #[arg(long)]
    endless: bool,
    /// Tidak boleh masuk lagi.
    #[arg(long, conflicts_with = "open")]
    block: bool,
    /// Boleh masuk lagi.
    #[arg(long)]
    open: bool,
}

fn role(name: &str) -> anyhow::Result<Role> {
    Role::parse(name).with_context(|| format!("Peran {name} tidak dikenal. Tidak ada yang diubah"))
}

fn kecamatan(codes: &[String]) -> anyhow::Result<Vec<KecamatanCode>> {
    let known = codes.iter().map(|code| {
        KecamatanCode::parse(code)
            .with_context(|| format!("Kecamatan {code} tidak dikenal. Tidak ada yang diubah"))
    });
    known.collect()
}

fn until_ms(days: u16) -> i64 {
    clock::now_ms() + i64::from(days) * 24 * 60 * 60 * 1000
}

impl AccountArgs {
    fn account(self) -> anyhow::Result<NewAccount> {
        Ok(NewAccount {
            role: role(&self.role)?,
            kecamatan: kecamatan(&self.kecamatan)?,
            until_ms: self.days.map(until_ms),
            name: self.name,
        })
    }
}

impl ChangeArgs {
    fn change(&self) -> anyhow::Result<AccountChange> {
        let kecamatan = kecamatan(&self.kecamatan)?;
        Ok(AccountChange {
            role: self.role.as_deref().map(role).transpose()?,
            kecamatan: (self.whole || !kecamatan.is_empty()).then_some(kecamatan),
            end: match self.days {
                Some(days) => End::At(until_ms(days)),
                None if self.endless => End::Never,
                None => End::Stays,
            },
            active: (self.block || self.open).then_some(self.open),
        })
    }
}

pub(super) fn run(
    command: OperatorsCommand,
    dataset: &Arc<SqliteDataset>,
    user: &str,
) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let gate = Gate::new(dataset.clone(), dataset.clone());
    let who = Operator::of_this_machine(user);
    match command {
        OperatorsCommand::List => {
            let mut table = table(["nama", "peran", "kecamatan", "dua langkah", "keadaan"]);
            for account in runtime.block_on(gate.accounts(&who))? {
                let state = if account.is_open(clock::now_ms()) { "aktif" } else { "ditutup" };
                let kecamatan: Vec<_> = account.kecamatan.iter().map(ToString::to_string).collect();
                let codes = if account.totp.is_some() { "ya" } else { "belum" };
                let role = account.role.to_string();
                table.add_row([&account.name, &role, &kecamatan.join(" "), codes, state]);
            }
            lumbung_telemetry::say!("{table}");
        }
        OperatorsCommand::Add { account, plain } => {
            let account = account.account()?;
            let password = runtime.block_on(gate.add(&who, &account))?;
            if plain {
                lumbung_telemetry::say!("{password}");
                return Ok(());
            }
            lumbung_telemetry::say!(
                "Operator {} ditambahkan. Sandi awal, berlaku 72 jam: {password}",
                account.name
            );
        }
        OperatorsCommand::Change(args) => {
            runtime.block_on(gate.change(&who, &args.name, &args.change()?))?;
            lumbung_telemetry::say!("Operator {} diubah; sesinya berakhir.", args.name);
        }
        OperatorsCommand::Reset { name } => {
            let password = runtime.block_on(gate.reset(&who, &name))?;
            lumbung_telemetry::say!("Sandi awal baru untuk {name}, berlaku 72 jam: {password}");
        }
    }
    Ok(())
}
