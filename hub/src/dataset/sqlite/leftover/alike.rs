//! Rows left over from a closed log that the present one has recorded anew,
//! told by what identifies them in the forms: numbers of their own they lack,
//! on one side at least.
//!
//! A resident is a name with a birth date; where a date is missing, a name in
//! the same RT under the same head. A family card and a house are their head
//! in the RT; an RT its number within RW and dusun, a dasawisma its name in
//! the RT. What may be the same stays at the hub, for somebody to decide: it
//! waits there, and is not doubled.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use lumbung_domain::code_list::{Code, Shdk};
use lumbung_domain::id::RecordId;
use lumbung_domain::region::VillageCode;
use rusqlite::{Connection, Row as SqlRow};

use crate::dataset::search::fold;
use crate::dataset::sqlite::upsert::village_sql;

/// Whether a row is left over.
type IsOld = bool;

/// An RT: its number, and those of the RW and the name of the dusun around it.
#[derive(Clone, Default)]
struct RtName {
    nomor: String,
    rw: Option<String>,
    dusun: Option<String>,
}

struct Resident {
    has_nik: bool,
    name: String,
    born: Option<i32>,
    family: Option<RecordId>,
    is_head: bool,
}

/// A village's rows, of both logs. What one names may be of the other.
#[derive(Default)]
struct Village {
    dusun: BTreeMap<RecordId, (IsOld, String)>,
    rw: BTreeMap<RecordId, (IsOld, String, Option<RecordId>)>,
    rt: BTreeMap<RecordId, (IsOld, String, Option<RecordId>, Option<RecordId>)>,
    dasawisma: BTreeMap<RecordId, (IsOld, String, RecordId)>,
    /// With its RT, its dasawisma and its head.
    houses: BTreeMap<RecordId, (IsOld, RecordId, Option<RecordId>, Option<RecordId>)>,
    /// With whether it has a number, and its house.
    families: BTreeMap<RecordId, (IsOld, bool, RecordId)>,
    residents: BTreeMap<RecordId, (IsOld, Resident)>,
    /// Who is written down as head of a family card.
    heads: HashMap<RecordId, RecordId>,
    /// Heads of the family cards in a house, by their cards.
    house_heads: HashMap<RecordId, RecordId>,
}

fn id(row: &SqlRow<'_>, column: usize) -> rusqlite::Result<RecordId> {
    Ok(maybe_id(row, column)?.unwrap_or_default())
}

fn maybe_id(row: &SqlRow<'_>, column: usize) -> rusqlite::Result<Option<RecordId>> {
    Ok(row.get_ref(column)?.as_blob_or_null()?.and_then(RecordId::from_slice))
}

