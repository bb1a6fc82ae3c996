//! Differences and repairs in words, for the operator. Names of places only,
//! never anything about a person.

use std::collections::{BTreeMap, BTreeSet};

use lumbung_domain::id::RecordId;
use lumbung_ledger::Seq;
use lumbung_proto::v1;
use lumbung_wire::tree::Place;

use super::difference::Difference;
use crate::dataset::{IncidentKind, NewIncident};
use crate::words::Words;

/// Where records lie that belong to no RT.
const NO_RT: (&str, &str) = ("di luar RT", "outside any RT");

/// RT that are named; the rest is a number.
const NAMED_MAX: usize = 6;

/// What came out when nothing differed.
pub(super) const EQUAL: (&str, &str) =
    ("Semua baris sama dengan log desa.", "Every row is what the village's log says.");

/// Where the difference lies: "RT 003 / RW 002: 2 rumah tangga berbeda, 3
/// catatan". `name` knows an RT by its id.
pub(super) fn places(difference: &Difference, name: impl Fn(RecordId) -> Words) -> Words {
    let mut by_rt: BTreeMap<Option<RecordId>, (BTreeSet<RecordId>, usize)> = BTreeMap::new();
    for record in difference.records.values() {
        let (houses, records) = by_rt.entry(record.rt).or_default();
        *records += 1;
        if let Place::House(house) = record.place {
            houses.insert(house);
        }
    }
    let mut named: Vec<_> = by_rt
        .into_iter()
        .map(|(rt, (houses, records))| {
            let Words { id, en } = rt.map_or_else(|| NO_RT.into(), &name);
            match houses.len() {
                0 => Words::new(
                    format!("{id}: {records} catatan"),
                    format!("{en}: {records} records"),
                ),
                houses => Words::new(
                    format!("{id}: {houses} rumah tangga berbeda, {records} catatan"),
                    format!("{en}: {houses} households differ, {records} records"),
                ),
            }
        })
        .collect();
    named.sort_unstable_by(|one, other| one.id.cmp(&other.id));
    shortened(named)
}

/// The same where only sums by RT and rumah tangga are known: how many rumah
/// tangga differ in each RT.
pub(super) fn summed_places(
    differing: &BTreeMap<Option<RecordId>, usize>,
    name: impl Fn(RecordId) -> Words,
) -> Words {
    let named = differing.iter().map(|(rt, houses)| {
        let place = rt.map_or_else(|| NO_RT.into(), &name);
        match houses {
            0 => place,
            houses => Words::new(
                format!("{}: {houses} rumah tangga berbeda", place.id),
                format!("{}: {houses} households differ", place.en),
            ),
        }
    });
    let mut named: Vec<_> = named.collect();
    named.sort_unstable_by(|one, other| one.id.cmp(&other.id));
    shortened(named)
}

fn shortened(mut named: Vec<Words>) -> Words {
    let more = named.len().saturating_sub(NAMED_MAX);
    named.truncate(NAMED_MAX);
    if more > 0 {
        named.push(Words::new(format!("dan {more} RT lain"), format!("and {more} other RT")));
    }
    let (id, en): (Vec<_>, Vec<_>) = named.into_iter().map(|it| (it.id, it.en)).unzip();
    Words::new(id.join("; "), en.join("; "))
}

/// What was wrong with the rows and is right again.
pub(super) fn rows_repaired(difference: &Difference, places: &Words, at: Seq) -> Words {
    let (missing, altered, surplus) =
        (difference.missing(), difference.altered(), difference.surplus());
    Words::new(
        format!(
            "Isi di hub tidak sama dengan log desa pada nomor {at}. {}. Di hub {missing} catatan \
             hilang, {altered} berubah, {surplus} berlebih. Semuanya diambil lagi dari log desa. \
             Data desa aman, tidak perlu tindakan; bila ini berulang, periksa disk komputer \
             kabupaten.",
            places.id
        ),
        format!(
            "What the hub held differed from the village's log at entry {at}. {}. At the hub \
             {missing} records were missing, {altered} altered, {surplus} too many. All were \
             fetched again from the village's log. The village's data is safe and nothing needs \
             to be done; if it comes again, check the disk of the district's computer.",
            places.en
        ),
    )
}

/// What is wrong with the rows, and how to put it right without a link.
pub(super) fn rows_differ(places: &Words, at: Seq) -> Words {
    Words::new(
        format!(
            "Isi di hub tidak sama dengan log desa pada nomor {at}. {}. Data desa aman. Minta desa \
             mengekspor bundel lengkap (lumbung-node bundle export --from 1): hub memperbaiki \
             isinya dari bundel itu.",
            places.id
        ),
        format!(
            "What the hub holds differs from the village's log at entry {at}. {}. The village's \
             data is safe. Ask the village for a whole bundle (lumbung-node bundle export --from \
             1): the hub puts its rows right from it.",
            places.en
        ),
    )
}

