//! The whole way of OpenSID's sheet: a workbook of its 43 columns goes into a
//! village by command, the hub pulls it, and the same people on the same
//! cards stand in the district's dataset and in its files.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, ensure};
use lumbung_domain::id::{Kind, RecordId};
use lumbung_domain::record::Record;
use lumbung_hub::dataset::RecordFilter;
use lumbung_tests::district::District;
use lumbung_wire::record::decode;
use rust_xlsxwriter::Workbook;

/// OpenSID's headings, in its order.
const HEADINGS: [&str; 43] = [
    "alamat",
    "dusun",
    "rw",
    "rt",
    "nama",
    "no_kk",
    "nik",
    "sex",
    "tempatlahir",
    "tanggallahir",
    "agama_id",
    "pendidikan_kk_id",
    "pendidikan_sedang_id",
    "pekerjaan_id",
    "status_kawin",
    "kk_level",
    "warganegara_id",
    "ayah_nik",
    "nama_ayah",
    "ibu_nik",
    "nama_ibu",
    "golongan_darah_id",
    "akta_lahir",
    "dokumen_pasport",
    "tanggal_akhir_paspor",
    "dokumen_kitas",
    "akta_perkawinan",
    "tanggalperkawinan",
    "akta_perceraian",
    "tanggalperceraian",
    "cacat_id",
    "cara_kb_id",
    "hamil",
    "ktp_el",
    "status_rekam",
    "alamat_sekarang",
    "status_dasar",
    "suku",
    "tag_id_card",
    "id_asuransi",
    "no_asuransi",
    "lat",
    "lng",
];

/// How many people stand on each made-up card.
const MEMBERS: [u32; 11] = [1, 4, 2, 5, 3, 3, 1, 2, 6, 4, 3];

/// Who a row is about: name, number of the card, birth date.
type Person = (String, String, String);

/// A workbook of the sample's shape: codes as text, two dusun, RT without RW,
/// many blank columns, and every NIK with another birth date than the cell.
fn workbook(file: &Path) -> anyhow::Result<BTreeSet<Person>> {
    let mut workbook = Workbook::new();
    let page = workbook.add_worksheet();
    for (column, heading) in (0..).zip(HEADINGS) {
        page.write_string(0, column, heading)?;
    }
    let mut people = BTreeSet::new();
    let mut row = 0;
    for (card, members) in (1..).zip(MEMBERS) {
        for member in 0..members {
            row += 1;
            let (woman, adult) = (member % 2 == 1, member < 2);
            let (day, year) = (if woman { 41 } else { 1 }, if adult { 80 } else { 12 });
            let name = format!("CONTOH {row} BIN UJI");
            let no_kk = format!("359901010101{card:04}");
            let born = format!("{}-02-{:02}", if adult { 1980 } else { 2012 }, row % 28 + 1);
            let cells = [
                ("alamat", format!("JL. UJI {card}")),
                ("dusun", if card % 3 == 0 { "SUMBER" } else { "KRAJAN" }.to_owned()),
                ("rw", "-".to_owned()),
                ("rt", format!("{:03}", card % 4 + 1)),
                ("nama", name.clone()),
                ("no_kk", no_kk.clone()),
                ("nik", format!("359901{day:02}01{year}{row:04}")),
                ("sex", if woman { "2" } else { "1" }.to_owned()),
                ("tempatlahir", "BLITAR".to_owned()),
                ("tanggallahir", born.clone()),
                ("agama_id", "1".to_owned()),
                ("pendidikan_kk_id", if adult { "5" } else { "3" }.to_owned()),
                ("pendidikan_sedang_id", if adult { "18" } else { "3" }.to_owned()),
                ("pekerjaan_id", if adult { "9" } else { "3" }.to_owned()),
                ("status_kawin", if adult { "2" } else { "1" }.to_owned()),
                ("kk_level", ["1", "3", "4"][member.min(2) as usize].to_owned()),
                ("warganegara_id", "1".to_owned()),
                ("nama_ayah", "AYAH UJI".to_owned()),
                ("nama_ibu", "IBU UJI".to_owned()),
                ("golongan_darah_id", "13".to_owned()),
                ("status_dasar", "1".to_owned()),
            ];
            for (heading, text) in cells {
                let column = HEADINGS.iter().position(|it| *it == heading).context(heading)?;
                page.write_string(row, u16::try_from(column)?, text)?;
            }
            people.insert((name, no_kk, born));
        }
    }
    workbook.save(file)?;
    Ok(people)
}

/// What a command of the hub writes into a file of this name.
fn written(district: &District, name: &str, args: &[&str]) -> anyhow::Result<Vec<String>> {
    let file = district.folder().join(name);
    let path = file.to_str().context("a plain path")?;
    let args: Vec<&str> = args.iter().map(|arg| if *arg == "FILE" { path } else { arg }).collect();
    let done = district.hub.run(&args)?;
    ensure!(done.status.success(), "{args:?}: {}", String::from_utf8_lossy(&done.stderr));
    let text = std::fs::read_to_string(&file)?;
    let lines = text.trim_start_matches('\u{feff}').lines();
    Ok(lines.filter(|line| !line.starts_with(['#', '"'])).map(str::to_owned).collect())
}

