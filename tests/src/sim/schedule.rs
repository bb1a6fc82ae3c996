//! Which faults happen when: drawn from a seed, so that a number repeats a
//! world.

use std::time::Duration;

use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::line::Weather;
use crate::faulty_store::{Fault, Survivors};

/// Something that happens to the world. Nodes are named by their number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Act {
    /// Nothing passes between the hub and this node any more.
    Partition(usize),
    /// Nothing passes from the hub to this node any more.
    Deafen(usize),
    /// Nothing passes from this node to the hub any more.
    Silence(usize),
    /// What passes waits, until released.
    Hold(usize),
    /// What waited passes.
    Release(usize),
    /// The partition ends.
    Repair(usize),
    /// The weather on a link changes, for this connection and later ones.
    Weather(usize, Weather),
    /// A node's process dies; its disk keeps working.
    CrashNode(usize),
    /// A crashed node is started again.
    StartNode(usize),
    /// Power goes at a node's write operation after so many more, and this
    /// is left of what was not synced.
    DiskFault(usize, u64, Fault, Survivors),
    /// The hub's process dies.
    CrashHub,
    /// The hub is started again.
    StartHub,
    /// Nobody saves at this node any more.
    Rest(usize),
    /// A node's wall clock is set, Unix milliseconds.
    SetClock(usize, i64),
    /// A node's disk is copied aside.
    KeepDisk(usize),
    /// The copy is put back, with what lies beside the store or without.
    PutDiskBack(usize, Outside),
    /// A copy of a node's disk, as it is now, runs beside it from now on.
    CloneDisk(usize),
    /// The hub's database is copied aside.
    KeepHub,
    /// The copy is put back.
    PutHubBack,
}

/// What becomes of the witness, and of what a node knows of its contacts, when
/// an older disk is put back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outside {
    /// It is as old as the store: the whole disk was.
    Old,
    /// It stays as it is: only the store was old.
    Present,
}

/// What kind of hardship a world has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hardship {
    /// Everything, in random order.
    Everything,
    /// Connections that go dead without a word; both sides must notice.
    HalfOpen,
    /// One direction only.
    OneWay,
    /// 30 % of packets lost.
    Lossy,
    /// 20-800 ms and 2 KB/s.
    TwoG,
    /// Every link breaks every 20 seconds or sooner.
    Flapping,
    /// Everybody returns at once.
    Storm,
    /// Power cuts at every kind of write.
    PowerCuts,
    /// The hub dies again and again.
    HubCrashes,
    /// Wall clocks jump: 1970, ten years ahead, backwards.
    Clocks,
    /// Older disks are put back at nodes, some in the middle of a storm.
    OldDisks,
    /// A copy of a node's disk runs beside the original. Nodes dial: a hub that
    /// dials an address reaches one machine.
    Twins,
    /// The hub's database is put back to an older state.
    OldHub,
    /// Older disks on both sides, and both die again and again.
    Relapses,
}

/// Every hardship.
pub const HARDSHIPS: [Hardship; 14] = [
    Hardship::Everything,
    Hardship::HalfOpen,
    Hardship::OneWay,
    Hardship::Lossy,
    Hardship::TwoG,
    Hardship::Flapping,
    Hardship::Storm,
    Hardship::PowerCuts,
    Hardship::HubCrashes,
    Hardship::Clocks,
    Hardship::OldDisks,
    Hardship::Twins,
    Hardship::OldHub,
    Hardship::Relapses,
];

/// A world's fate.
#[derive(Clone, Debug)]
pub struct Schedule {
    /// What kind.
    pub hardship: Hardship,
    /// Decides everything.
    pub seed: u64,
    /// Villages.
    pub nodes: usize,
    /// How long faults go on, simulated time.
    pub length: Duration,
    /// One-way latency, least and most.
    pub latency: (Duration, Duration),
    /// Pause between the saves of one village, about.
    pub pace: Duration,
    /// Whether the nodes dial, or the hub does.
    pub dials: bool,
    /// What happens when, in order.
    pub acts: Vec<(Duration, Act)>,
}

const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// 2 KB/s.
const NARROW: Duration = Duration::from_millis(700);

