//! The district as a map: outlines that the operator brings as GeoJSON, drawn
//! by the hub in the colours of the tiles.
//!
//! Outlines are read once at the start. A feature belongs to the village
//! whose code any of its properties holds; others are left out. Outlines are
//! simplified until the page is small: shapes to recognise, no survey.

mod outline;

use std::collections::BTreeMap;
use std::path::Path;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use lumbung_domain::region::{VillageCode, roster};
use maud::{Markup, html};
use serde_json::Value;

use super::first::{Parts, tiles};
use super::frame::{Frame, Tab};
use super::guard::Viewer;
use super::tile::{Look, Tile};
use super::{ConsoleState, Page, Trouble, at_desk, whole};
use outline::{Ring, Window};

/// All outlines together take at most this much of a page, bytes.
const BYTES_MAX: usize = 120_000;

/// How coarse outlines may get before the file is refused, in units of the
/// drawing, which is a thousand wide.
const TOLERANCE_MAX: f64 = 16.0;

/// Why a map can't be drawn.
#[derive(Debug, thiserror::Error)]
pub enum MapError {
    /// The file can't be read.
    #[error("the map can't be read")]
    Read(#[from] std::io::Error),
    /// It is no GeoJSON.
    #[error("the map is no GeoJSON")]
    Json(#[from] serde_json::Error),
    /// No feature names a village of the district.
    #[error("no feature of the map carries a village's code")]
    NoVillage,
    /// It can't be made small enough.
    #[error("the map's outlines are too many")]
    TooMuch,
}

/// The outlines of villages, ready to be drawn.
#[derive(Clone, Debug)]
pub struct Map {
    /// Width and height of the drawing.
    size: (i64, i64),
    /// Each village.
    shapes: BTreeMap<u64, Shape>,
}

/// A village on the map.
#[derive(Clone, Debug)]
struct Shape {
    path: String,
    /// Where its letter stands.
    middle: (i64, i64),
}

impl Map {
    /// Reads a GeoJSON file.
    ///
    /// # Errors
    /// [`MapError`].
    pub fn read(file: &Path) -> Result<Self, MapError> {
        Self::parse(&std::fs::read(file)?)
    }

    /// Reads GeoJSON: a collection of polygons in degrees.
    ///
    /// # Errors
    /// [`MapError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, MapError> {
        let json: Value = serde_json::from_slice(bytes)?;
        let mut rings: BTreeMap<u64, Vec<Ring>> = BTreeMap::new();
        for feature in json["features"].as_array().into_iter().flatten() {
            if let Some(village) = village_of(&feature["properties"]) {
                let found = outline::rings(&feature["geometry"]);
                rings.entry(village.as_u64()).or_default().extend(found);
            }
        }
        rings.retain(|_, rings| !rings.is_empty());
        let window = Window::around(rings.values().flatten()).ok_or(MapError::NoVillage)?;
        let mut tolerance = 0.5;
        while tolerance <= TOLERANCE_MAX {
            let drawn = |(village, rings): (&u64, &Vec<Ring>)| {
                let path = outline::path(rings, &window, tolerance);
                (*village, Shape { path, middle: outline::middle(rings, &window) })
            };
            let shapes: BTreeMap<_, _> = rings.iter().map(drawn).collect();
            if shapes.values().map(|shape| shape.path.len()).sum::<usize>() <= BYTES_MAX {
                return Ok(Self { size: window.size(), shapes });
            }
            tolerance *= 2.0;
        }
        Err(MapError::TooMuch)
    }

    /// How many villages have an outline.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shapes.len()
    }

    /// Whether none has.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.shapes.is_empty()
    }
}

/// The village whose code a property holds, as text or as a number.
fn village_of(properties: &Value) -> Option<VillageCode> {
    let parsed = |value: &Value| match value {
        Value::String(text) => VillageCode::parse(text.trim()).ok(),
        Value::Number(number) => number.as_u64().and_then(VillageCode::from_u64),
        _ => None,
    };
    let known = |code: &VillageCode| roster().village(*code).is_some();
    properties.as_object()?.values().filter_map(parsed).find(known)
}

pub(super) fn routes() -> Router<ConsoleState> {
    Router::new().route("/peta", get(page))
}

