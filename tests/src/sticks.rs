//! What a USB stick needs before it is carried: a district to seal to and a
//! node that may speak for its village.

use std::path::{Path, PathBuf};
use std::process::Output;

use anyhow::{Context, ensure};
use lumbung_hub::dataset::sqlite::SqliteDataset;
use lumbung_hub::registry::{Redemption, Registry};
use lumbung_identity::Key;

use crate::district::{HubProcess, NodeProcess};

/// A certificate's end far away, Unix milliseconds.
const FAR_MS: i64 = 4_000_000_000_000;

/// Lets the node speak for its village and seal to the hub's district, as
/// joining does.
///
/// # Errors
/// When a file can't be written or the hub refuses.
pub fn admit(hub: &HubProcess, node: &NodeProcess) -> anyhow::Result<()> {
    let recipient = hub.run(&["backup", "recipient"])?;
    ensure!(recipient.status.success(), "{}", said(&recipient));
    std::fs::write(node.dir().join("district.age"), &recipient.stdout)?;
    let key = Key::load_or_create(&node.dir().join("identity").join("key.pem"))?;
    let registry = SqliteDataset::open(hub.dir().join("hub.db"))?;
    let secret_hash = key.public().0;
    registry.add_token(secret_hash, node.village, false, 0, FAR_MS)?;
    let (village, key) = (node.village, key.public());
    let wish = Redemption { secret_hash, village, key, certified_until_ms: FAR_MS };
    registry.redeem(&wish, 1)?.context("the hub refuses the key")
}

/// Exports a bundle into `folder` and gives its file.
///
/// # Errors
/// When the node refuses.
pub async fn export(node: &NodeProcess, folder: &Path, from: u64) -> anyhow::Result<PathBuf> {
    let before = files(folder)?;
    let mut args = vec!["bundle", "export", "--out", plain(folder)?];
    let from = from.to_string();
    if from != "0" {
        args.extend(["--from", &from]);
    }
    let done = node.run(&args).await?;
    ensure!(done.status.success(), "{}", said(&done));
    let made = files(folder)?.into_iter().find(|path| !before.contains(path));
    made.context("the export left no file")
}

/// Imports bundles at the hub, whether it runs or not.
///
/// # Errors
/// When the command can't be started.
pub fn import(hub: &HubProcess, bundles: &[PathBuf]) -> anyhow::Result<Output> {
    let paths = bundles.iter().map(|path| plain(path)).collect::<anyhow::Result<Vec<_>>>()?;
    hub.run(&[&["bundle", "import"], &paths[..]].concat())
}

/// Everything a command said.
#[must_use]
pub fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[&output.stdout[..], &output.stderr[..]].concat()).into_owned()
}

/// A path as a command's argument.
///
/// # Errors
/// When it is no plain text.
pub fn plain(path: &Path) -> anyhow::Result<&str> {
    path.to_str().context("a temporary folder with a plain name")
}

fn files(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    Ok(std::fs::read_dir(folder)?
        .map(|item| item.map(|item| item.path()))
        .collect::<Result<_, _>>()?)
}
