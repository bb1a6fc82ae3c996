//! Both languages, on every page: nothing of one stands on a page of the
//! other, except where the page says that it is of the other language.

use std::collections::HashSet;
use std::path::Path;

use super::super::language::Language;
use super::*;
use crate::dataset::{ContactNote, Scope};
use crate::dataset::{Dataset as _, DeepProof, IncidentKind, NewIncident};
use crate::puller::trouble::Trouble as VillageTrouble;
use crate::recap::tests::troubled_district;

/// Words that are of one language and not of the other.
const INDONESIAN: [&str; 18] = [
    "yang", "dengan", "belum", "tidak", "dan", "untuk", "dari", "sudah", "bila", "atau", "ini",
    "di", "ke", "oleh", "lalu", "semua", "sejak", "catatan",
];
const ENGLISH: [&str; 16] = [
    "the", "with", "not", "is", "are", "of", "and", "for", "from", "by", "this", "was", "has",
    "nothing", "village", "since",
];

/// Pages that have no text, or that another page already stands for.
const WITHOUT_TEXT: [&str; 7] = [
    "/events",
    "/style.css",
    "/live.js",
    "/session.js",
    "/icon.svg",
    "/cari/syarat",
    "/rekap/{file}",
];

/// What a reader reads, or hears, of a page in its own language.
fn read(page: &str) -> String {
    let (_, body) = page.split_once("\r\n\r\n").unwrap();
    let start = body.find("<html").unwrap();
    let mut text = String::new();
    // Open elements, and whether each is of another language.
    let mut open: Vec<(String, bool)> = Vec::new();
    let own = attribute(&body[start..], "lang").unwrap();
    let mut rest = &body[start..];
    while let Some(at) = rest.find('<') {
        let foreign = open.last().is_some_and(|it| it.1);
        if !foreign {
            text.push_str(&rest[..at]);
            text.push(' ');
        }
        rest = &rest[at..];
        let end = rest.find('>').unwrap();
        let tag = &rest[..=end];
        rest = &rest[end + 1..];
        let name: String =
            tag[1..].chars().take_while(|it| it.is_ascii_alphanumeric() || *it == '/').collect();
        if let Some(closed) = name.strip_prefix('/') {
            let (opened, _) = open.pop().unwrap();
            assert_eq!(opened, closed, "{tag} closes {opened}");
            continue;
        }
        let foreign = match attribute(tag, "lang") {
            Some(lang) => lang != own,
            None => foreign,
        };
        if !foreign {
            for attribute in ["aria-label", "title", "placeholder"].map(|it| attribute(tag, it)) {
                text.push_str(attribute.unwrap_or_default());
                text.push(' ');
            }
        }
        let void = ["meta", "link", "input", "br", "hr", "img"].contains(&name.as_str());
        if !void && !tag.ends_with("/>") {
            open.push((name, foreign));
        }
    }
    text
}

fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let tag = &tag[..=tag.find('>')?];
    let (_, value) = tag.split_once(&format!(" {name}=\""))?;
    Some(&value[..value.find('"')?])
}

/// Whether any of these words stands in a text, written small.
fn strays(text: &str, words: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    let all: Vec<_> = text.split_whitespace().collect();
    for (at, word) in all.iter().enumerate() {
        let plain = word.trim_matches(|it: char| !it.is_alphanumeric());
        if words.contains(&plain) {
            found.push(all[at.saturating_sub(3)..(at + 4).min(all.len())].join(" "));
        }
    }
    found
}

/// Names of months that only one of the languages writes so.
const MONTHS: [(&str, &str); 12] = [
    ("Mei", "May"),
    ("Agu", "Aug"),
    ("Okt", "Oct"),
    ("Des", "Dec"),
    ("Januari", "January"),
    ("Februari", "February"),
    ("Maret", "March"),
    ("Juni", "June"),
    ("Juli", "July"),
    ("Agustus", "August"),
    ("Oktober", "October"),
    ("Desember", "December"),
];

