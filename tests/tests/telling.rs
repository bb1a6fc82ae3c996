//! People are told what needs them: once, by real mail and a real call, across
//! refusals and restarts, and again when it is over.

#![allow(clippy::unwrap_used, reason = "a test fails where it panics")]

use std::time::Duration;

use anyhow::Context as _;
use lumbung_demo::ports::free_address;
use lumbung_domain::region::{Desa, roster};
use lumbung_hub::dataset::ContactNote;
use lumbung_telemetry::clock;
use lumbung_tests::certificates::Issuing;
use lumbung_tests::district::{District, wait_until};
use lumbung_tests::receivers::{MailServer, WebServer};

const WITHIN: Duration = Duration::from_secs(60);
const DAY_MS: i64 = 86_400_000;

/// A hub that knows one village, last heard of nine days ago.
fn with_a_silent_village() -> anyhow::Result<(District, &'static Desa)> {
    let mut district = District::new(env!("CARGO_BIN_EXE_lumbung-process"), 0)?;
    let desa = roster().villages().first().context("the roster has villages")?;
    district.hub.add(desa.code, free_address()?)?;
    came(&mut district, desa, clock::now_ms() - 9 * DAY_MS)?;
    Ok((district, desa))
}

fn came(district: &mut District, desa: &Desa, at_ms: i64) -> anyhow::Result<()> {
    let note = ContactNote { at_ms, ..ContactNote::default() };
    Ok(district.hub.dataset()?.note_contacts(&[(desa.code, note)])?)
}

/// Says to the hub whom to tell, without any patience.
fn tell(district: &District, mail: &MailServer, web: &WebServer) -> anyhow::Result<()> {
    let token = district.folder().join("token");
    std::fs::write(&token, "rahasia-uji\n")?;
    let text = format!(
        "konsol = \"https://lumbung.example\"\njeda_awal_menit = 0\ntunggu_menit = 0\n\
         [surel]\nserver = \"127.0.0.1\"\nporta = {}\nkeamanan = \"tanpa\"\n\
         dari = \"Lumbung <lumbung@kab.example>\"\n\
         kepada = [\"satu@kab.example\", \"dua@kab.example\"]\n\
         [webhook]\nurl = \"http://{}/lumbung\"\ntoken_berkas = {token:?}\n\
         [tanda_hidup]\nurl = \"http://{}/hidup\"\nsetiap_menit = 1\n",
        mail.address.port(),
        web.address,
        web.address,
    );
    Ok(std::fs::write(district.hub.dir().join("pemberitahuan.toml"), text)?)
}

fn posts(web: &WebServer) -> Vec<String> {
    web.requests.all().into_iter().filter(|request| request.starts_with("POST ")).collect()
}

/// The calls that tell of this village: the hub may have a need of its own, such
/// as a disk that is nearly full on the machine that tests.
fn posts_of(web: &WebServer, desa: &Desa) -> Vec<String> {
    posts(web).into_iter().filter(|call| call.contains(&desa.code.compact())).collect()
}

/// The letters that tell of this village, folded lines joined.
fn letters_of(mail: &MailServer, desa: &Desa) -> Vec<String> {
    let letters = mail.letters.all().into_iter().map(|letter| letter.replace("\r\n ", " "));
    letters.filter(|letter| letter.contains(desa.name)).collect()
}

/// The silence of a village, among all that a call says has begun.
fn silence(told: &serde_json::Value) -> anyhow::Result<serde_json::Value> {
    let begun = told["begun"].as_array().context("a list")?;
    begun.iter().find(|need| need["code"] == "desa_diam").cloned().context("no silence")
}

fn life_signs(web: &WebServer) -> usize {
    web.requests.all().iter().filter(|request| request.starts_with("GET /hidup ")).count()
}