async fn page(State(state): State<ConsoleState>, viewer: Viewer) -> Result<Page, Trouble> {
    let missing = Trouble::words(
        StatusCode::NOT_FOUND,
        (
            "Hub ini belum diberi peta. Jalankan dengan --map berkas.geojson.",
            "This hub was given no map. Start it with --map file.geojson.",
        ),
    );
    let map = state.map.clone().ok_or(missing)?;
    at_desk(&state, viewer, move |desk, viewer| {
        let sight = desk.sight(&viewer.who)?;
        let tiles = tiles(&sight, viewer.language);
        let parts = Parts::new(&sight, viewer.into());
        Ok(whole(render(viewer, &map, &tiles, &parts.sentence())))
    })
    .await
}

fn render(viewer: &Viewer, map: &Map, tiles: &[Tile], sentence: &str) -> Markup {
    let language = viewer.language;
    let say = |id, en| language.say(id, en);
    let (width, height) = map.size;
    let drawn: Vec<_> = tiles
        .iter()
        .filter_map(|tile| map.shapes.get(&tile.key()).map(|shape| (tile, shape)))
        .collect();
    let body = html! {
        h1 { (sentence) }
        p { a class="button" href="/" { (say("Sebagai ubin", "As tiles")) } " "
            a class="button" href="/desa?tampilan=tabel" { (say("Sebagai tabel", "As a table")) } }
        ul class="legend" aria-label=(say("Arti huruf dan warna",
            "What the letters and colours mean")) {
            @for look in Look::ALL { li { (look.mark()) " " (language.of(look.words())) } }
        }
        // Letters stay legible on a phone: the map is pushed sideways there.
        div class="scroll" tabindex="0" role="region" aria-label=(say("Peta", "Map")) {
            svg class="map" viewBox=(format!("0 0 {width} {height}")) role="group"
                aria-label=(say("Peta desa", "Map of the villages")) {
                @for (tile, shape) in &drawn {
                    @let letter = tile.look.letter();
                    a href=(format!("/desa/{}", tile.desa.code)) aria-label=(tile.spoken(language)) {
                        path class=(format!("f{letter}")) d=(shape.path) {
                            title { (tile.spoken(language)) }
                        }
                        text x=(shape.middle.0) y=(shape.middle.1) aria-hidden="true" { (letter) }
                    }
                }
            }
        }
        @if drawn.len() < tiles.len() {
            p { small { (tiles.len() - drawn.len())
                (say(" desa tidak ada di berkas peta; lihat tabel.",
                     " villages are not in the map's file; see the table.")) } }
        }
    };
    Frame::of(viewer, say("Peta", "Map"), Tab::Villages).page(&body)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn feature(properties: &str, left: f64) -> String {
        let right = left + 0.1;
        format!(
            r#"{{"type":"Feature","properties":{properties},"geometry":{{"type":"Polygon",
               "coordinates":[[[{left},-8.0],[{right},-8.0],[{right},-8.1],[{left},-8.1],
               [{left},-8.0]]]}}}}"#
        )
    }

    fn collection(features: &[String]) -> Vec<u8> {
        format!(r#"{{"type":"FeatureCollection","features":[{}]}}"#, features.join(","))
            .into_bytes()
    }

    #[test]
    fn villages_are_found_by_any_property_that_holds_their_code() {
        let map = collection(&[
            feature(r#"{"nama":"A","kode":"35.05.01.2001"}"#, 112.0),
            feature(r#"{"KDEPUM":3505012002}"#, 112.1),
            feature(r#"{"kode":"99.99.99.9999"}"#, 112.2),
            feature("null", 112.3),
        ]);
        let map = Map::parse(&map).unwrap();
        assert_eq!(map.len(), 2);
        let first = map.shapes.values().next().unwrap();
        assert!(first.path.starts_with("M0 0") && first.path.ends_with('z'), "{first:?}");
        // The first of two squares, side by side.
        assert!((240..=260).contains(&first.middle.0), "{first:?}");
        assert!((240..=260).contains(&first.middle.1), "{first:?}");
        // Two tenths of a degree wide and one high, a little narrower here.
        assert!((490..=510).contains(&map.size.1), "{:?}", map.size);
    }

    #[test]
    fn what_is_no_map_is_refused() {
        assert!(matches!(Map::parse(b"{"), Err(MapError::Json(_))));
        assert!(matches!(Map::parse(b"{}"), Err(MapError::NoVillage)));
        let point = r#"{"properties":{"kode":"35.05.01.2001"},"geometry":{"type":"Point",
            "coordinates":[112,-8]}}"#;
        let points = collection(&[point.to_owned()]);
        assert!(matches!(Map::parse(&points), Err(MapError::NoVillage)));
    }
}
