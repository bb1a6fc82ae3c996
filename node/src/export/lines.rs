//! The rows of an export: who stands in which order, and what each row says
//! about place, family and house.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use jiff::civil::Date;
use lumbung_domain::code_list::{Code, Shdk, StatusDasar};
use lumbung_domain::id::RecordId;
use lumbung_domain::identity::NoKk;
use lumbung_domain::record::{Keluarga, RumahTangga, Warga};
use lumbung_domain::region::VillageCode;

use super::siak::{self, Place};
use super::{Exported, NONE, house, resident};
use crate::import::{Column, Layout, dusun_name, tidy};
use crate::village::census::{Census, number_key};

/// One resident with everything the row says.
struct Line<'a> {
    id: RecordId,
    warga: &'a Warga,
    family: Option<(RecordId, &'a Keluarga)>,
    house: Option<(RecordId, &'a RumahTangga)>,
    dusun: String,
    rw: &'a str,
    rt: &'a str,
    dasawisma: &'a str,
    /// The first row of its family.
    leads_family: bool,
    /// The first row of its house.
    leads_house: bool,
    /// The first card of the house, when this family isn't it.
    shares_with: Option<NoKk>,
    is_house_head: bool,
}

/// All rows, in order.
#[derive(Default)]
pub(super) struct Lines<'a>(Vec<Line<'a>>);

impl<'a> Lines<'a> {
    pub(super) fn of(census: &'a Census, layout: Layout) -> Self {
        let mut lines: Vec<Line<'a>> =
            census.residents().map(|(id, warga)| Line::of(census, id, warga)).collect();
        lines.sort_by_cached_key(|line| line.sort_key(layout));
        mark_first_rows(&mut lines);
        mark_house_heads(&mut lines);
        Self(lines)
    }

    pub(super) fn exported(&self) -> Exported {
        let has_no_kk = |line: &&Line<'_>| line.no_kk().is_none();
        Exported {
            rows: self.0.len() as u64,
            without_kk: self.0.iter().filter(has_no_kk).count() as u64,
        }
    }

    pub(super) fn rows(
        &self,
        layout: Layout,
        village: VillageCode,
    ) -> impl Iterator<Item = Vec<Cow<'_, str>>> {
        self.0.iter().map(move |line| match layout {
            Layout::Siak => siak::PLACES
                .iter()
                .map(|place| match place {
                    Place::Kept(column) => line.cell(*column, layout),
                    other => other.same_everywhere(village).unwrap_or_default(),
                })
                .collect(),
            _ => {
                let columns = layout.headings().iter();
                columns.map(|(column, _)| line.cell(*column, layout)).collect()
            }
        })
    }
}

impl<'a> Line<'a> {
    fn of(census: &'a Census, id: RecordId, warga: &'a Warga) -> Self {
        let family = warga.keluarga_id.and_then(|id| Some((id, census.keluarga(id)?)));
        let house = family.and_then(|(_, family)| {
            let id = family.rumah_tangga_id;
            Some((id, census.rumah_tangga(id)?))
        });
        let rt = house.and_then(|(_, house)| census.rt(house.rt_id));
        let rw = rt.and_then(|rt| census.rw(rt.rw_id?));
        let dusun = rt.and_then(|rt| census.dusun(census.dusun_of_rt(rt)?));
        let group = house.and_then(|(_, house)| census.dasawisma(house.dasawisma_id?));
        Self {
            id,
            warga,
            family,
            house,
            dusun: dusun.map(|dusun| dusun_name(&dusun.nama)).unwrap_or_default(),
            rw: rw.map_or("", |rw| &rw.nomor),
            rt: rt.map_or("", |rt| &rt.nomor),
            dasawisma: group.map_or("", |group| &group.nama),
            leads_family: false,
            leads_house: false,
            shares_with: None,
            is_house_head: false,
        }
    }

    fn no_kk(&self) -> Option<NoKk> {
        self.family.and_then(|(_, family)| family.no_kk)
    }

