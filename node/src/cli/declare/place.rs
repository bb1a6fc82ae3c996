//! Regions as clerks name them: by the dusun's name and the numbers of RW and
//! RT, not by ids.

use lumbung_domain::id::RecordId;
use lumbung_domain::record::Record;

use crate::village::census::Census;

/// A region as it is named; blank = not named.
#[derive(Clone, Copy, Default)]
pub(super) struct Named<'a> {
    pub(super) dusun: &'a str,
    pub(super) rw: &'a str,
    pub(super) rt: &'a str,
    pub(super) dasawisma: &'a str,
}

/// The village's regions.
#[derive(Default)]
pub(super) struct Places(Census);

impl Places {
    pub(super) fn insert(&mut self, id: RecordId, record: Record) {
        self.0.insert(id, record);
    }

    /// The smallest region that is named; `None` = the whole village.
    pub(super) fn find(&self, named: Named<'_>) -> Result<Option<RecordId>, String> {
        let [dusun, rw, rt, dasawisma] =
            [named.dusun, named.rw, named.rt, named.dasawisma].map(|text| match text.trim() {
                "-" => "",
                text => text,
            });
        let missing = |what: &str, name: &str| {
            format!("{what} {name} tidak ada di desa ini. Periksa di `list dusun`, `rw`, `rt`.")
        };
        let in_dusun = match dusun {
            "" => None,
            name => Some(self.0.find_dusun(name).ok_or_else(|| missing("Dusun", name))?),
        };
        let in_rw = match rw {
            "" => in_dusun,
            number => Some(self.0.find_rw(in_dusun, number).ok_or_else(|| missing("RW", number))?),
        };
        if rt.is_empty() {
            return match dasawisma {
                "" => Ok(in_rw),
                _ => Err("Sebutkan RT dari dasawisma itu.".to_owned()),
            };
        }
        let in_rt = match self.0.find_rt(in_rw, rt) {
            Some(found) => found,
            None if in_rw.is_none() => match self.0.rts_numbered(rt) {
                [] => return Err(missing("RT", rt)),
                [one] => *one,
                several => {
                    let many = several.len();
                    return Err(format!("Ada {many} RT bernomor {rt}. Sebutkan dusun dan RW-nya."));
                }
            },
            None => return Err(missing("RT", rt)),
        };
        match dasawisma {
            "" => Ok(Some(in_rt)),
            name => {
                let group = self.0.find_dasawisma(in_rt, name);
                group.map(Some).ok_or_else(|| missing("Dasawisma", name))
            }
        }
    }

    /// A region's name with those around it.
    pub(super) fn name(&self, wilayah: Option<RecordId>) -> String {
        let Some(id) = wilayah else { return "seluruh desa".to_owned() };
        let around = |id: Option<RecordId>| {
            id.map(|id| format!(", {}", self.name(Some(id)))).unwrap_or_default()
        };
        match self.0.get(id) {
            Some(Record::Dusun(dusun)) => dusun.nama.clone(),
            Some(Record::Rw(rw)) => format!("RW {}{}", rw.nomor, around(rw.dusun_id)),
            Some(Record::Rt(rt)) => format!("RT {}{}", rt.nomor, around(rt.rw_id.or(rt.dusun_id))),
            Some(Record::Dasawisma(group)) => {
                format!("dasawisma {}{}", group.nama, around(Some(group.rt_id)))
            }
            _ => "wilayah yang sudah tidak ada".to_owned(),
        }
    }
}
