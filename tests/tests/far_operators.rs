//! Operators who are far away: mutual TLS, roles and kecamatan, and how soon
//! a blocked account and a revoked certificate count.
#![allow(clippy::unwrap_used, reason = "a test that fails may panic")]

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use anyhow::{Context, ensure};
use lumbung_demo::ports::free_address;
use lumbung_domain::region::{Desa, roster};
use lumbung_hub::access::{Right, Role};
use lumbung_identity::{Authority, Key, OperatorFile};
use lumbung_telemetry::clock;
use lumbung_tests::district::{District, HubProcess};

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

/// Why somebody's data would be opened.
const REASON: &str = "uji coba peran operator";

/// A record that no village has.
const NOBODY: &str = "00000000-0000-0000-0000-000000000001";

/// Verbs that need no hub, or wait for one.
const OTHER_VERBS: [&str; 2] = ["completion", "wait"];

/// Every verb that can be typed, from the commands' own help.
fn verbs(of: &mut Vec<String>, hub: &HubProcess) -> anyhow::Result<Vec<String>> {
    let args: Vec<_> = of.iter().map(String::as_str).chain(["--help"]).collect();
    let help = String::from_utf8(hub.operators(&args)?.stdout)?;
    let Some((_, below)) = help.split_once("Commands:\n") else { return Ok(vec![of.join(" ")]) };
    let below: Vec<_> = below
        .lines()
        .take_while(|line| !line.is_empty())
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    ensure!(!below.is_empty(), "no commands: {help}");
    let mut found = Vec::new();
    for verb in below {
        of.push(verb.to_owned());
        found.extend(verbs(of, hub)?);
        of.pop();
    }
    Ok(found)
}

