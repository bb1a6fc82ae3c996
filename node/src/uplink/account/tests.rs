use super::*;

/// Midnight at the district.
const MIDNIGHT_MS: i64 = 20_000 * DAY_MS - ZONE_MS;

const HOUR: Duration = Duration::from_secs(60 * 60);

fn account() -> (tempfile::TempDir, Account) {
    let dir = tempfile::tempdir().unwrap();
    let account = Account::open(&dir.path().join("link.toml"), Traffic::default());
    (dir, account)
}

#[tokio::test(start_paused = true)]
async fn a_days_budget_survives_a_restart_and_begins_anew_the_next_day() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("link.toml");
    let account = Account::open(&path, Traffic::default());
    account.arranged(25_000, MIDNIGHT_MS);
    assert!(!account.is_overspent());
    account.traffic.add(24_000, 1_000);
    assert!(account.is_overspent());
    account.save();
    // The machine's clock is no better than before: the day is not known yet.
    let again = Account::open(&path, Traffic::default());
    assert!(again.is_overspent());
    again.arranged(25_000, MIDNIGHT_MS + 1);
    assert!(again.is_overspent(), "the same day");
    tokio::time::sleep(DAY).await;
    assert!(!again.is_overspent());
    assert_eq!(again.state().spent_today_bytes, 0);
}

#[tokio::test(start_paused = true)]
async fn only_a_later_day_of_the_district_grants_a_new_budget() {
    let (_dir, account) = account();
    account.arranged(25_000, MIDNIGHT_MS);
    account.traffic.add(30_000, 0);
    assert!(account.is_overspent());
    account.arranged(25_000, MIDNIGHT_MS - 1);
    assert!(account.is_overspent(), "a minute back is yesterday");
    // The district had been told a wrong year itself.
    account.arranged(25_000, MIDNIGHT_MS - 400 * DAY_MS);
    assert!(!account.is_overspent());
}

#[test]
fn a_link_that_ends_right_after_a_sign_did_not_bear_the_silence() {
    let (_dir, account) = account();
    let silence = account.silence();
    account.begun(None);
    account.signed(silence);
    account.ended();
    assert!(account.silence() < silence);
    assert_eq!(u64::from(account.state().quiet_broke_seconds), silence.as_secs());
}

#[test]
fn a_node_that_hangs_up_itself_learns_nothing_of_the_line() {
    let (_dir, account) = account();
    account.begun(None);
    account.signed(account.silence());
    account.hangs_up();
    account.ended();
    assert_eq!(account.state().quiet_broke_seconds, 0);
}

#[tokio::test(start_paused = true)]
async fn a_line_is_held_where_the_budget_pays_for_it_and_nowhere_else() {
    for (broke, budget, held) in
        [(900, 25_000, true), (120, 25_000, false), (120, 250_000, true), (120, 0, true)]
    {
        let (_dir, account) = account();
        account.arranged(budget, MIDNIGHT_MS);
        assert!(!account.is_calling_in(), "nothing is known against it");
        account.books().quiet.broken(Duration::from_secs(broke));
        assert_eq!(!account.is_calling_in(), held, "{broke} s, {budget} bytes");
    }
}

#[tokio::test(start_paused = true)]
async fn a_change_is_told_as_long_as_the_hour_and_the_day_grant_a_contact() {
    let (_dir, account) = account();
    account.arranged(25_000, MIDNIGHT_MS);
    assert!(account.affords_contact(), "the day's first");
    account.traffic.add(2_500, 2_500);
    assert!(!account.affords_contact());
    tokio::time::sleep(5 * HOUR).await;
    assert!(account.affords_contact(), "a fifth of the day for a fifth of the budget");
    account.traffic.add(0, 16_000);
    tokio::time::sleep(18 * HOUR).await;
    assert!(!account.affords_contact(), "the day's rest is too little");
}

