//! Operators who are far away: mutual TLS, roles and kecamatan, and how soon
//! a blocked account and a revoked certificate count.
#![allow(clippy::unwrap_used, reason = "a test that fails may panic")]

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use anyhow::{Context, ensure};
use lumbung_domain::region::{Desa, roster};
use lumbung_hub::access::{Right, Role};
use lumbung_identity::{Authority, Key, OperatorFile};
use lumbung_telemetry::clock;
use lumbung_tests::district::{District, free_address};

const BINARY: &str = env!("CARGO_BIN_EXE_lumbung-process");

fn code(done: &Output) -> i32 {
    done.status.code().unwrap_or(-1)
}

fn said(done: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr))
}

/// A hub that answers operators from far away, with two villages on its list.
struct Far {
    district: District,
    admin: SocketAddr,
}

impl Far {
    async fn new() -> anyhow::Result<Self> {
        let mut district = District::new(BINARY, 2)?;
        let admin = free_address()?;
        district.hub.arguments = vec!["--admin".to_owned(), admin.to_string()];
        district.hub.start().await?;
        // The first of the other kecamatan is on the list too.
        district.hub.add(foreign().code, free_address()?)?;
        Ok(Self { district, admin })
    }

    fn file(&self, name: &str) -> PathBuf {
        self.district.folder().join(format!("{name}.pem"))
    }

    fn here(&self, args: &[&str]) -> anyhow::Result<()> {
        let done = self.district.hub.ctl(args)?;
        ensure!(code(&done) == 0, "{args:?}: {}", said(&done));
        Ok(())
    }

    /// An operator with a certificate; the account's name.
    fn operator(&self, role: Role) -> anyhow::Result<String> {
        let name = format!("uji.{}", role.name().replace('.', "-"));
        let kecamatan = own().kecamatan.to_string();
        let mut args = vec!["operators", "add", &name, "--role", role.name()];
        match role {
            Role::KecamatanOperator => args.extend(["--kecamatan", &kecamatan]),
            Role::Support => args.extend(["--days", "7"]),
            _ => {}
        }
        self.here(&args)?;
        let file = self.file(&name).display().to_string();
        self.here(&["operators", "certificate", &name, "--out", &file])?;
        Ok(name)
    }

    fn args(&self, name: &str) -> Vec<String> {
        let file = self.file(name).display().to_string();
        vec!["--hub".into(), format!("https://{}", self.admin), "--cert".into(), file]
    }

    /// What becomes of a command of this operator, from far away.
    fn far(&self, name: &str, args: &[&str]) -> anyhow::Result<Output> {
        let before = self.args(name);
        let all: Vec<_> = before.iter().map(String::as_str).chain(args.iter().copied()).collect();
        self.district.hub.operators(&all)
    }
}

fn own() -> &'static Desa {
    &roster().villages()[0]
}

/// A village of another kecamatan.
fn foreign() -> &'static Desa {
    roster().villages().iter().find(|desa| desa.kecamatan != own().kecamatan).unwrap()
}

/// What an export is for.
const PURPOSE: &str = "uji daftar dusun";