/// The sums beside the rows were wrong and are right again.
pub(super) fn sums_repaired(at: Seq) -> Words {
    Words::new(
        format!(
            "Jumlah isi yang dicatat hub tidak sama dengan barisnya sendiri pada nomor {at}. Semua \
             baris sama dengan log desa; jumlahnya dihitung ulang. Data aman, tidak perlu \
             tindakan; bila ini berulang, periksa disk komputer kabupaten."
        ),
        format!(
            "The sum that the hub kept differed from its own rows at entry {at}. Every row is what \
             the village's log says; the sum was counted anew. The data is safe and nothing needs \
             to be done; if it comes again, check the disk of the district's computer."
        ),
    )
}

/// The node put right what it had derived.
pub(super) fn node_mended(mending: &v1::Mending) -> Words {
    let at = Words::instant(mending.at_ms);
    let v1::Mending { records, index, sum, .. } = mending;
    let (jumlah, and_sum) = if *sum { (", dan jumlah isinya", ", and its sum") } else { ("", "") };
    Words::new(
        format!(
            "Pada {at} node menyusun ulang isinya dari log: {records} penunjuk catatan, {index} \
             isian indeks{jumlah}. Log desa utuh, tidak ada catatan yang hilang. Bila ini berulang, \
             minta desa memeriksa disknya."
        ),
        format!(
            "At {} the node rebuilt its content from its log: {records} pointers to records, \
             {index} index entries{and_sum}. The village's log is whole and no record is lost. If \
             it comes again, ask the village to check its disk.",
            at.en
        ),
    )
}

/// The incident of a node whose log does not prove itself.
pub(crate) fn log_broken(seq: Seq) -> NewIncident {
    let words = Words::new(
        format!(
            "Log di node tidak cocok dengan rantainya sendiri mulai nomor {seq}. Tidak ada yang \
             diubah di desa maupun di sini. Yang sudah tergabung aman. Jangan menghapus folder data \
             desa; periksa disknya, lalu jalankan lumbung-node recover di desa, atau pulihkan \
             cadangan."
        ),
        format!(
            "The node's log does not prove itself from entry {seq} on. Nothing was changed, neither \
             in the village nor here. What is merged is safe. Don't delete the village's folder; \
             check its disk, then run lumbung-node recover there, or restore a backup."
        ),
    );
    NewIncident::new(IncidentKind::LogBroken, words).about(seq.to_string())
}

/// The node's answers don't fit together.
pub(super) const CONTRADICTS: (&str, &str) = (
    "Jawaban node tidak cocok satu sama lain. Yang sudah tergabung aman. Perbarui node desa.",
    "The node's answers don't fit together. What is merged is safe. Update the village's node.",
);

/// What the node states contradicts its own log.
pub(super) const STATES_OTHERWISE: (&str, &str) = (
    "Jumlah isi yang disebut desa tidak cocok dengan log desa sendiri. Yang sudah tergabung aman. \
     Minta desa menjalankan lumbung-node verify --repair, lalu mengekspor lagi.",
    "The sum that the village states does not fit its own log. What is merged is safe. Ask the \
     village to run lumbung-node verify --repair and to export again.",
);

/// The node does not know the question.
pub(super) const OLD_NODE: (&str, &str) = (
    "Node versi lama tidak bisa memperbaiki jumlah isinya sendiri. Data aman. Perbarui node desa.",
    "A node of this old version can't put its own sum right. The data is safe. Update the \
     village's node.",
);

/// After everything was done the sums still differ.
pub(super) const STILL_DIFFERS: (&str, &str) = (
    "Setelah diperbaiki, jumlahnya tetap tidak sama. Yang sudah tergabung aman. Periksa disk \
     komputer kabupaten, lalu laporkan ke pengelola.",
    "After the repair the sums still differ. What is merged is safe. Check the disk of the \
     district's computer, then tell the administrator.",
);

#[cfg(test)]
mod tests {
    use lumbung_wire::tree::Part;

    use super::*;
    use crate::repair::Differing;

    fn id(number: u64) -> RecordId {
        RecordId::from_parts(1_790_000_000_000, 0, number)
    }

    #[test]
    fn a_difference_reads_as_places_and_numbers() {
        let part = Some(Part { records: 1, ..Part::default() });
        let differing =
            |own, told, rt: Option<u64>, place| Differing { own, told, rt: rt.map(id), place };
        let records = [
            (id(10), differing(part, None, Some(1), Place::House(id(5)))),
            (id(11), differing(None, part, Some(1), Place::House(id(5)))),
            (id(12), differing(part, part, Some(1), Place::House(id(6)))),
            (id(13), differing(part, None, Some(2), Place::Unhoused(id(2)))),
            (id(14), differing(part, None, None, Place::Loose)),
        ];
        let difference = Difference { records: records.into() };
        let name = |rt: RecordId| {
            let name = if rt == id(1) { "RT 003 / RW 002" } else { "RT 004" };
            Words::new(name, name)
        };
        let places = places(&difference, name);
        assert_eq!(
            places.id,
            "RT 003 / RW 002: 2 rumah tangga berbeda, 3 catatan; RT 004: 1 catatan; \
             di luar RT: 1 catatan"
        );
        assert!(places.en.ends_with("outside any RT: 1 records"), "{}", places.en);
        let said = rows_repaired(&difference, &places, Seq(7)).id;
        assert!(said.contains("1 catatan hilang, 1 berubah, 3 berlebih"), "{said}");
    }
}
