//! The layers hold: which crate may name which other, and where the two
//! stores may be named at all.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

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
    ("lumbung-telemetry", &["lumbung-", "sled", "rusqlite", "tonic"]),
    ("lumbung-node", &["lumbung-hub", "lumbung-tests", "rusqlite"]),
    ("lumbung-hub", &["lumbung-node", "lumbung-tests", "sled"]),
];

/// The one crate that may depend on each store.
const STORES: &[(&str, &str)] = &[("sled", "lumbung-node"), ("rusqlite", "lumbung-hub")];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

/// Each crate of the workspace with what it needs to run, by name.
fn edges() -> BTreeMap<String, BTreeSet<String>> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let metadata = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(metadata.status.success(), "{}", String::from_utf8_lossy(&metadata.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&metadata.stdout).unwrap();
    let name = |value: &serde_json::Value| value["name"].as_str().unwrap().to_owned();
    let packages = metadata["packages"].as_array().unwrap();
    let needs = |package: &serde_json::Value| {
        let all = package["dependencies"].as_array().unwrap();
        all.iter().filter(|needed| needed["kind"] != "dev").map(name).collect()
    };
    packages.iter().map(|package| (name(package), needs(package))).collect()
}

#[test]
fn every_crate_keeps_to_its_layer() {
    let edges = edges();
    for (name, never) in NEVER {
        let needs = edges.get(*name).unwrap_or_else(|| panic!("{name} is not in the workspace"));
        for banned in *never {
            let found = needs.iter().find(|needed| {
                *needed == banned || (banned.ends_with('-') && needed.starts_with(banned))
            });
            assert_eq!(found, None, "{name} must not use {banned}");
        }
    }
}

#[test]
fn each_store_belongs_to_one_crate() {
    let edges = edges();
    for (store, owner) in STORES {
        let users: Vec<_> = edges
            .iter()
            .filter(|(_, needs)| needs.contains(*store))
            .map(|(name, _)| name)
            .collect();
        assert_eq!(users, [owner], "{store}");
    }
}

/// Files with Rust code that name `word`, from the root.
fn naming(word: &str) -> Vec<String> {
    fn walk(dir: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    let mut files = Vec::new();
    for part in ["proto", "shared", "node", "hub", "deploy"] {
        walk(&root().join(part), &mut files);
    }
    let code = |line: &str| !line.trim_start().starts_with("//");
    let names = |path: &PathBuf| {
        let text = fs::read_to_string(path).unwrap();
        text.lines().any(|line| code(line) && line.contains(word))
    };
    files.retain(names);
    let shown = |path: PathBuf| path.strip_prefix(root()).unwrap().display().to_string();
    files.into_iter().map(shown).collect()
}

#[test]
fn the_stores_are_named_in_their_own_modules_only() {
    assert_eq!(naming("sled::"), ["node/src/barn/sled_store.rs"]);
    let sqlite = naming("rusqlite");
    assert!(!sqlite.is_empty());
    let stray: Vec<_> =
        sqlite.iter().filter(|path| !path.starts_with("hub/src/dataset/sqlite")).collect();
    assert!(stray.is_empty(), "{stray:?}");
}