#[tokio::test(flavor = "multi_thread")]
async fn each_role_may_what_it_may_and_nothing_else() -> anyhow::Result<()> {
    let far = Far::new().await?;
    let own = own().code.to_string();
    // Each verb with the right it needs, and its end for who may.
    let verbs: &[(&[&str], Right, i32)] = &[
        (&["whoami"], Right::SeeVillages, 0),
        (&["get", "villages"], Right::SeeVillages, 0),
        (&["get", "needs"], Right::SeeVillages, 0),
        (&["get", "sessions"], Right::SeeVillages, 0),
        (&["get", "quarantine"], Right::SeeVillages, 0),
        (&["get", "incidents"], Right::SeeVillages, 0),
        (&["get", "notices"], Right::SeeVillages, 0),
        (&["describe", "village", &own], Right::SeeVillages, 0),
        (&["recap", &own], Right::SeeVillages, 0),
        (&["top"], Right::SeeVillages, 0),
        (&["get", "findings"], Right::SeeRecords, 0),
        (&["query", "dusun"], Right::SeeRecords, 0),
        (&["export", "--kind", "dusun", "--purpose", PURPOSE, "-"], Right::Export, 0),
        (&["sync", "now", &own], Right::Act, 0),
        (&["prove", &own], Right::Act, 0),
        (&["hold", &own, "--reason", "uji"], Right::Act, 0),
        (&["release", &own], Right::Act, 0),
        (&["quarantine", "replay"], Right::Act, 0),
        (&["get", "tokens"], Right::ManageKeys, 0),
        (&["get", "keys"], Right::ManageKeys, 0),
        (&["token", "create", &own, "--address", "10.0.0.1:1"], Right::ManageKeys, 0),
        (&["token", "cancel", "77"], Right::ManageKeys, 3),
        (&["revoke", &own, "--yes"], Right::ManageKeys, 4),
        (&["get", "operators"], Right::ManageOperators, 0),
        (&["operators", "reset", "tidak.ada", "--yes"], Right::ManageOperators, 3),
        (&["operators", "revoke-certificates", "tidak.ada", "--yes"], Right::ManageOperators, 3),
        (&["get", "audit"], Right::Audit, 0),
        (&["audit", "verify"], Right::Audit, 0),
    ];
    for role in Role::ALL {
        let name = far.operator(role)?;
        for (args, right, end) in verbs {
            let done = far.far(&name, args)?;
            let expected = if role.may(*right) { *end } else { 5 };
            assert_eq!(code(&done), expected, "{role} {args:?}: {}", said(&done));
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kecamatan_operator_gets_nothing_of_another_kecamatan() -> anyhow::Result<()> {
    let far = Far::new().await?;
    let name = far.operator(Role::KecamatanOperator)?;
    let (code_of, kecamatan) = (foreign().code.to_string(), foreign().kecamatan.to_string());
    for args in [
        &["get", "villages", "--village", &code_of][..],
        &["get", "needs", "--village", &code_of],
        &["get", "findings", "--village", &code_of],
        &["get", "quarantine", "--village", &code_of],
        &["get", "incidents", "--village", &code_of],
        &["incidents", &code_of],
        &["describe", "village", &code_of],
        &["recap", &code_of],
        &["recap", &kecamatan],
        &["recap", "3505"],
        &["query", "dusun", "--village", &code_of],
        &["export", "--kind", "dusun", "--purpose", PURPOSE, "--village", &code_of, "-"],
        &["export", "--kind", "dusun", "--purpose", PURPOSE, "--kecamatan", &kecamatan, "-"],
        &["sync", "now", &code_of],
        &["prove", &code_of],
        &["hold", &code_of, "--reason", "uji"],
        &["release", &code_of],
        &["wait", &code_of, "--timeout", "1"],
        &["revoke", &code_of, "--yes"],
        &["token", "create", &code_of],
    ] {
        let done = far.far(&name, args)?;
        assert_eq!(code(&done), 3, "{args:?}: {}", said(&done));
        assert!(!said(&done).contains(foreign().name), "{args:?}: {}", said(&done));
    }
    let listed = far.far(&name, &["get", "villages", "-o", "json"])?;
    let listed: serde_json::Value = serde_json::from_slice(&listed.stdout)?;
    let rows = listed["rows"].as_array().context("rows")?;
    assert_eq!(rows.len(), roster().villages_of(own().kecamatan).count());
    assert!(rows.iter().all(|row| row["kecamatan"] == rows[0]["kecamatan"]));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn blocked_and_revoked_count_at_once_on_open_lines_too() -> anyhow::Result<()> {
    let far = Far::new().await?;
    let (kept, blocked) = (far.operator(Role::Head)?, far.operator(Role::KabupatenOperator)?);
    let never = roster().villages()[1].code.to_string();
    let waiting = |name: &str| {
        let child = Command::new(BINARY)
            .arg("hubctl")
            .args(far.args(name))
            .args(["wait", &never, "--timeout", "60"])
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn();
        anyhow::Ok(child?)
    };
    let mut open = waiting(&blocked)?;
    let mut words = BufReader::new(open.stderr.take().context("piped")?).lines();
    assert_eq!(words.next().context("it waits")??, "Menunggu 1 desa.");
    far.here(&["operators", "change", &blocked, "--block"])?;
    assert_eq!(code(&far.far(&blocked, &["whoami"])?), 5);
    assert_eq!(open.wait()?.code(), Some(5));
    drop(words);
    far.here(&["operators", "change", &blocked, "--open"])?;
    assert_eq!(code(&far.far(&blocked, &["whoami"])?), 0);
    far.here(&["operators", "revoke-certificates", &blocked, "--yes"])?;
    assert_eq!(code(&far.far(&blocked, &["whoami"])?), 5);
    assert_eq!(code(&far.far(&kept, &["whoami"])?), 0);

    // Without a certificate, with a village's, with another district's, and
    // with one that the list of keys does not know.
    let https = format!("https://{}", far.admin);
    assert_eq!(code(&far.district.hub.operators(&["--hub", &https, "whoami"])?), 2);
    let identity = far.district.hub.dir().join("identity");
    let (now_ms, day) = (clock::now_ms(), std::time::Duration::from_secs(86_400));
    let district = Authority::open(&identity, now_ms)?;
    let other = Authority::open(&far.district.folder().join("lain"), now_ms)?;
    let roots = district.anchors().to_vec();
    for (name, key, certificate) in [
        ("desa", Key::generate()?, None),
        ("lain", Key::generate()?, Some(&other)),
        ("baru", Key::generate()?, Some(&district)),
    ] {
        let public = key.public();
        let certificate = match certificate {
            None => district.issue_node(own().code, &public, now_ms, day)?,
            Some(authority) => authority.issue_operator(&kept, &public, now_ms, day)?,
        };
        OperatorFile { key, certificate, roots: roots.clone() }.save(&far.file(name))?;
        let done = far.far(name, &["get", "villages"])?;
        assert!(matches!(code(&done), 5 | 8), "{name}: {}", said(&done));
        assert!(done.stdout.is_empty(), "{name}");
    }
    Ok(())
}
