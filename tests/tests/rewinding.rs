//! Any interleaving of edits, contacts that end at any step or go by stick, and
//! disks of the village that go back to any earlier moment: the next whole contact,
//! over a line or by stick, ends with the hub equal to the fold of the village's log, and everything that
//! the hub had when a disk went back is in that log or set aside at the hub.
//! What the village saved since its disk went back last, or since it was installed
//! anew, is never replaced by what comes back. What the hub says without a receipt
//! became of a version is what the village would say.

use anyhow::ensure;
use lumbung_hub::dataset::Recovery as _;
use lumbung_ledger::Seq;
use lumbung_tests::rewinding::{Act, Edit, End, World, change, id};
use proptest::prelude::*;

/// Saves of a few records together.
fn edits(records: &'static [u8]) -> impl Strategy<Value = Vec<Edit>> {
    let edit = (prop::sample::select(records), proptest::option::weighted(0.8, 0_u8..4));
    proptest::collection::vec(edit, 1..4)
}

/// Where a contact may end.
fn ends() -> impl Strategy<Value = End> {
    prop_oneof![
        1 => Just(End::Agreed),
        1 => Just(End::Branched),
        1 => (0_u8..4).prop_map(End::Delivering),
        1 => (0_u8..6).prop_map(End::Pulling),
        2 => Just(End::Whole),
        2 => any::<bool>().prop_map(End::Stick),
    ]
}

/// What happens besides.
#[derive(Clone, Copy)]
enum Besides {
    Nothing,
    /// The village is installed anew now and then.
    Anew,
    /// The hub's file goes back, too.
    OldHub,
}

impl Besides {
    fn acts(self) -> impl Strategy<Value = Act> {
        let (anew, old_hub) =
            (u32::from(matches!(self, Self::Anew)), u32::from(matches!(self, Self::OldHub)));
        prop_oneof![
            // None of them takes less than a copy that stays unused.
            1 => Just(Act::Copy),
            anew => Just(Act::Reinstall),
            2 * anew => Just(Act::Return),
            2 * old_hub => Just(Act::CopyHub),
            2 * old_hub => any::<u8>().prop_map(|which| Act::PutHubBack(which.into())),
        ]
    }
}

/// How a village and the hub live.
fn acts(records: &'static [u8], besides: Besides) -> impl Strategy<Value = Vec<Act>> {
    let (edits, end) = (edits(records), ends());
    let act = prop_oneof![
        6 => edits.prop_map(Act::Save),
        5 => end.prop_map(Act::Contact),
        2 => Just(Act::Copy),
        3 => any::<u8>().prop_map(|which| Act::PutBack(which.into())),
        2 => besides.acts(),
    ];
    proptest::collection::vec(act, 1..60)
}

/// A disk that goes back again and again, to any moment of one stretch of saves,
/// and contacts in between that are cut off.
fn steps_back(records: &'static [u8]) -> impl Strategy<Value = Vec<Act>> {
    let saved = edits(records).prop_map(|edits| vec![Act::Save(edits), Act::Copy]);
    let saves = proptest::collection::vec(saved, 2..6);
    let step = (any::<u8>(), proptest::option::of(edits(records)), ends());
    let step = step.prop_map(|(which, own, end)| {
        let own = own.map(Act::Save);
        let ended = [Act::PutBack(which.into())].into_iter().chain(own);
        ended.chain([Act::Contact(end)]).collect::<Vec<_>>()
    });
    let steps = proptest::collection::vec(step, 1..6);
    (saves, steps).prop_map(|(mut acts, steps)| {
        acts.push(vec![Act::Contact(End::Whole)]);
        acts.into_iter().chain(steps).flatten().collect()
    })
}

