//! Searches find what the rows say, now and after every change.

use jiff::civil::Date;
use lumbung_domain::identity::Nik;
use lumbung_wire::date;

use super::*;
use crate::dataset::bits::house;
use crate::dataset::search::{
    Bookmark, FamilyTerms, Found, HouseTerms, PlaceTerms, ResidentLine, ResidentTerms, Search,
    Slice, Words,
};
use crate::dataset::{Delivered, IncidentKind, NewIncident, Outcome, Recovery};

fn raw(number: u64) -> Bytes {
    Bytes::copy_from_slice(id(number).as_bytes())
}

fn named(nama: &str, family: u64) -> v1::Warga {
    v1::Warga { nama: nama.to_owned(), keluarga_id: raw(family), ..Default::default() }
}

/// RT 300 with dasawisma 310; house 400 with family 500 in it.
fn settle(log: &mut Log, people: Vec<Draft>) -> MergeBatch {
    let rt = v1::Rt { nomor: "004".to_owned(), ..Default::default() };
    let group = v1::Dasawisma { nama: "MELATI".to_owned(), rt_id: raw(300), ..Default::default() };
    let house = v1::RumahTangga {
        rt_id: raw(300),
        dasawisma_id: raw(310),
        kepala_id: raw(1),
        alamat: "JL MAWAR 3".to_owned(),
        punya_jamban: 1,
        ..Default::default()
    };
    let family = v1::Keluarga { rumah_tangga_id: raw(400), aktif: true, ..Default::default() };
    let settled = [
        create(300, Kind::Rt, &rt),
        create(310, Kind::Dasawisma, &group),
        create(400, Kind::RumahTangga, &house),
        create(500, Kind::Keluarga, &family),
    ];
    log.batch(settled.into_iter().chain(people))
}

fn first(limit: usize) -> Slice {
    Slice { after: None, limit }
}

fn find(store: &Store, scope: &Scope, terms: &ResidentTerms) -> Vec<String> {
    let found = store.dataset.find_residents(scope, terms, &first(50)).unwrap();
    assert_eq!(found.lines.len() as u64, found.matched);
    found.lines.into_iter().map(|line| line.nama).collect()
}

fn words(text: &str) -> ResidentTerms {
    ResidentTerms { words: Words::of(text), ..Default::default() }
}

#[test]
fn every_word_begins_a_word_of_the_name_and_answers_are_in_order() {
    let store = Store::new();
    let (mut bakung, mut lorejo) = (Log::new(BAKUNG), Log::new(LOREJO));
    let people = ["SITI AMINAH", "AMINAH SITI", "BUDI SITINJAK", "SRI MA'RUFAH", "ASITI"];
    let of = |family| {
        (1..)
            .zip(people)
            .map(move |(number, nama)| create(number, Kind::Warga, &named(nama, family)))
    };
    let batches = [settle(&mut bakung, of(500).collect()), settle(&mut lorejo, of(0).collect())];
    store.merge(&batches);
    let whole = Scope::whole();
    assert_eq!(
        find(&store, &whole, &words("siti")),
        [
            "AMINAH SITI",
            "AMINAH SITI",
            "BUDI SITINJAK",
            "BUDI SITINJAK",
            "SITI AMINAH",
            "SITI AMINAH"
        ]
    );
    assert_eq!(find(&store, &whole, &words("am si")).len(), 4);
    assert_eq!(find(&store, &whole, &words("marufah")).len(), 2);
    assert!(find(&store, &whole, &words("iti")).is_empty(), "no word begins with it");
    let one = Scope::of_village(village(LOREJO));
    assert_eq!(find(&store, &one, &words("siti")).len(), 3, "only of the scope");
    assert!(find(&store, &Scope::nothing(), &words("siti")).is_empty());
    // In a place of the village, and where no house is known.
    let within = ResidentTerms { within: Some(id(310)), ..words("siti") };
    assert_eq!(find(&store, &whole, &within).len(), 3);
    let unplaced = ResidentTerms { unplaced: true, ..words("siti") };
    assert_eq!(find(&store, &whole, &unplaced).len(), 3);
}

