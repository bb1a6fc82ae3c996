//! What operators do about a village that is not about its machine: hold it,
//! write down whom to call and what the others should know, read what the hub
//! knows of it.

use lumbung_domain::identity::holds_number_of_a_person;
use lumbung_domain::region::VillageCode;
use lumbung_telemetry::clock;

use super::{Desk, DeskError, fit_words};
use crate::access::Operator;
use crate::access::audit::Act;
use crate::dataset::{Hold, Narahubung, Remark};

/// A hold ends by itself after this, days.
pub const HOLD_DAYS_MAX: u32 = 90;

/// Longest remark, characters.
const REMARK_MAX: usize = 2_000;

/// Longest name and telephone number of whom to call, characters.
const NAME_MAX: usize = 80;
const NUMBER_MAX: usize = 25;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

impl Desk {
    /// Holds a village for so many days from now: it is not pulled, and nobody
    /// is told of it. What is merged stays; what the village writes waits
    /// there.
    ///
    /// # Errors
    /// [`DeskError`].
    pub fn hold(
        &self,
        who: &Operator,
        village: VillageCode,
        reason: &str,
        days: u32,
    ) -> Result<(), DeskError> {
        self.to_act_on(who, village)?;
        let reason = fit_words(reason)?;
        if reason.is_empty() {
            return Err(DeskError::unfit(
                "Tulis alasannya. Desa tidak ditahan; tidak ada yang diubah.",
                "Write the reason. The village is not held; nothing has changed.",
            ));
        }
        if days == 0 || days > HOLD_DAYS_MAX {
            return Err(DeskError::unfit(
                format!("Desa bisa ditahan 1 sampai {HOLD_DAYS_MAX} hari. Tidak ada yang diubah."),
                format!(
                    "A village can be held for 1 to {HOLD_DAYS_MAX} days. Nothing has changed."
                ),
            ));
        }
        self.note(who, Act::Held, village.to_string(), &format!("{days} hari: {reason}"))?;
        let since_ms = clock::now_ms();
        let until_ms = since_ms.saturating_add(i64::from(days) * DAY_MS);
        let hold = Hold { by: who.name().to_owned(), reason, since_ms, until_ms };
        Ok(self.dataset.set_hold(village, Some(&hold))?)
    }

    /// Lets a village go on that is held.
    ///
    /// # Errors
    /// [`DeskError`].
    pub fn release(&self, who: &Operator, village: VillageCode) -> Result<(), DeskError> {
        if self.to_act_on(who, village)?.hold.is_none() {
            return Err(DeskError::unfit(
                "Desa ini tidak sedang ditahan. Tidak ada yang diubah.",
                "This village is not held. Nothing has changed.",
            ));
        }
        self.note(who, Act::Held, village.to_string(), "dilepas")?;
        self.dataset.set_hold(village, None)?;
        self.wishes.wish(village);
        Ok(())
    }

    /// What operators want each other to know of a village.
    ///
    /// # Errors
    /// [`DeskError::NotThere`], [`DeskError::Failed`].
    pub fn remark(
        &self,
        who: &Operator,
        village: VillageCode,
    ) -> Result<Option<Remark>, DeskError> {
        Self::one(who, village)?;
        Ok(self.dataset.remark(village)?)
    }

    /// Sets that; nothing but spaces takes it away.
    ///
    /// # Errors
    /// [`DeskError`].
    pub fn set_remark(
        &self,
        who: &Operator,
        village: VillageCode,
        words: &str,
    ) -> Result<(), DeskError> {
        self.to_act_on(who, village)?;
        let words = fit(words, REMARK_MAX, ("Catatan", "A note"))?;
        self.note(who, Act::VillageNoted, village.to_string(), "catatan")?;
        let (by, changed_ms) = (who.name().to_owned(), clock::now_ms());
        let remark = (!words.is_empty()).then_some(Remark { words, by, changed_ms });
        Ok(self.dataset.set_remark(village, remark.as_ref())?)
    }

    /// Sets whom to call about a village; nothing in both fields = nobody.
    ///
    /// # Errors
    /// [`DeskError`].
    pub fn set_contact(
        &self,
        who: &Operator,
        village: VillageCode,
        name: &str,
        number: &str,
    ) -> Result<(), DeskError> {
        self.to_act_on(who, village)?;
        let nama = fit(name, NAME_MAX, ("Nama", "A name"))?;
        let telepon = fit(number, NUMBER_MAX, ("Nomor telepon", "A telephone number"))?;
        if nama.is_empty() != telepon.is_empty() {
            return Err(DeskError::unfit(
                "Isi nama dan nomor telepon, atau kosongkan keduanya. Tidak ada yang diubah.",
                "Fill in the name and the telephone number, or neither. Nothing has changed.",
            ));
        }
        let dialled = |letter: char| letter.is_ascii_digit() || " +-().".contains(letter);
        if !telepon.chars().all(dialled) {
            return Err(DeskError::unfit(
                "Nomor telepon hanya angka, spasi, + dan -. Tidak ada yang diubah.",
                "A telephone number has digits, spaces, + and - only. Nothing has changed.",
            ));
        }
        self.note(who, Act::VillageNoted, village.to_string(), "narahubung")?;
        let narahubung = (!nama.is_empty()).then_some(Narahubung { nama, telepon });
        Ok(self.dataset.set_narahubung(village, narahubung.as_ref(), clock::now_ms())?)
    }
}

/// A text of a form that is short enough and holds no number of a person.
fn fit(text: &str, max: usize, what: (&str, &str)) -> Result<String, DeskError> {
    let text = text.trim();
    if text.chars().count() > max {
        return Err(DeskError::unfit(
            format!("{} paling panjang {max} huruf. Tidak ada yang diubah.", what.0),
            format!("{} has {max} characters at most. Nothing has changed.", what.1),
        ));
    }
    if holds_number_of_a_person(text) {
        return Err(DeskError::unfit(
            "Jangan tulis NIK atau nomor KK di sini. Tidak ada yang diubah.",
            "Don't write a NIK or family card number here. Nothing has changed.",
        ));
    }
    let plain = |letter: char| !letter.is_control() || letter == '\n';
    Ok(text.chars().filter(|letter| plain(*letter)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_short_and_hold_no_numbers_of_persons() {
        let what = ("Catatan", "A note");
        assert_eq!(fit(" satu\r\ndua\u{7} ", 20, what).unwrap(), "satu\ndua");
        assert!(fit("0812-3456-7890", 20, what).is_ok());
        assert!(fit("NIK 3505902001010001", 80, what).is_err());
        assert!(fit("panjang", 3, what).is_err());
    }
}
