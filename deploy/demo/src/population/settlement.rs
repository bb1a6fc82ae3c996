//! One village from dusun down to its residents.

mod family;

use jiff::civil::Date;
use lumbung_domain::code_list::{Code, StatusDasar};
use lumbung_domain::id::RecordId;
use lumbung_domain::record::{Dasawisma, Dusun, MasaAktif, Record, Rt, Rw, Titik};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::contradiction::Side;
use super::dice::Dice;
use super::serial::Serials;
use super::{VillagePlan, house, lists};

/// The kabupaten's averages: residents per RT, RT per RW, families per
/// dasawisma, residents per family.
const RESIDENTS_PER_RT: u32 = 181;
const RT_PER_RW: f64 = 9.2;
const DASAWISMA_KK: f64 = 14.0;
const RESIDENTS_PER_KK: f64 = 3.1;
/// Houses with a second family, per mille.
const SECOND_FAMILY: u32 = 50;
/// RT whose groups were never split, per mille: too many families in each.
const UNSPLIT_RT: u32 = 25;

/// A village in the making.
pub(super) struct Settlement<'a> {
    plan: &'a VillagePlan,
    dice: ChaCha8Rng,
    today: Date,
    mint: &'a mut dyn FnMut() -> RecordId,
    serials: Serials,
    records: Vec<(RecordId, Record)>,
    /// Residents it shares with other villages, not yet placed.
    sides: Vec<Side>,
    centre: Titik,
    houses: u32,
    /// Residents alive and here so far, shared ones not counted.
    alive: u32,
    /// How many of those there will be.
    wanted: u32,
}

/// Who could lead an RT or a dasawisma.
#[derive(Default)]
struct Leaders {
    head: Option<RecordId>,
    wife: Option<RecordId>,
}

impl<'a> Settlement<'a> {
    pub(super) fn new(
        plan: &'a VillagePlan,
        today: Date,
        mint: &'a mut dyn FnMut() -> RecordId,
    ) -> Self {
        let mut dice = ChaCha8Rng::seed_from_u64(plan.seed);
        let shared = plan.contradictions.iter().filter(|case| case.lives_in(plan.code)).count();
        let middle = |dice: &mut ChaCha8Rng, from: i32, to: i32| {
            f64::from(Dice::between(dice, from, to)) / 1_000.0
        };
        let lat = middle(&mut dice, -8_250, -8_000);
        let lon = middle(&mut dice, 112_000, 112_400);
        Self {
            plan,
            dice,
            today,
            mint,
            serials: Serials::new(plan.code, plan.place_in_kecamatan),
            records: Vec::with_capacity(plan.residents as usize * 8 / 5 + 64),
            sides: plan.contradictions.iter().filter_map(|c| c.side(plan.code, today)).collect(),
            centre: Titik { lat, lon },
            houses: 0,
            alive: 0,
            wanted: plan.residents.saturating_sub(shared as u32),
        }
    }

    pub(super) fn build(mut self) -> Vec<(RecordId, Record)> {
        let rts = rounded(f64::from(self.wanted) / f64::from(RESIDENTS_PER_RT));
        let rws = rounded(f64::from(rts) / RT_PER_RW);
        let dusuns = self.dice.below(5.min(rws + 1)).clamp(1, 5);
        let dusun_ids: Vec<_> = (0..dusuns).map(|number| self.dusun(number)).collect();
        let rw_ids: Vec<_> = (0..rws)
            .map(|number| {
                let dusun_id = dusun_ids[(number * dusuns / rws) as usize];
                let id = self.push(Record::Rw(Rw {
                    nomor: format!("{:03}", number + 1),
                    dusun_id: Some(dusun_id),
                    ..Rw::default()
                }));
                (id, dusun_id)
            })
            .collect();
        for number in 0..rts {
            let (rw_id, dusun_id) = rw_ids[(number * rws / rts) as usize];
            let until = u64::from(self.wanted) * u64::from(number + 1) / u64::from(rts);
            self.rt(number, rw_id, dusun_id, until as u32);
        }
        self.records
    }

