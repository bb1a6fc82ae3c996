//! What the places of a difference are called, for the operator: numbers of
//! RT and RW, by what the log says of them and otherwise by the rows.

use std::collections::BTreeMap;

use lumbung_domain::id::{Kind, RecordId};
use lumbung_domain::region::VillageCode;

use crate::dataset::{Content, DatasetError, HubsOwn, Repair, Row};
use crate::merge::decode;
use crate::words::Words;

/// The number of an RT or RW, and the RW an RT belongs to.
pub(super) type Number = (String, Option<RecordId>);

/// The numbers that repairs bring.
pub(super) fn told(repairs: &[Repair]) -> BTreeMap<RecordId, Number> {
    let mut numbers = BTreeMap::new();
    for repair in repairs {
        if let Repair::Put(change) = repair
            && let Content::Row(row) = &change.content
        {
            numbers.extend(number_of(row).map(|number| (change.id, number)));
        }
    }
    numbers
}

/// What these RT are called; `told` counts before the rows.
pub(super) fn of(
    dataset: &dyn HubsOwn,
    village: VillageCode,
    rts: &[RecordId],
    mut told: BTreeMap<RecordId, Number>,
) -> Result<BTreeMap<RecordId, String>, DatasetError> {
    let mut number = |id: RecordId| {
        if !told.contains_key(&id)
            && let Some(found) = stored_number(dataset, village, id)?
        {
            told.insert(id, found);
        }
        Ok::<_, DatasetError>(told.get(&id).cloned())
    };
    let mut names = BTreeMap::new();
    for rt in rts {
        let Some((nomor, rw)) = number(*rt)? else { continue };
        let rw = rw.map(&mut number).transpose()?.flatten();
        let name = match rw {
            Some((rw, _)) => format!("RT {nomor} / RW {rw}"),
            None => format!("RT {nomor}"),
        };
        names.insert(*rt, name);
    }
    Ok(names)
}

/// The name of an RT, or words for one without.
pub(super) fn or_unnamed(names: &BTreeMap<RecordId, String>, rt: RecordId) -> Words {
    let unnamed = || Words::new("RT tanpa nomor", "an RT without a number");
    names.get(&rt).map_or_else(unnamed, |name| Words::new(name, name))
}

fn number_of(row: &Row) -> Option<Number> {
    match row {
        Row::Rt(rt) => Some((rt.nomor.clone(), rt.rw_id)),
        Row::Rw(rw) => Some((rw.nomor.clone(), None)),
        _ => None,
    }
}

fn stored_number(
    dataset: &dyn HubsOwn,
    village: VillageCode,
    id: RecordId,
) -> Result<Option<Number>, DatasetError> {
    let Some(record) = dataset.record(&dataset.whole(), village, id)? else { return Ok(None) };
    let row = Kind::from_code(record.kind).and_then(|kind| decode::row_of(kind, &record.bytes));
    Ok(row.as_ref().and_then(number_of))
}