#[tokio::test(start_paused = true)]
async fn calls_are_spread_over_what_is_left_of_the_day() {
    let (_dir, account) = account();
    account.arranged(60_000, MIDNIGHT_MS);
    // Seven calls are left of 60 kB, so the eighth part of a day passes.
    assert_eq!(account.stays_away_with(255), 3 * HOUR);
    assert!(account.stays_away_with(0) < 3 * HOUR);
    account.traffic.add(45_000, 0);
    assert_eq!(account.stays_away_with(255), 6 * HOUR, "never longer than that");
    account.traffic.add(15_000, 0);
    tokio::time::sleep(20 * HOUR).await;
    let away = account.stays_away_with(0)..=account.stays_away_with(255);
    assert_eq!(away, 4 * HOUR..=4 * HOUR + CALL_IN.0, "the next day pays");
}

#[tokio::test(start_paused = true)]
async fn the_search_waits_until_a_broken_line_is_paid_for() {
    let (_dir, account) = account();
    account.arranged(25_000, MIDNIGHT_MS);
    account.books().quiet.survived(Duration::from_secs(690));
    account.traffic.add(6_000, 0);
    assert_eq!(account.silence(), Duration::from_secs(680));
    tokio::time::sleep(8 * HOUR).await;
    assert_eq!(account.silence(), Duration::from_secs(900));
    // Nothing is tried at the longest silence that is ever tried.
    account.books().quiet.survived(Duration::from_secs(900));
    account.traffic.add(9_000, 0);
    assert_eq!(account.silence(), Duration::from_secs(900));
    // Where what is known costs too much, it is searched at any hour.
    let (_dir, poor) = self::account();
    poor.arranged(25_000, MIDNIGHT_MS);
    poor.books().quiet.survived(Duration::from_secs(120));
    poor.traffic.add(6_000, 0);
    assert_eq!(poor.silence(), Duration::from_secs(240));
}

#[tokio::test(start_paused = true)]
async fn a_village_that_calls_in_tries_its_network_again_now_and_then() {
    let (_dir, account) = account();
    account.arranged(25_000, MIDNIGHT_MS);
    account.books().quiet.survived(Duration::from_secs(60));
    account.books().quiet.broken(Duration::from_secs(120));
    for _ in 0..DOUBT_VISITS {
        assert!(account.is_calling_in());
        account.dialling();
        account.contacted();
    }
    assert!(!account.is_calling_in(), "this time it stays");
    account.begun(None);
    let silence = account.silence();
    assert_eq!(silence, Duration::from_secs(120));
    assert!(!account.is_calling_in(), "until the sign");
    account.signed(silence);
    account.ended();
    assert!(account.is_calling_in(), "it broke again");
    assert_eq!(account.state().quiet_held_seconds, 60, "what was known stays");
}

#[tokio::test(start_paused = true)]
async fn what_contacts_and_signs_cost_is_measured() {
    let (_dir, account) = account();
    account.dialling();
    account.traffic.add(2_000, 1_000);
    account.contacted();
    assert_eq!(account.books().prices().1, 3_000);
    account.dialling();
    account.traffic.add(300_000, 0);
    account.contacted();
    assert_eq!(account.books().prices().1, 3_000, "a pull is no contact's price");
    account.begun(None);
    for _ in 0..3 {
        account.signed(Duration::from_secs(60));
        account.traffic.add(0, 100);
    }
    assert_eq!(account.books().prices().0, 100);
}

#[tokio::test(start_paused = true)]
async fn a_tunnel_that_ends_while_the_hub_is_silent_makes_every_sign_ask_for_one() {
    let (_dir, account) = account();
    account.arranged(0, MIDNIGHT_MS);
    let inside = Traffic::default();
    account.begun(Some(inside.clone()));
    let silence = account.silence();
    account.signed(silence);
    assert!(!account.asks_answers());
    // The web server takes leave; the hub has said nothing.
    account.traffic.add(100, 0);
    account.ended();
    assert!(account.silence() < silence, "it did not bear the silence");
    account.begun(None);
    assert!(!account.asks_answers(), "another line needs none");
    account.begun(Some(inside.clone()));
    assert!(account.asks_answers());
    // What the hub says counts.
    let silence = account.silence();
    account.signed(silence);
    inside.add(50, 0);
    account.ended();
    assert_eq!(u64::from(account.state().quiet_held_seconds), silence.as_secs());
    account.begun(Some(inside));
    account.arranged(0, MIDNIGHT_MS + DAY_MS);
    let _counted = account.state();
    assert!(!account.asks_answers(), "the next day it may be another network");
}