/// Numbers, times and months in a text that are not written as `language`
/// writes them. Codes of villages, versions and addresses are the same in
/// both; a day like 2026-11-24 is of neither.
fn odd_figures(text: &str, language: Language) -> Vec<String> {
    let [group, decimal, hour] = language.say([',', '.', ':'], ['.', ',', '.']);
    let odd = |word: &str| {
        let split = |by: char| {
            let parts: Vec<&str> = word.split(by).collect();
            let digits = |part: &&str| part.bytes().all(|it| it.is_ascii_digit());
            let fits = parts.iter().all(digits) && !parts[0].is_empty();
            if fits { parts } else { Vec::new() }
        };
        let grouped = match &split(group)[..] {
            [first, rest @ ..] => {
                first.len() <= 3
                    && (1..=2).contains(&rest.len())
                    && rest.iter().all(|it| it.len() == 3)
            }
            [] => false,
        };
        let time = match &split(hour)[..] {
            [hours, minutes] => {
                let below = |text: &str, end: u32| {
                    text.len() == 2 && text.parse::<u32>().is_ok_and(|it| it < end)
                };
                below(hours, 24) && below(minutes, 60)
            }
            _ => false,
        };
        let iso = match &split('-')[..] {
            [year, month, day] => (year.len(), month.len(), day.len()) == (4, 2, 2),
            _ => false,
        };
        let part = matches!(&split(decimal)[..], [_, tenths] if tenths.len() == 1);
        let month = MONTHS.iter().any(|(id, en)| word == language.say(*en, *id));
        grouped || time || iso || part || month
    };
    let trimmed = |word: &'_ str| word.trim_matches(|it: char| !it.is_alphanumeric()).to_owned();
    text.split(|it: char| it.is_whitespace() || "()–+".contains(it))
        .map(trimmed)
        .filter(|word| odd(word))
        .collect()
}

#[test]
fn figures_of_the_other_language_are_found() {
    let indonesian = "Ada 1.263.480 warga (97,3%), 1.200. 23 Okt 14.02; sejak 17 Agustus 09.30!";
    let english = "There are 1,263,480 people (97.3%), 1,200. 23 Oct 14:02; from 17 August 09:30!";
    let both = "35.05.01.2001, 35.05.02, 0.1.0, v1.2.30, 127.0.0.1:8700, 12, 14. Jan, \
                7-13, 3505012001, /rekap/1.200.csv";
    for (language, own, other) in
        [(Language::Indonesian, indonesian, english), (Language::English, english, indonesian)]
    {
        assert_eq!(odd_figures(own, language), Vec::<String>::new());
        assert_eq!(odd_figures(other, language).len(), 7, "{:?}", odd_figures(other, language));
        assert_eq!(odd_figures(both, language), Vec::<String>::new());
        assert_eq!(odd_figures("Sejak 2026-11-24 14.05.09", language), ["2026-11-24"]);
    }
}

/// A console over a district with one of everything that pages tell of.
async fn troubled() -> Console {
    let (folder, dataset) = troubled_district();
    let village = VillageCode::from_u64(3_505_012_001).unwrap();
    let other = VillageCode::from_u64(3_505_012_002).unwrap();
    for kind in IncidentKind::all() {
        let words = Words::new("Ada kejadian.", "Something happened.");
        dataset.note_incident(village, &NewIncident::new(kind, words), clock::now_ms()).unwrap();
    }
    // Months whose names differ.
    for day in ["2025-05-02", "2025-08-17", "2025-10-28", "2025-12-31"] {
        let noon: jiff::Timestamp = format!("{day}T12:00:00+07:00").parse().unwrap();
        let words = Words::new("Ada kejadian.", "Something happened.");
        let incident = NewIncident::new(IncidentKind::all().next().unwrap(), words);
        dataset.note_incident(village, &incident, noon.as_millisecond()).unwrap();
    }
    let words = Words::new("Semua sama.", "All equal.");
    let deep_proof = Some(DeepProof { equal: true, words });
    let note = ContactNote { at_ms: clock::now_ms(), deep_proof, ..ContactNote::default() };
    let trouble = Some(VillageTrouble::Twin.code().to_owned());
    let troubled = ContactNote { at_ms: 1, trouble, ..ContactNote::default() };
    dataset.note_contacts(&[(village, note), (other, troubled)]).unwrap();
    assert_eq!(dataset.findings(&Scope::whole(), true, 9).unwrap().len(), 1);
    console_over(folder, Arc::new(dataset)).await
}

