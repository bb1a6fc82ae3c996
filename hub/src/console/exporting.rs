//! Records that leave as a file, in two steps: the order, then what would
//! leave and a second yes.

use std::io::{self, Write};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Form, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use jiff::civil::Date;
use lumbung_domain::id::Kind;
use lumbung_telemetry::clock;
use maud::{Markup, html};
use serde::Deserialize;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use super::frame::{Frame, Tab};
use super::guard::Viewer;
use super::language::Language;
use super::search::regions;
use super::tile::said;
use super::{ConsoleState, Page, Trouble, at_desk, whole};
use crate::access::Right;
use crate::desk::DeskError;
use crate::desk::exporting::{ExportOrder, FileForm, KEEP_DAYS_MAX, ReadyExport};
use crate::exports::{Disclosure, XLSX};
use crate::recap::RegionRef;
use crate::spans;

/// Bytes handed to the browser at a time.
const CHUNK_BYTES: usize = 64 * 1024;

/// Chunks that may wait for a slow browser: memory stays flat.
const CHUNKS_WAITING: usize = 8;

pub(super) fn routes() -> Router<ConsoleState> {
    Router::new().route("/ekspor", get(blank).post(look)).route("/ekspor/berkas", post(write))
}

/// The form as a browser sends it.
#[derive(Deserialize, Clone, Default)]
#[serde(default)]
struct Asked {
    jenis: String,
    wilayah: String,
    bentuk: String,
    nomor: String,
    spesifik: String,
    tujuan: String,
    sampai: String,
}

impl Asked {
    fn order(&self) -> Result<ExportOrder, DeskError> {
        let unfit = |id: &str, en: &str| DeskError::unfit(id, en);
        Ok(ExportOrder {
            kind: Kind::from_name(&self.jenis)
                .ok_or_else(|| unfit("Pilih jenis catatan.", "Choose the kind of records."))?,
            region: RegionRef::parse(&self.wilayah).map_err(|_| {
                unfit(
                    "Pilih wilayah: satu kecamatan atau satu desa.",
                    "Choose an area: one kecamatan or one village.",
                )
            })?,
            form: if self.bentuk == "xlsx" { FileForm::Xlsx } else { FileForm::Csv },
            disclosed: Disclosure {
                numbers: !self.nomor.is_empty(),
                specific: !self.spesifik.is_empty(),
            },
            purpose: self.tujuan.clone(),
            keep_until: self.sampai.parse().map_err(|_| {
                unfit(
                    "Pilih sampai kapan berkas boleh disimpan. Tidak ada yang ditulis.",
                    "Choose until when the file may be kept. Nothing was written.",
                )
            })?,
        })
    }
}

/// A kind of records, in words.
pub(super) const fn kind_words(kind: Kind, language: Language) -> &'static str {
    match kind {
        Kind::Dusun => language.say("Dusun", "Dusun"),
        Kind::Rw => "RW",
        Kind::Rt => "RT",
        Kind::Dasawisma => "Dasawisma",
        Kind::RumahTangga => language.say("Rumah tangga", "Houses"),
        Kind::Keluarga => language.say("Keluarga", "Families"),
        Kind::Warga => language.say("Warga", "Residents"),
        Kind::Mutasi => language.say("Mutasi", "Population events"),
        Kind::TandaTerima => language.say("Tanda terima", "Receipts"),
        Kind::PernyataanJumlah => language.say("Pernyataan jumlah", "Stated totals"),
    }
}

async fn blank(viewer: Viewer) -> Result<Page, Trouble> {
    viewer.who.must(Right::Export).map_err(DeskError::from)?;
    let asked = Asked { jenis: "warga".to_owned(), ..Asked::default() };
    Ok(whole(form(&viewer, &asked, None)))
}

/// The first step: nothing leaves yet.
async fn look(
    State(state): State<ConsoleState>,
    viewer: Viewer,
    Form(asked): Form<Asked>,
) -> Result<Response, Trouble> {
    at_desk(&state, viewer, move |desk, viewer| {
        let ready = asked.order().and_then(|order| desk.export_ready(&viewer.who, order));
        match ready {
            Ok(ready) => Ok(whole(confirmation(viewer, &asked, &ready)).into_response()),
            Err(DeskError::Unfit(words)) => {
                let page = whole(form(viewer, &asked, Some(said(viewer.language, &words))));
                Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
            }
            Err(error) => Err(error.into()),
        }
    })
    .await
}