fn read<T>(
    conn: &Connection,
    village: VillageCode,
    table: &str,
    columns: &str,
    of: impl Fn(&SqlRow<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<BTreeMap<RecordId, T>> {
    conn.prepare_cached(&format!(
        "SELECT id, epoch = 0, {columns} FROM {table} WHERE village = ?1"
    ))?
    .query_map([village_sql(village)], |row| Ok((id(row, 0)?, of(row)?)))?
    .collect()
}

/// A number of an RT or RW as it is compared: "003" is "3".
fn number(text: &str) -> String {
    let folded = fold(text);
    let short = folded.trim_start_matches('0');
    if short.is_empty() { folded } else { short.to_owned() }
}

/// Whether two things that may be unknown can be the same.
fn agree<T: PartialEq>(one: Option<&T>, other: Option<&T>) -> bool {
    one.zip(other).is_none_or(|(one, other)| one == other)
}

impl RtName {
    fn agrees(&self, other: &Self) -> bool {
        self.nomor == other.nomor
            && agree(self.rw.as_ref(), other.rw.as_ref())
            && agree(self.dusun.as_ref(), other.dusun.as_ref())
    }
}

impl Village {
    fn read(conn: &Connection, village: VillageCode) -> rusqlite::Result<Self> {
        let text = |row: &SqlRow<'_>, column| row.get::<_, String>(column);
        let mut all = Self {
            dusun: read(conn, village, "dusun", "nama", |row| {
                Ok((row.get(1)?, fold(&text(row, 2)?)))
            })?,
            rw: read(conn, village, "rw", "nomor, dusun_id", |row| {
                Ok((row.get(1)?, number(&text(row, 2)?), maybe_id(row, 3)?))
            })?,
            rt: read(conn, village, "rt", "nomor, rw_id, dusun_id", |row| {
                Ok((row.get(1)?, number(&text(row, 2)?), maybe_id(row, 3)?, maybe_id(row, 4)?))
            })?,
            dasawisma: read(conn, village, "dasawisma", "nama, rt_id", |row| {
                Ok((row.get(1)?, fold(&text(row, 2)?), id(row, 3)?))
            })?,
            houses: read(conn, village, "rumah_tangga", "rt_id, dasawisma_id, kepala_id", |row| {
                Ok((row.get(1)?, id(row, 2)?, maybe_id(row, 3)?, maybe_id(row, 4)?))
            })?,
            families: read(
                conn,
                village,
                "keluarga",
                "no_kk IS NOT NULL, rumah_tangga_id",
                |row| Ok((row.get(1)?, row.get(2)?, id(row, 3)?)),
            )?,
            residents: read(
                conn,
                village,
                "warga",
                "nik IS NOT NULL, nama, tanggal_lahir, keluarga_id, shdk",
                |row| {
                    let resident = Resident {
                        has_nik: row.get(2)?,
                        name: fold(&text(row, 3)?),
                        born: row.get(4)?,
                        family: maybe_id(row, 5)?,
                        is_head: row.get::<_, u16>(6)? == Code::<Shdk>::KEPALA_KELUARGA.number(),
                    };
                    Ok((row.get(1)?, resident))
                },
            )?,
            ..Self::default()
        };
        for (id, (_, resident)) in &all.residents {
            if let Some(family) = resident.family.filter(|_| resident.is_head) {
                all.heads.entry(family).or_insert(*id);
            }
        }
        for (family, (_, _, house)) in &all.families {
            if let Some(head) = all.heads.get(family) {
                all.house_heads.entry(*house).or_insert(*head);
            }
        }
        Ok(all)
    }

    fn rt_name(&self, id: RecordId) -> Option<RtName> {
        let (_, nomor, rw, dusun) = self.rt.get(&id)?;
        let rw = rw.and_then(|rw| self.rw.get(&rw));
        let dusun = dusun.or_else(|| rw.and_then(|(.., dusun)| *dusun));
        let dusun = dusun.and_then(|dusun| self.dusun.get(&dusun));
        let (rw, dusun) = (rw.map(|rw| rw.1.clone()), dusun.map(|dusun| dusun.1.clone()));
        Some(RtName { nomor: nomor.clone(), rw, dusun })
    }

    fn near(&self, one: Option<RecordId>, other: Option<RecordId>) -> bool {
        let names = [one, other].map(|rt| rt.and_then(|rt| self.rt_name(rt)));
        let [Some(one), Some(other)] = names else { return true };
        one.agrees(&other)
    }

    fn head_of_house(&self, house: RecordId) -> Option<&Resident> {
        let named = self.houses.get(&house).and_then(|house| house.3);
        let head = named.or_else(|| self.house_heads.get(&house).copied())?;
        self.residents.get(&head).map(|(_, resident)| resident)
    }

    fn head_of_family(&self, family: RecordId) -> Option<&Resident> {
        let head = self.heads.get(&family)?;
        self.residents.get(head).map(|(_, resident)| resident)
    }

    fn rt_of_family(&self, family: RecordId) -> Option<RecordId> {
        let (_, _, house) = self.families.get(&family)?;
        self.houses.get(house).map(|house| house.1)
    }

    /// Whether a resident of the present log may be the one who is left over.
    fn same_resident(&self, old: &Resident, now: &Resident) -> bool {
        let comparable = !(old.has_nik && now.has_nik);
        if !comparable || old.name != now.name || !agree(old.born.as_ref(), now.born.as_ref()) {
            return false;
        }
        if old.born.is_some() && now.born.is_some() {
            return true;
        }
        let head = |it: &Resident| it.family.and_then(|family| self.head_of_family(family));
        let heads = (head(old).map(|head| &head.name), head(now).map(|head| &head.name));
        let rt = |it: &Resident| it.family.and_then(|family| self.rt_of_family(family));
        agree(heads.0, heads.1) && self.near(rt(old), rt(now))
    }

    /// Whether two houses or family cards are of one head in one RT.
    fn same_head(
        &self,
        old: (&Resident, Option<RecordId>),
        now: (Option<&Resident>, Option<RecordId>),
    ) -> bool {
        let Some(head) = now.0 else { return false };
        old.0.name == head.name
            && agree(old.0.born.as_ref(), head.born.as_ref())
            && self.near(old.1, now.1)
    }

    /// What is left over and recorded anew, of regions.
    fn regions(&self) -> BTreeSet<RecordId> {
        let mut found = BTreeSet::new();
        for (id, (_, name)) in self.dusun.iter().filter(|it| it.1.0) {
            if self.dusun.values().any(|now| !now.0 && now.1 == *name) {
                found.insert(*id);
            }
        }
        let name = |dusun: Option<RecordId>| Some(&self.dusun.get(&dusun?)?.1);
        for (id, (_, nomor, dusun)) in self.rw.iter().filter(|it| it.1.0) {
            let same = |now: &(IsOld, String, Option<RecordId>)| {
                !now.0 && now.1 == *nomor && agree(name(now.2), name(*dusun))
            };
            if self.rw.values().any(same) {
                found.insert(*id);
            }
        }
        let now: Vec<_> = self.rt.iter().filter(|it| !it.1.0).map(|it| *it.0).collect();
        for id in self.rt.iter().filter(|it| it.1.0).map(|it| *it.0) {
            if now.iter().any(|now| self.near(Some(id), Some(*now))) {
                found.insert(id);
            }
        }
        for (id, (_, name, rt)) in self.dasawisma.iter().filter(|it| it.1.0) {
            let same = |now: &(IsOld, String, RecordId)| {
                !now.0 && now.1 == *name && self.near(Some(*rt), Some(now.2))
            };
            if self.dasawisma.values().any(same) {
                found.insert(*id);
            }
        }
        found
    }

    fn houses(&self) -> BTreeSet<RecordId> {
        let mut by_head: HashMap<&str, Vec<RecordId>> = HashMap::new();
        for id in self.houses.iter().filter(|it| !it.1.0).map(|it| *it.0) {
            let head = self.head_of_house(id).map_or("", |head| head.name.as_str());
            by_head.entry(head).or_default().push(id);
        }
        let rt = |id: RecordId| self.houses.get(&id).map(|house| house.1);
        let old = self.houses.iter().filter(|it| it.1.0).map(|it| *it.0);
        let same =
            |id: &RecordId| match self.head_of_house(*id) {
                Some(head) => by_head.get(head.name.as_str()).into_iter().flatten().any(|now| {
                    self.same_head((head, rt(*id)), (self.head_of_house(*now), rt(*now)))
                }),
                // Nothing tells which one it is, where there are any.
                None => by_head.values().flatten().any(|now| {
                    let [Some(old), Some(now)] = [rt(*id), rt(*now)] else { return false };
                    self.rt.contains_key(&old)
                        && self.rt.contains_key(&now)
                        && self.near(Some(old), Some(now))
                }),
            };
        old.filter(same).collect()
    }

    fn families(&self) -> BTreeSet<RecordId> {
        let mut by_head: HashMap<&str, Vec<RecordId>> = HashMap::new();
        for id in self.families.iter().filter(|it| !it.1.0).map(|it| *it.0) {
            if let Some(head) = self.head_of_family(id) {
                by_head.entry(&head.name).or_default().push(id);
            }
        }
        let has_number = |id: &RecordId| self.families.get(id).is_some_and(|family| family.1);
        let same = |id: &RecordId| {
            let Some(head) = self.head_of_family(*id) else { return false };
            let mut alike = by_head.get(head.name.as_str()).into_iter().flatten();
            alike.any(|now| {
                let now_in = (self.head_of_family(*now), self.rt_of_family(*now));
                !(has_number(id) && has_number(now))
                    && self.same_head((head, self.rt_of_family(*id)), now_in)
            })
        };
        self.families.iter().filter(|it| it.1.0).map(|it| *it.0).filter(same).collect()
    }

    fn residents(&self) -> BTreeSet<RecordId> {
        let mut by_name: HashMap<&str, Vec<&Resident>> = HashMap::new();
        for (is_old, resident) in self.residents.values() {
            if !is_old && !resident.name.is_empty() {
                by_name.entry(&resident.name).or_default().push(resident);
            }
        }
        let same = |old: &Resident| {
            let mut alike = by_name.get(old.name.as_str()).into_iter().flatten();
            alike.any(|now| self.same_resident(old, now))
        };
        let old = self.residents.iter().filter(|it| it.1.0 && same(&it.1.1));
        old.map(|it| *it.0).collect()
    }
}

/// Rows left over that the present log has, or may have, recorded anew. A
/// region in which a house comes back comes back with it: nothing that comes
/// back lies nowhere.
pub(super) fn recorded_anew(
    conn: &Connection,
    village: VillageCode,
) -> rusqlite::Result<BTreeSet<RecordId>> {
    let all = Village::read(conn, village)?;
    let (houses, mut regions) = (all.houses(), all.regions());
    let mut needed = BTreeSet::new();
    for (id, (_, rt, group, _)) in all.houses.iter().filter(|it| it.1.0) {
        if !houses.contains(id) {
            needed.insert(*rt);
            needed.extend(group);
        }
    }
    let comes = |id: &RecordId, needed: &BTreeSet<RecordId>, regions: &BTreeSet<RecordId>| {
        needed.contains(id) || !regions.contains(id)
    };
    for (id, (_, _, rt)) in all.dasawisma.iter().filter(|it| it.1.0) {
        if comes(id, &needed, &regions) {
            needed.insert(*rt);
        }
    }
    for (id, (_, _, rw, dusun)) in all.rt.iter().filter(|it| it.1.0) {
        if comes(id, &needed, &regions) {
            needed.extend(rw.iter().chain(dusun));
        }
    }
    for (id, (_, _, dusun)) in all.rw.iter().filter(|it| it.1.0) {
        if comes(id, &needed, &regions) {
            needed.extend(dusun);
        }
    }
    regions.retain(|id| !needed.contains(id));
    let mut found = regions;
    found.extend(houses);
    found.extend(all.families());
    found.extend(all.residents());
    Ok(found)
}