/// A village that uses sticks, and a line now and then. Bundles and answers lie about.
fn carried(besides: Besides) -> impl Strategy<Value = Vec<Act>> {
    let of = move |records: &'static [u8]| {
        let act = prop_oneof![
            5 => edits(records).prop_map(Act::Save),
            1 => ends().prop_map(Act::Contact),
            2 => Just(Act::Copy),
            2 => any::<u8>().prop_map(|which| Act::PutBack(which.into())),
            4 => prop_oneof![3 => Just(0), 1 => 1_u8..9].prop_map(Act::Export),
            5 => any::<u8>().prop_map(|which| Act::Import(which.into())),
            3 => Just(Act::Answer),
            4 => any::<u8>().prop_map(|which| Act::Take(which.into())),
            2 => besides.acts(),
        ];
        proptest::collection::vec(act, 1..40)
    };
    prop_oneof![of(&[0, 1]), of(&[1, 2, 5]), of(&[0, 1, 2, 3, 4, 5, 6, 7, 8])]
}

/// As [`steps_back`], where what comes in between is carried.
fn carried_back(records: &'static [u8]) -> impl Strategy<Value = Vec<Act>> {
    let saved = edits(records).prop_map(|edits| vec![Act::Save(edits), Act::Copy]);
    let saves = proptest::collection::vec(saved, 2..6);
    let any_of = || any::<u8>().prop_map(usize::from);
    let carry = prop_oneof![
        3 => Just(Act::Export(0)),
        4 => any_of().prop_map(Act::Import),
        3 => Just(Act::Answer),
        4 => any_of().prop_map(Act::Take),
        1 => ends().prop_map(Act::Contact),
    ];
    let carries = proptest::collection::vec(carry, 1..6);
    let step = (any_of(), proptest::option::of(edits(records)), carries);
    let step = step.prop_map(|(which, own, carries)| {
        let back = [Act::PutBack(which)].into_iter().chain(own.map(Act::Save));
        back.chain(carries).collect::<Vec<_>>()
    });
    let steps = proptest::collection::vec(step, 1..6);
    (saves, steps).prop_map(|(mut acts, steps)| {
        acts.push(vec![Act::Export(0), Act::Import(0)]);
        acts.into_iter().chain(steps).flatten().collect()
    })
}

/// Few records and contents, so that they meet again and again; residents who get
/// into each other's way; everything.
fn lives(besides: Besides) -> impl Strategy<Value = Vec<Act>> {
    let of = move |records: &'static [u8]| acts(records, besides);
    prop_oneof![of(&[0, 1]), of(&[1, 2, 5]), of(&[0, 1, 2, 3, 4, 5, 6, 7, 8])]
}

fn run(acts: Vec<Act>, knows_chain: bool, by_stick: bool) -> anyhow::Result<()> {
    let whole = if by_stick { End::Stick(true) } else { End::Whole };
    live(acts, knows_chain, async |world| world.ends_equal(whole).await)
}

fn live(
    acts: Vec<Act>,
    knows_chain: bool,
    ends: impl AsyncFnOnce(World) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut world = World::new(folder.path())?;
        world.knows_chain = knows_chain;
        for act in acts {
            world.act(act).await?;
        }
        ends(world).await
    })
}

/// A disk of many contacts ago comes back: the hub still knows where it stood
/// then, so what was changed since is no conflict.
#[tokio::test]
async fn a_disk_of_many_contacts_ago_gets_everything_written_since() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let mut world = World::new(folder.path())?;
    for number in [7, 1] {
        world.save(vec![(number, Some(1))]).await?;
        world.contact(End::Whole).await?;
    }
    let old = world.store.copy();
    world.save(vec![(1, Some(2))]).await?;
    for content in 0..100 {
        world.contact(End::Whole).await?;
        world.save(vec![(4, Some(content))]).await?;
    }
    world.contact(End::Whole).await?;
    world.put_back(&old)?;
    world.contact(End::Whole).await?;
    let told = world.hub.handed_back(world.code)?;
    ensure!((told.applied, told.conflicts) == (2, 0), "{told:?}");
    for (number, content) in [(7, 1), (1, 2), (4, 99)] {
        let latest = world.latest(id(number))?;
        let latest = latest.and_then(|latest| latest.content().cloned());
        ensure!(latest == change(number, Some(content)).content, "record {number}");
    }
    world.ends_equal(End::Whole).await
}

