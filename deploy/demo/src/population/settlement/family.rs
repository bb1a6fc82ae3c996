//! One family: its card, its members, what happened to them.

use jiff::civil::Date;
use lumbung_domain::code_list::{Code, StatusDasar};
use lumbung_domain::id::RecordId;
use lumbung_domain::record::{JenisKelamin, Keluarga, OrangTua, Record, Warga};

use super::{Leaders, Settlement};
use crate::population::contradiction::Side;
use crate::population::dice::Dice;
use crate::population::person::{self, Member, code, days_before};
use crate::population::{event, lists};

const LAKI: JenisKelamin = JenisKelamin::LakiLaki;
const PEREMPUAN: JenisKelamin = JenisKelamin::Perempuan;

/// Per mille of residents or families whose record is legal but questionable.
const WITHOUT_NIK: u32 = 4;
const NIK_OF_OTHER_DATE: u32 = 3;
const WITHOUT_SHDK: u32 = 3;
const WITHOUT_HEAD: u32 = 3;
/// Per mille of families that an event of the last two years changed.
const MOVED_IN: u32 = 12;
const LOST_A_MEMBER: u32 = 45;
const CHILD_MOVED_OUT: u32 = 40;

/// The adults a family starts from.
struct Couple {
    head_jk: JenisKelamin,
    head_age: i32,
    head_kawin: u16,
    wife_age: Option<i32>,
}

/// A family's common facts while its members are added.
struct Card {
    id: RecordId,
    agama: u16,
    /// The day it moved into the village, if it did of late.
    arrived: Option<Date>,
}

