//! What a letter says: plain text for e-mail, a JSON document for a webhook.

use std::fmt::Write as _;

use lumbung_domain::region::{KecamatanCode, VillageCode};
use serde_json::json;

use super::config::{Config, EMAIL, WEBHOOK};
use super::decide::Decision;
use crate::dataset::alerts::Letter;
use crate::reason::{Need, Place, Words};

/// Items written out in one e-mail; the others are counted.
const ITEMS_MAX: usize = 20;

/// The letters that tell of a decision: one for each channel that is set up,
/// none when there is nothing to tell.
#[must_use]
pub fn letters(decision: &Decision, config: &Config, now_ms: i64) -> Vec<Letter> {
    if decision.is_silent() {
        return Vec::new();
    }
    let subject = subject(decision);
    let letter = |channel: &'static str| Letter {
        number: 0,
        channel: channel.to_owned(),
        subject: subject.clone(),
        body: if channel == EMAIL { text(decision, config) } else { document(decision, now_ms) },
        made_ms: now_ms,
        attempts: 0,
    };
    debug_assert!(config.channels().all(|channel| [EMAIL, WEBHOOK].contains(&channel)));
    config.channels().map(letter).collect()
}

fn subject(decision: &Decision) -> String {
    let begun = &decision.begun;
    match (begun.as_slice(), decision.over.len()) {
        ([], 1) => "Lumbung: 1 masalah selesai".to_owned(),
        ([], over) => format!("Lumbung: {over} masalah selesai"),
        ([one], 0) => format!("Lumbung perlu tindakan: {}", one.place.name()),
        (many, 0) => format!("Lumbung: {} hal perlu tindakan", many.len()),
        (many, over) => format!("Lumbung: {} perlu tindakan, {over} selesai", many.len()),
    }
}

fn link(config: &Config, place: Place) -> Option<String> {
    let console = config.console.trim_end_matches('/');
    (!console.is_empty()).then(|| match place {
        Place::Village(code) => format!("{console}/desa/{}", code.compact()),
        Place::Hub | Place::Kecamatan(_) => format!("{console}/"),
    })
}

// Writing to a String can't fail.
fn text(decision: &Decision, config: &Config) -> String {
    let mut text = String::new();
    for need in decision.begun.iter().take(ITEMS_MAX) {
        item(&mut text, need, config);
    }
    if let Some(more) = decision.begun.len().checked_sub(ITEMS_MAX).filter(|more| *more > 0) {
        let _ = writeln!(text, "Dan {more} lainnya; lihat konsol.\n");
    }
    if !decision.over.is_empty() {
        let _ = writeln!(text, "Sudah selesai:");
        for (key, since_ms) in &decision.over {
            let _ = writeln!(text, "- {} (sejak {})", named(key), Words::moment(*since_ms));
        }
        text.push('\n');
    }
    text.push_str("Surat ini dikirim sekali; tidak diulang selama keadaannya sama.\n");
    text
}

fn item(text: &mut String, need: &Need, config: &Config) {
    let _ = writeln!(text, "{} ({})", need.place.name(), need.code);
    if need.since_ms > 0 {
        let _ = writeln!(text, "Sejak: {}", Words::moment(need.since_ms));
    }
    let _ = writeln!(text, "{}", need.what.id);
    let _ = writeln!(text, "Yang perlu dilakukan: {}", need.todo.id);
    if let Some(call) = &need.call {
        let _ = writeln!(text, "Hubungi: {}, {}", call.nama, call.telepon);
    }
    if let Some(message) = &need.message {
        let _ = writeln!(text, "Pesan siap kirim: {message}");
    }
    if let Some(link) = link(config, need.place) {
        let _ = writeln!(text, "{link}");
    }
    text.push('\n');
}