impl Schedule {
    /// Draws a world of one hardship.
    #[must_use]
    pub fn draw(hardship: Hardship, seed: u64) -> Self {
        let mut dice = ChaCha8Rng::seed_from_u64(seed);
        let nodes = if hardship == Hardship::Storm { 24 } else { dice.random_range(3..7) };
        let mut schedule = Self {
            hardship,
            seed,
            nodes,
            length: Duration::from_secs(60),
            latency: (ms(5), ms(100)),
            pace: ms(700),
            dials: seed.is_multiple_of(2) || hardship == Hardship::Twins,
            acts: Vec::new(),
        };
        schedule.fill(&mut dice);
        schedule.acts.sort_by_key(|(at, _)| *at);
        schedule
    }

    fn fill(&mut self, dice: &mut ChaCha8Rng) {
        let nodes = 0..self.nodes;
        match self.hardship {
            Hardship::Everything => (0..40).for_each(|_| self.anything(dice)),
            Hardship::HalfOpen => {
                self.length = Duration::from_secs(300);
                self.pace = Duration::from_secs(3);
                for node in nodes.skip(1) {
                    self.for_a_while(dice, Act::Partition(node), Act::Repair(node));
                }
                // So long that the hub gives up, and the node, which has
                // nothing to send, hears nothing of it.
                let begin = ms(dice.random_range(20_000..60_000));
                self.at(begin - ms(10_000), Act::Rest(0));
                self.at(begin, Act::Partition(0));
                self.at(begin + ms(200_000), Act::Repair(0));
            }
            Hardship::OneWay => {
                for node in nodes.chain(0..self.nodes) {
                    let act = if dice.random() { Act::Deafen(node) } else { Act::Silence(node) };
                    self.for_a_while(dice, act, Act::Repair(node));
                }
            }
            Hardship::Lossy => {
                let weather = Weather { packet: ms(2), lost_percent: 30, ..Weather::default() };
                nodes.for_each(|node| self.at(ms(0), Act::Weather(node, weather)));
            }
            Hardship::TwoG => {
                self.latency = (ms(20), ms(800));
                let weather = Weather { packet: NARROW, lost_percent: 5, ..Weather::default() };
                nodes.for_each(|node| self.at(ms(0), Act::Weather(node, weather)));
            }
            Hardship::Flapping => {
                for node in nodes {
                    let within = Some(ms(dice.random_range(500..20_000)));
                    let weather = Weather { breaks_within: within, ..Weather::default() };
                    self.at(ms(0), Act::Weather(node, weather));
                }
            }
            Hardship::Storm => {
                for node in nodes {
                    self.at(ms(10_000), Act::CrashNode(node));
                    self.at(ms(30_000), Act::StartNode(node));
                    self.at(ms(40_000), Act::Partition(node));
                    self.at(ms(50_000), Act::Repair(node));
                }
                self.at(ms(39_000), Act::CrashHub);
                self.at(ms(51_000), Act::StartHub);
            }
            Hardship::PowerCuts => {
                self.pace = ms(150);
                for _ in 0..60 {
                    let node = dice.random_range(nodes.clone());
                    self.power_cut(dice, node);
                }
            }
            Hardship::HubCrashes => {
                self.pace = ms(200);
                for round in 0..20 {
                    self.at(ms(round * 3_000 + dice.random_range(0..2_500)), Act::CrashHub);
                    self.at(ms(round * 3_000 + 2_600), Act::StartHub);
                }
            }
            Hardship::Clocks => (0..30).for_each(|_| self.clock(dice)),
            Hardship::OldDisks => {
                self.length = Duration::from_secs(240);
                for node in nodes {
                    // One that nothing happens to must hear of nothing.
                    for _ in 0..node {
                        self.old_disk(dice, node);
                    }
                    if dice.random() {
                        self.for_a_while(dice, Act::Partition(node), Act::Repair(node));
                    }
                }
            }
            Hardship::Twins => {
                self.length = Duration::from_secs(400);
                for node in nodes.skip(1) {
                    let begin = ms(dice.random_range(5_000..60_000));
                    self.at(begin, Act::CloneDisk(node));
                    if dice.random() {
                        self.for_a_while(dice, Act::CrashNode(node), Act::StartNode(node));
                    }
                }
            }
            Hardship::OldHub => {
                self.length = Duration::from_secs(180);
                self.old_hub(dice);
            }
            Hardship::Relapses => {
                self.length = Duration::from_secs(240);
                for round in 0..8 {
                    let node = dice.random_range(nodes.clone());
                    self.old_disk(dice, node);
                    self.for_a_while(dice, Act::CrashNode(node), Act::StartNode(node));
                    if round % 3 == 0 {
                        self.old_hub(dice);
                        self.for_a_while(dice, Act::CrashHub, Act::StartHub);
                    }
                }
            }
        }
    }

