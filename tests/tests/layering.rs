//! The layers hold: which crate may name which other, and where the two
//! stores may be named at all.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};

/// For each crate, what it must never depend on, directly.
const NEVER: &[(&str, &[&str])] = &[
    ("lumbung-proto", &["lumbung-", "tokio", "sled", "rusqlite"]),
    (
        "lumbung-domain",
        &["lumbung-", "tokio", "tonic", "prost", "sled", "rusqlite", "rand", "getrandom"],
    ),
    (
        "lumbung-ledger",
        &[
            "lumbung-proto",
            "lumbung-wire",
            "lumbung-link",
            "lumbung-node",
            "lumbung-hub",
            "tokio",
            "tonic",
            "prost",
            "sled",
            "rusqlite",
        ],
    ),
    ("lumbung-wire", &["lumbung-link", "lumbung-node", "lumbung-hub", "tokio", "sled", "rusqlite"]),
    (
        "lumbung-link",
        &[
            "lumbung-domain",
            "lumbung-ledger",
            "lumbung-wire",
            "lumbung-node",
            "lumbung-hub",
            "sled",
            "rusqlite",
        ],
    ),
    (
        "lumbung-media",
        &["lumbung-link", "lumbung-node", "lumbung-hub", "tokio", "tonic", "sled", "rusqlite"],
    ),
    ("lumbung-telemetry", &["lumbung-", "sled", "rusqlite", "tonic"]),
    ("lumbung-node", &["lumbung-hub", "lumbung-tests", "rusqlite"]),
    ("lumbung-hub", &["lumbung-node", "lumbung-tests", "sled"]),
];

/// The one crate that may depend on each store.
const STORES: &[(&str, &str)] = &[("sled", "lumbung-node"), ("rusqlite", "lumbung-hub")];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Each crate of the workspace with what it needs to run, by name.
fn edges() -> anyhow::Result<BTreeMap<String, BTreeSet<String>>> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let metadata = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(root())
        .output()?;
    ensure!(metadata.status.success(), "{}", String::from_utf8_lossy(&metadata.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&metadata.stdout)?;
    let mut edges = BTreeMap::new();
    for package in list(&metadata, "packages")? {
        let needs = list(package, "dependencies")?.iter().filter(|needed| needed["kind"] != "dev");
        edges.insert(name(package)?, needs.map(name).collect::<anyhow::Result<_>>()?);
    }
    Ok(edges)
}

fn list<'a>(value: &'a serde_json::Value, key: &str) -> anyhow::Result<&'a [serde_json::Value]> {
    Ok(value[key].as_array().with_context(|| format!("no {key} in the metadata"))?)
}

fn name(value: &serde_json::Value) -> anyhow::Result<String> {
    Ok(value["name"].as_str().context("a package without a name")?.to_owned())
}

#[test]
fn every_crate_keeps_to_its_layer() -> anyhow::Result<()> {
    let edges = edges()?;
    for (name, never) in NEVER {
        let needs = edges.get(*name).unwrap_or_else(|| panic!("{name} is not in the workspace"));
        for banned in *never {
            let found = needs.iter().find(|needed| {
                *needed == banned || (banned.ends_with('-') && needed.starts_with(banned))
            });
            assert_eq!(found, None, "{name} must not use {banned}");
        }
    }
    Ok(())
}

#[test]
fn each_store_belongs_to_one_crate() -> anyhow::Result<()> {
    let edges = edges()?;
    for (store, owner) in STORES {
        let users: Vec<_> = edges
            .iter()
            .filter(|(_, needs)| needs.contains(*store))
            .map(|(name, _)| name)
            .collect();
        assert_eq!(users, [owner], "{store}");
    }
    Ok(())
}

/// Rust files below `dir`.
fn rust_files(dir: &Path, found: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() {
            rust_files(&path, found)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    Ok(())
}

/// Files of the system whose code names `word`, as paths from the root.
fn naming(word: &str) -> anyhow::Result<Vec<String>> {
    let mut files = Vec::new();
    for part in ["proto", "shared", "node", "hub", "deploy"] {
        rust_files(&root().join(part), &mut files)?;
    }
    let mut naming = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file)?;
        let mut code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        if code.any(|line| line.contains(word)) {
            naming.push(file.strip_prefix(root())?.display().to_string());
        }
    }
    Ok(naming)
}

#[test]
fn what_operators_see_comes_from_the_desk_alone() -> anyhow::Result<()> {
    // Rows may be named there, the store they are read from may not: many of
    // its reads know nothing of who asks.
    const STORE: &[&str] = &[
        "rusqlite",
        "sqlite",
        "SqliteDataset",
        "dyn Dataset",
        "dataset::Dataset",
        "Dataset,",
        "impl Dataset",
        "MergeWriter",
        "HubsOwn",
    ];
    for (part, never) in [
        ("hub/src/ctl", &["dataset", "rusqlite", "crate::desk", "crate::serve"][..]),
        ("hub/src/admin", STORE),
        ("hub/src/console", STORE),
    ] {
        for word in never {
            let tests = |path: &String| {
                let of = |face: &str| path.starts_with(&format!("hub/src/{face}/tests"));
                of("console") || of("admin")
            };
            let found = naming(word)?.into_iter().filter(|path| path.starts_with(part));
            let stray: Vec<_> = found.filter(|path| !tests(path)).collect();
            assert!(stray.is_empty(), "{word}: {stray:?}");
        }
    }
    // The desk has it to hand on: to what makes publications, and to what keeps
    // searches ready.
    let holders = naming("HubsOwn")?.into_iter();
    let mut desk: Vec<_> = holders.filter(|path| path.starts_with("hub/src/desk")).collect();
    desk.sort();
    assert_eq!(desk, ["hub/src/desk.rs", "hub/src/desk/ready.rs"]);
    Ok(())
}

#[test]
fn spans_are_made_where_everything_they_say_can_be_read() -> anyhow::Result<()> {
    let mut files = naming("span!(")?;
    files.retain(|path| path.contains("/src/"));
    // The other one names nothing but the id of a caller's trace.
    files.sort();
    assert_eq!(files, ["hub/src/spans.rs", "shared/telemetry/src/calls.rs"]);
    for attribute in ["[instrument", "::instrument("] {
        assert!(naming(attribute)?.is_empty(), "{attribute}");
    }
    Ok(())
}

#[test]
fn the_stores_are_named_in_their_own_modules_only() -> anyhow::Result<()> {
    let sled = ["node/src/barn/sled_store.rs", "node/src/barn/sled_store/raw.rs"];
    assert_eq!(naming("sled::")?, sled);
    let sqlite = naming("rusqlite")?;
    assert!(!sqlite.is_empty());
    let stray: Vec<_> =
        sqlite.iter().filter(|path| !path.starts_with("hub/src/dataset/sqlite")).collect();
    assert!(stray.is_empty(), "{stray:?}");
    Ok(())
}
