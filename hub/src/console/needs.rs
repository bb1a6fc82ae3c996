//! What needs somebody, as cards: what, where, since when, what to do, whom
//! to call with which words.

use axum::extract::State;
use maud::{Markup, html};

use super::acts::Deed;
use super::frame::{Frame, Tab};
use super::guard::Viewer;
use super::language::Language;
use super::tile::said;
use super::{ConsoleState, Page, Trouble, at_desk, whole};
use crate::access::{Right, Role};
use crate::dataset::Narahubung;
use crate::desk::sight::Sight;
use crate::reason::{KEY_REVOKED, Need, Place, Reasons, Severity};
use crate::rhythm::Freshness;

/// Who reads the cards: in which language, and what they may do about them.
#[derive(Clone, Copy)]
pub(super) struct Reader {
    pub(super) language: Language,
    pub(super) role: Role,
}

impl From<&Viewer> for Reader {
    fn from(viewer: &Viewer) -> Self {
        Self { language: viewer.language, role: viewer.who.role() }
    }
}

/// Everything that needs somebody: the first page shows the oldest only.
pub(super) async fn page(
    State(state): State<ConsoleState>,
    viewer: Viewer,
) -> Result<Page, Trouble> {
    at_desk(&state, viewer, |desk, viewer| {
        let sight = desk.sight(&viewer.who)?;
        Ok(whole(all(viewer, &sight)))
    })
    .await
}

fn all(viewer: &Viewer, sight: &Sight) -> Markup {
    let (reader, now_ms) = (Reader::from(viewer), sight.outlook.now_ms);
    let say = |id, en| viewer.language.say(id, en);
    let body = html! {
        h1 { (say("Perlu tindakan", "Needs somebody")) }
        p class="lead" { (say("Hub dan kecamatan lebih dulu, lalu desa; yang paling lama di atas.",
                              "The hub and kecamatan first, then villages; the oldest on top.")) }
        @if sight.reasons.to_act().next().is_none() { (nothing(viewer.language, sight)) }
        (cards(sight.reasons.to_act(), reader, now_ms, true))
        @let advice = Advice::of(&sight.reasons);
        @if advice.count() > 0 {
            section id="saran" aria-labelledby="saran-judul" {
                h2 id="saran-judul" { (say("Saran (tidak mendesak)", "Advice (not urgent)")) }
                (advice.cards(usize::MAX, reader, now_ms))
            }
        }
    };
    Frame::of(viewer, say("Perlu tindakan", "Needs somebody"), Tab::Villages).page(&body)
}

/// What is said where nobody is needed; where no village has come yet, how one
/// does.
pub(super) fn nothing(language: Language, sight: &Sight) -> Markup {
    let counts = sight.counts();
    let unknown = counts.of(Freshness::BelumTerdaftar);
    let words = match (unknown, counts.total()) {
        (0, _) => {
            ("Tidak ada. Semua desa berjalan sendiri.", "Nothing. All villages run by themselves.")
        }
        (unknown, all) if unknown == all => (
            "Belum ada desa yang bergabung. Buka satu desa di bawah, buat tokennya, dan bantu desa \
             memasang komputernya.",
            "No village has joined yet. Open one below, make its token, and help it to set up its \
             machine.",
        ),
        _ => (
            "Tidak ada. Semua desa yang sudah bergabung berjalan sendiri.",
            "Nothing. All villages that have joined run by themselves.",
        ),
    };
    html! { p class="calm" { (language.of(words)) } }
}

/// What is only worth knowing. A finding is of two villages, so those of all
/// villages are one card: a card for each village would tell each twice.
pub(super) struct Advice<'a> {
    findings: Vec<&'a Need>,
    others: Vec<&'a Need>,
}

impl<'a> Advice<'a> {
    pub(super) fn of(reasons: &'a Reasons) -> Self {
        let advice = reasons.needs.iter().filter(|need| need.severity == Severity::Advice);
        let (findings, others) = advice.partition(|need| need.code == "temuan");
        Self { findings, others }
    }

    /// How many cards it is.
    pub(super) fn count(&self) -> usize {
        self.others.len() + usize::from(!self.findings.is_empty())
    }