    fn at(&mut self, at: Duration, act: Act) {
        self.acts.push((at, act));
    }

    fn some_time(&self, dice: &mut impl Rng) -> Duration {
        self.length.mul_f64(dice.random_range(0.0..0.95))
    }

    fn for_a_while(&mut self, dice: &mut impl Rng, from: Act, until: Act) {
        let begin = self.some_time(dice);
        self.at(begin, from);
        self.at(begin + ms(dice.random_range(50..30_000)), until);
    }

    fn power_cut(&mut self, dice: &mut impl Rng, node: usize) {
        let at = self.some_time(dice);
        let fault = [Fault::PowerCut, Fault::PowerCutAfter, Fault::Full, Fault::SyncForgets];
        let fault = fault[dice.random_range(0..fault.len())];
        let survivors = Survivors::Batches(dice.random_range(0..2));
        self.at(at, Act::DiskFault(node, dice.random_range(0..6), fault, survivors));
    }

    fn old_disk(&mut self, dice: &mut impl Rng, node: usize) {
        let kept = self.some_time(dice);
        let outside = if dice.random() { Outside::Old } else { Outside::Present };
        self.at(kept, Act::KeepDisk(node));
        let later = kept + ms(dice.random_range(5..40_000));
        self.at(later, Act::PutDiskBack(node, outside));
    }

    fn old_hub(&mut self, dice: &mut impl Rng) {
        let kept = self.some_time(dice);
        self.at(kept, Act::KeepHub);
        self.at(kept + ms(dice.random_range(5..40_000)), Act::PutHubBack);
    }

    fn clock(&mut self, dice: &mut impl Rng) {
        const YEAR_MS: i64 = 365 * 24 * 3_600 * 1_000;
        const NOW_MS: i64 = 56 * YEAR_MS;
        let times = [0, 1_000, NOW_MS - YEAR_MS, NOW_MS, NOW_MS + 10 * YEAR_MS, -5 * YEAR_MS];
        let time = times[dice.random_range(0..times.len())];
        let (at, node) = (self.some_time(dice), dice.random_range(0..self.nodes));
        self.at(at, Act::SetClock(node, time));
    }

    fn anything(&mut self, dice: &mut ChaCha8Rng) {
        let node = dice.random_range(0..self.nodes);
        match dice.random_range(0..10) {
            0 => self.for_a_while(dice, Act::Partition(node), Act::Repair(node)),
            1 => self.for_a_while(dice, Act::Deafen(node), Act::Repair(node)),
            2 => self.for_a_while(dice, Act::Silence(node), Act::Repair(node)),
            3 => self.for_a_while(dice, Act::Hold(node), Act::Release(node)),
            4 => self.for_a_while(dice, Act::CrashNode(node), Act::StartNode(node)),
            5 => self.for_a_while(dice, Act::CrashHub, Act::StartHub),
            6 => self.clock(dice),
            7 => {
                let weather = Weather {
                    packet: ms(dice.random_range(0..400)),
                    lost_percent: dice.random_range(0..30),
                    breaks_after: dice.random_bool(0.5).then(|| dice.random_range(1..6_000)),
                    breaks_within: dice.random_bool(0.3).then(|| ms(dice.random_range(1..20_000))),
                };
                let fine = Act::Weather(node, Weather::default());
                self.for_a_while(dice, Act::Weather(node, weather), fine);
            }
            _ => self.power_cut(dice, node),
        }
    }
}