/// Paths under which something can be read, as the sources write them.
fn readable() -> HashSet<String> {
    let mut files = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src/console.rs")];
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src/console")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true if path.ends_with("tests") => {}
                true => folders.push(path),
                false => files.push(path),
            }
        }
    }
    let mut paths = HashSet::new();
    for file in files {
        let text = std::fs::read_to_string(file).unwrap_or_default();
        for route in text.split(".route(\"").skip(1) {
            let (path, rest) = route.split_once('"').unwrap();
            let rest = rest.split(".route(").next().unwrap_or_default();
            if rest.split('\n').next().unwrap_or_default().contains("get(") {
                paths.insert(path.to_owned());
            }
        }
    }
    paths
}

/// Whether a route leads to a path.
fn leads(route: &str, path: &str) -> bool {
    let (route, path): (Vec<_>, Vec<_>) = (
        route.split('/').collect(),
        path.split('?').next().unwrap_or_default().split('/').collect(),
    );
    let same = |(route, path): (&&str, &&str)| route.starts_with('{') || route == path;
    route.len() == path.len() && route.iter().zip(&path).all(same)
}

/// A path for every page, after something was written for each to show.
async fn pages(console: &Console) -> Vec<String> {
    let post = |path: &'static str, form: &'static str| {
        console.post_as(&console.head, path, form, "http://hub")
    };
    let written =
        post("/informasi", "judul=Posyandu+Melati&isi=Rabu+pagi&kategori=1&semua=ya&kirim=ya")
            .await;
    let notice = written.split("/informasi/").nth(1).unwrap().split("\r\n").next().unwrap();
    post("/desa/35.05.01.2001/tindakan/narahubung", "nama=Siti&telepon=081234567890").await;
    post("/desa/35.05.01.2001/tindakan/kuota", "kb=12500").await;
    let day = crate::recap::closed_period(clock::today());
    let form = format!("tanggal={day}");
    console.post_as(&console.head, "/terbitan", &form, "http://hub").await;
    post("/desa/35.05.01.2001/tindakan/catatan", "catatan=Yang+belum+dan+tidak").await;
    post("/desa/35.05.02.2001/tindakan/tahan", "alasan=Pindah+gedung&hari=3").await;
    let asked = post("/cari", "apa=warga&nama=tidak").await;
    let ticket = asked.split("location: ").nth(1).unwrap().split("\r\n").next().unwrap();
    let findings = console.get("/temuan").await;
    let finding = findings.split("href=\"/temuan/").nth(1).unwrap().split('"').next().unwrap();
    let person = format!("/warga/35.05.01.2001/{}", crate::recap::tests::loose());
    let house = format!("/rumah/35.05.01.2001/{}", crate::recap::tests::house(0));
    let mut pages: Vec<String> = [
        "/",
        "/?kelas=hilang",
        "/desa",
        "/peta",
        "/desa/35.05.01.2001",
        "/desa/35.05.01.2002",
        "/desa/35.05.02.2001",
        "/desa/35.05.03.2001",
        "/desa/35.05.01.2001?kabar=ditahan",
        "/desa/35.05.01.2001/diagnostik",
        "/masuk",
        "/masuk?habis=1",
        "/akun",
        "/akun?selesai=sandi",
        "/akun/kode",
        "/operator",
        "/operator/kepala",
        "/audit",
        "/temuan",
        "/karantina",
        "/karantina?hasil=tetap",
        "/perlu",
        "/informasi",
        "/informasi/tulis",
        "/cari",
        "/rekap",
        "/rekap?wilayah=35.05.01.2001&umum=1",
        "/rekap?wilayah=35.05.01.2001&umum=1&tanggal=2020-01-01",
        "/terbitan",
        "/rekap/cetak?wilayah=35.05.01",
        "/gambaran",
        "/versi",
        "/temuan?desa=35.05.01.2001&status=semua",
        "/karantina?desa=35.05.01.2002",
        "/mutu",
        "/mutu?wilayah=35.05.01.2001",
        "/ekspor",
        // What is not there, or can't be read.
        "/lain",
        "/temuan/999",
        "/temuan/x",
        "/rekap?wilayah=35.06.01",
        "/rekap?tanggal=kemarin",
        "/rekap/lain.csv",
        "/desa/35.05.01.2999",
    ]
    .map(str::to_owned)
    .into();
    for deed in acts::Deed::ALL {
        pages.push(format!("/desa/35.05.01.2001/tindakan/{}", deed.code()));
    }
    pages.extend([
        format!("/informasi/{notice}"),
        format!("/informasi/{notice}/tarik"),
        format!("/informasi/{notice}/perbaiki"),
        format!("/temuan/{finding}"),
        ticket.to_owned(),
        person,
        house,
    ]);
    pages
}

