//! Rules that only show beside other records: those of the village and those
//! of the same save.
//!
//! The checks themselves are the domain's; here the facts they need are
//! gathered. A record that isn't there is not judged: records may come in any
//! order.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use jiff::civil::Date;
use lumbung_domain::code_list::{Code, StatusDasar};
use lumbung_domain::id::RecordId;
use lumbung_domain::record::{Dasawisma, Mutasi, Record, Warga};
use lumbung_domain::validation::{
    Verdict, check_dasawisma_size, check_keluarga_anggota, check_mutasi_lahir,
    check_pernyataan_wilayah, check_rumah_tangga_dasawisma, check_status_dasar,
};

use super::{Remark, Wish, decoded, index};
use crate::barn::{Barn, StoreError};

/// Whether any of these records must be looked at beside others.
pub(super) fn concerns(wishes: &[Wish]) -> bool {
    wishes.iter().any(|wish| match &wish.record {
        Some(Record::Warga(warga)) => {
            wish.id.is_some() || warga.keluarga_id.is_some() || warga.status_dasar.is_some()
        }
        Some(
            Record::Dasawisma(_)
            | Record::RumahTangga(_)
            | Record::Keluarga(_)
            | Record::Mutasi(_)
            | Record::PernyataanJumlah(_),
        ) => true,
        _ => false,
    })
}

/// What the wishes' surroundings say about them. `ids` are those of the
/// wishes, in their order.
pub(super) fn remarks(
    barn: &Barn,
    wishes: &[Wish],
    ids: &[RecordId],
    today: Date,
) -> Result<Vec<Remark>, StoreError> {
    let wished = ids.iter().zip(wishes).map(|(id, wish)| (*id, wish.record.as_ref())).collect();
    let beside = Beside { barn, wished };
    let mut judged = HashSet::new();
    let mut remarks = Vec::new();
    for (change, (wish, id)) in wishes.iter().zip(ids).enumerate() {
        let Some(record) = &wish.record else { continue };
        let verdict = beside.judge(*id, record, today, &mut judged)?;
        remarks.extend(verdict.0.into_iter().map(|finding| Remark { change, finding }));
    }
    Ok(remarks)
}

/// The village as it will be once the wishes are saved.
struct Beside<'a> {
    barn: &'a Barn,
    wished: HashMap<RecordId, Option<&'a Record>>,
}

