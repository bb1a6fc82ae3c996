//! In-memory view of one village: every record by id, and the ways people
//! name them (NIK, card number, RT number) turned into ids.
//!
//! Promises: [`Census::insert`] and [`Census::remove`] keep every index right
//! whatever the order of records. It holds what it is given and judges
//! nothing; it doesn't store, and it knows no clock.

use std::collections::HashMap;
use std::hash::Hash;

use lumbung_domain::id::RecordId;
use lumbung_domain::identity::{Nik, NoKk};
use lumbung_domain::record::{Dasawisma, Dusun, Keluarga, Record, Rt, RumahTangga, Rw, Warga};

/// All records of one village and their indexes.
#[derive(Clone, Debug, Default)]
pub struct Census {
    records: HashMap<RecordId, Record>,
    warga_by_nik: Index<Nik>,
    keluarga_by_no_kk: Index<NoKk>,
    dusun_by_nama: Index<String>,
    rw_by_number: Index<(Option<RecordId>, String)>,
    rt_by_number: Index<(Option<RecordId>, String)>,
    rt_by_bare_number: Index<String>,
    dasawisma_by_nama: Index<(RecordId, String)>,
    house_by_number: Index<(RecordId, String)>,
    members: Index<RecordId>,
    families: Index<RecordId>,
    houses: Index<RecordId>,
}

impl Census {
    /// A village without records.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The view of these records, in any order; a repeated id replaces.
    pub fn from_records(records: impl Iterator<Item = (RecordId, Record)>) -> Self {
        let mut census = Self::new();
        for (id, record) in records {
            census.insert(id, record);
        }
        census
    }

    /// Puts a record in, or in the place of the one with this id, which is
    /// handed back.
    pub fn insert(&mut self, id: RecordId, record: Record) -> Option<Record> {
        let before = self.remove(id);
        self.index(id, &record, true);
        self.records.insert(id, record);
        before
    }

    /// Takes a record out.
    pub fn remove(&mut self, id: RecordId) -> Option<Record> {
        let before = self.records.remove(&id)?;
        self.index(id, &before, false);
        Some(before)
    }

    /// The record with this id.
    #[must_use]
    pub fn get(&self, id: RecordId) -> Option<&Record> {
        self.records.get(&id)
    }

    /// Number of records.
    #[must_use]
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether the village has no record.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Every record, in no particular order.
    pub fn iter(&self) -> impl Iterator<Item = (RecordId, &Record)> {
        self.records.iter().map(|(id, record)| (*id, record))
    }

    /// Every resident, in no particular order.
    pub fn residents(&self) -> impl Iterator<Item = (RecordId, &Warga)> {
        self.iter().filter_map(|(id, record)| match record {
            Record::Warga(warga) => Some((id, &**warga)),
            _ => None,
        })
    }

    /// The resident with this id.
    #[must_use]
    pub fn warga(&self, id: RecordId) -> Option<&Warga> {
        match self.get(id)? {
            Record::Warga(warga) => Some(warga),
            _ => None,
        }
    }

    /// The family with this id.
    #[must_use]
    pub fn keluarga(&self, id: RecordId) -> Option<&Keluarga> {
        match self.get(id)? {
            Record::Keluarga(keluarga) => Some(keluarga),
            _ => None,
        }
    }

    /// The house with this id.
    #[must_use]
    pub fn rumah_tangga(&self, id: RecordId) -> Option<&RumahTangga> {
        match self.get(id)? {
            Record::RumahTangga(house) => Some(house),
            _ => None,
        }
    }

    /// The dasawisma with this id.
    #[must_use]
    pub fn dasawisma(&self, id: RecordId) -> Option<&Dasawisma> {
        match self.get(id)? {
            Record::Dasawisma(group) => Some(group),
            _ => None,
        }
    }

    /// The RT with this id.
    #[must_use]
    pub fn rt(&self, id: RecordId) -> Option<&Rt> {
        match self.get(id)? {
            Record::Rt(rt) => Some(rt),
            _ => None,
        }
    }

    /// The RW with this id.
    #[must_use]
    pub fn rw(&self, id: RecordId) -> Option<&Rw> {
        match self.get(id)? {
            Record::Rw(rw) => Some(rw),
            _ => None,
        }
    }

    /// The dusun with this id.
    #[must_use]
    pub fn dusun(&self, id: RecordId) -> Option<&Dusun> {
        match self.get(id)? {
            Record::Dusun(dusun) => Some(dusun),
            _ => None,
        }
    }

    /// The resident with this NIK (the first one, should two share it).
    #[must_use]
    pub fn warga_by_nik(&self, nik: Nik) -> Option<RecordId> {
        self.warga_by_nik.first(&nik)
    }

    /// The family with this card number.
    #[must_use]
    pub fn keluarga_by_no_kk(&self, no_kk: NoKk) -> Option<RecordId> {
        self.keluarga_by_no_kk.first(&no_kk)
    }

    /// The dusun of this name; letter case doesn't matter.
    #[must_use]
    pub fn find_dusun(&self, nama: &str) -> Option<RecordId> {
        self.dusun_by_nama.first(&name_key(nama))
    }

