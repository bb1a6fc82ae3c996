//! Numbers of people: whatever is typed, nothing panics, nothing printed
//! shows the digits, and what was read can be stored and read again.

use lumbung_domain::identity::{Nik, NikInput, NoKk};
use lumbung_domain::region::VillageCode;
use proptest::prelude::*;

/// Digits with the marks that people and spreadsheets put between them.
fn marked(digits: &str, marks: &[u8]) -> String {
    const MARKS: [&str; 6] = ["", " ", ".", "-", "\u{200b}", "\u{a0}"];
    let mark = |at: usize| marks.get(at).map_or("", |m| MARKS[usize::from(*m) % MARKS.len()]);
    digits.chars().enumerate().flat_map(|(at, c)| [mark(at).to_owned(), c.to_string()]).collect()
}

fn possible_nik() -> impl Strategy<Value = String> {
    let region = 110_101_u32..=969_999;
    (region, 1_u32..=28, any::<bool>(), 1_u32..=12, 0_u32..=99, 1_u32..=9_999).prop_map(
        |(region, day, woman, month, year, serial)| {
            let day = day + if woman { 40 } else { 0 };
            format!("{region:06}{day:02}{month:02}{year:02}{serial:04}")
        },
    )
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in any::<String>()) {
        let _ = (Nik::parse(&text), NoKk::parse(&text), VillageCode::parse(&text));
    }

    #[test]
    fn a_nik_survives_marks_and_storage(
        digits in possible_nik(),
        marks in proptest::collection::vec(any::<u8>(), 16),
    ) {
        let Ok(NikInput::Nik(nik)) = Nik::parse(&marked(&digits, &marks)) else {
            return Err(TestCaseError::fail("a possible NIK was refused"));
        };
        prop_assert_eq!(&nik.digits(), &digits);
        prop_assert_eq!(Nik::from_u64(nik.as_u64()), Some(nik));
        let printed = format!("{nik} {nik:?}");
        prop_assert!(!printed.contains(&digits[6..13]), "{}", printed);
    }

    #[test]
    fn a_family_card_number_survives_marks_and_storage(
        number in 1_u64..=9_999_999_999_999_999,
        marks in proptest::collection::vec(any::<u8>(), 16),
    ) {
        let digits = format!("{number:016}");
        let kk = NoKk::parse(&marked(&digits, &marks)).unwrap();
        prop_assert_eq!(kk.digits(), digits);
        prop_assert_eq!(NoKk::from_u64(kk.as_u64()), Some(kk));
    }

    #[test]
    fn a_village_code_survives_both_writings(number in 1_000_000_000_u64..=9_999_999_999) {
        if let Some(code) = VillageCode::from_u64(number) {
            prop_assert_eq!(VillageCode::parse(&code.to_string()), Ok(code));
            prop_assert_eq!(VillageCode::parse(&code.compact()), Ok(code));
        }
    }
}