#[tokio::test(flavor = "multi_thread")]
async fn each_role_may_what_it_may_and_nothing_else() -> anyhow::Result<()> {
    let far = Far::new().await?;
    let own = own().code.to_string();
    let (nobody, file) = (format!("{own}/{NOBODY}"), far.file("dirinya").display().to_string());
    // Each verb with the right it needs, and its end for who may.
    let see = Right::SeeVillages;
    let tried: &[(&[&str], Right, i32)] = &[
        (&["whoami"], see, 0),
        (&["get", "villages"], see, 0),
        (&["get", "needs"], see, 0),
        (&["get", "sessions"], see, 0),
        (&["get", "quarantine"], see, 0),
        (&["get", "incidents"], see, 0),
        (&["get", "notices"], see, 0),
        (&["get", "versions"], see, 0),
        (&["get", "quality"], see, 0),
        (&["get", "freshness"], see, 0),
        (&["get", "maintenance"], see, 0),
        (&["incidents"], see, 0),
        (&["describe", "village", &own], see, 0),
        (&["describe", "notice", "77"], see, 3),
        (&["recap", &own], see, 0),
        (&["recap", &own, "--public"], see, 4),
        (&["get", "publications"], see, 0),
        (&["recap", &own, "--edisi", "3buta"], see, 0),
        (&["recap", &own, "--out", "-"], see, 0),
        (&["top"], see, 0),
        (&["get", "findings"], Right::SeeRecords, 0),
        (&["describe", "finding", "77"], Right::SeeRecords, 3),
        (&["query", "dusun"], Right::SeeRecords, 0),
        (&["get", "warga", "--name", "contoh"], Right::SeeRecords, 0),
        (&["get", "keluarga"], Right::SeeRecords, 0),
        (&["get", "rumah-tangga", "--with", "jamban"], Right::SeeRecords, 0),
        (&["get", "rt"], Right::SeeRecords, 0),
        (&["get", "dasawisma"], Right::SeeRecords, 0),
        (&["describe", "warga", &nobody], Right::SeeRecords, 3),
        (&["describe", "rumah-tangga", &nobody], Right::SeeRecords, 3),
        (&["find-nik"], Right::Reveal, 4),
        (&["reveal", &nobody, "--reason", REASON], Right::Reveal, 3),
        (&["export", "--kind", "dusun", "--purpose", PURPOSE, "-"], Right::Export, 0),
        (&["sync", "now", &own], Right::Act, 0),
        (&["prove", &own], Right::Act, 0),
        (&["hold", &own, "--reason", "uji"], Right::Act, 0),
        (&["release", &own], Right::Act, 0),
        (&["quarantine", "replay"], Right::Act, 0),
        (&["quarantine", "return", "77"], Right::Act, 3),
        (&["describe", "machine", &own], Right::Act, 4),
        (&["contact", "set", &own, "--name", "Uji", "--telephone", "0812"], Right::Act, 0),
        (&["contact", "clear", &own], Right::Act, 0),
        (&["remark", "set", &own, "uji"], Right::Act, 0),
        (&["remark", "clear", &own], Right::Act, 0),
        (&["budget", &own, "0"], Right::Act, 0),
        (&["maintenance", "start", &own, "--hours", "1"], Right::Act, 0),
        (&["maintenance", "end", "77"], Right::Act, 3),
        (&["notice", "write", "--title", "Uji", "--text", "Uji", "--to", &own], Right::Inform, 0),
        (&["notice", "correct", "77", "--title", "Uji"], Right::Inform, 3),
        (&["notice", "withdraw", "77", "--yes"], Right::Inform, 3),
        (&["get", "tokens"], Right::ManageKeys, 0),
        (&["get", "keys"], Right::ManageKeys, 0),
        (&["token", "create", &own, "--address", "10.0.0.1:1"], Right::ManageKeys, 0),
        (&["token", "cancel", "77"], Right::ManageKeys, 3),
        (&["revoke", &own, "--yes"], Right::ManageKeys, 4),
        (&["machine", "one-left", &own, "--yes"], Right::ManageKeys, 4),
        (&["machine", "release-damaged", &own, "--yes"], Right::ManageKeys, 4),
        (&["leftovers", "return", &own], Right::ManageKeys, 4),
        (&["leftovers", "end", &own, "--yes"], Right::ManageKeys, 4),
        (&["get", "operators"], Right::ManageOperators, 0),
        (&["operators", "add", "Bukan nama"], Right::ManageOperators, 2),
        (&["operators", "change", "tidak.ada"], Right::ManageOperators, 3),
        (&["operators", "certificate", "tidak.ada", "--out", &file], Right::ManageOperators, 3),
        (&["operators", "reset", "tidak.ada", "--yes"], Right::ManageOperators, 3),
        (&["operators", "revoke-certificates", "tidak.ada", "--yes"], Right::ManageOperators, 3),
        (&["get", "audit"], Right::Audit, 0),
        (&["audit", "verify"], Right::Audit, 0),
    ];
    // The same for those that take more than a right.
    let asking: &[&str] = &["ask", "finding", "77", "--message", "uji"];
    let testing: &[&str] = &["alert", "test"];
    let publishing: &[&str] = &["publish", "2026-02-03", "--yes"];
    let verbs = verbs(&mut Vec::new(), &far.district.hub)?;
    assert!(verbs.len() > 60, "the help is read otherwise now: {verbs:?}");
    for verb in verbs {
        let all = tried.iter().map(|(args, ..)| *args).chain([asking, testing, publishing]);
        let is_tried = all.map(|args| args.join(" ")).any(|args| args.starts_with(&verb));
        assert!(is_tried || OTHER_VERBS.contains(&verb.as_str()), "nobody tries {verb}");
    }
    for role in Role::ALL {
        let name = far.operator(role)?;
        let asks = role.may(Right::Act) && role.may(Right::SeeRecords);
        // Of the whole district: for others it is not there.
        let whole = |right| match role.may(right) {
            true if role.is_of_kecamatan() => 3,
            true => 4,
            false => 5,
        };
        let (tests, publishes) = (whole(Right::Act), whole(Right::Export));
        let expected = tried.iter().map(|(args, right, end)| {
            let expected = if role.may(*right) { *end } else { 5 };
            (*args, expected)
        });
        let asked = if asks { 3 } else { 5 };
        let more = [(asking, asked), (testing, tests), (publishing, publishes)];
        for (args, expected) in expected.chain(more) {
            let done = far.far(&name, args)?;
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
    let nobody = format!("{code_of}/{NOBODY}");
    far.here(&["notice", "write", "--title", "Uji", "--text", "Uji", "--to", &code_of])?;
    far.here(&["maintenance", "start", &code_of, "--hours", "1"])?;
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
        &["get", "quality", "--region", &code_of],
        &["get", "quality", "--region", "3505"],
        &["get", "freshness", "--region", &code_of],
        &["get", "warga", "--village", &code_of],
        &["get", "warga", "--region", &kecamatan],
        &["get", "keluarga", "--village", &code_of],
        &["get", "rumah-tangga", "--village", &code_of],
        &["get", "rt", "--village", &code_of],
        &["get", "dasawisma", "--village", &code_of],
        &["describe", "warga", &nobody],
        &["describe", "rumah-tangga", &nobody],
        &["reveal", &nobody, "--reason", REASON],
        &["describe", "machine", &code_of],
        &["describe", "notice", "1"],
        &["recap", &code_of, "--public"],
        &["recap", &code_of, "--out", "-"],
        &["contact", "set", &code_of, "--name", "Uji", "--telephone", "0812"],
        &["contact", "clear", &code_of],
        &["remark", "set", &code_of, "uji"],
        &["remark", "clear", &code_of],
        &["budget", &code_of, "1"],
        &["machine", "one-left", &code_of, "--yes"],
        &["machine", "release-damaged", &code_of, "--yes"],
        &["leftovers", "return", &code_of],
        &["leftovers", "end", &code_of, "--yes"],
        &["notice", "write", "--title", "Uji", "--text", "Uji", "--to", &code_of],
        &["notice", "write", "--title", "Uji", "--text", "Uji", "--to", "3505", "--dry-run"],
        &["notice", "correct", "1", "--title", "Lain"],
        &["notice", "withdraw", "1", "--yes"],
        &["maintenance", "start", &code_of, "--hours", "1"],
        &["maintenance", "start", "3505", "--hours", "1"],
        &["maintenance", "end", "1"],
        &["alert", "test"],
    ] {
        let done = far.far(&name, args)?;
        assert_eq!(code(&done), 3, "{args:?}: {}", said(&done));
        assert!(!said(&done).contains(foreign().name), "{args:?}: {}", said(&done));
    }
    // Lists of all leave out what is of others only.
    for list in ["notices", "maintenance"] {
        let listed = far.far(&name, &["get", list, "-o", "json"])?;
        let listed: serde_json::Value = serde_json::from_slice(&listed.stdout)?;
        assert_eq!(listed["rows"], serde_json::json!([]), "{list}");
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