    /// Nothing that differs between two villages of the same content: no ids.
    /// The resident's own cells decide between namesakes.
    fn sort_key(&self, layout: Layout) -> impl Ord + use<> {
        let number = |nomor: &str| (number_key(nomor).len(), number_key(nomor));
        let columns = layout.headings().iter().map(|(column, _)| *column);
        let cells: Vec<String> = columns
            .filter(|column| column.is_resident())
            .map(|column| self.cell(column, layout).into_owned())
            .collect();
        let born: Option<Date> = self.warga.tanggal_lahir;
        (
            (self.dusun.clone(), number(self.rw), number(self.rt)),
            self.no_kk(),
            self.warga.shdk.map_or(u16::MAX, Code::number),
            born,
            tidy(&self.warga.nama).into_owned(),
            cells,
        )
    }

    fn cell(&self, column: Column, layout: Layout) -> Cow<'_, str> {
        let none = if layout == Layout::Opensid { NONE } else { "" };
        let region = |text: &'a str| match tidy(text) {
            text if text.is_empty() => Cow::Borrowed(none),
            text => text,
        };
        match column {
            Column::Dusun if self.dusun.is_empty() => Cow::Borrowed(none),
            Column::Dusun => Cow::Borrowed(&self.dusun),
            Column::Rw => region(self.rw),
            Column::Rt => region(self.rt),
            Column::Dasawisma => tidy(self.dasawisma),
            Column::NoKk => self.no_kk().map(NoKk::digits).unwrap_or_default().into(),
            Column::SerumahDenganKk => {
                self.shares_with.map(NoKk::digits).unwrap_or_default().into()
            }
            Column::KepalaRumah if self.is_house_head => "Ya".into(),
            Column::KepalaRumah => "".into(),
            _ if column.is_resident() => resident::cell(column, self.warga, layout),
            _ if column.is_family() => match self.family {
                // Sheets of others repeat the address on every row.
                Some((_, family)) if self.leads_family || layout != Layout::Template => {
                    house::family_cell(column, family)
                }
                _ => "".into(),
            },
            _ => match self.house {
                Some((_, house)) if self.leads_house => house::cell(column, house),
                _ => "".into(),
            },
        }
    }
}

fn mark_first_rows(lines: &mut [Line<'_>]) {
    let mut families = HashSet::new();
    let mut houses: HashMap<RecordId, Option<RecordId>> = HashMap::new();
    let mut cards: HashMap<RecordId, Option<NoKk>> = HashMap::new();
    for line in lines {
        let Some((family, _)) = line.family else { continue };
        line.leads_family = families.insert(family);
        let Some((house, _)) = line.house else { continue };
        let first = *houses.entry(house).or_insert_with(|| {
            line.leads_house = true;
            Some(family)
        });
        let card = *cards.entry(house).or_insert_with(|| line.no_kk());
        if first != Some(family) {
            line.shares_with = card;
        }
    }
}

/// The head on record, or where there is none in the house, the head of its
/// first family that has one.
fn mark_house_heads(lines: &mut [Line<'_>]) {
    let mut heads: HashMap<RecordId, RecordId> = HashMap::new();
    for line in &*lines {
        if let Some((id, house)) = line.house
            && house.kepala_id == Some(line.id)
        {
            heads.insert(id, line.id);
        }
    }
    let mut first: HashMap<RecordId, (RecordId, bool, RecordId)> = HashMap::new();
    for line in &*lines {
        let (Some((house, _)), Some((family, _))) = (line.house, line.family) else { continue };
        if line.warga.shdk != Some(Code::<Shdk>::KEPALA_KELUARGA) {
            continue;
        }
        let status = line.warga.status_dasar;
        let is_here = status.is_none_or(|status| status == Code::<StatusDasar>::HIDUP);
        let known = first.entry(house).or_insert((family, is_here, line.id));
        if known.0 == family && !known.1 && is_here {
            *known = (family, true, line.id);
        }
    }
    for (house, (_, _, id)) in first {
        heads.entry(house).or_insert(id);
    }
    for line in lines {
        line.is_house_head =
            line.house.is_some_and(|(house, _)| heads.get(&house) == Some(&line.id));
    }
}