/// Forms that are refused, each for a reason of its own.
const REFUSED: &[(&str, &str)] = &[
    ("/desa/35.05.01.2001/tindakan/tahan", "alasan=&hari=1"),
    ("/desa/35.05.01.2001/tindakan/tahan", "alasan=uji&hari=0"),
    ("/desa/35.05.01.2001/tindakan/tahan", "alasan=uji&hari=tiga"),
    ("/desa/35.05.01.2001/tindakan/tahan", "alasan=3505904101900001&hari=1"),
    ("/desa/35.05.01.2001/tindakan/lepas", ""),
    ("/desa/35.05.01.2001/tindakan/kuota", "kb=banyak"),
    ("/desa/35.05.01.2001/tindakan/kuota", "kb=99999999"),
    ("/desa/35.05.01.2001/tindakan/narahubung", "nama=A&telepon="),
    ("/desa/35.05.01.2001/tindakan/narahubung", "nama=A&telepon=abc"),
    ("/desa/35.05.01.2001/tindakan/catatan", "catatan=3505904101900001"),
    ("/desa/35.05.01.2001/tindakan/token", ""),
    ("/desa/35.05.01.2001/tindakan/cabut", "nama=Bukan&alasan=uji"),
    ("/desa/35.05.01.2001/tindakan/cabut", "nama=Jaten&alasan=uji"),
    ("/desa/35.05.01.2001/tindakan/kembar", ""),
    ("/desa/35.05.01.2001/tindakan/sisa", "putusan=akhiri"),
    ("/desa/35.05.01.2001/tindakan/sisa", "putusan="),
    ("/desa/35.05.01.2001/tindakan/berkas-rusak", ""),
    ("/informasi", "judul=&isi=&kategori=1&semua=ya"),
    ("/informasi", "judul=A&isi=NIK+3505904101900001&kategori=1&semua=ya"),
    ("/informasi", "judul=A&isi=B&kategori=1"),
    ("/informasi", "judul=A&isi=B&kategori=1&semua=ya&sampai=kapan"),
    ("/operator", "nama=X&peran=auditor"),
    ("/operator", "nama=budi&peran=kec.operator"),
    ("/operator", "nama=budi&peran=dukungan"),
    ("/operator", "nama=budi&peran=raja"),
    ("/operator", "nama=kepala&peran=auditor"),
    ("/operator/kepala", "peran=auditor"),
    ("/operator/bukan", "peran=auditor"),
    ("/akun/sandi", "lama=salah&baru=sapi+biru+di+sawah"),
    ("/akun/sandi", "lama=sapi+merah+di+sawah&baru=pendek"),
    ("/akun/sandi", ""),
    ("/cari", "apa=warga&umur_dari=9&umur_sampai=1"),
    ("/cari", "apa=warga&umur_dari=x"),
    ("/cari", "apa=warga&tanggal=x"),
    ("/cari/nik", "nik=12"),
    ("/ekspor", "jenis=warga&wilayah=35.05.01.2001&bentuk=csv&tujuan=x&sampai=2020-01-01"),
    ("/ekspor", "jenis=bukan"),
    ("/masuk", "nama=kepala&sandi=salah"),
    ("/masuk", "nama=kepala"),
    ("/audit", ""),
];