    /// The RW with this number in this dusun; "1" and "001" are the same.
    #[must_use]
    pub fn find_rw(&self, dusun: Option<RecordId>, nomor: &str) -> Option<RecordId> {
        self.rw_by_number.first(&(dusun, number_key(nomor)))
    }

    /// The RT with this number under `parent`: its RW, else its dusun, else
    /// the village itself.
    #[must_use]
    pub fn find_rt(&self, parent: Option<RecordId>, nomor: &str) -> Option<RecordId> {
        self.rt_by_number.first(&(parent, number_key(nomor)))
    }

    /// Every RT with this number, whatever its dusun and RW.
    #[must_use]
    pub fn rts_numbered(&self, nomor: &str) -> &[RecordId] {
        self.rt_by_bare_number.all(&number_key(nomor))
    }

    /// The dasawisma of this name in this RT; letter case doesn't matter.
    #[must_use]
    pub fn find_dasawisma(&self, rt: RecordId, nama: &str) -> Option<RecordId> {
        self.dasawisma_by_nama.first(&(rt, name_key(nama)))
    }

    /// The house with this household number in this RT.
    #[must_use]
    pub fn find_house(&self, rt: RecordId, nomor: &str) -> Option<RecordId> {
        self.house_by_number.first(&(rt, number_key(nomor)))
    }

    /// Members of a family, in the order they were put in.
    #[must_use]
    pub fn members(&self, keluarga: RecordId) -> &[RecordId] {
        self.members.all(&keluarga)
    }

    /// Families in a house, in the order they were put in.
    #[must_use]
    pub fn families(&self, rumah_tangga: RecordId) -> &[RecordId] {
        self.families.all(&rumah_tangga)
    }

    /// Houses in an RT, in the order they were put in.
    #[must_use]
    pub fn houses(&self, rt: RecordId) -> &[RecordId] {
        self.houses.all(&rt)
    }

    /// The dusun an RT lies in, by its own word or its RW's.
    #[must_use]
    pub fn dusun_of_rt(&self, rt: &Rt) -> Option<RecordId> {
        rt.dusun_id.or_else(|| rt.rw_id.and_then(|id| self.rw(id)?.dusun_id))
    }

    fn index(&mut self, id: RecordId, record: &Record, add: bool) {
        match record {
            Record::Dusun(dusun) => self.dusun_by_nama.set(name_key(&dusun.nama), id, add),
            Record::Rw(rw) => {
                self.rw_by_number.set((rw.dusun_id, number_key(&rw.nomor)), id, add);
            }
            Record::Rt(rt) => {
                let number = number_key(&rt.nomor);
                self.rt_by_number.set((rt.rw_id.or(rt.dusun_id), number.clone()), id, add);
                self.rt_by_bare_number.set(number, id, add);
            }
            Record::Dasawisma(group) => {
                self.dasawisma_by_nama.set((group.rt_id, name_key(&group.nama)), id, add);
            }
            Record::RumahTangga(house) => {
                self.houses.set(house.rt_id, id, add);
                if !house.nomor.is_empty() {
                    self.house_by_number.set((house.rt_id, number_key(&house.nomor)), id, add);
                }
            }
            Record::Keluarga(family) => {
                self.families.set(family.rumah_tangga_id, id, add);
                if let Some(no_kk) = family.no_kk {
                    self.keluarga_by_no_kk.set(no_kk, id, add);
                }
            }
            Record::Warga(resident) => {
                if let Some(keluarga) = resident.keluarga_id {
                    self.members.set(keluarga, id, add);
                }
                if let Some(nik) = resident.nik {
                    self.warga_by_nik.set(nik, id, add);
                }
            }
            Record::Mutasi(_) | Record::TandaTerima(_) | Record::PernyataanJumlah(_) => {}
        }
    }
}

/// What a name is compared by: spaces at the ends and letter case don't count.
#[must_use]
pub fn name_key(nama: &str) -> String {
    nama.trim().to_uppercase()
}

/// What an RT, RW or house number is compared by: spreadsheets drop leading
/// zeros, so "001" and "1" are the same number.
#[must_use]
pub fn number_key(nomor: &str) -> String {
    let nomor = nomor.trim();
    if !nomor.is_empty() && nomor.bytes().all(|b| b.is_ascii_digit()) {
        let digits = nomor.trim_start_matches('0');
        return if digits.is_empty() { "0" } else { digits }.to_owned();
    }
    nomor.to_uppercase()
}

/// Ids by key. Most keys have one id; keys that people share have several.
#[derive(Clone, Debug)]
struct Index<K>(HashMap<K, Vec<RecordId>>);

impl<K> Default for Index<K> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<K: Eq + Hash> Index<K> {
    fn set(&mut self, key: K, id: RecordId, add: bool) {
        if add {
            self.0.entry(key).or_default().push(id);
        } else if let Some(ids) = self.0.get_mut(&key) {
            ids.retain(|other| *other != id);
            if ids.is_empty() {
                self.0.remove(&key);
            }
        }
    }

    fn all(&self, key: &K) -> &[RecordId] {
        self.0.get(key).map_or(&[], Vec::as_slice)
    }

    fn first(&self, key: &K) -> Option<RecordId> {
        self.all(key).first().copied()
    }
}
