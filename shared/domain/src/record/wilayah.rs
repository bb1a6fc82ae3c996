//! Regions below the village: dusun, RW, RT and the dasawisma inside an RT.

use jiff::civil::Date;

use crate::id::RecordId;

/// A place on the map, WGS 84 degrees.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Titik {
    /// Latitude, south negative.
    pub lat: f64,
    /// Longitude, east positive.
    pub lon: f64,
}

/// From when until when a region or group exists; open ends are `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MasaAktif {
    /// First day.
    pub dari: Option<Date>,
    /// Last day.
    pub sampai: Option<Date>,
}

/// Dusun of a desa, lingkungan of a kelurahan.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Dusun {
    /// Name, upper case, without the word "DUSUN". Unique in the village.
    pub nama: String,
    /// Its head, a warga.
    pub kepala_id: Option<RecordId>,
    /// Where it lies.
    pub titik: Option<Titik>,
    /// When it exists.
    pub aktif: MasaAktif,
    /// Number of the decree that formed it.
    pub sk_pembentukan: String,
}

/// Rukun warga.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rw {
    /// Number as text; leading zeros are kept ("003"). Unique in its dusun.
    pub nomor: String,
    /// The dusun it lies in; a village may have none.
    pub dusun_id: Option<RecordId>,
    /// Its head, a warga.
    pub ketua_id: Option<RecordId>,
    /// Where it lies.
    pub titik: Option<Titik>,
    /// When it exists.
    pub aktif: MasaAktif,
    /// Number of the decree that formed it.
    pub sk_pembentukan: String,
}

/// Rukun tetangga.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rt {
    /// Number as text; leading zeros are kept ("004"). Unique in (dusun, RW).
    pub nomor: String,
    /// The RW it lies in; a village may have none.
    pub rw_id: Option<RecordId>,
    /// The dusun it lies in; a village may have none.
    pub dusun_id: Option<RecordId>,
    /// Its head, a warga.
    pub ketua_id: Option<RecordId>,
    /// Note on its boundary.
    pub batas: String,
    /// Where it lies.
    pub titik: Option<Titik>,
    /// When it exists.
    pub aktif: MasaAktif,
    /// Number of the decree that formed it.
    pub sk_pembentukan: String,
}

/// A PKK group of about 10 to 20 families inside one RT.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dasawisma {
    /// Name ("Melati"). Unique in its RT only.
    pub nama: String,
    /// The RT it lies in.
    pub rt_id: RecordId,
    /// Its leader (kader dasawisma), a warga.
    pub ketua_id: Option<RecordId>,
    /// Whether the group works today.
    pub aktif: bool,
    /// The year its books run for; 0 when not stated.
    pub tahun: u16,
}