#[tokio::test]
async fn every_page_speaks_the_language_that_was_chosen() {
    let console = troubled().await;
    let pages = pages(&console).await;
    for route in readable() {
        let walked = pages.iter().any(|path| leads(&route, path));
        let known = WITHOUT_TEXT.contains(&route.as_str()) || route == "/awal";
        assert!(walked || known, "{route} is not walked");
    }
    let english = format!("{}; bahasa=en", console.head);
    let mut wrong = Vec::new();
    for (session, language) in
        [(&english, Language::English), (&console.head, Language::Indonesian)]
    {
        let (tag, words) = (language.tag(), language.say(&ENGLISH[..], &INDONESIAN[..]));
        let mut judge = |place: &str, page: &str| {
            let text = read(page);
            wrong.extend(strays(&text, words).iter().map(|it| format!("{place}: {it}")));
            wrong.extend(odd_figures(&text, language).iter().map(|it| format!("{place}: {it}")));
        };
        for path in &pages {
            let page = console.get_as(session, path).await;
            let own = page.contains(&format!("<html lang=\"{tag}\""));
            assert!(own || path.starts_with("/rekap/cetak"), "{path}: {page}");
            if own {
                judge(path, &page);
            }
        }
        for (path, form) in REFUSED {
            let page = console.post_as(session, path, form, "http://hub").await;
            assert!(page.starts_with("HTTP/1.1 4"), "{path} {form}: {page}");
            assert!(page.contains(&format!("<html lang=\"{tag}\"")), "{path} {form}: {page}");
            judge(&format!("{path} {form}"), &page);
        }
        let page = console.post_as(session, "/operator", "", "http://lain.example").await;
        judge("elsewhere", &page);
        // The first page goes on by itself.
        let mut stream = console.ask_as(session, "/events").await;
        let update = wait_for(&mut stream, "}\n\n").await;
        let (_, update) = update.split_once("data: ").unwrap();
        let update = update.split("\n\n").next().unwrap();
        let update: serde_json::Value = serde_json::from_str(update.trim()).unwrap();
        for part in ["kalimat", "hitung", "jumlah", "hub", "perlu", "umpan"] {
            let part = match &update[part] {
                serde_json::Value::Array(lines) => {
                    lines.iter().filter_map(|it| it.as_str()).collect()
                }
                part => part.as_str().unwrap_or_default().to_owned(),
            };
            judge("/events", &format!("\r\n\r\n<html lang=\"{tag}\">{part}</html>"));
        }
        for tile in update["desa"].as_array().unwrap() {
            let tile = format!("{} {}", tile["t"].as_str().unwrap(), tile["l"].as_str().unwrap());
            judge("/events", &format!("\r\n\r\n<html lang=\"{tag}\">{tile}</html>"));
        }
    }
    wrong.sort();
    wrong.dedup();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn what_can_not_be_opened_leaves_the_way_to_the_other_pages() {
    let console = console().await;
    let page = console.get("/temuan/999").await;
    assert!(page.starts_with("HTTP/1.1 404") && page.contains("href=\"/rekap\""), "{page}");
    assert!(page.contains("content-security-policy") && page.contains("no-store"), "{page}");
    let nobody = console.get_as("", "/lain").await;
    assert!(nobody.starts_with("HTTP/1.1 404") && !nobody.contains("href=\"/rekap\""), "{nobody}");
    let cut = console.get("/temuan/x").await;
    assert!(cut.contains("tidak dimengerti") && !cut.contains("Invalid URL"), "{cut}");
    let big = format!("nama={}", "a".repeat(3_000_000));
    let large = console.post_as(&console.head, "/operator", &big, "http://hub").await;
    assert!(large.is_empty() || large.contains("terlalu besar"), "{large}");
}

#[tokio::test]
async fn whoever_had_a_session_is_told_that_it_ended() {
    let console = console().await;
    let answer = console.post_as(&"0".repeat(64), "/operator", "nama=a", "http://hub").await;
    assert!(answer.contains("location: /masuk?habis=1"), "{answer}");
    let page = console.get_as("", "/masuk?habis=1").await;
    assert!(page.contains("Sesi Anda sudah berakhir"), "{page}");
    assert!(!console.get_as("", "/masuk").await.contains("Sesi Anda sudah"));
}

#[tokio::test]
async fn what_was_written_when_the_session_ended_is_sent_after_signing_in_again() {
    let console = console().await;
    let ended = "0".repeat(64);
    let form = "judul=Posyandu+Melati&isi=Rabu+%26+Kamis&kategori=1&semua=ya&kirim=ya";
    let page = console.post_as(&ended, "/informasi", form, "http://hub").await;
    assert!(page.starts_with("HTTP/1.1 401") && page.contains("tidak hilang"), "{page}");
    assert!(page.contains("name=\"lanjut\" value=\"/informasi\""), "{page}");
    let nobody = console.post_as("", "/informasi", form, "http://hub").await;
    assert!(nobody.contains("location: /masuk\r\n"), "{nobody}");

    let escaped = form.replace('%', "%25").replace('&', "%26").replace('+', "%2B");
    let sign_in =
        |password: &str| format!("nama=kepala&sandi={password}&lanjut=%2Finformasi&isi={escaped}");
    let wrong = console.post_as("", "/masuk", &sign_in("salah"), "http://hub").await;
    assert!(wrong.starts_with("HTTP/1.1 422") && wrong.contains("name=\"isi\""), "{wrong}");
    let right = sign_in(&PASSWORD.replace(' ', "+"));
    let page = console.post_as("", "/masuk", &right, "http://hub").await;
    assert!(page.starts_with("HTTP/1.1 200") && page.contains("set-cookie: sesi="), "{page}");
    assert!(page.contains("action=\"/informasi\"") && page.contains("Kirim sekarang"), "{page}");
    assert!(page.contains("name=\"isi\" value=\"Rabu &amp; Kamis\""), "{page}");
    // Nothing was done yet; nor does any other path come back.
    assert!(!console.get("/informasi").await.contains("Posyandu Melati"));
    let elsewhere = right.replace("%2Finformasi", "%2Foperator");
    let page = console.post_as("", "/masuk", &elsewhere, "http://hub").await;
    assert!(page.contains("location: /\r\n"), "{page}");
}

#[tokio::test]
async fn without_a_script_the_first_page_loads_anew_only_when_asked() {
    let console = console().await;
    let page = console.get("/").await;
    assert!(!page.contains("http-equiv=\"refresh\""), "{page}");
    assert!(page.contains("href=\"/?muat=ya\""), "{page}");
    let page = console.get("/?muat=ya&kelas=hilang").await;
    assert!(page.contains("http-equiv=\"refresh\""), "{page}");
    assert!(page.contains("href=\"/?kelas=hilang\"") && page.contains("Berhenti"), "{page}");
    assert!(page.contains("id=\"sesi\" data-lama=\"1740000\""), "{page}");
}