/// What a key says, for people: its code and the name of its place.
fn named(key: &str) -> String {
    let Some((code, place)) = key.rsplit_once(':') else { return key.to_owned() };
    let number = place.parse::<u64>().unwrap_or(0);
    let place = VillageCode::from_u64(number)
        .map(Place::Village)
        .or_else(|| KecamatanCode::from_u64(number).map(Place::Kecamatan))
        .unwrap_or(Place::Hub);
    format!("{}: {code}", place.name())
}

fn document(decision: &Decision, now_ms: i64) -> String {
    let begun: Vec<_> = decision
        .begun
        .iter()
        .map(|need| {
            let villages: Vec<_> = need.villages.iter().map(|code| code.compact()).collect();
            let call = need.call.as_ref();
            json!({
                "key": need.key(),
                "code": need.code,
                "place": need.place.code().to_string(),
                "place_name": need.place.name(),
                "since_ms": need.since_ms,
                "what": { "id": need.what.id, "en": need.what.en },
                "todo": { "id": need.todo.id, "en": need.todo.en },
                "message": need.message,
                "call": call.map(|call| json!({ "name": call.nama, "phone": call.telepon })),
                "villages": villages,
            })
        })
        .collect();
    let over: Vec<_> = decision
        .over
        .iter()
        .map(|(key, since_ms)| json!({ "key": key, "since_ms": since_ms, "name": named(key) }))
        .collect();
    json!({ "version": 1, "made_ms": now_ms, "begun": begun, "over": over }).to_string()
}

#[cfg(test)]
mod tests {
    use lumbung_domain::region::roster;

    use super::*;
    use crate::dataset::Narahubung;
    use crate::reason::{Severity, Words};

    fn need(number: usize) -> Need {
        let village = roster().villages()[number].code;
        Need {
            code: "desa_diam",
            severity: Severity::Act,
            place: Place::Village(village),
            since_ms: 1_795_500_000_000,
            what: Words::new("Tidak terdengar.", "Not heard of."),
            todo: Words::new("Hubungi.", "Call."),
            message: Some("Yth. Bapak/Ibu.".to_owned()),
            call: Some(Narahubung { nama: "Sari".to_owned(), telepon: "0812000".to_owned() }),
            villages: vec![village],
        }
    }

    fn config() -> Config {
        Config::parse(
            "konsol = \"https://k.example/\"\n[surel]\nserver = \"m\"\ndari = \"a@m.example\"\n\
             kepada = [\"b@m.example\"]\n[webhook]\nurl = \"http://w.example/\"",
        )
        .unwrap()
    }

    #[test]
    fn each_channel_gets_one_letter_for_all() {
        let decision = Decision {
            begun: (0..25).map(need).collect(),
            over: vec![("kecamatan_diam:350501".to_owned(), 5), ("hub_terputus:0".to_owned(), 6)],
            ..Decision::default()
        };
        let letters = letters(&decision, &config(), 7);
        assert_eq!(letters.len(), 2);
        assert_eq!(letters[0].subject, "Lumbung: 25 perlu tindakan, 2 selesai");
        let text = &letters[0].body;
        assert!(text.contains("Dan 5 lainnya") && text.contains("Hubungi: Sari, 0812000"));
        let village = roster().villages()[0].code.compact();
        assert!(text.contains(&format!("https://k.example/desa/{village}")), "{text}");
        assert!(text.contains("Hub kabupaten: hub_terputus"), "{text}");
        let document: serde_json::Value = serde_json::from_str(&letters[1].body).unwrap();
        assert_eq!(document["begun"].as_array().unwrap().len(), 25);
        assert_eq!(document["begun"][0]["call"]["phone"], "0812000");
        assert_eq!(document["over"][0]["key"], "kecamatan_diam:350501");
    }

    #[test]
    fn nothing_to_tell_is_no_letter_and_one_village_is_named() {
        assert!(letters(&Decision::default(), &config(), 7).is_empty());
        let one = Decision { begun: vec![need(0)], ..Decision::default() };
        let subject = &letters(&one, &config(), 7)[0].subject;
        assert!(subject.ends_with(&Place::Village(roster().villages()[0].code).name()));
    }
}