impl Settlement<'_> {
    /// A family of at most as many residents as `until` leaves; returns its
    /// head.
    pub(super) fn family(
        &mut self,
        house: RecordId,
        alamat: &str,
        until: u32,
        leaders: &mut Leaders,
    ) -> RecordId {
        let at = self.records.len();
        let registered = days_before(self.today, self.dice.between(60, 5_400));
        let no_kk = self.serials.card(registered);
        let kelas_sosial = code(self.dice.weighted(&[(12, 1), (24, 2), (42, 3), (20, 4), (2, 5)]));
        let id = self.push(Record::Keluarga(Keluarga {
            no_kk,
            rumah_tangga_id: house,
            kepala_id: None,
            kelas_sosial,
            alamat: alamat.to_owned(),
            tgl_daftar: Some(registered),
            aktif: true,
        }));
        let agama = self.dice.weighted(&[(945, 1), (22, 2), (14, 3), (14, 4), (3, 5), (2, 7)]);
        let arrived = self.dice.chance(MOVED_IN).then(|| event::recent(&mut self.dice, self.today));
        let card = Card { id, agama, arrived };
        let couple = self.couple();
        let children = self.children(&couple);
        let (head, father, mother) = self.adults(&card, &couple, &children, until, leaders);
        for (which, age) in children.iter().enumerate() {
            if self.alive >= until {
                break;
            }
            self.child(&card, *age, which as u16 + 1, (&father, &mother));
        }
        self.relatives(&card, &couple, until);
        self.departed(&card, &couple, (&father, &mother));
        let headless = self.dice.chance(WITHOUT_HEAD);
        if let Some(Record::Warga(warga)) = self.record(at + 1).filter(|_| headless) {
            warga.shdk = code(9);
        } else if let Some(Record::Keluarga(family)) = self.record(at) {
            family.kepala_id = Some(head);
        }
        head
    }

    fn record(&mut self, at: usize) -> Option<&mut Record> {
        self.records.get_mut(at).map(|(_, record)| record)
    }

    fn couple(&mut self) -> Couple {
        let dice = &mut self.dice;
        let (from, to) = dice.weighted(&[
            (9, (22, 29)),
            (22, (30, 39)),
            (22, (40, 49)),
            (23, (50, 59)),
            (16, (60, 69)),
            (10, (70, 86)),
        ]);
        let head_age = dice.between(from, to);
        let together = dice.chance(match head_age {
            ..=59 => 880,
            60..=69 => 720,
            _ => 480,
        });
        if together {
            let wife_age = (head_age - dice.between(-1, 7)).max(19);
            return Couple { head_jk: LAKI, head_age, head_kawin: 2, wife_age: Some(wife_age) };
        }
        let head_jk = if dice.chance(680) { PEREMPUAN } else { LAKI };
        let head_kawin = match head_age {
            ..=27 => 1,
            28..=54 => dice.weighted(&[(2, 1), (5, 3), (3, 4)]),
            _ => dice.weighted(&[(1, 3), (9, 4)]),
        };
        Couple { head_jk, head_age, head_kawin, wife_age: None }
    }

    /// Ages of the children at home, eldest first.
    fn children(&mut self, couple: &Couple) -> Vec<i32> {
        if couple.head_kawin == 1 {
            return Vec::new();
        }
        let mother_age = couple.wife_age.unwrap_or(couple.head_age);
        let dice = &mut self.dice;
        let born = dice.weighted(&[(6, 0), (20, 1), (40, 2), (24, 3), (10, 4)]);
        let mut at_birth = dice.between(19, 29);
        let mut ages = Vec::with_capacity(born);
        for _ in 0..born {
            let age = mother_age - at_birth;
            let at_home = match age {
                ..=-1 => 0,
                0..=18 => 1_000,
                19..=22 => 850,
                23..=26 => 620,
                27..=32 => 330,
                33..=45 => 130,
                _ => 50,
            };
            if at_birth < 44 && dice.chance(at_home) {
                ages.push(age);
            }
            at_birth += dice.between(3, 7);
        }
        ages
    }

    fn adults(
        &mut self,
        card: &Card,
        couple: &Couple,
        children: &[i32],
        until: u32,
        leaders: &mut Leaders,
    ) -> (RecordId, OrangTua, OrangTua) {
        let head = self.member(card, couple.head_jk, couple.head_age, 1, couple.head_kawin);
        let nursing = children.iter().any(|age| *age < 2);
        let (head_id, known) = self.add(card, head, 0);
        leaders.head = leaders.head.or(Some(head_id));
        let Some(wife_age) = couple.wife_age.filter(|_| self.alive < until) else {
            let other = if couple.head_jk == LAKI { PEREMPUAN } else { LAKI };
            let gone = self.named(other, couple.head_age);
            return match couple.head_jk {
                JenisKelamin::LakiLaki => (head_id, known, gone),
                JenisKelamin::Perempuan => (head_id, gone, known),
            };
        };
        let mut wife = self.member(card, PEREMPUAN, wife_age, 3, 2);
        if nursing && wife.hamil == Some(false) {
            wife.menyusui = Some(true);
            wife.bkb = Some(self.dice.chance(300));
        }
        if self.dice.chance(12) {
            wife.jabatan = self.dice.pick(&["KADER POSYANDU", "KADER DASAWISMA"]).to_owned();
        }
        let (wife_id, mother) = self.add(card, wife, 0);
        leaders.wife = leaders.wife.or(Some(wife_id));
        (head_id, known, mother)
    }

    fn child(&mut self, card: &Card, age: i32, which: u16, parents: (&OrangTua, &OrangTua)) {
        let jk = self.dice.pick(JenisKelamin::ALL);
        let warga = self.offspring(card, jk, age, 4, parents);
        self.add(card, warga, which);
    }

    fn offspring(
        &mut self,
        card: &Card,
        jk: JenisKelamin,
        age: i32,
        shdk: u16,
        (ayah, ibu): (&OrangTua, &OrangTua),
    ) -> Warga {
        let kawin = if age >= 28 && self.dice.chance(250) { 3 } else { 1 };
        let (ayah, ibu) = (ayah.clone(), ibu.clone());
        let member = Member { jk, age, shdk, kawin, agama: card.agama, ayah, ibu };
        person::warga(&mut self.dice, self.today, member)
    }

    /// Grandparents and grandchildren.
    fn relatives(&mut self, card: &Card, couple: &Couple, until: u32) {
        if couple.head_age < 58 && self.alive < until && self.dice.chance(115) {
            let jk = if self.dice.chance(700) { PEREMPUAN } else { LAKI };
            let shdk = if self.dice.chance(450) { 8 } else { 7 };
            let age = couple.head_age + self.dice.between(21, 30);
            let grandparent = self.member(card, jk, age, shdk, 4);
            self.add(card, grandparent, 0);
        }
        if couple.head_age > 48 && self.alive < until && self.dice.chance(170) {
            let age = self.dice.between(0, 11.min(couple.head_age - 42));
            let parents = (self.named(LAKI, age + 27), self.named(PEREMPUAN, age + 24));
            let jk = self.dice.pick(JenisKelamin::ALL);
            let grandchild = self.offspring(card, jk, age, 6, (&parents.0, &parents.1));
            self.add(card, grandchild, 1);
        }
    }

    /// Members who died or moved away within two years; they stay on record.
    fn departed(&mut self, card: &Card, couple: &Couple, parents: (&OrangTua, &OrangTua)) {
        if self.dice.chance(LOST_A_MEMBER) {
            let jk = self.dice.pick(JenisKelamin::ALL);
            let age = (couple.head_age + self.dice.between(18, 32)).clamp(62, 97);
            let mut dead = self.member(card, jk, age, 7, 4);
            leave(&mut dead, Code::<StatusDasar>::MATI);
            dead.nik = dead.tanggal_lahir.and_then(|born| self.serials.nik(jk, born));
            let id = self.push(Record::Warga(Box::new(dead.clone())));
            let death = event::death(&mut self.dice, id, &dead, self.today);
            self.push(Record::Mutasi(Box::new(death)));
        }
        if couple.head_age >= 44 && self.dice.chance(CHILD_MOVED_OUT) {
            let jk = self.dice.pick(JenisKelamin::ALL);
            let age = self.dice.between(19, couple.head_age - 23);
            let mut gone = self.offspring(card, jk, age, 4, parents);
            gone.keluarga_id = Some(card.id);
            leave(&mut gone, Code::<StatusDasar>::PINDAH);
            gone.nik = gone.tanggal_lahir.and_then(|born| self.serials.nik(jk, born));
            let id = self.push(Record::Warga(Box::new(gone.clone())));
            let days = (event::recent(&mut self.dice, self.today), self.today);
            let away = event::far_move(&mut self.dice, id, &gone, true, days);
            self.push(Record::Mutasi(Box::new(away)));
        }
    }

    /// An adult whose parents live elsewhere or no more.
    fn member(&mut self, card: &Card, jk: JenisKelamin, age: i32, shdk: u16, kawin: u16) -> Warga {
        let (ayah, ibu) = (self.named(LAKI, age + 26), self.named(PEREMPUAN, age + 23));
        let member = Member { jk, age, shdk, kawin, agama: card.agama, ayah, ibu };
        let mut warga = person::warga(&mut self.dice, self.today, member);
        warga.keluarga_id = Some(card.id);
        warga
    }

    /// A parent known by name only.
    fn named(&mut self, jk: JenisKelamin, age: i32) -> OrangTua {
        let born = self.today.year() - age as i16;
        OrangTua { nik: None, nama: lists::name(&mut self.dice, jk, born) }
    }

    /// Gives a resident a number and puts it on record with its events.
    fn add(&mut self, card: &Card, mut warga: Warga, which_child: u16) -> (RecordId, OrangTua) {
        let (jk, born) = (warga.jenis_kelamin, warga.tanggal_lahir);
        if let (Some(jk), Some(born)) = (jk, born)
            && !self.dice.chance(WITHOUT_NIK)
        {
            let wrong = self.dice.chance(NIK_OF_OTHER_DATE);
            let day = if wrong { days_before(born, 31) } else { born };
            warga.nik = self.serials.nik(jk, day);
        }
        if self.dice.chance(WITHOUT_SHDK) {
            warga.shdk = None;
        }
        warga.keluarga_id = Some(card.id);
        self.alive += 1;
        warga.no_registrasi = self.alive.to_string();
        let id = (self.mint)();
        let birth = (which_child > 0)
            .then(|| event::birth(&mut self.dice, id, &warga, which_child, self.today))
            .flatten();
        let arrival = card
            .arrived
            .filter(|day| born.is_none_or(|born| born <= *day))
            .map(|day| event::far_move(&mut self.dice, id, &warga, false, (day, self.today)));
        let known = OrangTua { nik: warga.nik, nama: warga.nama.clone() };
        self.records.push((id, Record::Warga(Box::new(warga))));
        for event in [birth, arrival].into_iter().flatten() {
            self.push(Record::Mutasi(Box::new(event)));
        }
        (id, known)
    }

    /// A resident that another village knows too, on a card of its own.
    pub(super) fn shared(&mut self, house: RecordId, alamat: &str, side: Side) {
        let registered = days_before(self.today, self.dice.between(60, 5_400));
        let own_card = self.serials.card(registered);
        let at = self.records.len();
        let here = side.status == Code::<StatusDasar>::HIDUP;
        let id = self.push(Record::Keluarga(Keluarga {
            no_kk: side.card.or(own_card),
            rumah_tangga_id: house,
            kepala_id: None,
            kelas_sosial: code(3),
            alamat: alamat.to_owned(),
            tgl_daftar: Some(registered),
            aktif: here,
        }));
        let card = Card { id, agama: 1, arrived: None };
        let age = lumbung_domain::indicator::umur_tahun(side.born, self.today);
        let mut warga = self.member(&card, side.jk, age, 1, 1);
        warga.nama = side.name;
        warga.tanggal_lahir = Some(side.born);
        warga.nik = side.nik.or_else(|| self.serials.nik(side.jk, side.born));
        if !here {
            leave(&mut warga, side.status);
        }
        let warga_id = self.push(Record::Warga(Box::new(warga)));
        if let Some(mut event) = side.event {
            event.warga_id = warga_id;
            self.push(Record::Mutasi(Box::new(event)));
        }
        if let Some(Record::Keluarga(family)) = self.record(at) {
            family.kepala_id = Some(warga_id);
        }
    }
}

/// Nobody counts the present state of somebody who is no longer here.
fn leave(warga: &mut Warga, status: Code<StatusDasar>) {
    warga.status_dasar = Some(status);
    warga.hamil = None;
    warga.menyusui = None;
    warga.cara_kb = None;
}
