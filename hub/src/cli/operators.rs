//! `operators`: who may sign in to the console, from the hub's own machine.

use std::sync::Arc;

use anyhow::Context;
use clap::{Args, Subcommand};
use lumbung_domain::region::KecamatanCode;
use lumbung_telemetry::clock;

use super::table;
use crate::access::{Gate, NewAccount, Operator, Role};
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
    /// Mengubah peran, kecamatan, atau masa berlaku.
    Change {
        #[command(flatten)]
        account: AccountArgs,
        /// Tidak boleh masuk lagi.
        #[arg(long)]
        block: bool,
    },
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

impl AccountArgs {
    fn account(self) -> anyhow::Result<NewAccount> {
        let role = Role::parse(&self.role)
            .with_context(|| format!("Peran {} tidak dikenal. Tidak ada yang diubah", self.role))?;
        let kecamatan = self.kecamatan.iter().map(|code| {
            KecamatanCode::parse(code)
                .with_context(|| format!("Kecamatan {code} tidak dikenal. Tidak ada yang diubah"))
        });
        let day_ms = 24 * 60 * 60 * 1000;
        let until_ms = self.days.map(|days| clock::now_ms() + i64::from(days) * day_ms);
        Ok(NewAccount {
            name: self.name,
            role,
            kecamatan: kecamatan.collect::<anyhow::Result<_>>()?,
            until_ms,
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
                "Operator {} ditambahkan. Sandi awal: {password}",
                account.name
            );
        }
        OperatorsCommand::Change { account, block } => {
            let account = account.account()?;
            runtime.block_on(gate.change(&who, &account, !block))?;
            lumbung_telemetry::say!("Operator {} diubah; sesinya berakhir.", account.name);
        }
        OperatorsCommand::Reset { name } => {
            let password = runtime.block_on(gate.reset(&who, &name))?;
            lumbung_telemetry::say!("Sandi awal baru untuk {name}: {password}");
        }
    }
    Ok(())
}
