//! What operators click on.

use lumbung_domain::id::{Kind, RecordId};
use lumbung_domain::region::{VillageCode, roster};
use lumbung_hub::dataset::sqlite::SqliteDataset;
use lumbung_hub::dataset::{Dataset as _, RecordFilter};
use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;

use crate::nodes::District;

/// Residents of each village whose page is opened.
const RESIDENTS: u32 = 5;

/// Names people look for: rare, common, in the middle of a name.
const NAMES: [&str; 6] = ["siti", "sri+wahyuni", "slamet", "zainal", "wahyu", "budi"];

/// A page of the console.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Page {
    First,
    Table,
    Village,
    RecapKabupaten,
    RecapKecamatan,
    RecapDesa,
    Charts,
    Quality,
    Findings,
    Search,
    Person,
}

impl Page {
    pub(super) const ALL: [Self; 11] = [
        Self::First,
        Self::Table,
        Self::Village,
        Self::RecapKabupaten,
        Self::RecapKecamatan,
        Self::RecapDesa,
        Self::Charts,
        Self::Quality,
        Self::Findings,
        Self::Search,
        Self::Person,
    ];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::First => "first page",
            Self::Table => "table of villages",
            Self::Village => "a village",
            Self::RecapKabupaten => "recap, kabupaten",
            Self::RecapKecamatan => "recap, kecamatan",
            Self::RecapDesa => "recap, desa",
            Self::Charts => "charts",
            Self::Quality => "quality",
            Self::Findings => "findings",
            Self::Search => "search by name",
            Self::Person => "a resident",
        }
    }

    /// Whether a role has it.
    pub(super) fn is_for(self, role: &str) -> bool {
        let records = !matches!(role, "kab.keamanan" | "dukungan");
        match self {
            Self::Findings | Self::Search | Self::Person => records,
            Self::RecapKabupaten => role != "kec.operator",
            _ => true,
        }
    }
}

/// What can be clicked on: villages and some residents of each.
pub(super) struct Places(Vec<(VillageCode, Vec<RecordId>)>);

impl Places {
    pub(super) fn of(dataset: &SqliteDataset, district: &District) -> anyhow::Result<Self> {
        let villages = district.nodes.iter().map(|node| {
            let filter = RecordFilter {
                scope: dataset.whole().village(node.code),
                kind: Some(Kind::Warga),
                after: None,
                limit: RESIDENTS,
            };
            let residents = dataset.records(&filter)?.into_iter().map(|record| record.id);
            Ok((node.code, residents.collect()))
        });
        Ok(Self(villages.collect::<anyhow::Result<_>>()?))
    }

    /// The path of a page, and the form that is sent; within these kecamatan,
    /// if any.
    pub(super) fn request(
        &self,
        page: Page,
        kecamatan: &[&str],
        dice: &mut ChaCha8Rng,
    ) -> (String, Option<String>) {
        let within = |code: VillageCode| {
            let own = roster().village(code).map(|desa| desa.kecamatan.to_string());
            kecamatan.is_empty() || own.is_some_and(|own| kecamatan.contains(&own.as_str()))
        };
        let own: Vec<_> = self.0.iter().filter(|(code, _)| within(*code)).collect();
        let (village, residents) = own[dice.random_range(0..own.len())];
        let path = match page {
            Page::First => "/".to_owned(),
            Page::Table => "/desa".to_owned(),
            Page::Village => format!("/desa/{village}"),
            Page::RecapKabupaten => "/rekap".to_owned(),
            Page::RecapKecamatan => {
                let kecamatan = roster().village(*village).map(|desa| desa.kecamatan.to_string());
                format!("/rekap?wilayah={}", kecamatan.unwrap_or_default())
            }
            Page::RecapDesa => format!("/rekap?wilayah={village}"),
            Page::Charts => "/gambaran".to_owned(),
            Page::Quality => "/mutu".to_owned(),
            Page::Findings => "/temuan".to_owned(),
            Page::Search => {
                let name = NAMES[dice.random_range(0..NAMES.len())];
                return ("/cari".to_owned(), Some(format!("apa=warga&nama={name}")));
            }
            Page::Person => {
                let id = residents[dice.random_range(0..residents.len())];
                format!("/warga/{village}/{id}")
            }
        };
        (path, None)
    }
}
