//! Residents, families, houses and groups that a search finds. Lists hold
//! names, never identity numbers or specific data.

use lumbung_domain::id::Kind;
use lumbung_domain::indicator::umur_tahun;
use lumbung_domain::record::JenisKelamin;
use lumbung_proto::v1;
use lumbung_telemetry::clock;
use lumbung_wire::date;
use tonic::Status;

use super::super::sheet::{Column, Sheet};
use super::super::words::{self, name_of};
use crate::access::Operator;
use crate::dataset::bits::house;
use crate::dataset::search::{FamilyLine, Gap, HouseLine, Place, PlaceLine, ResidentLine};
use crate::desk::Desk;
use crate::desk::search::{COUNTED_MAX, Lines, Name, Question, What};

/// Longest name that is looked for, characters.
const NAME_MAX: usize = 100;

/// What a house may have or lack, by the words of the contract.
const OF_HOUSES: [(&str, u32); 9] = [
    ("sehat", house::SEHAT),
    ("tidak-sehat", house::TIDAK_SEHAT),
    ("pdam", 1 << house::AIR_SHIFT),
    ("sumur", 2 << house::AIR_SHIFT),
    ("sungai", 4 << house::AIR_SHIFT),
    ("air-lain", 8 << house::AIR_SHIFT),
    ("jamban", house::JAMBAN),
    ("tps", house::TPS),
    ("spal", house::SPAL),
];

/// What a search finds.
pub(super) fn found(desk: &Desk, who: &Operator, asked: &v1::SearchAsked) -> Result<Sheet, Status> {
    let limit = words::rows(asked.limit);
    let answer = desk.find(who, question(asked)?, limit as usize)?;
    let mut sheet = match &answer.lines {
        Lines::Residents(lines) => residents(lines),
        Lines::Families(lines) => families(lines),
        Lines::Houses(lines) => houses(lines),
        Lines::Places(lines) => places(lines),
    };
    if answer.more {
        let more = if answer.matched > COUNTED_MAX { "lebih dari " } else { "" };
        let matched = answer.matched.min(COUNTED_MAX);
        sheet.note(format!("Ada {more}{matched}; sempitkan pencarian atau naikkan --limit."));
    }
    Ok(sheet)
}

/// Who carries a NIK.
pub(super) fn by_nik(desk: &Desk, who: &Operator, nik: &str) -> Result<Sheet, Status> {
    Ok(residents(&desk.find_nik(who, nik)?))
}

/// A number of an official list; 0 = any.
fn listed(number: u32) -> Result<Option<u8>, Status> {
    let unknown = |_| Status::invalid_argument("Angka pilihan itu tidak dikenal.");
    Ok(Some(u8::try_from(number).map_err(unknown)?).filter(|number| *number > 0))
}

fn age(years: Option<u32>) -> Result<Option<u8>, Status> {
    let unknown = |_| Status::invalid_argument("Umur ditulis dengan angka sampai 255.");
    years.map(u8::try_from).transpose().map_err(unknown)
}

fn bits(words: &[String]) -> Result<u32, Status> {
    let bit = |word: &String| {
        let known = OF_HOUSES.iter().find(|(name, _)| name == word).map(|(_, bit)| *bit);
        known.ok_or_else(|| Status::invalid_argument(format!("Ciri rumah {word} tidak dikenal.")))
    };
    words.iter().map(bit).try_fold(0, |bits, bit| Ok(bits | bit?))
}

/// A gap that records of this kind can have.
fn gap(code: &str, kind: &str) -> Result<Option<Gap>, Status> {
    let known = Gap::from_code(code).filter(|gap| Kind::from_name(kind) == Some(gap.kind()));
    match known {
        None if !code.is_empty() => {
            Err(Status::invalid_argument(format!("Kekurangan {code} tidak dikenal di {kind}.")))
        }
        known => Ok(known),
    }
}

fn question(asked: &v1::SearchAsked) -> Result<Question, Status> {
    let what = match asked.kind.as_str() {
        "warga" => What::Warga,
        "keluarga" => What::Keluarga,
        "rumah-tangga" => What::RumahTangga,
        "rt" => What::Rt,
        "dasawisma" => What::Dasawisma,
        _ => return Err(Status::invalid_argument("Yang dicari tidak dikenal.")),
    };
    let jenis_kelamin = match asked.sex.as_str() {
        "" => None,
        "L" => Some(JenisKelamin::LakiLaki),
        "P" => Some(JenisKelamin::Perempuan),
        _ => return Err(Status::invalid_argument("Jenis kelamin ditulis L atau P.")),
    };
    Ok(Question {
        what,
        name: Name(asked.name.trim().chars().take(NAME_MAX).collect()),
        region: words::maybe_region(&asked.region)?,
        jenis_kelamin,
        age_from: age(asked.age_from)?,
        age_to: age(asked.age_to)?,
        date: Some(words::date(&asked.date)?),
        pendidikan: listed(asked.pendidikan)?,
        pekerjaan: listed(asked.pekerjaan)?,
        agama: listed(asked.agama)?,
        status_kawin: listed(asked.status_kawin)?,
        heads: asked.heads,
        without_number: asked.without_number,
        unplaced: asked.unplaced,
        gone_too: asked.gone_too,
        without_head: asked.without_head,
        without_dasawisma: asked.without_dasawisma,
        house_with: bits(&asked.house_with)?,
        house_without: bits(&asked.house_without)?,
        gap: gap(&asked.gap, &asked.kind)?,
    })
}