    fn dusun(&mut self, number: u32) -> RecordId {
        let start = self.plan.seed as usize % lists::DUSUN.len();
        let nama = lists::DUSUN[(start + number as usize) % lists::DUSUN.len()].to_owned();
        self.push(Record::Dusun(Dusun {
            nama,
            titik: Some(self.centre),
            aktif: MasaAktif { dari: Date::new(1_990, 1, 1).ok(), sampai: None },
            ..Dusun::default()
        }))
    }

    /// One RT, filled until the village has `until` residents.
    fn rt(&mut self, number: u32, rw_id: RecordId, dusun_id: RecordId, until: u32) {
        let at = self.records.len();
        let titik = Some(house::near(&mut self.dice, self.centre));
        let rt_id = self.push(Record::Rt(Rt {
            nomor: format!("{:03}", number + 1),
            rw_id: Some(rw_id),
            dusun_id: Some(dusun_id),
            titik,
            ..Rt::default()
        }));
        let (from, last) = (self.alive, until == self.wanted);
        let residents = until.saturating_sub(from);
        let mut groups = rounded(f64::from(residents) / RESIDENTS_PER_KK / DASAWISMA_KK);
        if self.dice.chance(UNSPLIT_RT) {
            groups = (groups / 2).max(1);
        }
        let first_flower = self.dice.below(lists::FLOWERS.len() as u32);
        let mut head = None;
        for group in 0..groups {
            let group_until = from + residents * (group + 1) / groups;
            let flower = (first_flower + group) as usize % lists::FLOWERS.len();
            let leaders = self.dasawisma(rt_id, flower, group_until);
            head = head.or(leaders.head);
        }
        if last {
            self.place_rest();
        }
        if let Record::Rt(rt) = &mut self.records[at].1 {
            rt.ketua_id = head;
        }
    }

    fn dasawisma(&mut self, rt_id: RecordId, flower: usize, until: u32) -> Leaders {
        let at = self.records.len();
        let id = self.push(Record::Dasawisma(Dasawisma {
            nama: lists::FLOWERS[flower].to_owned(),
            rt_id,
            ketua_id: None,
            aktif: true,
            tahun: self.today.year().unsigned_abs(),
        }));
        let mut leaders = Leaders::default();
        if self.alive < until
            && let Some(side) = self.sides.pop()
        {
            self.house(rt_id, id, until, Some(side), &mut leaders);
        }
        while self.alive < until {
            self.house(rt_id, id, until, None, &mut leaders);
        }
        if let Record::Dasawisma(group) = &mut self.records[at].1 {
            group.ketua_id = leaders.wife;
        }
        leaders
    }

    fn house(
        &mut self,
        rt_id: RecordId,
        group: RecordId,
        until: u32,
        side: Option<Side>,
        leaders: &mut Leaders,
    ) {
        self.houses += 1;
        let at = self.records.len();
        let house = house::rumah_tangga(
            &mut self.dice,
            (rt_id, group),
            self.houses,
            self.centre,
            self.today,
        );
        let alamat = house.alamat.clone();
        let id = self.push(Record::RumahTangga(Box::new(house)));
        let head = self.family(id, &alamat, until, leaders);
        if self.alive < until && self.dice.chance(SECOND_FAMILY) {
            self.family(id, &alamat, until, leaders);
        }
        if let Some(side) = side {
            self.shared(id, &alamat, side);
        }
        let expecting = self.records[at..].iter().any(|(_, record)| {
            matches!(record, Record::Warga(warga) if warga.hamil == Some(true)
                && warga.status_dasar == Some(Code::<StatusDasar>::HIDUP))
        });
        if let Record::RumahTangga(house) = &mut self.records[at].1 {
            house.kepala_id = Some(head);
            house.stiker_p4k = Some(expecting);
        }
    }

    /// Shared residents that found no group, into the last house.
    fn place_rest(&mut self) {
        let house = self.records.iter().rev().find_map(|(id, record)| match record {
            Record::RumahTangga(house) => Some((*id, house.alamat.clone())),
            _ => None,
        });
        let Some((id, alamat)) = house else { return };
        while let Some(side) = self.sides.pop() {
            self.shared(id, &alamat, side);
        }
    }

    fn push(&mut self, record: Record) -> RecordId {
        let id = (self.mint)();
        self.records.push((id, record));
        id
    }
}

/// At least one.
fn rounded(number: f64) -> u32 {
    (number.round() as u32).max(1)
}
