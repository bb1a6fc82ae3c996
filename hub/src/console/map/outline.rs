//! Outlines: from degrees to the units of a drawing, with fewer points.

use std::fmt::Write as _;

use serde_json::Value;

/// Width of the drawing, units.
const WIDTH: f64 = 1000.0;

/// A closed line, longitude and latitude in degrees.
pub(super) type Ring = Vec<(f64, f64)>;

/// The outer and inner rings of a polygon or of several; nothing for other
/// geometries.
pub(super) fn rings(geometry: &Value) -> Vec<Ring> {
    let coordinates = &geometry["coordinates"];
    let polygons: Vec<&Value> = match geometry["type"].as_str() {
        Some("Polygon") => vec![coordinates],
        Some("MultiPolygon") => coordinates.as_array().into_iter().flatten().collect(),
        _ => Vec::new(),
    };
    let rings = polygons.into_iter().filter_map(Value::as_array).flatten().map(ring);
    rings.filter(|ring| ring.len() >= 3).collect()
}

fn ring(points: &Value) -> Ring {
    let point = |point: &Value| {
        let (longitude, latitude) = (point[0].as_f64()?, point[1].as_f64()?);
        let real = longitude.abs() <= 180.0 && latitude.abs() <= 85.0;
        real.then_some((longitude, latitude))
    };
    points.as_array().into_iter().flatten().filter_map(point).collect()
}

/// Which part of the world fills the drawing.
pub(super) struct Window {
    left: f64,
    top: f64,
    /// Units for a degree of longitude and of latitude.
    scale: (f64, f64),
    height: f64,
}

impl Window {
    /// Around all of these; `None` when they cover nothing.
    pub(super) fn around<'a>(rings: impl Iterator<Item = &'a Ring>) -> Option<Self> {
        let (mut left, mut right) = (f64::INFINITY, f64::NEG_INFINITY);
        let (mut bottom, mut top) = (f64::INFINITY, f64::NEG_INFINITY);
        for (longitude, latitude) in rings.flatten() {
            (left, right) = (left.min(*longitude), right.max(*longitude));
            (bottom, top) = (bottom.min(*latitude), top.max(*latitude));
        }
        if !(right > left && top > bottom) {
            return None;
        }
        let wide = WIDTH / (right - left);
        // A degree of longitude is shorter than one of latitude.
        let high = wide / ((top + bottom) / 2.0).to_radians().cos();
        Some(Self { left, top, scale: (wide, high), height: (top - bottom) * high })
    }

    /// Width and height of the drawing.
    #[allow(clippy::cast_possible_truncation, reason = "at most some thousands")]
    pub(super) fn size(&self) -> (i64, i64) {
        (WIDTH as i64, self.height.ceil() as i64)
    }

    fn place(&self, (longitude, latitude): (f64, f64)) -> (f64, f64) {
        ((longitude - self.left) * self.scale.0, (self.top - latitude) * self.scale.1)
    }
}

/// An SVG path of these rings in whole units; no point moves by more than
/// about `tolerance`.
#[allow(clippy::cast_possible_truncation, reason = "units of the drawing, some thousands")]
pub(super) fn path(rings: &[Ring], window: &Window, tolerance: f64) -> String {
    let mut path = String::new();
    for ring in rings {
        let placed: Vec<_> = ring.iter().map(|point| window.place(*point)).collect();
        let rounded = |(x, y): (f64, f64)| (x.round() as i64, y.round() as i64);
        let mut points: Vec<_> = simplified(&placed, tolerance).into_iter().map(rounded).collect();
        points.dedup();
        let Some(((x, y), rest)) = points.split_first() else { continue };
        // Writing to a String can't fail.
        let _ = write!(path, "M{x} {y}");
        let (mut x, mut y) = (*x, *y);
        for (next_x, next_y) in rest {
            let _ = write!(path, "l{} {}", next_x - x, next_y - y);
            (x, y) = (*next_x, *next_y);
        }
        path.push('z');
    }
    path
}

/// The middle of the largest of these rings, in whole units: where a letter
/// stands best.
#[allow(clippy::cast_possible_truncation, reason = "units of the drawing, some thousands")]
pub(super) fn middle(rings: &[Ring], window: &Window) -> (i64, i64) {
    // Twice the area, and the centre times six times the area.
    let of = |ring: &Ring| {
        let placed: Vec<_> = ring.iter().map(|point| window.place(*point)).collect();
        let pairs = placed.iter().zip(placed.iter().cycle().skip(1));
        pairs.fold((0.0, 0.0, 0.0), |(area, x, y), (one, other)| {
            let cross = one.0 * other.1 - other.0 * one.1;
            (area + cross, x + (one.0 + other.0) * cross, y + (one.1 + other.1) * cross)
        })
    };
    let sums = rings.iter().map(of);
    let largest = sums.max_by(|one, other| one.0.abs().total_cmp(&other.0.abs()));
    let (area, x, y) = largest.unwrap_or_default();
    if area == 0.0 {
        return (0, 0);
    }
    ((x / (3.0 * area)).round() as i64, (y / (3.0 * area)).round() as i64)
}

/// Leaves out points that lie within `tolerance` of the line without them
/// (Douglas and Peucker).
fn simplified(points: &[(f64, f64)], tolerance: f64) -> Vec<(f64, f64)> {
    let mut keep = vec![false; points.len()];
    let mut parts = vec![(0, points.len().saturating_sub(1))];
    while let Some((first, last)) = parts.pop() {
        for end in [first, last] {
            if let Some(keep) = keep.get_mut(end) {
                *keep = true;
            }
        }
        let between = points.iter().enumerate().take(last).skip(first + 1);
        let (Some(from), Some(to)) = (points.get(first), points.get(last)) else { continue };
        let far = between.map(|(at, point)| (at, distance(*point, *from, *to)));
        let farthest = far.max_by(|one, other| one.1.total_cmp(&other.1));
        if let Some((at, _)) = farthest.filter(|(_, far)| *far > tolerance) {
            parts.extend([(first, at), (at, last)]);
        }
    }
    points.iter().zip(keep).filter_map(|(point, keep)| keep.then_some(*point)).collect()
}

/// How far a point is from the line between two others; from the first when
/// both are one, as at the ends of a ring.
fn distance(point: (f64, f64), from: (f64, f64), to: (f64, f64)) -> f64 {
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    let (px, py) = (point.0 - from.0, point.1 - from.1);
    let length = dx.hypot(dy);
    if length == 0.0 { px.hypot(py) } else { (px * dy - py * dx).abs() / length }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_on_a_line_go_and_corners_stay() {
        let square = [(0.0, 0.0), (5.0, 0.1), (10.0, 0.0), (10.0, 10.0), (0.0, 10.0), (0.0, 0.0)];
        let few = simplified(&square, 0.5);
        assert_eq!(few, [(0.0, 0.0), (10.0, 0.0), (10.0, 10.0), (0.0, 10.0), (0.0, 0.0)]);
        assert_eq!(simplified(&square, 0.01).len(), 6);
        assert_eq!(simplified(&[], 1.0), []);
    }

    #[test]
    fn holes_and_islands_are_rings_too() {
        let islands = serde_json::json!({ "type": "MultiPolygon", "coordinates": [
            [[[0, 0], [1, 0], [1, 1]], [[0.2, 0.2], [0.3, 0.2], [0.3, 0.3]]],
            [[[5, 5], [6, 5], [6, 6]]],
            [[[5, 5], ["a", 5]]],
        ]});
        assert_eq!(rings(&islands).len(), 3);
    }
}
