//! Recaps on the screen, on paper and as files; exports, gaps and pictures.

use super::*;
use crate::access::Right;
use crate::dataset::{ContactNote, Dataset as _};

const REASON: &str = "tujuan=Verifikasi+bantuan+2026";

fn until() -> String {
    let day = clock::today().checked_add(jiff::Span::new().days(7)).unwrap();
    format!("sampai={day}")
}

impl Console {
    async fn order(&self, session: &str, path: &str, form: &str) -> String {
        self.post_as(session, path, form, "http://hub").await
    }
}

#[tokio::test]
async fn a_recap_leads_from_the_kabupaten_to_one_house() {
    let console = console().await;
    let mut path = "/rekap?wilayah=3505".to_owned();
    let mut steps = Vec::new();
    for _ in 0..8 {
        let page = console.get(&path).await;
        assert!(page.starts_with("HTTP/1.1 200"), "{path}: {page}");
        steps.push(path);
        let body = page.split("<tbody>").nth(1).unwrap();
        let link = body.split("href=\"").nth(1).unwrap().split('"').next().unwrap();
        path = link.replace("&amp;", "&");
        if path.starts_with("/rumah/") {
            break;
        }
    }
    // kabupaten, kecamatan, desa, dusun, RW, RT, dasawisma, then a house.
    assert_eq!(steps.len(), 7, "{steps:?}");
    assert!(console.get(&path).await.contains("Penghuni"), "{path}");
    // Whoever sees no residents gets numbers instead of names and no link.
    let security = console.session_of(Role::Security, &[]).await;
    let page = console.get_as(&security, &steps[6]).await;
    assert!(page.contains("rumah tangga 1") && !page.contains("/rumah/"), "{page}");
}