/// The second step: noted, then written.
async fn write(
    State(state): State<ConsoleState>,
    viewer: Viewer,
    Form(asked): Form<Asked>,
) -> Result<Response, Trouble> {
    let ready = at_desk(&state, viewer, move |desk, viewer| {
        let ready = desk.export_ready(&viewer.who, asked.order()?)?;
        desk.note_export(&viewer.who, &ready)?;
        Ok(ready)
    })
    .await?;
    let name = ready.file_name();
    let kind = match ready.order.form {
        FileForm::Csv => "text/csv; charset=utf-8",
        FileForm::Xlsx => XLSX,
    };
    let (chunks, waiting) = mpsc::channel(CHUNKS_WAITING);
    tokio::task::spawn_blocking(spans::within(move || {
        let mut out = io::BufWriter::with_capacity(CHUNK_BYTES, Chunks(chunks.clone()));
        let written = state.desk.write_export(&ready, &mut out).map_err(io::Error::other);
        // A download that broke off must not look whole.
        if let Err(error) = written.and_then(|_| out.flush()) {
            tracing::warn!(%error, "an export broke off");
            drop(chunks.blocking_send(Err(error)));
        }
    }));
    let disposition = format!("attachment; filename=\"{name}\"");
    let headers =
        [(header::CONTENT_TYPE, kind.to_owned()), (header::CONTENT_DISPOSITION, disposition)];
    Ok((headers, Body::from_stream(ReceiverStream::new(waiting))).into_response())
}

/// Bytes on their way to a browser.
struct Chunks(mpsc::Sender<io::Result<Bytes>>);

