//! `authority`: the root that every certificate of the district hangs on.

use std::path::Path;

use anyhow::Context;
use lumbung_identity::Authority;
use lumbung_telemetry::clock;

use crate::dataset::sqlite::SqliteDataset;
use crate::registry::Registry as _;
use crate::serve::identity_folder;

#[derive(clap::Subcommand)]
pub(super) enum AuthorityCommand {
    /// Akar yang dipakai, dan berapa desa yang sudah mengenalnya.
    Show,
    /// Membuat akar baru, misalnya karena kunci yang lama bocor. Akar lama tetap
    /// dipercaya di sampingnya sampai diganti sekali lagi; desa mengenal yang
    /// baru saat menghubungi hub.
    Replace,
}

pub(super) fn run(
    command: &AuthorityCommand,
    data: &Path,
    dataset: &SqliteDataset,
) -> anyhow::Result<()> {
    let identity = identity_folder(data);
    let authority = match command {
        AuthorityCommand::Show => Authority::open(&identity, clock::now_ms()),
        AuthorityCommand::Replace => {
            let known = Authority::open(&identity, clock::now_ms())?;
            let keys = dataset.allowed_keys()?;
            let behind = keys.iter().filter(|key| key.root != Some(known.root_hash())).count();
            anyhow::ensure!(
                behind == 0,
                "{behind} desa belum mengenal akar yang sekarang. Tidak ada yang diubah. Tunggu \
                 sampai mereka menghubungi hub, atau cabut izinnya."
            );
            Authority::replace_root(&identity, clock::now_ms())
        }
    };
    let authority = authority.context("Kunci kabupaten tidak bisa dipakai")?;
    let root = authority.root_hash();
    let keys = dataset.allowed_keys()?;
    let knowing = keys.iter().filter(|key| key.root == Some(root)).count();
    let short: String = root[..8].iter().map(|byte| format!("{byte:02x}")).collect();
    lumbung_telemetry::say!(
        "Akar {short}; {knowing} dari {} desa bersertifikat dari akar ini.",
        keys.len()
    );
    Ok(())
}