#[tokio::test]
async fn a_sheet_prints_with_everything_a_sheet_has() {
    let console = console().await;
    let page = console.get("/rekap/cetak?wilayah=35.05.01&tanggal=2026-12-31&kertas=f4").await;
    for words in [
        "class=\"paper f4\"",
        "TIM PENGGERAK PKK KECAMATAN WONODADI",
        "Keadaan pada 31 Desember 2026",
        "4.17b",
        "Mengetahui,",
        "Aturan hitung versi",
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
    assert!(!page.contains("style=\"") && !page.contains("NIK"));
}

#[tokio::test]
async fn a_recap_for_the_public_is_made_once_a_quarter_and_stays() {
    let console = console().await;
    let day = crate::recap::closed_period(clock::today());
    let path = "/rekap?wilayah=35.05.02.2001&umum=1";
    let before = console.get(path).await;
    assert!(
        before.starts_with("HTTP/1.1 422") && before.contains("Belum ada terbitan"),
        "{before}"
    );
    let list = console.get("/terbitan").await;
    assert!(list.contains("Belum ada.") && list.contains("action=\"/terbitan\""), "{list}");
    for wrong in [day.yesterday().unwrap(), clock::today()] {
        let answer = console.order(&console.head, "/terbitan", &format!("tanggal={wrong}")).await;
        assert!(answer.starts_with("HTTP/1.1 422") && answer.contains("triwulan"), "{answer}");
    }
    let form = format!("tanggal={day}");
    let made = console.order(&console.head, "/terbitan", &form).await;
    assert!(made.starts_with("HTTP/1.1 303"), "{made}");
    let again = console.order(&console.head, "/terbitan", &form).await;
    assert!(again.starts_with("HTTP/1.1 422") && again.contains("sudah ada"), "{again}");
    let list = console.get("/terbitan").await;
    assert!(list.contains(&format!("tanggal={day}")) && !list.contains("action=\"/terbitan\""));
    assert!(console.get("/audit").await.contains("Rekap diterbitkan"));

    let office = console.get("/rekap?wilayah=35.05.02.2001").await;
    let public = console.get(path).await;
    let hidden = "<td class=\"n\">*</td>";
    assert!(!office.contains(hidden) && public.contains(hidden), "{public}");
    assert!(public.contains("dibulatkan ke kelipatan 5") && public.contains("&amp;umum=1"));
    let csv = console.get("/rekap/rekap.csv?wilayah=35.05.02.2001&umum=1").await;
    assert!(csv.contains(";*;") && csv.contains(&format!("{day}-umum.csv")), "{csv}");
    let twice = console.get("/rekap/rekap.csv?wilayah=35.05.02.2001&umum=1").await;
    let body = |answer: &str| answer.split_once("\r\n\r\n").unwrap().1.to_owned();
    assert_eq!(body(&csv), body(&twice), "the same numbers ever after");
    let dasawisma = crate::recap::tests::dasawisma();
    for (path, status) in [
        ("/rekap", 200),
        ("/rekap/cetak", 422),
        ("/rekap/rekap.csv", 422),
        ("/rekap/rekap.xlsx", 422),
    ] {
        let path = format!("{path}?wilayah=35.05.01.2001/{dasawisma}");
        assert!(console.get(&path).await.starts_with(&format!("HTTP/1.1 {status}")), "{path}");
        let page = console.get(&format!("{path}&umum=1")).await;
        assert!(page.starts_with("HTTP/1.1 422"), "{path}: {page}");
    }
}

#[tokio::test]
async fn records_leave_in_two_steps_and_are_noted_first() {
    let console = console().await;
    let base = format!("jenis=warga&wilayah=35.05.01.2001&bentuk=csv&{}", until());
    for (form, words) in [
        (base.clone(), "Tulis untuk apa"),
        (format!("{base}&tujuan=NIK+3505904101900001"), "Jangan tulis NIK"),
        (
            format!("jenis=warga&wilayah=35.05.01.2001&sampai=2020-01-01&{REASON}"),
            "Pilih sampai kapan",
        ),
    ] {
        for path in ["/ekspor", "/ekspor/berkas"] {
            let page = console.order(&console.head, path, &form).await;
            assert!(
                page.starts_with("HTTP/1.1 422") && page.contains(words),
                "{path} {form}: {page}"
            );
        }
    }
    let form = format!("{base}&{REASON}");
    let page = console.order(&console.head, "/ekspor", &form).await;
    assert!(page.contains("Yang akan keluar") && page.contains(">37<"), "{page}");
    assert!(!page.contains("Sendiri Sekali"), "nothing leaves at the first step");
    let audit = console.get("/audit").await;
    assert!(!audit.contains("Verifikasi bantuan"), "{audit}");
    let file = console.order(&console.head, "/ekspor/berkas", &form).await;
    assert!(file.contains("attachment; filename=\"warga-35-05-01-2001-"), "{file}");
    assert!(file.contains("Tujuan: Verifikasi bantuan 2026") && file.contains("Sendiri Sekali"));
    assert!(!file.contains("350590"), "no number without asking: {file}");
    let audit = console.get("/audit").await;
    assert!(audit.contains("37 catatan, tanpa NIK") && audit.contains("Verifikasi bantuan 2026"));
    let file = console.order(&console.head, "/ekspor/berkas", &format!("{form}&nomor=1")).await;
    assert!(file.contains("3505904101900001") && file.contains("Berisi NIK"));
    assert!(!file.contains("Sakit menahun"), "no specific data without asking: {file}");
    let specific = format!("{form}&spesifik=1");
    let page = console.order(&console.head, "/ekspor", &specific).await;
    assert!(page.contains("berisi data spesifik"), "{page}");
    let file = console.order(&console.head, "/ekspor/berkas", &specific).await;
    assert!(file.contains(";Sakit menahun;") && !file.contains("3505904101900001"), "{file}");
    let audit = console.get("/audit").await;
    assert!(audit.contains("37 catatan, tanpa NIK, dengan data spesifik"), "{audit}");
    let xlsx = format!("jenis=warga&wilayah=35.05.01.2001&bentuk=xlsx&{}&{REASON}", until());
    let file = console.order(&console.head, "/ekspor/berkas", &xlsx).await;
    assert!(file.contains(".xlsx\"") && file.contains("PK"), "a workbook");
}

#[tokio::test]
async fn each_role_reads_and_takes_what_its_rights_say() {
    let console = console().await;
    let form = format!("jenis=rumah_tangga&wilayah=35.05.01.2001&bentuk=csv&{}&{REASON}", until());
    let foreign =
        format!("jenis=rumah_tangga&wilayah=35.05.02.2001&bentuk=csv&{}&{REASON}", until());
    for role in Role::ALL {
        let kecamatan: &[u64] = if role.is_of_kecamatan() { &[350_501] } else { &[] };
        let session = console.session_of(role, kecamatan).await;
        let status = |right| if role.may(right) { "HTTP/1.1 200" } else { "HTTP/1.1 403" };
        for (path, right) in [
            ("/ekspor", Right::Export),
            ("/mutu", Right::SeeVillages),
            ("/mutu?wilayah=35.05.01.2001", Right::SeeVillages),
            ("/gambaran?wilayah=35.05.01.2001", Right::SeeVillages),
            ("/rekap/cetak?wilayah=35.05.01.2001", Right::SeeVillages),
        ] {
            let page = console.get_as(&session, path).await;
            assert!(page.starts_with(status(right)), "{role} {path}: {page}");
        }
        for path in ["/ekspor", "/ekspor/berkas"] {
            let page = console.order(&session, path, &form).await;
            assert!(page.starts_with(status(Right::Export)), "{role} {path}: {page}");
        }
        if role.is_of_kecamatan() {
            for path in ["/ekspor", "/ekspor/berkas"] {
                let page = console.order(&session, path, &foreign).await;
                assert!(page.starts_with("HTTP/1.1 404"), "{path}: {page}");
            }
            for path in [
                "/mutu?wilayah=35.05.02",
                "/gambaran?wilayah=3505",
                "/gambaran?wilayah=35.05.02.2001",
                "/rekap/cetak?wilayah=35.05.02",
                "/cari/syarat?apa=warga&wilayah=35.05.02",
            ] {
                let page = console.get_as(&session, path).await;
                assert!(page.starts_with("HTTP/1.1 404"), "{path}: {page}");
            }
            let own = console.get_as(&session, "/mutu").await;
            assert!(own.contains("Jaten") && !own.contains("35.05.02."), "{own}");
        }
    }
}

#[tokio::test]
async fn charts_keep_the_day_and_say_how_fresh_the_villages_were() {
    let (folder, dataset) = district();
    let village = VillageCode::from_u64(3_505_012_001).unwrap();
    for days in [9, 1] {
        let at_ms = clock::now_ms() - days * 24 * 60 * 60 * 1000;
        let note = ContactNote { at_ms, ..ContactNote::default() };
        dataset.note_contacts(&[(village, note)]).unwrap();
    }
    let console = console_over(folder, Arc::new(dataset)).await;
    let page = console.get("/rekap?wilayah=35.05.01&tanggal=2025-12-31").await;
    let there = "/gambaran?wilayah=35.05.01&amp;tanggal=2025-12-31";
    assert!(page.contains(there), "{page}");
    let own = console.session_of(Role::KecamatanOperator, &[350_501]).await;
    for session in [&console.head, &own] {
        let page = console.get_as(session, &there.replace("&amp;", "&")).await;
        assert!(page.contains("31 Desember 2025"), "{page}");
        let table = page.split("id=\"kesegaran\"").nth(1).expect("the days before");
        // Ten days, newest first: late on the third, missing on the last but one.
        assert_eq!(table.matches("<th scope=\"row\">").count(), 10, "{table}");
        for look in ["segar", "terlambat", "lama", "hilang"] {
            assert!(table.contains(look), "{look}: {table}");
        }
    }
    assert!(console.get_as(&own, "/").await.contains("class=\"trend\""));
    let wrong = console.get("/gambaran?tanggal=kemarin").await;
    assert!(wrong.starts_with("HTTP/1.1 400"), "{wrong}");
}

#[tokio::test]
async fn every_gap_leads_to_its_records() {
    let console = console().await;
    let page = console.get("/mutu?wilayah=35.05.01.2001").await;
    let sums = page.split("<tbody>").nth(1).unwrap().split("</tbody>").next().unwrap();
    let mut followed = 0;
    for row in sums.split("<tr>").skip(1) {
        let cell = row.split("<td class=\"n\">").nth(1).unwrap().split('<').next().unwrap();
        let count: u64 = cell.replace('.', "").parse().unwrap();
        let link = row.split("href=\"").nth(1).map(|it| it.split('"').next().unwrap());
        assert_eq!(link.is_some(), count > 0, "{row}");
        let Some(link) = link else { continue };
        let moved = console.get(&link.replace("&amp;", "&")).await;
        let ticket = moved.split("location: ").nth(1).unwrap().split("\r\n").next().unwrap();
        let found = console.get(ticket).await;
        assert!(found.contains(&format!("dari {count}.")), "{row}: {found}");
        followed += 1;
    }
    assert!(followed > 0, "{sums}");
}

#[tokio::test]
async fn the_second_edition_of_a_sheet_is_chosen_and_stays() {
    let console = console().await;
    let rt = crate::recap::tests::rt();
    let region = format!("wilayah=35.05.01.2001/{rt}&tanggal=2026-12-31");
    let (sticker, blind) = ("MENEMPEL STIKER P4K", "3 BUTA");
    let usual = console.get(&format!("/rekap?{region}")).await;
    assert!(usual.contains(sticker) && !usual.contains(blind), "{usual}");
    assert!(usual.contains("<select id=\"edisi\""), "{usual}");
    let other = format!("{region}&edisi=3buta");
    for path in ["/rekap", "/rekap/cetak", "/rekap/rekap.csv"] {
        let page = console.get(&format!("{path}?{other}")).await;
        assert!(page.contains(blind) && !page.contains(sticker), "{path}: {page}");
    }
    let page = console.get(&format!("/rekap?{other}")).await;
    for link in ["/rekap/cetak?", "/rekap/rekap.xlsx?", "/rekap/rekap.csv?"] {
        let after = page.split(link).nth(1).unwrap().split('"').next().unwrap();
        assert!(after.contains("edisi=3buta"), "{link}{after}");
    }
    let dasawisma = crate::recap::tests::dasawisma();
    let row = page.split(&format!("/rekap?wilayah=35.05.01.2001/{dasawisma}")).nth(1).unwrap();
    assert!(row.split('"').next().unwrap().contains("edisi=3buta"), "the row leads on in it");
    let houses = format!("/rekap?wilayah=35.05.01.2001/{dasawisma}&edisi=3buta");
    let houses = console.get(&houses).await;
    assert!(houses.contains(blind) && houses.contains("name=\"edisi\" value=\"3buta\""));
    let form = format!(
        "wilayah=35.05.01.2001/{dasawisma}&tanggal=2026-12-31&edisi=3buta&bentuk=a4&{}&{REASON}",
        until()
    );
    let paper = console.order(&console.head, "/rekap/berkas", &form).await;
    assert!(paper.contains(blind) && !paper.contains(sticker), "{paper}");
    let desa = console.get("/rekap?wilayah=35.05.01.2001&edisi=3buta").await;
    assert!(desa.starts_with("HTTP/1.1 200") && !desa.contains("id=\"edisi\""), "one edition");
}

#[tokio::test]
async fn a_sheet_of_houses_opens_with_a_reason_and_leaves_with_a_purpose() {
    let console = console().await;
    let dasawisma = crate::recap::tests::dasawisma();
    let region = format!("wilayah=35.05.01.2001/{dasawisma}&tanggal=2026-12-31");
    let closed = "<td class=\"n\">-</td>";
    let page = console.get(&format!("/rekap?{region}")).await;
    assert!(page.contains(closed) && page.contains("- tertutup: data spesifik"), "{page}");
    assert!(page.contains("Tidak Nyata: pindah tidur"), "{page}");
    for (form, status) in [
        (format!("{region}&alasan=pendek"), 422),
        (format!("{region}&alasan=Surat+permohonan+puskesmas+7"), 200),
    ] {
        let page = console.order(&console.head, "/rekap/buka", &form).await;
        assert!(page.starts_with(&format!("HTTP/1.1 {status}")), "{page}");
        assert!(!page.contains(closed), "{page}");
    }
    let take = |rest: &str| format!("{region}&{}&{REASON}{rest}", until());
    for (form, has_closed) in [("&bentuk=a4", true), ("&bentuk=f4&spesifik=1", false)] {
        let page = console.order(&console.head, "/rekap/berkas", &take(form)).await;
        assert!(page.starts_with("HTTP/1.1 200"), "{page}");
        assert!(page.contains("Tujuan: Verifikasi bantuan 2026") && page.contains("Hapus paling"));
        assert_eq!(page.contains(closed), has_closed, "{form}");
    }
    let file = console.order(&console.head, "/rekap/berkas", &take("&bentuk=xlsx")).await;
    assert!(file.contains(".xlsx\"") && file.contains("PK"), "a workbook");
    for form in [region.clone(), format!("{region}&{}&tujuan=x", until())] {
        let page = console.order(&console.head, "/rekap/berkas", &form).await;
        assert!(page.starts_with("HTTP/1.1 422"), "{form}: {page}");
    }
    let log = console.get("/audit").await;
    let opened = "lembar per rumah: Surat permohonan puskesmas 7";
    let left = ["tanpa data spesifik", "dengan data spesifik"];
    assert!(log.contains(opened) && left.iter().all(|words| log.contains(words)), "{log}");

    for role in Role::ALL {
        let kecamatan: &[u64] = if role.is_of_kecamatan() { &[350_501] } else { &[] };
        let session = console.session_of(role, kecamatan).await;
        let page = console.get_as(&session, &format!("/rekap?{region}")).await;
        assert!(page.contains(closed), "{role}: {page}");
        assert_eq!(page.contains("pindah tidur"), role.may(Right::SeeRecords), "{role}: {page}");
        let form = format!("{region}&alasan=Surat+permohonan+puskesmas+7");
        for (path, form, right) in [
            ("/rekap/buka", form, Right::Reveal),
            ("/rekap/berkas", take("&bentuk=a4"), Right::Export),
        ] {
            let page = console.order(&session, path, &form).await;
            let status = if role.may(right) { "HTTP/1.1 200" } else { "HTTP/1.1 403" };
            assert!(page.starts_with(status), "{role} {path}: {page}");
            if role.is_of_kecamatan() {
                let foreign = form.replace("35.05.01.2001", "35.05.02.2001");
                let page = console.order(&session, path, &foreign).await;
                assert!(page.starts_with("HTTP/1.1 404"), "{path}: {page}");
            }
        }
    }
}

#[tokio::test]
async fn a_record_says_when_it_was_made_and_who_wrote_it_last() {
    let console = console().await;
    let person = format!("/warga/35.05.01.2001/{}", crate::recap::tests::loose());
    let house = format!("/rumah/35.05.01.2001/{}", crate::recap::tests::house(0));
    for path in [person, house] {
        let page = console.get(&path).await;
        // By the id of the fixture, minted on 21 September 2026.
        assert!(page.contains("Dibuat 21 Sep") && page.contains(" oleh kader. "), "{page}");
        assert!(page.contains("Ditulis di desa"), "{page}");
    }
}

#[tokio::test]
async fn what_a_village_states_stands_beside_what_its_records_add_up_to() {
    let (folder, dataset) = crate::recap::tests::stating_district();
    let console = console_over(folder, Arc::new(dataset)).await;
    // 23 houses with three residents each.
    let page = console.get("/mutu").await;
    let row = page.split("<tr>").find(|row| {
        row.contains("/mutu?wilayah=35.05.01.2002") && row.contains("31 Desember 2025")
    });
    let row = row.unwrap_or_else(|| panic!("{page}"));
    assert!(row.contains(">100<") && row.contains(">+31<"), "{row}");
    let page = console.get("/mutu?wilayah=35.05.01.2002").await;
    for words in [
        "Monografi desa",
        "/rekap?wilayah=35.05.01.2002&amp;tanggal=2025-12-31",
        ">RT 1, RW 1, Dusun Krajan<",
        "Wilayah yang sudah tidak ada",
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
    assert_eq!(page.matches("Jumlah RT").count(), 1, "an RT has no RT below it");
    assert!(page.contains("class=\"flag\">+31<"), "a difference is marked: {page}");
    let other = console.get("/mutu?wilayah=35.05.01.2001").await;
    assert!(other.contains("Belum ada jumlah yang dinyatakan"), "{other}");
    let session = console.session_of(Role::KecamatanOperator, &[350_502]).await;
    let page = console.get_as(&session, "/mutu").await;
    assert!(!page.contains("31 Desember 2025"), "another kecamatan's: {page}");
}

#[tokio::test]
async fn an_english_reader_is_told_what_the_official_headings_mean_and_paper_is_not() {
    let console = console().await;
    let english = format!("{}; bahasa=en", console.head);
    let gloss = "SUMUR <small class=\"gloss\" lang=\"en\">Well</small>";
    for path in ["/rekap", "/rekap?wilayah=35.05.01.2001"] {
        let page = console.get_as(&english, path).await;
        assert!(page.contains(gloss) && page.contains("Source of water"), "{page}");
        assert!(!console.get(path).await.contains("gloss"), "{path}");
    }
    let page = console.get_as(&english, "/rekap/cetak?wilayah=35.05.01").await;
    assert!(page.contains("SUMUR") && !page.contains("gloss"), "{page}");
}

#[tokio::test]
async fn the_villages_quality_has_a_column_for_what_is_missing_somewhere() {
    let console = console().await;
    let page = console.get("/mutu").await;
    let table = page.split("class=\"dense\"").nth(1).unwrap().split("</table>").next().unwrap();
    let headings = table.split("</thead>").next().unwrap().matches("class=\"n\"").count();
    assert!((1..12).contains(&headings), "{table}");
    let rows: Vec<Vec<bool>> = table
        .split("<tbody>")
        .nth(1)
        .unwrap()
        .split("<tr>")
        .skip(1)
        .map(|row| row.split("<td").skip(1).map(|cell| !cell.contains(">0<")).collect())
        .collect();
    for column in 0..headings {
        assert!(rows.iter().any(|row| row[column]), "{table}");
    }
    let none = page.split("jadi tanpa kolom: ").nth(1).unwrap().split('<').next().unwrap();
    assert_eq!(none.split("; ").count(), 12 - headings, "{none}");
}
