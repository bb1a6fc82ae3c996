//! Recaps for the public, in the same file as the rows.

use jiff::civil::Date;
use lumbung_domain::indicator::{Indikator, IndikatorVector};
use lumbung_domain::recap::Level;
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension as _, Row as SqlRow, TransactionBehavior};

use super::SqliteDataset;
use super::village::count;
use crate::dataset::DatasetError;
use crate::dataset::publications::{Publication, Publications, PublishedRegion, PublishedSheet};

/// Regions above one another: kabupaten, kecamatan, desa, dusun, RW, RT.
const ABOVE_MAX: usize = 6;

fn unreadable(column: usize) -> rusqlite::Error {
    rusqlite::Error::InvalidColumnType(column, "publication".to_owned(), Type::Text)
}

fn publication(row: &SqlRow<'_>) -> rusqlite::Result<Publication> {
    let day: String = row.get(0)?;
    Ok(Publication {
        day: day.parse().map_err(|_| unreadable(0))?,
        made_ms: row.get(1)?,
        made_by: row.get(2)?,
        rules: row.get(3)?,
    })
}

/// A region whose counts stand in the order of these keys. A key that this
/// version does not know is left out.
fn region(row: &SqlRow<'_>, keys: &str) -> rusqlite::Result<PublishedRegion> {
    let (level, counts): (String, String) = (row.get(3)?, row.get(7)?);
    let mut vector = IndikatorVector::default();
    for (key, told) in keys.split(' ').zip(counts.split(' ')) {
        if let Some(indikator) = Indikator::from_key(key) {
            vector.set(indikator, told.parse().map_err(|_| unreadable(7))?);
        }
    }
    Ok(PublishedRegion {
        within: row.get(0)?,
        at: row.get(1)?,
        region: row.get(2)?,
        level: Level::from_name(&level).ok_or_else(|| unreadable(3))?,
        label: row.get(4)?,
        name: row.get(5)?,
        unplaced: count(row, 6)?,
        counts: vector,
    })
}

const COLUMNS: &str = "within, at, region, level, label, name, unplaced, counts";

/// One region with the keys of its counts.
fn one(
    conn: &Connection,
    (day, keys): (&str, &str),
    asked: &str,
) -> Result<Option<PublishedRegion>, DatasetError> {
    let sql =
        format!("SELECT {COLUMNS} FROM published WHERE day = ?1 AND region = ?2 AND region <> ''");
    let found = conn.prepare_cached(&sql)?.query_row((day, asked), |row| region(row, keys));
    Ok(found.optional()?)
}

impl Publications for SqliteDataset {
    fn publications(&self) -> Result<Vec<Publication>, DatasetError> {
        self.read(|conn| {
            let mut statement = conn.prepare_cached(
                "SELECT day, made_ms, made_by, rules FROM publication ORDER BY day DESC",
            )?;
            let all = statement.query_map([], publication)?;
            Ok(all.collect::<Result<_, _>>()?)
        })
    }

    fn publish(
        &self,
        publication: &Publication,
        regions: &[PublishedRegion],
    ) -> Result<bool, DatasetError> {
        let keys: Vec<_> = Indikator::STORED.iter().map(|it| it.key()).collect();
        let day = publication.day.to_string();
        let mut writer = self.writer();
        let tx = writer.conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let made = tx.execute(
            "INSERT INTO publication (day, made_ms, made_by, rules, keys)
             VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (day) DO NOTHING",
            (&day, publication.made_ms, &publication.made_by, publication.rules, keys.join(" ")),
        )?;
        if made == 0 {
            return Ok(false);
        }
        let sql = format!(
            "INSERT INTO published (day, {COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"
        );
        for it in regions {
            let counts: Vec<_> = it.counts.iter().map(|(_, told)| told.to_string()).collect();
            tx.prepare_cached(&sql)?.execute((
                &day,
                &it.within,
                it.at,
                &it.region,
                it.level.name(),
                &it.label,
                &it.name,
                it.unplaced.cast_signed(),
                counts.join(" "),
            ))?;
        }
        tx.commit()?;
        Ok(true)
    }

    fn published(&self, day: Date, asked: &str) -> Result<Option<PublishedSheet>, DatasetError> {
        let day = day.to_string();
        self.read(|conn| {
            let found = conn
                .prepare_cached(
                    "SELECT day, made_ms, made_by, rules, keys FROM publication WHERE day = ?1",
                )?
                .query_row([&day], |row| Ok((publication(row)?, row.get::<_, String>(4)?)))
                .optional()?;
            let Some((publication, keys)) = found else { return Ok(None) };
            let of = (day.as_str(), keys.as_str());
            let Some(found) = one(conn, of, asked)? else { return Ok(None) };
            let sql = format!(
                "SELECT {COLUMNS} FROM published WHERE day = ?1 AND within = ?2 ORDER BY at"
            );
            let mut statement = conn.prepare_cached(&sql)?;
            let rows = statement.query_map((&day, asked), |row| region(row, &keys))?;
            let rows = rows.collect::<Result<_, _>>()?;
            let (mut above, mut next) = (Vec::new(), found.within.clone());
            while let Some(around) = one(conn, of, &next)?.filter(|_| above.len() < ABOVE_MAX) {
                next.clone_from(&around.within);
                above.insert(0, around);
            }
            Ok(Some(PublishedSheet { publication, region: found, rows, above }))
        })
    }
}