#[test]
fn pages_show_every_line_once() {
    let store = Store::new();
    let mut log = Log::new(BAKUNG);
    let people = (1..=57)
        .map(|number| create(number, Kind::Warga, &named(&format!("ORANG {}", number % 7), 500)));
    let batch = settle(&mut log, people.collect());
    store.merge(&[batch]);
    let (mut seen, mut after): (Vec<RecordId>, Option<Bookmark>) = (Vec::new(), None);
    loop {
        let slice = Slice { after, limit: 10 };
        let found: Found<ResidentLine> =
            store.dataset.find_residents(&Scope::whole(), &words("orang"), &slice).unwrap();
        assert_eq!(found.matched, 57);
        seen.extend(found.lines.iter().map(|line| line.id));
        after = found.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(seen.len(), 57);
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), 57, "no line twice");
}

#[test]
fn attributes_narrow_the_answer() {
    let store = Store::new();
    let mut log = Log::new(BAKUNG);
    let day = |year| date::to_wire(Some(Date::constant(year, 6, 1)));
    let woman = v1::Warga {
        nik: NIK.to_owned(),
        jenis_kelamin: 2,
        agama: 4,
        shdk: 1,
        tanggal_lahir: day(1990),
        ..named("WATI", 500)
    };
    let man = v1::Warga { jenis_kelamin: 1, tanggal_lahir: day(2010), ..named("WARSO", 500) };
    let dead = v1::Warga { status_dasar: 2, ..named("WAGIMIN", 500) };
    let people = vec![
        create(1, Kind::Warga, &woman),
        create(2, Kind::Warga, &man),
        create(3, Kind::Warga, &dead),
    ];
    let batch = settle(&mut log, people);
    store.merge(&[batch]);
    let whole = Scope::whole();
    let found = |terms: &ResidentTerms| find(&store, &whole, terms);
    assert_eq!(found(&words("wa")), ["WARSO", "WATI"], "the dead are asked for");
    assert_eq!(found(&ResidentTerms { gone_too: true, ..words("wa") }).len(), 3);
    assert_eq!(found(&ResidentTerms { agama: Some(4), ..Default::default() }), ["WATI"]);
    assert_eq!(found(&ResidentTerms { heads: true, ..Default::default() }), ["WATI"]);
    assert_eq!(found(&ResidentTerms { without_nik: true, ..Default::default() }), ["WARSO"]);
    let until = Some(date::to_days(Date::constant(2000, 1, 1)));
    assert_eq!(found(&ResidentTerms { born_until: until, ..Default::default() }), ["WATI"]);
    assert_eq!(found(&ResidentTerms { born_from: until, ..Default::default() }), ["WARSO"]);
    let nik = Nik::from_u64(NIK.parse().unwrap()).unwrap();
    let dataset = &store.dataset;
    let lines = dataset.find_nik(&whole, nik).unwrap();
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0].place.rt.as_ref().unwrap().1, "004");
    assert!(dataset.find_nik(&Scope::of_village(village(LOREJO)), nik).unwrap().is_empty());

    let houses =
        |terms: &HouseTerms| dataset.find_houses(&whole, terms, &first(9)).unwrap().lines.len();
    assert_eq!(houses(&HouseTerms { words: Words::of("wati"), ..Default::default() }), 1);
    assert_eq!(houses(&HouseTerms { with: house::JAMBAN, ..Default::default() }), 1);
    assert_eq!(houses(&HouseTerms { without: house::JAMBAN, ..Default::default() }), 0);
    assert_eq!(houses(&HouseTerms { without_dasawisma: true, ..Default::default() }), 0);
    let families = dataset.find_families(&whole, &FamilyTerms::default(), &first(9)).unwrap();
    assert_eq!((families.lines[0].kepala.as_str(), families.lines[0].people), ("WATI", 2));
    let terms = FamilyTerms { without_head: true, ..Default::default() };
    assert_eq!(dataset.find_families(&whole, &terms, &first(9)).unwrap().matched, 0);
    let terms = PlaceTerms { kind: Kind::Dasawisma, words: Words::of("mel"), within: None };
    let places = dataset.find_places(&whole, &terms, &first(9)).unwrap();
    assert_eq!((places.lines[0].id, places.lines[0].houses), (id(310), 1));
    let household = dataset.household(&whole, village(BAKUNG), id(400)).unwrap().unwrap();
    assert_eq!(household.line.kepala, "WATI");
    assert_eq!(household.families[0].members[0].nama, "WATI", "the head first");
    let foreign = Scope::of_village(village(LOREJO));
    assert!(dataset.household(&foreign, village(BAKUNG), id(400)).unwrap().is_none());
    assert!(dataset.resident(&foreign, village(BAKUNG), id(1)).unwrap().is_none());
}