/// The histories part in the middle of one batch: the hub stood nowhere near,
/// and knows the entry all the same.
#[tokio::test]
async fn what_parts_within_a_batch_is_no_conflict_before_that_entry() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let mut world = World::new(folder.path())?;
    for content in 0..150 {
        world.save(vec![(1, Some(content)), (4, Some(content))]).await?;
    }
    let old = world.store.copy();
    world.save(vec![(1, Some(200)), (7, Some(200))]).await?;
    world.contact(End::Whole).await?;
    ensure!(world.hub.marks(world.code)?.len() == 1, "it was one batch");
    world.put_back(&old)?;
    world.save(vec![(4, Some(201)), (7, Some(201))]).await?;
    world.contact(End::Whole).await?;
    // Of the two that were changed beyond, the one that is changed here too.
    let told = world.hub.handed_back(world.code)?;
    ensure!((told.applied, told.conflicts) == (1, 1), "{told:?}");
    for (number, content) in [(1, 200), (4, 201), (7, 201)] {
        let latest = world.latest(id(number))?;
        let latest = latest.and_then(|latest| latest.content().cloned());
        ensure!(latest == change(number, Some(content)).content, "record {number}");
    }
    world.ends_equal(End::Whole).await
}

/// What the village had of its own when it got something back is lost again,
/// before the hub has pulled it: the hub hands back once more what it has.
#[tokio::test]
async fn what_was_equal_or_in_conflict_and_is_lost_comes_back() -> anyhow::Result<()> {
    for own in [0, 1] {
        let folder = tempfile::tempdir()?;
        let mut world = World::new(folder.path())?;
        let old = world.store.copy();
        world.save(vec![(4, Some(0))]).await?;
        world.contact(End::Whole).await?;
        world.put_back(&old)?;
        world.save(vec![(4, Some(own))]).await?;
        world.contact(End::Pulling(0)).await?;
        let told = world.hub.handed_back(world.code)?;
        ensure!((told.equal, told.conflicts) == (1 - u64::from(own), own.into()), "{told:?}");
        world.put_back(&old)?;
        world.contact(End::Whole).await?;
        let latest = world.latest(id(4))?;
        let latest = latest.and_then(|latest| latest.content().cloned());
        ensure!(latest == change(4, Some(0)).content, "{own}");
        world.ends_equal(End::Whole).await?;
    }
    Ok(())
}

/// What came back may get the number that it had on the lost branch: that is no
/// sign that both branches are the same up to there, and what the village saved
/// before it stays, however often everything is delivered.
#[tokio::test]
async fn what_came_back_under_its_old_number_moves_no_fork() -> anyhow::Result<()> {
    for again in [End::Delivering(0), End::Pulling(0)] {
        let folder = tempfile::tempdir()?;
        let mut world = World::new(folder.path())?;
        world.save(vec![(7, Some(0))]).await?;
        let old = world.store.copy();
        for (number, content) in [(1, 1), (4, 1), (1, 2)] {
            world.save(vec![(number, Some(content))]).await?;
        }
        world.contact(End::Whole).await?;
        world.put_back(&old)?;
        world.save(vec![(1, Some(3))]).await?;
        for end in [again, again, End::Whole] {
            world.contact(end).await?;
            world.own_saves_stay()?;
        }
        let back = world.latest(id(4))?.expect("it came back");
        ensure!(back.entry.header.seq == Seq(3), "under its old number");
        world.ends_equal(End::Whole).await?;
    }
    Ok(())
}

/// What the village refused waits on until both are proven equal. A disk that goes
/// back once more, below where the first branches parted, has less in common with
/// it: what the village saves there is its own.
#[tokio::test]
async fn what_was_refused_replaces_nothing_after_another_step_back() -> anyhow::Result<()> {
    for end in [End::Whole, End::Stick(true)] {
        let folder = tempfile::tempdir()?;
        let mut world = World::new(folder.path())?;
        world.save(vec![(1, Some(1))]).await?;
        let oldest = world.store.copy();
        world.save(vec![(1, Some(2))]).await?;
        let old = world.store.copy();
        world.save(vec![(2, Some(1))]).await?;
        world.contact(End::Whole).await?;
        world.put_back(&old)?;
        world.save(vec![(5, Some(1))]).await?;
        world.contact(End::Pulling(0)).await?;
        ensure!(world.hub.handed_back(world.code)?.conflicts == 1, "its number is taken");
        world.put_back(&oldest)?;
        world.save(vec![(2, Some(0))]).await?;
        world.contact(end).await?;
        world.own_saves_stay()?;
        world.ends_equal(end).await?;
    }
    Ok(())
}