fn header<'a>(request: &'a str, name: &str) -> Option<&'a str> {
    request.lines().find_map(|line| {
        let (found, value) = line.split_once(':')?;
        found.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

fn document(request: &str) -> anyhow::Result<serde_json::Value> {
    let (_, body) = request.split_once("\r\n\r\n").context("no body")?;
    Ok(serde_json::from_str(body)?)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_village_is_told_of_once_and_so_is_its_return() -> anyhow::Result<()> {
    let (mut district, desa) = with_a_silent_village()?;
    let (mail, web) = (MailServer::start().await?, WebServer::start().await?);
    tell(&district, &mail, &web)?;
    web.answer_with(503);
    district.hub.start().await?;

    wait_until(WITHIN, "a letter", async || Ok(!letters_of(&mail, desa).is_empty())).await?;
    let letter = letters_of(&mail, desa).remove(0);
    for said in ["<satu@kab.example>", "<dua@kab.example>", "perlu tindakan", desa.name] {
        assert!(letter.contains(said), "{said} is missing:\n{letter}");
    }
    assert!(letter.contains("https://lumbung.example/desa/"), "{letter}");

    // The web server refuses at first: the same call comes again, until it is
    // taken.
    wait_until(WITHIN, "a second attempt", async || Ok(posts_of(&web, desa).len() >= 2)).await?;
    web.answer_with(200);
    let refused = posts_of(&web, desa).len();
    wait_until(WITHIN, "a call that is taken", async || Ok(posts_of(&web, desa).len() > refused))
        .await?;
    let calls = posts_of(&web, desa);
    let keys: Vec<_> = calls.iter().map(|call| header(call, "idempotency-key")).collect();
    assert!(keys.iter().all(|key| key.is_some() && *key == keys[0]), "{keys:?}");
    assert_eq!(header(&calls[0], "authorization"), Some("Bearer rahasia-uji"));
    let told = document(&calls[0])?;
    let begun = silence(&told)?;
    assert_eq!(begun["villages"][0], desa.code.compact());

    // The hub knows that it was taken: from then on it is told once.
    wait_until(WITHIN, "no letter waits", async || {
        Ok(district.hub.dataset()?.letters_waiting()? == 0)
    })
    .await?;
    // A power cut: the new process looks again, and tells nothing twice.
    district.hub.kill()?;
    let (signs, calls) = (life_signs(&web), posts_of(&web, desa).len());
    district.hub.start().await?;
    wait_until(WITHIN, "a whole look", async || Ok(life_signs(&web) > signs)).await?;
    assert_eq!((letters_of(&mail, desa).len(), posts_of(&web, desa).len()), (1, calls));

    came(&mut district, desa, clock::now_ms())?;
    wait_until(WITHIN, "its return is told", async || Ok(letters_of(&mail, desa).len() == 2))
        .await?;
    let letter = letters_of(&mail, desa).remove(1);
    assert!(letter.contains("1 masalah selesai"), "{letter}");
    wait_until(
        WITHIN,
        "its return is called",
        async || Ok(posts_of(&web, desa).len() == calls + 1),
    )
    .await?;
    let told = document(posts_of(&web, desa).last().context("a call")?)?;
    let over = told["over"].as_array().context("a list")?;
    assert!(over.iter().any(|need| need["key"] == begun["key"]), "{told}");
    // Neither the log nor the letters' errors hold the secret.
    assert!(!district.hub.said().contains("rahasia-uji"));
    district.hub.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_told_during_maintenance_and_a_test_letter_arrives() -> anyhow::Result<()> {
    let (mut district, desa) = with_a_silent_village()?;
    let (mail, web) = (MailServer::start().await?, WebServer::start().await?);
    tell(&district, &mail, &web)?;
    let hub = &district.hub;
    let code = desa.code.compact();
    let done = hub.run(&["maintenance", "start", &code, "--jam", "1", "--alasan", "uji"])?;
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    district.hub.start().await?;
    wait_until(WITHIN, "a whole look", async || Ok(life_signs(&web) > 0)).await?;
    assert!(letters_of(&mail, desa).is_empty() && posts_of(&web, desa).is_empty());

    let before = (mail.letters.all().len(), posts(&web).len());
    let done = district.hub.run(&["alert", "test"])?;
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    assert_eq!((mail.letters.all().len(), posts(&web).len()), (before.0 + 1, before.1 + 1));

    let done = district.hub.run(&["maintenance", "end", "1"])?;
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    wait_until(WITHIN, "what lasts is told", async || Ok(letters_of(&mail, desa).len() == 1))
        .await?;
    let done = district.hub.run(&["needs"])?;
    let said = String::from_utf8(done.stdout)?;
    assert!(said.contains(" perlu tindakan") && said.contains(desa.name), "{said}");
    district.hub.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn letters_go_only_to_whom_the_machine_trusts() -> anyhow::Result<()> {
    let (mut district, desa) = with_a_silent_village()?;
    let (mail, web) = (MailServer::start().await?, WebServer::start().await?);
    tell(&district, &mail, &web)?;
    let config = district.hub.dir().join("pemberitahuan.toml");
    let text = std::fs::read_to_string(&config)?;
    let text = text.replace("keamanan = \"tanpa\"", "keamanan = \"starttls\"");
    std::fs::write(&config, text.replace("http://", "https://"))?;
    let (trusted, stranger) = (Issuing::new("Kabupaten (uji)")?, Issuing::new("Lain (uji)")?);
    let authorities = district.folder().join("authorities.pem");
    std::fs::write(&authorities, &trusted.pem)?;
    district.hub.trust(&authorities);

    // Neither a stranger's certificate nor one of another name is believed:
    // both letters stay, and the hub says so.
    mail.prove_with(&stranger.serve("127.0.0.1")?)?;
    web.prove_with(&trusted.serve("lain.example")?)?;
    district.hub.start().await?;
    wait_until(WITHIN, "the hub says that it can't deliver", async || {
        let said = district.hub.said();
        let failed = |channel: &str| {
            said.lines().any(|line| line.contains("WCH-1103") && line.contains(channel))
        };
        Ok(failed("surel") && failed("webhook"))
    })
    .await?;
    assert!(district.hub.dataset()?.letters_waiting()? >= 2, "a letter was given up");
    assert!(mail.letters.all().is_empty() && web.requests.all().is_empty());

    mail.prove_with(&trusted.serve("127.0.0.1")?)?;
    web.prove_with(&trusted.serve("127.0.0.1")?)?;
    wait_until(WITHIN, "both letters arrive", async || {
        Ok(!letters_of(&mail, desa).is_empty() && !posts_of(&web, desa).is_empty())
    })
    .await?;
    assert_eq!(header(&posts_of(&web, desa)[0], "authorization"), Some("Bearer rahasia-uji"));
    wait_until(WITHIN, "no letter waits", async || {
        Ok(district.hub.dataset()?.letters_waiting()? == 0)
    })
    .await?;
    assert!(!district.hub.said().contains("rahasia-uji"));
    district.hub.stop().await
}
