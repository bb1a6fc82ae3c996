//! What can be done to the village, whom to call about it, and what operators
//! noted.

use maud::{Markup, html};

use super::super::acts::Deed;
use super::super::guard::Viewer;
use super::super::needs;
use super::VillagePage;
use crate::access::Right;
use crate::reason::Place;

/// How a deed's button looks: what is done most stands out, for a village that
/// is turned away what lets it in again, and so does what can't be undone.
const fn weight(deed: Deed, turned_away: bool) -> &'static str {
    match deed {
        Deed::Sync => "button first",
        Deed::Token if turned_away => "button first",
        _ if deed.is_grave() => "button grave",
        _ => "button",
    }
}

impl VillagePage<'_> {
    /// Whether there is anything for this deed to do.
    fn fits(&self, deed: Deed) -> bool {
        let (has_key, held) = (self.key.is_some(), self.outlook.held);
        match deed {
            Deed::Sync | Deed::Prove => !held && !self.outlook.is_turned_away(),
            Deed::Contact | Deed::Remark | Deed::Budget => true,
            Deed::Hold => !held,
            Deed::Release => held,
            Deed::Token => !has_key,
            Deed::Replace | Deed::Revoke => has_key,
            Deed::Twin => self.stored.twin_ms > 0,
            Deed::Leftovers => self.stored.leftovers > 0,
            Deed::Damaged => self.outlook.upkeep.as_ref().is_some_and(|it| it.damaged > 0),
        }
    }

    /// The ways to every deed that fits and that the operator may do.
    pub(super) fn deeds(&self, viewer: &Viewer) -> Markup {
        let code = self.outlook.desa.code;
        let may = |deed: &Deed| viewer.who.may(deed.right()) && self.fits(*deed);
        let deeds: Vec<_> = Deed::ALL.into_iter().filter(may).collect();
        html! {
            @if !deeds.is_empty() {
                section aria-labelledby="tindakan" {
                    h2 id="tindakan" { (viewer.language.say("Tindakan", "Actions")) }
                    p class="files" {
                        @for deed in deeds {
                            a class=(weight(deed, self.outlook.is_turned_away())) href=(format!("/desa/{code}/tindakan/{}", deed.code())) {
                                (viewer.language.of(deed.title()))
                            }
                        }
                        @if viewer.who.may(Right::Act) {
                            a class="button" href=(format!("/desa/{code}/diagnostik")) {
                                (viewer.language.say("Diagnostik", "Diagnostics"))
                            }
                        }
                    }
                }
            }
        }
    }

    /// Whom to call, and what operators noted.
    pub(super) fn people(&self, viewer: &Viewer) -> Markup {
        let say = |id, en| viewer.language.say(id, en);
        let call = self.outlook.upkeep.as_ref().and_then(|it| it.narahubung.as_ref());
        let now_ms = self.sight.outlook.now_ms;
        html! {
            section aria-labelledby="orang" {
                h2 id="orang" { (say("Narahubung dan catatan", "Whom to call, and notes")) }
                @if call.is_none() {
                    p { small { (say("Narahubung belum dicatat.", "Nobody to call is noted.")) } }
                }
                (needs::contact(call, None, viewer.into(), Place::Village(self.outlook.desa.code)))
                @if let Some(remark) = &self.remark {
                    p class="remark" lang="id" { (remark.words) }
                    p { small { (remark.by) ", " (viewer.language.moment(remark.changed_ms, now_ms)) } }
                }
            }
        }
    }
}