    /// Its first cards.
    pub(super) fn cards(&self, most: usize, reader: Reader, now_ms: i64) -> Markup {
        let language = reader.language;
        let say = |id, en| language.say(id, en);
        let rest = most.saturating_sub(usize::from(!self.findings.is_empty()));
        html! {
            ul class="actions" {
                @match &self.findings[..] {
                    [] => {},
                    [one] => (card(one, reader, now_ms, true)),
                    several => li class="sB" data-kunci="temuan:desa" {
                        p class="where" { b { (say("Temuan antardesa", "Findings between villages")) } }
                        p { (say("Ada temuan terbuka yang menyangkut ", "Open findings concern "))
                            (several.len()) (say(" desa: ", " villages: "))
                            @for (at, need) in several.iter().enumerate() {
                                @if at > 0 { ", " }
                                (place(need.place))
                            }
                            "."
                        }
                        p class="todo" { (said(language, &several[0].todo))
                            @if reader.role.may(Right::SeeRecords) {
                                " " a href="/temuan" { (say("Buka temuan", "Open the findings")) }
                            }
                        }
                    },
                }
                @for need in self.others.iter().take(rest) {
                    (card(need, reader, now_ms, true))
                }
            }
        }
    }
}

/// The cards of these needs.
pub(super) fn cards<'a>(
    needs: impl Iterator<Item = &'a Need>,
    reader: Reader,
    now_ms: i64,
    with_place: bool,
) -> Markup {
    html! {
        ul class="actions" {
            @for need in needs { (card(need, reader, now_ms, with_place)) }
        }
    }
}

fn card(need: &Need, reader: Reader, now_ms: i64, with_place: bool) -> Markup {
    let language = reader.language;
    let say = |id, en| language.say(id, en);
    let letter = if need.severity == Severity::Act { "M" } else { "B" };
    let since = || {
        html! {
            @if need.since_ms > 0 {
                " " small class="since" { (say("sejak ", "since "))
                    (language.moment(need.since_ms, now_ms)) }
            }
        }
    };
    html! {
        li class=(format!("s{letter}")) data-kunci=(format!("{}:{}", need.code, need.place.name())) {
            @if with_place { p class="where" { (place(need.place)) (since()) } }
            p { (said(language, &need.what)) }
            p class="todo" {
                (said(language, &need.todo))
                @if let Some((desk, words)) = desk_of(need, reader.role) {
                    " " a href=(desk) { (language.of(words)) }
                }
            }
            @if !with_place { (since()) }
            (contact(need.call.as_ref(), need.message.as_deref(), reader, need.place))
        }
    }
}

/// The page on which a need is settled, and what its link says; `None` where
/// there is none, or for somebody else.
fn desk_of(need: &Need, role: Role) -> Option<(String, (&'static str, &'static str))> {
    let Place::Village(village) = need.place else { return None };
    let (right, path, words) = match (need.code, deed_of(need.code)) {
        (_, Some(deed)) => {
            (deed.right(), format!("/desa/{village}/tindakan/{}", deed.code()), deed.title())
        }
        ("temuan", _) => (
            Right::SeeRecords,
            format!("/temuan?desa={village}"),
            ("Buka temuan", "Open its findings"),
        ),
        ("karantina", _) => (
            Right::Act,
            format!("/karantina?desa={village}"),
            ("Buka karantina", "Open its quarantine"),
        ),
        _ => return None,
    };
    role.may(right).then_some((path, words))
}

/// What is done to a village that has this need.
fn deed_of(code: &str) -> Option<Deed> {
    Some(match code {
        "kembar" => Deed::Twin,
        KEY_REVOKED => Deed::Token,
        "ditahan" => Deed::Release,
        "sisa_log" => Deed::Leftovers,
        "berkas_rusak" => Deed::Damaged,
        "belum_diperbaiki" => Deed::Prove,
        "kuota" => Deed::Budget,
        _ => return None,
    })
}

fn place(place: Place) -> Markup {
    match place {
        Place::Village(village) => html! { a href=(format!("/desa/{village}")) { (place.name()) } },
        Place::Kecamatan(code) => {
            // To its villages, below what needs somebody everywhere.
            let href = format!("/?kecamatan={}#desa-judul", code.compact());
            html! { a href=(href) { (place.name()) } }
        }
        Place::Hub => html! { b { (place.name()) } },
    }
}

