//! What an operator does at the console reaches the villages: sync now, hold,
//! revoke, let in again.
#![allow(clippy::unwrap_used, reason = "a test says where it failed")]

use std::time::Duration;

use anyhow::Context;
use lumbung_tests::browser::{Browser, form};
use lumbung_tests::district::{District, wait_until};

const BINARY: &str = env!("CARGO_BIN_EXE_lumbung-process");

const WITHIN: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread")]
async fn syncing_now_proves_a_connected_village_anew() -> anyhow::Result<()> {
    let mut district = District::new(BINARY, 1)?;
    district.start().await?;
    district.nodes[0].save_dusun("KRAJAN").await?;
    district.wait_proven(WITHIN).await?;
    let village = district.nodes[0].village;
    let before_ms = district.hub.village(village)?.last_proof_ms;
    let deed = format!("/desa/{village}/tindakan/sinkron");

    let auditor = Browser::sign_in(&district.hub, "pemeriksa", &["--role", "auditor"]).await?;
    assert_eq!(auditor.post(&deed, "").await?.status, 403);
    let who = Browser::sign_in(&district.hub, "siti", &["--role", "kab.operator"]).await?;
    assert!(who.page(&deed).await?.contains("Tidak ada data yang berubah"));
    let answer = who.post(&deed, "").await?;
    assert_eq!(answer.status, 303, "{}", answer.text());
    let page = who.page(answer.header("location").context("where to")?).await?;
    assert!(page.contains("diminta menyatakan isinya"), "{page}");
    wait_until(WITHIN, "the village is proven equal anew", async || {
        Ok(district.hub.village(village)?.last_proof_ms > before_ms)
    })
    .await?;
    let log = auditor.page("/audit").await?;
    assert!(log.contains("Desa diminta sinkron") && log.contains("siti"), "{log}");
    district.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_held_village_is_left_alone_until_it_is_released() -> anyhow::Result<()> {
    let mut district = District::new(BINARY, 2)?;
    district.start().await?;
    for node in &district.nodes {
        node.save_dusun("KRAJAN").await?;
    }
    district.wait_proven(WITHIN).await?;
    let (held, other) = (district.nodes[0].village, district.nodes[1].village);
    let who = Browser::sign_in(&district.hub, "siti", &["--role", "kab.operator"]).await?;
    let (hold, release) =
        (format!("/desa/{held}/tindakan/tahan"), format!("/desa/{held}/tindakan/lepas"));
    let wordless = who.post(&hold, &form(&[("alasan", " "), ("hari", "3")])).await?;
    assert_eq!(wordless.status, 422);
    assert!(wordless.text().contains("Tulis alasannya"), "{}", wordless.text());
    let answer = who.post(&hold, &form(&[("alasan", "kantor pindah"), ("hari", "3")])).await?;
    assert_eq!(answer.status, 303, "{}", answer.text());
    let village = format!("/desa/{held}");
    assert!(who.page(&village).await?.contains("kantor pindah"));
    wait_until(WITHIN, "the hub lets the village be", async || {
        Ok(who.page(&format!("{village}/diagnostik")).await?.contains("Sambungan: ditahan"))
    })
    .await?;

    // It stays so across a restart; the others go on.
    district.hub.kill()?;
    let position = district.hub.village(held)?.position;
    district.hub.start().await?;
    for node in &district.nodes {
        node.save_dusun("SAMBONG").await?;
    }
    let seq = district.nodes[1].seq().await?;
    wait_until(WITHIN, "the other village arrives", async || {
        Ok(district.hub.village(other)?.position.is_some_and(|position| position.seq.0 == seq))
    })
    .await?;
    assert_eq!(district.hub.village(held)?.position, position, "nothing is pulled");

    let answer = who.post(&release, "").await?;
    assert_eq!(answer.status, 303, "{}", answer.text());
    district.wait_proven(WITHIN).await?;
    district.stop().await?;
    district.compare()?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_held_village_that_dials_in_is_asked_to_wait() -> anyhow::Result<()> {
    let mut district = District::joined(BINARY, 1, None).await?;
    district.nodes[0].start().await?;
    district.nodes[0].save_dusun("KRAJAN").await?;
    district.wait_proven(WITHIN).await?;
    let village = district.nodes[0].village;
    let who = Browser::sign_in(&district.hub, "siti", &["--role", "kab.operator"]).await?;
    let hold = form(&[("alasan", "disk diganti"), ("hari", "1")]);
    let answer = who.post(&format!("/desa/{village}/tindakan/tahan"), &hold).await?;
    assert_eq!(answer.status, 303, "{}", answer.text());
    wait_until(WITHIN, "the node is asked to wait", async || {
        Ok(district.nodes[0].status().await?["link"]["connected"] == false)
    })
    .await?;
    let answer = who.post(&format!("/desa/{village}/tindakan/lepas"), "").await?;
    assert_eq!(answer.status, 303, "{}", answer.text());
    // A machine that starts anew does not wait.
    district.nodes[0].stop().await?;
    district.nodes[0].start().await?;
    district.nodes[0].save_dusun("SAMBONG").await?;
    district.wait_proven(WITHIN).await?;
    district.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operators_command_holds_a_joined_village_and_lets_it_go() -> anyhow::Result<()> {
    let mut district = District::joined(BINARY, 2, None).await?;
    for node in &mut district.nodes {
        node.start().await?;
    }
    for node in &district.nodes {
        node.save_dusun("KRAJAN").await?;
    }
    district.wait_proven(WITHIN).await?;
    let (held, other) = (district.nodes[0].village, district.nodes[1].village);
    let code = held.to_string();
    let ctl = |args: &[&str]| -> anyhow::Result<(Option<i32>, String)> {
        let done = district.hub.ctl(args)?;
        let said = [&done.stdout[..], &done.stderr[..]].concat();
        Ok((done.status.code(), String::from_utf8_lossy(&said).into_owned()))
    };
    let (exit, said) = ctl(&["hold", &code, "--reason", "disk diganti", "--days", "2"])?;
    assert_eq!(exit, Some(0), "{said}");
    wait_until(WITHIN, "the node is asked to wait", async || {
        Ok(district.nodes[0].status().await?["link"]["connected"] == false)
    })
    .await?;
    let (_, shown) = ctl(&["describe", "village", &code])?;
    assert!(shown.contains("disk diganti"), "{shown}");
    for node in &district.nodes {
        node.save_dusun("TAMBAK").await?;
    }
    let seq = district.nodes[1].seq().await?;
    wait_until(WITHIN, "the other one goes on", async || {
        Ok(district.hub.village(other)?.proven_seq.0 >= seq)
    })
    .await?;
    let stood = district.hub.village(held)?.position.context("a position")?.seq.0;
    assert!(stood < district.nodes[0].seq().await?, "a held village is not merged");
    let released = district.hub.ctl(&["release", &code])?;
    assert_eq!(released.status.code(), Some(0));
    // A machine that starts anew does not wait.
    district.nodes[0].stop().await?;
    district.nodes[0].start().await?;
    district.wait_proven(WITHIN).await?;
    district.stop().await?;
    district.compare()?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn revoking_at_the_console_cuts_the_machine_off_and_a_token_lets_it_in() -> anyhow::Result<()>
{
    let mut district = District::joined(BINARY, 1, None).await?;
    district.nodes[0].start().await?;
    district.nodes[0].save_dusun("KRAJAN").await?;
    district.wait_proven(WITHIN).await?;
    let village = district.nodes[0].village;
    let name = lumbung_domain::region::roster().village(village).context("listed")?.name;
    let page = format!("/desa/{village}");
    let revoke = format!("{page}/tindakan/cabut");
    let operator = Browser::sign_in(&district.hub, "siti", &["--role", "kab.operator"]).await?;
    let typed = form(&[("nama", name), ("alasan", "komputer dicuri")]);
    assert_eq!(operator.post(&revoke, &typed).await?.status, 403);
    let sync = format!("{page}/tindakan/sinkron");
    assert!(operator.page(&page).await?.contains(&sync));
    let keeper = Browser::sign_in(&district.hub, "bima", &["--role", "kab.keamanan"]).await?;
    let wrong = form(&[("nama", "salah"), ("alasan", "komputer dicuri")]);
    let refused = keeper.post(&revoke, &wrong).await?;
    assert_eq!(refused.status, 422);
    assert!(refused.text().contains("Kunci tidak dicabut"), "{}", refused.text());
    assert_eq!(district.nodes[0].status().await?["link"]["connected"], true);

    assert_eq!(keeper.post(&revoke, &typed).await?.status, 303);
    wait_until(WITHIN, "the node is cut off", async || {
        Ok(district.nodes[0].status().await?["link"]["connected"] == false)
    })
    .await?;
    let turned_away = "Kunci komputer desa dicabut: hub menolaknya.";
    let told = keeper.page(&page).await?;
    assert!(told.contains(turned_away), "{told}");
    assert!(told.contains(&format!("{page}/tindakan/token")), "{told}");
    let told = operator.page(&page).await?;
    assert!(!told.contains(&sync), "nothing can be asked of it: {told}");
    // Lists for scripts and `top` call it wrong too, however fresh it is.
    let listed = district.hub.ctl(&["get", "villages", "-o", "json"])?;
    let listed: serde_json::Value = serde_json::from_slice(&listed.stdout)?;
    assert_eq!(listed["rows"][0]["trouble"], "kunci_dicabut", "{listed}");
    let again = keeper.post(&revoke, &typed).await?;
    assert!(again.status == 422 && again.text().contains("tidak punya komputer"));

    let made = keeper.post(&format!("{page}/tindakan/token"), "").await?;
    assert_eq!(made.status, 200, "{}", made.text());
    assert_eq!(made.header("cache-control"), Some("no-store"));
    let text = made.text();
    assert!(text.contains("<svg"), "a code to scan");
    let token = text.split("<pre class=\"message\">").nth(1).context("a token")?;
    let token = token.split('<').next().context("a token")?.to_owned();
    district.nodes[0].join(&token, district.hub.uplink).await?;
    district.nodes[0].stop().await?;
    district.nodes[0].start().await?;
    district.nodes[0].save_dusun("SAMBONG").await?;
    district.wait_proven(WITHIN).await?;
    assert!(!keeper.page(&page).await?.contains(turned_away), "another has joined");
    let log = keeper.page("/audit").await?;
    assert!(log.contains("Kunci desa dicabut") && log.contains("komputer dicuri"), "{log}");
    assert!(!log.contains(&token), "no secret in the log");
    district.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn diagnostics_ask_the_villages_machine_while_it_is_connected() -> anyhow::Result<()> {
    let mut district = District::joined(BINARY, 1, None).await?;
    district.nodes[0].start().await?;
    district.nodes[0].save_dusun("KRAJAN").await?;
    district.wait_proven(WITHIN).await?;
    let code = district.nodes[0].village.to_string();
    let who = Browser::sign_in(&district.hub, "siti", &["--role", "kab.operator"]).await?;
    let page = who.page(&format!("/desa/{code}/diagnostik")).await?;
    assert!(page.contains("Versi node: ") && page.contains("Disk kosong: "), "{page}");
    assert!(page.contains("Nomor terakhir / dikonfirmasi: 1 / "), "{page}");
    assert!(!page.contains("KRAJAN"), "nothing of the records is told");
    let ctl = || district.hub.ctl(&["describe", "machine", &code, "-o", "json"]);
    let told = ctl()?;
    assert_eq!(told.status.code(), Some(0), "{}", String::from_utf8_lossy(&told.stderr));
    let told = String::from_utf8(told.stdout)?;
    assert!(told.contains("lumbung/diagnosis/1") && told.contains("Penyimpanan dibuka"), "{told}");
    district.nodes[0].stop().await?;
    wait_until(WITHIN, "the hub knows that the line is lost", async || {
        Ok(ctl()?.status.code() == Some(4))
    })
    .await?;
    let page = who.page(&format!("/desa/{code}/diagnostik")).await?;
    assert!(page.contains("tidak sedang tersambung"), "{page}");
    district.hub.stop().await
}
