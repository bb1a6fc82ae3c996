//! What a USB stick needs before it is carried: a district to seal to and a
//! node that may speak for its village.

use std::path::{Path, PathBuf};
use std::process::Output;

use anyhow::{Context, ensure};

use crate::district::{District, HubProcess, NodeProcess};
use crate::fictitious::sheet;
use lumbung_demo::ports::free_address;

/// Lets every node join, so that it may speak for its village and seal to the
/// district, and then takes the line away: what the nodes know of the hub's
/// address leads nowhere. The hub does not run afterwards.
///
/// # Errors
/// When a node can't join or a file can't be written.
pub async fn admit(district: &mut District) -> anyhow::Result<()> {
    district.hub.start().await?;
    for node in &district.nodes {
        let address = district.hub.uplink;
        let token = district.hub.token(node.village, address, false)?;
        node.join(&token, address).await?;
        let known = node.dir().join("identity").join("district.toml");
        let text = std::fs::read_to_string(&known)?;
        let nowhere = free_address()?.to_string();
        ensure!(text.contains(&address.to_string()), "the node knows no address");
        std::fs::write(&known, text.replace(&address.to_string(), &nowhere))?;
    }
    district.hub.stop().await
}

/// Imports a sheet of so many families at a node.
///
/// # Errors
/// When the node refuses.
pub async fn fill(district: &District, node: usize, families: usize) -> anyhow::Result<()> {
    let file = district.folder().join(format!("warga-{node}.csv"));
    std::fs::write(&file, sheet(node, families))?;
    let done = district.nodes[node].run(&["import", plain(&file)?]).await?;
    ensure!(done.status.success(), "{}", said(&done));
    Ok(())
}

/// Saves new dusun at a running node, one after another.
///
/// # Errors
/// When the node refuses.
pub async fn save(node: &NodeProcess, names: &[String]) -> anyhow::Result<()> {
    for name in names {
        node.save_dusun(name).await?;
    }
    Ok(())
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