/// Whom to call, and the message that is ready to be sent.
pub(super) fn contact(
    call: Option<&Narahubung>,
    message: Option<&str>,
    reader: Reader,
    place: Place,
) -> Markup {
    let say = |id, en| reader.language.say(id, en);
    html! {
        @if let Some(call) = call {
            p class="call" {
                span { (call.nama) }
                @if let Some(number) = dialled(&call.telepon) {
                    " " a class="button" href=(format!("tel:+{number}")) {
                        (say("Telepon", "Call")) " " (call.telepon)
                    }
                    " " a class="button" rel="noreferrer"
                        href=(whatsapp(&number, message.unwrap_or_default())) { "WhatsApp" }
                } @else { " " (call.telepon) }
            }
        } @else if let (Some(_), Place::Village(village)) = (message, place) {
            p { small { (say("Narahubung desa ini belum dicatat.",
                             "Nobody to call is noted for this village.")) }
                @if reader.role.may(Deed::Contact.right()) {
                    " " a href=(format!("/desa/{village}/tindakan/{}", Deed::Contact.code())) {
                        (say("Catat narahubung", "Note whom to call"))
                    }
                }
            }
        }
        @if let Some(message) = message {
            details {
                summary { (say("Pesan siap kirim", "Message to send")) }
                p class="message" lang="id" { (message) }
            }
        }
    }
}

/// An Indonesian telephone number with its country code, digits only; `None`
/// when it is none.
fn dialled(number: &str) -> Option<String> {
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    let national = digits.strip_prefix("62").or_else(|| digits.strip_prefix('0'))?;
    let fits = (7..=13).contains(&national.len());
    fits.then(|| format!("62{national}"))
}

fn whatsapp(number: &str, message: &str) -> String {
    let text = escaped(message);
    let text = if text.is_empty() { text } else { format!("?text={text}") };
    format!("https://wa.me/{number}{text}")
}

/// As a query's value holds it.
pub(super) fn escaped(text: &str) -> String {
    let one = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
            char::from(byte).to_string()
        }
        byte => format!("%{byte:02X}"),
    };
    text.bytes().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_dialled_from_anywhere() {
        for (written, number) in [
            ("0812-3456-7890", Some("6281234567890")),
            ("+62 812 3456 7890", Some("6281234567890")),
            ("(0342) 801111", Some("62342801111")),
            ("801111", None),
            ("minta ke Pak Carik", None),
            ("0", None),
        ] {
            assert_eq!(dialled(written).as_deref(), number, "{written}");
        }
    }

    #[test]
    fn what_has_a_desk_leads_there() {
        let village = lumbung_domain::region::roster().villages()[0].code;
        let words = || crate::words::Words::new("apa", "what");
        let need = |code, place| Need {
            code,
            severity: Severity::Advice,
            place,
            since_ms: 0,
            what: words(),
            todo: words(),
            message: None,
            call: None,
            villages: Vec::new(),
        };
        let reader = |role| Reader { language: Language::Indonesian, role };
        let shown = |need: &Need, role| card(need, reader(role), 0, true).into_string();
        for (code, right, path) in [
            ("temuan", Right::SeeRecords, format!("/temuan?desa={village}")),
            ("karantina", Right::Act, format!("/karantina?desa={village}")),
            ("kembar", Right::ManageKeys, format!("/desa/{village}/tindakan/kembar")),
            ("ditahan", Right::Act, format!("/desa/{village}/tindakan/lepas")),
        ] {
            let need = need(code, Place::Village(village));
            for role in Role::ALL {
                assert_eq!(shown(&need, role).contains(&path), role.may(right), "{code} {role:?}");
            }
        }
        for other in [need("desa_diam", Place::Village(village)), need("temuan", Place::Hub)] {
            assert!(desk_of(&other, Role::Head).is_none(), "{other:?}");
        }
    }

    #[test]
    fn who_may_note_whom_to_call_is_led_there() {
        let village = lumbung_domain::region::roster().villages()[0].code;
        let shown = |role| {
            let reader = Reader { language: Language::Indonesian, role };
            contact(None, Some("Yth."), reader, Place::Village(village)).into_string()
        };
        for role in Role::ALL {
            let html = shown(role);
            assert!(html.contains("belum dicatat"), "{html}");
            assert_eq!(html.contains("/tindakan/narahubung"), role.may(Right::Act), "{html}");
        }
    }

    #[test]
    fn a_message_travels_in_a_link() {
        let link = whatsapp("62812", "Yth. Bapak/Ibu & desa?");
        assert_eq!(link, "https://wa.me/62812?text=Yth.%20Bapak%2FIbu%20%26%20desa%3F");
        assert_eq!(whatsapp("62812", ""), "https://wa.me/62812");
    }
}
