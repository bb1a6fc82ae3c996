//! What two villages say about the same resident or card.
//!
//! Each contradiction brings its own seed, number and day, so that both
//! villages make up the same resident without knowing each other's records.
//! About one per 1,500 residents.

use jiff::civil::Date;
use lumbung_domain::code_list::{Code, JenisPindah, Peristiwa, StatusDasar};
use lumbung_domain::identity::{Nik, NoKk};
use lumbung_domain::record::{JenisKelamin, Mutasi, Perpindahan};
use lumbung_domain::region::{VillageCode, roster};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::dice::Dice;
use super::person::{days_before, years_before};
use super::serial::{self, SHARED_FROM};
use super::{VillagePlan, lists};

/// Residents per contradiction.
const RESIDENTS_PER_CASE: u32 = 1_500;
/// Serials kept for them.
const CASES_MAX: u32 = 999;

/// What the two villages disagree about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ContradictionKind {
    /// The same NIK lives in both.
    NikGanda,
    /// The same card number stands in both, with different residents.
    KkGanda,
    /// Moved out here, moved in there: no contradiction, but only the two
    /// together show it.
    PindahBerpasangan,
    /// Moved out here, never arrived there.
    PindahTanpaDatang,
    /// Arrived there, never left here.
    DatangTanpaPindah,
}

/// One resident or card that concerns two villages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contradiction {
    /// What it is about.
    pub kind: ContradictionKind,
    /// The village it comes from.
    pub here: VillageCode,
    /// The other village.
    pub there: VillageCode,
    /// The resident both make up follows from it.
    pub seed: u64,
    serial: u32,
}

/// The contradictions among these villages, about one per 1,500 residents and
/// at least one of each kind.
#[must_use]
pub fn contradictions(plans: &[VillagePlan]) -> Vec<Contradiction> {
    use ContradictionKind as Kind;
    const KINDS: [Kind; 6] = [
        Kind::NikGanda,
        Kind::PindahBerpasangan,
        Kind::KkGanda,
        Kind::PindahTanpaDatang,
        Kind::PindahBerpasangan,
        Kind::DatangTanpaPindah,
    ];
    if plans.len() < 2 {
        return Vec::new();
    }
    let residents: u32 = plans.iter().map(|plan| plan.residents).sum();
    let cases = (residents / RESIDENTS_PER_CASE).clamp(KINDS.len() as u32, CASES_MAX);
    let mut dice = ChaCha8Rng::seed_from_u64(plans[0].seed ^ 0x6b65_6d62_6172);
    (0..cases)
        .map(|case| {
            let villages = plans.len() as u32;
            let here = dice.below(villages);
            let there = (here + 1 + dice.below(villages - 1)) % villages;
            Contradiction {
                kind: KINDS[case as usize % KINDS.len()],
                here: plans[here as usize].code,
                there: plans[there as usize].code,
                seed: dice.random(),
                serial: SHARED_FROM + case % CASES_MAX,
            }
        })
        .collect()
}

/// The resident as one of the two villages records it.
pub(super) struct Side {
    pub(super) jk: JenisKelamin,
    pub(super) born: Date,
    pub(super) name: String,
    pub(super) nik: Option<Nik>,
    /// Only where the card itself is the contradiction.
    pub(super) card: Option<NoKk>,
    pub(super) status: Code<StatusDasar>,
    pub(super) event: Option<Mutasi>,
}

impl Contradiction {
    /// Whether `village` counts the resident as alive and here.
    pub(super) fn lives_in(&self, village: VillageCode) -> bool {
        use ContradictionKind as Kind;
        match self.kind {
            Kind::NikGanda | Kind::KkGanda => true,
            Kind::PindahBerpasangan | Kind::DatangTanpaPindah => village == self.there,
            Kind::PindahTanpaDatang => false,
        }
    }

    /// What `village` records about it, if anything.
    pub(super) fn side(&self, village: VillageCode, today: Date) -> Option<Side> {
        use ContradictionKind as Kind;
        let from_here = village == self.here;
        match self.kind {
            Kind::PindahTanpaDatang if !from_here => return None,
            Kind::DatangTanpaPindah if from_here => return None,
            _ => {}
        }
        let whole_card = self.kind == Kind::KkGanda;
        let mut dice = ChaCha8Rng::seed_from_u64(self.seed);
        let day = days_before(today, dice.between(40, 700));
        if whole_card {
            // The card is the same, the people on it are not.
            dice = ChaCha8Rng::seed_from_u64(self.seed ^ village.as_u64());
        }
        let jk = dice.pick(JenisKelamin::ALL);
        let age = dice.between(21, 58);
        let born = years_before(&mut dice, today, age);
        let name = lists::name(&mut dice, jk, born.year());
        let home = self.here.kecamatan().as_u64();
        let moves = !matches!(self.kind, Kind::NikGanda | Kind::KkGanda);
        let nik = serial::nik(home, jk, born, self.serial);
        let side = Side {
            jk,
            born,
            name,
            nik: if whole_card { None } else { nik },
            card: if whole_card { serial::card(home, day, self.serial) } else { None },
            status: if moves && from_here {
                Code::<StatusDasar>::PINDAH
            } else {
                Code::<StatusDasar>::HIDUP
            },
            event: moves.then(|| self.movement(from_here, nik, day, dice.pick(lists::REASONS))),
        };
        Some(side)
    }

    fn movement(&self, leaves: bool, nik: Option<Nik>, day: Date, reason: &str) -> Mutasi {
        let other = if leaves { self.there } else { self.here };
        let far = if self.here.kecamatan() == self.there.kecamatan() { 1 } else { 2 };
        // The arrival is written a few days after the departure.
        let day = if leaves { day } else { days_before(day, -5) };
        Mutasi {
            nik,
            peristiwa: Some(if leaves {
                Code::<Peristiwa>::PINDAH_KELUAR
            } else {
                Code::<Peristiwa>::PINDAH_MASUK
            }),
            tgl_peristiwa: Some(day),
            tgl_lapor: Some(days_before(day, -2)),
            perpindahan: Some(Perpindahan {
                jenis: if leaves { Code::<JenisPindah>::new(far) } else { None },
                alamat: roster().village(other).map_or_else(String::new, |d| d.full_name()),
                desa: Some(other),
                alasan: reason.to_owned(),
            }),
            ..Mutasi::default()
        }
    }
}