#[test]
fn a_search_sees_every_merge_before_it() {
    let store = Store::new();
    let mut log = Log::new(BAKUNG);
    let whole = Scope::whole();
    store.merge(&[log.batch([create(1, Kind::Warga, &named("LAMA", 0))])]);
    assert_eq!(find(&store, &whole, &words("")), ["LAMA"]);
    store.merge(&[log.batch([update(1, Kind::Warga, &named("BARU", 0))])]);
    assert_eq!(find(&store, &whole, &words("")), ["BARU"]);
    assert!(find(&store, &whole, &words("lama")).is_empty());
    store.merge(&[log.batch([delete(1, Kind::Warga)])]);
    assert!(find(&store, &whole, &words("")).is_empty());
}

const CARD: &str = "3505900101900007";

fn family_of(no_kk: &str, house: u64) -> v1::Keluarga {
    v1::Keluarga { rumah_tangga_id: raw(house), ..keluarga(no_kk) }
}

#[test]
fn a_family_that_was_entered_anew_is_found_by_its_card() {
    let store = Store::new();
    let mut old = Log::new(BAKUNG);
    let batch = settle(
        &mut old,
        vec![
            create(501, Kind::Keluarga, &family_of(CARD, 400)),
            create(1, Kind::Warga, &named("SITI AMINAH", 501)),
        ],
    );
    store.merge(&[batch]);
    let anew = |lost| {
        let found = store.dataset.family_anew(&Scope::whole(), village(BAKUNG), id(lost)).unwrap();
        found.map(|family| (family.id, family.kepala))
    };
    assert_eq!(anew(501), None, "the village has it");

    // The village is set up anew; somebody writes the card down again.
    let mut new = Log { position: Position::origin(LogId([1; 16])), ..old };
    let told = |_| NewIncident::new(IncidentKind::Reinstalled, super::words("baru"));
    store.dataset.begin_log(new.village, new.position, &told, 5).unwrap();
    store.merge(&[settle(&mut new, Vec::new())]);
    assert_eq!(anew(501), None, "nobody has the card");
    let head = v1::Warga { shdk: 1, ..named("BUDI", 601) };
    store.merge(&[new.batch([
        create(601, Kind::Keluarga, &family_of(CARD, 400)),
        create(2, Kind::Warga, &head),
        create(3, Kind::Warga, &named("SITI AMINAH", 501)),
    ])]);
    let now = Some((id(601), "BUDI".to_owned()));
    assert_eq!(anew(501), now);
    assert_eq!(anew(500), None, "a family without a number");
    assert_eq!(anew(601), None, "the village has it");
    assert!(
        store.dataset.family_anew(&Scope::nothing(), village(BAKUNG), id(501)).unwrap().is_none()
    );

    // Handed back, and refused for its number: it is set aside by then.
    store.dataset.return_leftovers(new.village, &told, 8).unwrap();
    let waiting = store.dataset.undelivered(&Scope::whole(), new.village, None, 99).unwrap();
    let refused: Vec<_> = waiting
        .iter()
        .map(|version| Delivered {
            number: version.number,
            outcome: Outcome::Conflict,
            held: None,
            absent: true,
        })
        .collect();
    store.dataset.delivered(new.village, &refused, 9).unwrap();
    assert_eq!(store.state(&new).leftovers, 0);
    assert_eq!(anew(501), now);

    // A card that is no longer in use is nobody's, and of two nothing is guessed.
    let ended = v1::Keluarga { aktif: false, ..family_of(CARD, 400) };
    store.merge(&[new.batch([update(601, Kind::Keluarga, &ended)])]);
    assert_eq!(anew(501), None);
    store.merge(&[new.batch([
        update(601, Kind::Keluarga, &family_of(CARD, 400)),
        create(602, Kind::Keluarga, &family_of(CARD, 400)),
    ])]);
    assert_eq!(anew(501), None);
}