impl Write for Chunks {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let gone = || io::Error::new(io::ErrorKind::BrokenPipe, "the browser went away");
        self.0.blocking_send(Ok(Bytes::copy_from_slice(bytes))).map_err(|_| gone())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn form(viewer: &Viewer, asked: &Asked, alert: Option<&str>) -> Markup {
    let language = viewer.language;
    let say = |id, en| language.say(id, en);
    let kinds = [
        Kind::Warga,
        Kind::Keluarga,
        Kind::RumahTangga,
        Kind::Mutasi,
        Kind::Dasawisma,
        Kind::Rt,
        Kind::PernyataanJumlah,
    ];
    let within = |days: i32| {
        let day = clock::today().checked_add(jiff::Span::new().days(days));
        day.as_ref().map(Date::to_string).unwrap_or_default()
    };
    let until = if asked.sampai.is_empty() { within(30) } else { asked.sampai.clone() };
    let body = html! {
        h1 { (say("Ekspor data", "Export data")) }
        p class="lead" { (say(
            "Data pribadi keluar dari sistem. Ambil sesedikit mungkin, untuk keperluan yang jelas. \
             Siapa mengambil apa dan untuk apa dicatat selamanya.",
            "Personal data leaves the system. Take as little as you can, for a clear purpose. Who \
             takes what and why is kept for ever.")) }
        (super::form::alert(alert))
        form class="form left narrow" method="post" action="/ekspor" {
            div class="field" {
                label for="jenis" { (say("Jenis catatan", "Kind of records")) }
                select id="jenis" name="jenis" {
                    @for kind in kinds {
                        option value=(kind) selected[asked.jenis == kind.name()] {
                            (kind_words(kind, language))
                        }
                    }
                }
            }
            div class="field" {
                label for="wilayah" { (say("Wilayah", "Area")) }
                select id="wilayah" name="wilayah" required {
                    option value="" { (say("Pilih", "Choose")) }
                    @if viewer.who.scope().is_whole() {
                        option value=(RegionRef::Kabupaten) selected[asked.wilayah == "3505"] {
                            (say("Seluruh kabupaten", "The whole kabupaten"))
                        }
                    }
                    (regions(viewer, RegionRef::parse(&asked.wilayah).ok()))
                }
            }
            div class="field" {
                label for="bentuk" { (say("Bentuk berkas", "Form of the file")) }
                select id="bentuk" name="bentuk" {
                    option value="csv" { "CSV" }
                    option value="xlsx" selected[asked.bentuk == "xlsx"] { "Excel (XLSX)" }
                }
            }
            @if viewer.who.may(Right::Reveal) {
                label class="check" {
                    input type="checkbox" name="nomor" value="1" checked[!asked.nomor.is_empty()]; " "
                    (say("Dengan NIK dan nomor KK lengkap", "With full NIK and card numbers"))
                }
                label class="check" {
                    input type="checkbox" name="spesifik" value="1" checked[!asked.spesifik.is_empty()]; " "
                    (say("Dengan data spesifik: kesehatan, disabilitas, tanggal lahir anak, telepon, \
                          titik rumah",
                         "With specific data: health, disability, children's birth dates, \
                          telephone, place of the house"))
                }
            }
            div class="field" {
                label for="tujuan" { (say("Untuk keperluan apa", "What for")) }
                textarea id="tujuan" name="tujuan" rows="2" required minlength="10" maxlength="300" {
                    (asked.tujuan)
                }
            }
            div class="field" {
                label for="sampai" { (say("Dihapus paling lambat", "To be deleted by")) }
                input id="sampai" name="sampai" type="date" required value=(until) min=(within(1))
                    max=(within(KEEP_DAYS_MAX));
            }
            button type="submit" { (say("Lihat dulu", "Look first")) }
        }
        p { small { (say(
            "Kesehatan, disabilitas, kehamilan, KB dan data anak hanya ikut bila diminta, oleh yang \
             berhak membukanya. Rekap tersedia di halaman Rekap, tanpa nama.",
            "Health, disability, pregnancy, contraception and data of children only leave when \
             asked for, by who may open them. For figures without names use Recap.")) } }
    };
    Frame::of(viewer, say("Ekspor", "Export"), Tab::Export).page(&body)
}

fn confirmation(viewer: &Viewer, asked: &Asked, ready: &ReadyExport) -> Markup {
    let language = viewer.language;
    let say = |id, en| language.say(id, en);
    let order = &ready.order;
    let hidden = [
        ("jenis", &asked.jenis),
        ("wilayah", &asked.wilayah),
        ("bentuk", &asked.bentuk),
        ("nomor", &asked.nomor),
        ("spesifik", &asked.spesifik),
        ("tujuan", &asked.tujuan),
        ("sampai", &asked.sampai),
    ];
    let Disclosure { numbers, specific } = order.disclosed;
    let whether =
        |disclosed| if disclosed { say("Ya, lengkap", "Yes, in full") } else { say("Tidak", "No") };
    let facts = [
        (say("Isi", "Content"), kind_words(order.kind, language).to_owned()),
        (say("Wilayah", "Area"), ready.region.clone()),
        (say("Jumlah catatan", "Records"), language.count(ready.records)),
        (say("NIK dan nomor KK", "NIK and card numbers"), whether(numbers).to_owned()),
        (say("Data spesifik", "Specific data"), whether(specific).to_owned()),
        (say("Keperluan", "Purpose"), order.purpose.trim().to_owned()),
        (say("Dihapus paling lambat", "To be deleted by"), language.day(order.keep_until)),
    ];
    let body = html! {
        h1 { (say("Yang akan keluar", "What will leave")) }
        dl class="facts" {
            @for (word, value) in &facts { div { dt { (word) } dd { (value) } } }
        }
        @if numbers {
            p class="alert" { (say(
                "Berkas ini berisi NIK dan nomor KK lengkap. Jaga seperti KTP dan KK aslinya.",
                "This file holds full NIK and card numbers. Guard it like the cards themselves.")) }
        }
        @if specific {
            p class="alert" { (say(
                "Berkas ini berisi data spesifik: kesehatan, disabilitas dan data anak. Hanya yang \
                 memerlukannya untuk keperluan di atas boleh membukanya.",
                "This file holds specific data: health, disability and data of children. Only who \
                 needs it for the purpose above may open it.")) }
        }
        form class="form left narrow" method="post" action="/ekspor/berkas" {
            @for (name, value) in hidden { input type="hidden" name=(name) value=(value); }
            button type="submit" { (say("Catat dan unduh", "Note it and download")) }
        }
        p { a href="/ekspor" { (say("Batal", "Cancel")) } }
    };
    Frame::of(viewer, say("Ekspor", "Export"), Tab::Export).page(&body)
}