impl Beside<'_> {
    /// `judged` are the families, groups and residents a save has spoken of:
    /// once is enough.
    fn judge(
        &self,
        id: RecordId,
        record: &Record,
        today: Date,
        judged: &mut HashSet<RecordId>,
    ) -> Result<Verdict, StoreError> {
        let mut verdict = Verdict::default();
        match record {
            Record::RumahTangga(house) => {
                if let Some(group_id) = house.dasawisma_id
                    && let Some(group) = self.dasawisma(group_id)?
                {
                    verdict.extend(check_rumah_tangga_dasawisma(house.rt_id, group.rt_id));
                    self.size(group_id, judged, &mut verdict)?;
                }
            }
            Record::Dasawisma(group) => {
                // A house of the same save is judged by itself.
                let houses = self.under(index::DASAWISMA_HOUSE, id)?;
                let mut others = houses.iter().filter(|(id, _)| !self.wished.contains_key(id));
                let elsewhere = others.find_map(|(_, house)| match &**house {
                    Record::RumahTangga(house) if house.rt_id != group.rt_id => Some(house.rt_id),
                    _ => None,
                });
                if let Some(rt_id) = elsewhere {
                    verdict.extend(check_rumah_tangga_dasawisma(rt_id, group.rt_id));
                }
                self.size(id, judged, &mut verdict)?;
            }
            Record::Keluarga(family) => {
                if let Some(Record::RumahTangga(house)) =
                    self.record(family.rumah_tangga_id)?.as_deref()
                    && let Some(group) = house.dasawisma_id
                {
                    self.size(group, judged, &mut verdict)?;
                }
                self.relations(id, judged, &mut verdict)?;
            }
            Record::Warga(warga) => {
                if let Some(family) = warga.keluarga_id {
                    self.relations(family, judged, &mut verdict)?;
                }
                self.status(id, warga, today, judged, &mut verdict)?;
            }
            Record::Mutasi(event) => {
                if let Some(Record::Warga(warga)) = self.record(event.warga_id)?.as_deref() {
                    if let Some(lahir) = warga.tanggal_lahir {
                        verdict.extend(check_mutasi_lahir(event, lahir));
                    }
                    self.status(event.warga_id, warga, today, judged, &mut verdict)?;
                }
            }
            Record::PernyataanJumlah(stated) => {
                let place = stated.wilayah_id.map(|id| self.record(id)).transpose()?.flatten();
                if let Some(place) = place {
                    verdict.extend(check_pernyataan_wilayah(place.kind()));
                }
            }
            Record::Dusun(_) | Record::Rw(_) | Record::Rt(_) | Record::TandaTerima(_) => {}
        }
        Ok(verdict)
    }

    /// How many families a group has.
    fn size(
        &self,
        group: RecordId,
        judged: &mut HashSet<RecordId>,
        verdict: &mut Verdict,
    ) -> Result<(), StoreError> {
        if !judged.insert(group) {
            return Ok(());
        }
        let mut families = 0;
        for (house, _) in self.under(index::DASAWISMA_HOUSE, group)? {
            let living = self.under(index::PARENT, house)?;
            let is_family = |record: &Record| matches!(record, Record::Keluarga(it) if it.aktif);
            families += living.iter().filter(|(_, record)| is_family(record)).count() as u64;
        }
        verdict.extend(check_dasawisma_size(families));
        Ok(())
    }

    /// Whether the members of a family who are here have one head.
    fn relations(
        &self,
        family: RecordId,
        judged: &mut HashSet<RecordId>,
        verdict: &mut Verdict,
    ) -> Result<(), StoreError> {
        if !judged.insert(family) {
            return Ok(());
        }
        let members = self.under(index::PARENT, family)?;
        let here = |(_, record): &(RecordId, Cow<'_, Record>)| match &**record {
            Record::Warga(warga) if is_here(warga) => Some(warga.shdk),
            _ => None,
        };
        let shdk: Vec<_> = members.iter().filter_map(here).collect();
        if !shdk.is_empty() {
            verdict.extend(check_keluarga_anggota(&shdk));
        }
        Ok(())
    }

    /// Whether a resident's status and events tell the same.
    fn status(
        &self,
        id: RecordId,
        warga: &Warga,
        today: Date,
        judged: &mut HashSet<RecordId>,
        verdict: &mut Verdict,
    ) -> Result<(), StoreError> {
        if !judged.insert(id) {
            return Ok(());
        }
        let children = self.under(index::PARENT, id)?;
        let event = |(_, record): &(RecordId, Cow<'_, Record>)| match &**record {
            Record::Mutasi(event) => Some((**event).clone()),
            _ => None,
        };
        let events: Vec<Mutasi> = children.iter().filter_map(event).collect();
        let events: Vec<&Mutasi> = events.iter().collect();
        verdict.extend(check_status_dasar(warga, &events, today));
        Ok(())
    }

    fn dasawisma(&self, id: RecordId) -> Result<Option<Dasawisma>, StoreError> {
        Ok(match self.record(id)?.as_deref() {
            Some(Record::Dasawisma(group)) => Some(group.clone()),
            _ => None,
        })
    }

    fn record(&self, id: RecordId) -> Result<Option<Cow<'_, Record>>, StoreError> {
        if let Some(wished) = self.wished.get(&id) {
            return Ok(wished.map(Cow::Borrowed));
        }
        let stored = self.barn.get(id)?;
        Ok(stored.as_ref().and_then(decoded).map(|(_, record)| Cow::Owned(record)))
    }

    /// The records under `parent` by one of the two indexes of relations.
    fn under(
        &self,
        by: u8,
        parent: RecordId,
    ) -> Result<Vec<(RecordId, Cow<'_, Record>)>, StoreError> {
        let parent_of = |record: &Record| match (by, record) {
            (index::DASAWISMA_HOUSE, Record::RumahTangga(house)) => house.dasawisma_id,
            (index::DASAWISMA_HOUSE, _) => None,
            (_, record) => record.parent(),
        };
        let mut found = Vec::new();
        for id in self.barn.find(by, parent.as_bytes())? {
            if !self.wished.contains_key(&id)
                && let Some(record) = self.record(id)?
            {
                found.push((id, record));
            }
        }
        for (id, record) in &self.wished {
            if let Some(record) = record
                && parent_of(record) == Some(parent)
            {
                found.push((*id, Cow::Borrowed(*record)));
            }
        }
        Ok(found)
    }
}

fn is_here(warga: &Warga) -> bool {
    warga.status_dasar.is_none_or(|status| status == Code::<StatusDasar>::HIDUP)
}