/// An answer on which both parted says how far the district was, and what it had set
/// aside before: where that parted from the village's log is known only once the
/// district has heard of the present one.
#[tokio::test]
async fn an_answer_of_another_history_hands_nothing_back() -> anyhow::Result<()> {
    for end in [End::Branched, End::Whole] {
        let folder = tempfile::tempdir()?;
        let mut world = World::new(folder.path())?;
        let oldest = world.store.copy();
        for content in [1, 2] {
            world.save(vec![(4, Some(content))]).await?;
        }
        let old = world.store.copy();
        world.save(vec![(1, Some(0))]).await?;
        world.act(Act::Export(0)).await?;
        world.act(Act::Import(0)).await?;
        world.put_back(&old)?;
        world.contact(End::Branched).await?;
        match end {
            End::Branched => world.put_back(&oldest)?,
            _ => world.act(Act::Reinstall).await?,
        }
        world.save(vec![(1, Some(1))]).await?;
        world.act(Act::Answer).await?;
        world.act(Act::Take(0)).await?;
        world.own_saves_stay()?;
        world.ends_proven_by_stick().await?;
    }
    Ok(())
}

/// A resident who was lost and typed in again stands in the way of the lost record.
/// No proof can tell, as the hub has that record: what the village says on its next
/// stick does.
#[tokio::test]
async fn who_was_typed_in_again_is_proven_equal_by_sticks_alone() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let mut world = World::new(folder.path())?;
    let old = world.store.copy();
    world.save(vec![(2, Some(1))]).await?;
    world.contact(End::Stick(true)).await?;
    world.put_back(&old)?;
    world.save(vec![(5, Some(1))]).await?;
    world.contact(End::Stick(false)).await?;
    ensure!(world.hub.handed_back(world.code)?.conflicts == 0, "nobody has told");
    world.contact(End::Stick(true)).await?;
    ensure!(world.hub.handed_back(world.code)?.conflicts == 1);
    world.ends_equal(End::Stick(true)).await
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
    #[test]
    fn a_village_that_goes_back_in_time_loses_nothing(acts in lives(Besides::Nothing), knows_chain: bool, by_stick: bool) {
        run(acts, knows_chain, by_stick).map_err(|error| TestCaseError::fail(format!("{error:#}")))?;
    }

    #[test]
    fn sticks_that_come_late_or_twice_or_never_lose_nothing(
        acts in prop_oneof![
            carried(Besides::Nothing),
            carried(Besides::Anew),
            carried(Besides::OldHub),
            carried_back(&[0, 1]),
            carried_back(&[1, 2, 5]),
        ],
    ) {
        let run = live(acts, true, async |world| world.ends_proven_by_stick().await);
        run.map_err(|error| TestCaseError::fail(format!("{error:#}")))?;
    }

    #[test]
    fn a_village_that_goes_back_step_by_step_loses_nothing(
        acts in prop_oneof![steps_back(&[0, 1]), steps_back(&[2, 5]), steps_back(&[1, 2, 5])],
        knows_chain: bool,
        by_stick: bool,
    ) {
        run(acts, knows_chain, by_stick).map_err(|error| TestCaseError::fail(format!("{error:#}")))?;
    }

    #[test]
    fn a_village_and_a_hub_that_go_back_in_time_agree(
        acts in lives(Besides::OldHub),
        knows_chain: bool,
        by_stick: bool,
    ) {
        run(acts, knows_chain, by_stick).map_err(|error| TestCaseError::fail(format!("{error:#}")))?;
    }

    #[test]
    fn a_village_installed_anew_keeps_what_it_saves(acts in lives(Besides::Anew), knows_chain: bool, by_stick: bool) {
        run(acts, knows_chain, by_stick).map_err(|error| TestCaseError::fail(format!("{error:#}")))?;
    }
}