/// The cells under a heading; what is compared here holds no semicolon.
fn under(lines: &[String], heading: &str) -> anyhow::Result<Vec<String>> {
    let (head, rows) = lines.split_first().context("a heading line")?;
    let at = head.split(';').position(|it| it == heading).with_context(|| heading.to_owned())?;
    let cell = |line: &String| line.split(';').nth(at).map(str::to_owned);
    rows.iter().map(cell).collect::<Option<_>>().context("as many cells as headings")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_opensid_workbook_goes_all_the_way_to_the_district() -> anyhow::Result<()> {
    let mut district = District::new(env!("CARGO_BIN_EXE_lumbung-process"), 1)?;
    district.start().await?;
    let village = district.nodes[0].village;
    let file = district.folder().join("penduduk.xlsx");
    let people = workbook(&file)?;
    let all = people.len() as u64;

    let import = ["import", file.to_str().context("a plain path")?, "--json"];
    let done = district.nodes[0].run(&import).await?;
    ensure!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let report: serde_json::Value = serde_json::from_slice(&done.stdout)?;
    let count = |key: &str| report[key].as_u64();
    assert_eq!((count("read"), count("new"), count("rejected")), (Some(all), Some(all), Some(0)));
    assert_eq!(count("warned"), Some(all), "a birth date of every row: {report}");
    assert_eq!(report["problems"]["nik.tanggal_beda"]["count"].as_u64(), Some(all), "{report}");

    district.wait_proven(Duration::from_secs(20)).await?;
    assert_eq!(district.hub.village(village)?.warga, all);
    let scope = district.hub.dataset()?.whole().village(village);
    let dataset = district.hub.dataset()?;
    let read = |kind| -> anyhow::Result<Vec<(RecordId, Record)>> {
        let filter =
            RecordFilter { scope: scope.clone(), kind: Some(kind), after: None, limit: 1_000 };
        let stored = dataset.records(&filter)?.into_iter();
        stored.map(|it| Ok((it.id, decode(kind, &it.bytes)?))).collect()
    };
    let mut cards = BTreeMap::new();
    for (id, record) in read(Kind::Keluarga)? {
        let Record::Keluarga(family) = record else { anyhow::bail!("no family") };
        cards.insert(id, family.no_kk.context("a card has its number")?.digits());
    }
    assert_eq!(cards.len(), MEMBERS.len());
    let mut found = BTreeSet::new();
    for (_, record) in read(Kind::Warga)? {
        let Record::Warga(warga) = record else { anyhow::bail!("no resident") };
        let card = warga.keluarga_id.and_then(|id| cards.get(&id)).context("on a known card")?;
        let born = warga.tanggal_lahir.context("a birth date")?.to_string();
        found.insert((warga.nama.clone(), card.clone(), born));
    }
    assert_eq!(found, people, "the same people on the same cards");

    // The district's own files say the same.
    let code = village.to_string();
    let export = |kind: &'static str| {
        let to = ["export", "--kind", kind, "--village", &code, "--purpose", "Uji jalan lembar"];
        written(
            &district,
            &format!("{kind}.csv"),
            &[&to[..], &["--with-nik", "--with-specific", "FILE"]].concat(),
        )
    };
    let families = export("keluarga")?;
    let ids = under(&families, "Id")?.into_iter();
    let numbers: BTreeMap<_, _> = ids.zip(under(&families, "Nomor KK")?).collect();
    let residents = export("warga")?;
    let names = under(&residents, "Nama")?.into_iter();
    let on_cards =
        under(&residents, "Id keluarga")?.into_iter().map(|id| numbers.get(&id).cloned());
    let days = under(&residents, "Tanggal lahir")?;
    let written_people: Option<BTreeSet<Person>> =
        names.zip(on_cards).zip(days).map(|((name, card), day)| Some((name, card?, day))).collect();
    assert_eq!(written_people.context("every card is in the file")?, people);
    assert!(under(&residents, "NIK")?.iter().all(|nik| nik.trim_matches('\'').len() == 16));

    let sheet = written(&district, "rekap.csv", &["recap", &code, "--out", "FILE"])?;
    let total = sheet.last().context("a total")?;
    let cells: Vec<&str> = total.split(';').collect();
    assert_eq!(cells[1], "JUMLAH", "{total}");
    assert_eq!(cells[6], MEMBERS.len().to_string(), "cards: {total}");
    let jiwa: u64 = cells[7].parse::<u64>()? + cells[8].parse::<u64>()?;
    assert_eq!(jiwa, all, "{total}");

    // The sheet of an RT in its second edition, by command.
    let rt = read_rt(&mut district)?;
    let place = format!("{code}/{rt}");
    for (edition, has, lacks) in
        [("p4k", "MENEMPEL STIKER P4K", "3 BUTA"), ("3buta", "3 BUTA", "MENEMPEL STIKER P4K")]
    {
        let args = ["recap", &place, "--edisi", edition, "--out", "FILE"];
        let sheet = written(&district, &format!("{edition}.csv"), &args)?;
        assert!(sheet[0].contains(has) && !sheet[0].contains(lacks), "{}", sheet[0]);
        let done = district.hub.ctl(&["recap", &place, "--edisi", edition, "--out", "-"])?;
        let said = String::from_utf8(done.stdout)?;
        ensure!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        assert!(said.contains(has) && !said.contains(lacks), "{said}");
    }
    district.stop().await?;
    district.compare()?;
    Ok(())
}

/// One of the village's RT.
fn read_rt(district: &mut District) -> anyhow::Result<RecordId> {
    let scope = district.hub.dataset()?.whole().village(district.nodes[0].village);
    let filter = RecordFilter { scope, kind: Some(Kind::Rt), after: None, limit: 1 };
    let stored = district.hub.dataset()?.records(&filter)?;
    Ok(stored.first().context("the sheet has RT")?.id)
}
