//! Differences and repairs in words, for the operator. Names of places only,
//! never anything about a person.

use std::collections::{BTreeMap, BTreeSet};

use lumbung_domain::id::RecordId;
use lumbung_ledger::Seq;
use lumbung_proto::v1;
use lumbung_telemetry::clock;
use lumbung_wire::tree::Place;

use super::difference::Difference;
use crate::dataset::{IncidentKind, NewIncident};

/// RT that are named; the rest is a number.
const NAMED_MAX: usize = 6;

/// What came out when nothing differed.
pub(super) const EQUAL: &str = "Semua baris sama dengan log desa.";

/// Where the difference lies: "RT 003 / RW 002: 2 rumah tangga berbeda, 3
/// catatan". `name` knows an RT by its id.
pub(super) fn places(difference: &Difference, name: impl Fn(RecordId) -> String) -> String {
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
            let place = rt.map_or_else(|| "di luar RT".to_owned(), &name);
            match houses.len() {
                0 => format!("{place}: {records} catatan"),
                houses => format!("{place}: {houses} rumah tangga berbeda, {records} catatan"),
            }
        })
        .collect();
    named.sort_unstable();
    shortened(named)
}

/// The same where only sums by RT and rumah tangga are known: how many rumah
/// tangga differ in each RT.
pub(super) fn summed_places(
    differing: &BTreeMap<Option<RecordId>, usize>,
    name: impl Fn(RecordId) -> String,
) -> String {
    let named = differing.iter().map(|(rt, houses)| {
        let place = rt.map_or_else(|| "di luar RT".to_owned(), &name);
        match houses {
            0 => place,
            houses => format!("{place}: {houses} rumah tangga berbeda"),
        }
    });
    let mut named: Vec<_> = named.collect();
    named.sort_unstable();
    shortened(named)
}

fn shortened(mut named: Vec<String>) -> String {
    let more = named.len().saturating_sub(NAMED_MAX);
    named.truncate(NAMED_MAX);
    if more > 0 {
        named.push(format!("dan {more} RT lain"));
    }
    named.join("; ")
}

/// What was wrong with the rows and is right again.
pub(super) fn rows_repaired(difference: &Difference, places: &str, at: Seq) -> String {
    format!(
        "Isi di hub tidak sama dengan log desa pada nomor {at}. {places}. Di hub {} catatan \
         hilang, {} berubah, {} berlebih. Semuanya diambil lagi dari log desa. Data desa aman, \
         tidak perlu tindakan; bila ini berulang, periksa disk komputer kabupaten.",
        difference.missing(),
        difference.altered(),
        difference.surplus(),
    )
}

/// What is wrong with the rows, and how to put it right without a link.
pub(super) fn rows_differ(places: &str, at: Seq) -> String {
    format!(
        "Isi di hub tidak sama dengan log desa pada nomor {at}. {places}. Data desa aman. Minta \
         desa mengekspor bundel lengkap (lumbung-node bundle export --from 1): hub memperbaiki \
         isinya dari bundel itu."
    )
}

/// The sums beside the rows were wrong and are right again.
pub(super) fn sums_repaired(at: Seq) -> String {
    format!(
        "Jumlah isi yang dicatat hub tidak sama dengan barisnya sendiri pada nomor {at}. Semua \
         baris sama dengan log desa; jumlahnya dihitung ulang. Data aman, tidak perlu tindakan; \
         bila ini berulang, periksa disk komputer kabupaten."
    )
}

/// The node put right what it had derived.
pub(super) fn node_mended(mending: &v1::Mending) -> String {
    format!(
        "Pada {} node menyusun ulang isinya dari log: {} penunjuk catatan, {} isian indeks{}. Log \
         desa utuh, tidak ada catatan yang hilang. Bila ini berulang, minta desa memeriksa disknya.",
        clock::display(mending.at_ms),
        mending.records,
        mending.index,
        if mending.sum { ", dan jumlah isinya" } else { "" },
    )
}

/// The incident of a node whose log does not prove itself.
pub(crate) fn log_broken(seq: Seq) -> NewIncident {
    let words = format!(
        "Log di node tidak cocok dengan rantainya sendiri mulai nomor {seq}. Tidak ada yang diubah \
         di desa maupun di sini. Yang sudah tergabung aman. Jangan menghapus folder data desa; \
         periksa disknya, lalu pulihkan node dari cadangan atau dari data kabupaten."
    );
    NewIncident::new(IncidentKind::LogBroken, words).about(seq.to_string())
}

/// The node's answers don't fit together.
pub(super) const CONTRADICTS: &str =
    "Jawaban node tidak cocok satu sama lain. Yang sudah tergabung aman. Perbarui node desa.";

/// What the node states contradicts its own log.
pub(super) const STATES_OTHERWISE: &str = "Jumlah isi yang disebut desa tidak cocok dengan log desa sendiri. Yang sudah tergabung aman. \
     Minta desa menjalankan lumbung-node verify --repair, lalu mengekspor lagi.";

/// The node does not know the question.
pub(super) const OLD_NODE: &str =
    "Node versi lama tidak bisa memperbaiki jumlah isinya sendiri. Data aman. Perbarui node desa.";

/// After everything was done the sums still differ.
pub(super) const STILL_DIFFERS: &str = "Setelah diperbaiki, jumlahnya tetap tidak sama. Yang sudah \
     tergabung aman. Periksa disk komputer kabupaten, lalu laporkan ke pengelola.";

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
        let name = |rt: RecordId| if rt == id(1) { "RT 003 / RW 002" } else { "RT 004" }.to_owned();
        let places = places(&difference, name);
        assert_eq!(
            places,
            "RT 003 / RW 002: 2 rumah tangga berbeda, 3 catatan; RT 004: 1 catatan; \
             di luar RT: 1 catatan"
        );
        let said = rows_repaired(&difference, &places, Seq(7));
        assert!(said.contains("1 catatan hilang, 1 berubah, 3 berlebih"), "{said}");
    }
}