/// Where somebody or something is: address, RT, dasawisma.
const PLACE: [Column; 3] = [
    Column::text("address", "alamat", "address"),
    Column::text("rt", "RT", "RT"),
    Column::text("dasawisma", "dasawisma", "dasawisma"),
];

fn place(place: &Place) -> [String; 3] {
    let name = |it: &Option<(_, String)>| it.as_ref().map(|(_, name)| name.clone());
    [
        place.alamat.clone(),
        name(&place.rt).unwrap_or_default(),
        name(&place.dasawisma).unwrap_or_default(),
    ]
}

fn of_place(first: &[Column]) -> Vec<Column> {
    first.iter().chain(&PLACE).copied().collect()
}

fn residents(lines: &[ResidentLine]) -> Sheet {
    let today = clock::today();
    let mut sheet = Sheet::new(
        "lumbung/residents/1",
        &of_place(&[
            Column::text("ref", "rujukan", "reference"),
            Column::text("name", "nama", "name"),
            Column::text("sex", "L/P", "sex"),
            Column::number("age", "umur", "age"),
            Column::text("shdk", "hubungan", "relation"),
            Column::text("status", "status", "status").wide(),
            Column::flag("has_nik", "punya NIK", "has NIK").wide(),
            Column::text("house", "rumah", "house").wide(),
            Column::text("village", "desa", "village"),
        ]),
    );
    for line in lines {
        let born = line.tanggal_lahir.and_then(date::from_days);
        let house = line.place.house.map(|house| format!("{}/{house}", line.village));
        let first = [
            format!("{}/{}", line.village, line.id),
            line.nama.clone(),
            line.jenis_kelamin.map_or("", JenisKelamin::letter).to_owned(),
            born.map(|born| umur_tahun(born, today).to_string()).unwrap_or_default(),
            line.shdk.and_then(|code| code.label()).unwrap_or_default().to_owned(),
            line.status_dasar.and_then(|code| code.label()).unwrap_or_default().to_owned(),
            line.has_nik.to_string(),
            house.unwrap_or_default(),
            name_of(line.village),
        ];
        sheet.row(first.into_iter().chain(place(&line.place)));
    }
    sheet
}

fn families(lines: &[FamilyLine]) -> Sheet {
    let mut sheet = Sheet::new(
        "lumbung/families/1",
        &of_place(&[
            Column::text("ref", "rujukan", "reference").wide(),
            Column::text("house", "rumah", "house"),
            Column::text("head", "kepala", "head"),
            Column::number("people", "jiwa", "people"),
            Column::flag("in_use", "kartu berlaku", "card in use"),
            Column::text("village", "desa", "village"),
        ]),
    );
    for line in lines {
        let house = line.place.house.map(|house| format!("{}/{house}", line.village));
        let first = [
            format!("{}/{}", line.village, line.id),
            house.unwrap_or_default(),
            line.kepala.clone(),
            line.people.to_string(),
            line.aktif.to_string(),
            name_of(line.village),
        ];
        sheet.row(first.into_iter().chain(place(&line.place)));
    }
    sheet
}

fn houses(lines: &[HouseLine]) -> Sheet {
    let mut sheet = Sheet::new(
        "lumbung/houses/1",
        &of_place(&[
            Column::text("ref", "rujukan", "reference"),
            Column::text("head", "kepala", "head"),
            Column::number("people", "jiwa", "people"),
            Column::text("traits", "ciri", "traits").wide(),
            Column::text("village", "desa", "village"),
        ]),
    );
    for line in lines {
        let traits = OF_HOUSES.iter().filter(|(_, bit)| line.rumah & bit != 0);
        let traits: Vec<_> = traits.map(|(name, _)| *name).collect();
        let first = [
            format!("{}/{}", line.village, line.id),
            line.kepala.clone(),
            line.people.to_string(),
            traits.join(" "),
            name_of(line.village),
        ];
        sheet.row(first.into_iter().chain(place(&line.place)));
    }
    sheet
}

fn places(lines: &[PlaceLine]) -> Sheet {
    let mut sheet = Sheet::new(
        "lumbung/groups/1",
        &[
            Column::text("ref", "rujukan", "reference"),
            Column::text("name", "nama", "name"),
            Column::text("within", "di dalam", "within"),
            Column::number("houses", "rumah", "houses"),
            Column::text("village", "desa", "village"),
        ],
    );
    for line in lines {
        let around = line.around.iter().map(|(kind, name)| format!("{kind} {name}"));
        sheet.row([
            format!("{}/{}", line.village, line.id),
            line.label.clone(),
            around.collect::<Vec<_>>().join(", "),
            line.houses.to_string(),
            name_of(line.village),
        ]);
    }
    sheet
}
