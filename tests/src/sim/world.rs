//! Lets a schedule happen, and checks what became of it.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow, ensure};
use lumbung_domain::region::roster;
use lumbung_link::world::simulate;
use lumbung_link::{limits, quiet};
use lumbung_telemetry::clock::{Clock, StandingStill};
use turmoil::Sim;

use super::book::Content;
use super::hub::{self, Kabupaten};
use super::line::{Sky, Weather};
use super::node::{self, Desa};
use super::parting::{self, KeptDisk, KeptHub, Parting, Twin};
use super::schedule::{Act, Hardship, Schedule};
use crate::faulty_store::{FaultyStore, Survivors};
use crate::fold;

/// The grain of simulated time.
const TICK: Duration = Duration::from_millis(5);

/// The same, as wall clocks count.
const TICK_MS: i64 = TICK.as_millis() as i64;

/// How long a node is down after a power cut.
const DOWN: Duration = Duration::from_millis(400);

/// Once faults have stopped, everything converges within this: a dead
/// connection is noticed after 140 s, a stopped village looked at after 30 s.
const CALM_MAX: Duration = Duration::from_secs(400);

/// The same where nodes dial: they notice with their next sign of life, which
/// may be fifteen minutes away, and dial again within two.
const CALM_MAX_DIALLING: Duration = Duration::from_secs(1_200);

/// Lines of the chronicle that a failure shows.
const LAST_LINES: usize = 60;

/// When nodes' wall clocks begin, Unix milliseconds.
const BEGIN_MS: i64 = 1_790_000_000_000;

/// What happened in a world, line by line.
#[derive(Clone, Default)]
pub(super) struct Chronicle(Rc<RefCell<(Duration, Vec<String>)>>);

impl Chronicle {
    pub(super) fn note(&self, who: &str, what: fmt::Arguments<'_>) {
        let (now, lines) = &mut *self.0.borrow_mut();
        lines.push(format!("{:>8} {who}: {what}", now.as_millis()));
    }
}

/// What a world ended with.
#[derive(Debug)]
pub struct Outcome {
    /// What happened, line by line: the same for the same seed.
    pub chronicle: Vec<String>,
    /// Saves that were acknowledged.
    pub acknowledged: u64,
    /// Saves that got no answer.
    pub unanswered: u64,
    /// How long converging took once the faults had stopped.
    pub converged_in: Duration,
}

pub(super) struct World<'s> {
    pub(super) schedule: &'s Schedule,
    pub(super) sim: Sim<'s>,
    pub(super) desa: Vec<Rc<Desa>>,
    pub(super) kabupaten: Rc<Kabupaten>,
    pub(super) chronicle: Chronicle,
    /// Copies of the nodes' disks.
    pub(super) kept: Vec<Option<KeptDisk>>,
    pub(super) kept_hub: Option<KeptHub>,
    pub(super) twins: Vec<Twin>,
    /// What was lost or forked, by village.
    pub(super) parting: Vec<Parting>,
    /// Nodes without power: when it returns, and what survived.
    down: Vec<(Duration, usize, Survivors)>,
    survivors: Vec<Survivors>,
    /// The hub's clock.
    pub(super) machine: StandingStill,
}

/// Runs a world to its end.
///
/// # Errors
/// Names the first promise that was broken.
pub fn run(schedule: &Schedule) -> anyhow::Result<Outcome> {
    let _simulation = simulate(schedule.seed);
    let folder = super::folder()?;
    let mut world = World::new(schedule, folder.path())?;
    let lived = world.live();
    if let Ok(path) = std::env::var("LUMBUNG_CHRONICLE") {
        std::fs::write(path, world.chronicle.0.borrow().1.join("\n"))?;
    }
    let converged_in = lived.map_err(|error| {
        let lines = &world.chronicle.0.borrow().1;
        let last = &lines[lines.len().saturating_sub(LAST_LINES)..];
        error.context(format!("the last that happened:\n{}", last.join("\n")))
    })?;
    let sum = |of: fn(&Desa) -> u64| world.desa.iter().map(|desa| of(desa)).sum();
    let acknowledged = sum(|desa| desa.book.borrow().acknowledged);
    let unanswered = sum(|desa| desa.book.borrow().unanswered);
    let chronicle = std::mem::take(&mut world.chronicle.0.borrow_mut().1);
    Ok(Outcome { chronicle, acknowledged, unanswered, converged_in })
}

impl<'s> World<'s> {
    fn new(schedule: &'s Schedule, folder: &std::path::Path) -> anyhow::Result<Self> {
        let chronicle = Chronicle::default();
        let (least, most) = schedule.latency;
        let mut sim = turmoil::Builder::new()
            .rng_seed(schedule.seed)
            .tick_duration(TICK)
            .simulation_duration(Duration::MAX)
            .min_message_latency(least)
            .max_message_latency(most)
            .tcp_capacity(4_096)
            .build();
        let mut desa = Vec::new();
        for (number, listed) in roster().villages().iter().take(schedule.nodes).enumerate() {
            let name = format!("desa-{number}");
            let dir = folder.join(&name);
            std::fs::create_dir_all(&dir)?;
            desa.push(Rc::new(Desa {
                dir,
                name,
                code: listed.code,
                store: FaultyStore::default(),
                clock: Clock::standing_at(BEGIN_MS),
                sky: Sky::default(),
                book: RefCell::default(),
                pace: Cell::new(Some(schedule.pace)),
                running: RefCell::new(None),
                confirmed: RefCell::default(),
                connections: Arc::default(),
                chronicle: chronicle.clone(),
                seed: schedule.seed ^ ((number as u64 + 1) << 48),
                starts: Cell::new(0),
                dials: schedule.dials,
            }));
        }
        let villages = desa.iter().map(|it| (it.code, it.name.clone(), it.sky.clone()));
        let kabupaten = Rc::new(Kabupaten {
            file: folder.join("hub.db"),
            villages: villages.collect(),
            running: RefCell::new(None),
            chronicle: chronicle.clone(),
            seed: schedule.seed,
            starts: Cell::new(0),
            arriving: schedule.dials,
        });
        for desa in &desa {
            let own = Rc::clone(desa);
            sim.host(desa.name.as_str(), move || node::run(Rc::clone(&own)));
        }
        let own = Rc::clone(&kabupaten);
        sim.host("hub", move || hub::run(Rc::clone(&own)));
        let survivors = vec![Survivors::Batches(0); desa.len()];
        let (kept, kept_hub, twins) = (desa.iter().map(|_| None).collect(), None, Vec::new());
        let parting = vec![Parting::default(); desa.len()];
        Ok(Self {
            schedule,
            sim,
            desa,
            kabupaten,
            chronicle,
            kept,
            kept_hub,
            twins,
            parting,
            down: Vec::new(),
            survivors,
            machine: StandingStill::at(BEGIN_MS),
        })
    }

    /// Lives through everything; says how long converging took.
    fn live(&mut self) -> anyhow::Result<Duration> {
        self.suffer()?;
        let calm_at = self.sim.elapsed();
        self.calm();
        self.converge(calm_at)?;
        self.check()?;
        let converged_in = self.sim.elapsed() - calm_at;
        // A node that dials has something to send, and notices by itself.
        if self.schedule.hardship == Hardship::HalfOpen && !self.schedule.dials {
            self.wait_for_the_dead()?;
        }
        Ok(converged_in)
    }

    /// Connections that went dead without a word end at the node too.
    fn wait_for_the_dead(&mut self) -> anyhow::Result<()> {
        // The world itself and the listener hold one each.
        let open = |desa: &Desa| Arc::strong_count(&desa.connections).saturating_sub(2);
        let before: Vec<_> = self.desa.iter().map(|desa| open(desa)).collect();
        ensure!(before.iter().any(|open| *open > 1), "no connection went dead: {before:?}");
        let until = self.sim.elapsed() + quiet::LONGEST + limits::SIGN_LATE_MAX;
        while self.sim.elapsed() < until {
            self.step()?;
        }
        for desa in &self.desa {
            ensure!(open(desa) == 1, "{}: {} connections are open", desa.name, open(desa));
        }
        Ok(())
    }

    fn step(&mut self) -> anyhow::Result<()> {
        self.sim.step().map_err(|error| anyhow!("{error}"))?;
        let now = self.sim.elapsed();
        self.chronicle.0.borrow_mut().0 = now;
        self.machine.set(BEGIN_MS + i64::try_from(now.as_millis())?);
        for desa in self.desa.iter().chain(self.twins.iter().map(|twin| &twin.desa)) {
            desa.clock.set(desa.clock.now_ms() + TICK_MS);
        }
        for number in 0..self.desa.len() {
            let waits = self.down.iter().any(|(_, down, _)| *down == number);
            if self.desa[number].store.has_failed() && !waits {
                self.stop_node(number);
                self.down.push((now + DOWN, number, self.survivors[number]));
            }
        }
        while let Some(at) = self.down.iter().position(|(until, ..)| *until <= now) {
            let (_, number, survivors) = self.down.swap_remove(at);
            self.desa[number].store.power_back(survivors)?;
            self.start_node(number);
        }
        Ok(())
    }

    fn suffer(&mut self) -> anyhow::Result<()> {
        let mut next = 0;
        while self.sim.elapsed() < self.schedule.length {
            while let Some((at, act)) = self.schedule.acts.get(next)
                && *at <= self.sim.elapsed()
            {
                self.act(*act)?;
                next += 1;
            }
            self.step()?;
        }
        Ok(())
    }

    fn act(&mut self, act: Act) -> anyhow::Result<()> {
        self.chronicle.note("world", format_args!("{act:?}"));
        let name = |node: usize| self.desa[node].name.clone();
        match act {
            Act::Partition(node) | Act::Deafen(node) | Act::Silence(node) => {
                self.desa[node].sky.cut(self.sim.elapsed());
            }
            Act::Repair(node) => self.desa[node].sky.mend(),
            _ => {}
        }
        match act {
            Act::Partition(node) => self.sim.partition("hub", name(node)),
            Act::Deafen(node) => self.sim.partition_oneway("hub", name(node)),
            Act::Silence(node) => self.sim.partition_oneway(name(node), "hub"),
            Act::Repair(node) => self.sim.repair("hub", name(node)),
            Act::Hold(node) => self.sim.hold("hub", name(node)),
            Act::Release(node) => self.sim.release("hub", name(node)),
            Act::Weather(node, weather) => self.desa[node].sky.turn(weather),
            Act::CrashNode(node) => self.stop_node(node),
            Act::StartNode(node) => self.start_node(node),
            Act::DiskFault(node, after, fault, survivors) => {
                if !self.desa[node].store.has_failed() {
                    self.survivors[node] = survivors;
                    self.desa[node].store.fail_after(after, fault);
                }
            }
            Act::CrashHub => self.stop_hub(),
            Act::StartHub => self.start_hub(),
            Act::Rest(node) => self.desa[node].pace.set(None),
            Act::SetClock(node, now_ms) => self.desa[node].clock.set(now_ms),
            Act::KeepDisk(node) => self.keep_disk(node)?,
            Act::PutDiskBack(node, outside) => self.put_disk_back(node, outside)?,
            Act::CloneDisk(node) => self.clone_disk(node)?,
            Act::KeepHub => self.keep_hub()?,
            Act::PutHubBack => self.put_hub_back()?,
        }
        Ok(())
    }

    pub(super) fn stop_hub(&mut self) {
        self.kabupaten.running.take();
        self.sim.crash("hub");
    }

    pub(super) fn stop_node(&mut self, number: usize) {
        self.desa[number].running.take();
        self.sim.crash(self.desa[number].name.as_str());
    }

    /// Starts a node, unless it runs or has no power.
    pub(super) fn start_node(&mut self, number: usize) {
        let down = self.down.iter().any(|(_, down, _)| *down == number);
        if !down && !self.sim.is_host_running(self.desa[number].name.as_str()) {
            self.sim.bounce(self.desa[number].name.as_str());
        }
    }

    pub(super) fn start_hub(&mut self) {
        if !self.sim.is_host_running("hub") {
            self.sim.bounce("hub");
        }
    }

    /// Ends every fault; people stop saving.
    fn calm(&mut self) {
        self.chronicle.note("world", format_args!("calm"));
        for number in 0..self.desa.len() {
            let desa = Rc::clone(&self.desa[number]);
            self.sim.release("hub", desa.name.as_str());
            self.sim.repair("hub", desa.name.as_str());
            desa.sky.turn(Weather::default());
            desa.sky.mend();
            desa.pace.set(None);
            if !desa.store.has_failed() {
                // A fault that has not struck yet does not strike any more.
                desa.store.repair();
                self.start_node(number);
            }
        }
        self.switch_twins_off();
        self.start_hub();
    }

    fn converge(&mut self, calm_at: Duration) -> anyhow::Result<()> {
        while let Err(error) = self.converged() {
            let lasts = self.sim.elapsed() - calm_at;
            let longest = if self.schedule.dials { CALM_MAX_DIALLING } else { CALM_MAX };
            ensure!(lasts < longest, "not converged {lasts:?} after the last fault: {error:#}");
            if let Some(hub) = self.kabupaten.running.borrow().as_ref() {
                hub.resolve_twins(&self.kabupaten)?;
            }
            for _ in 0..20 {
                self.step()?;
            }
        }
        Ok(())
    }

    fn converged(&self) -> anyhow::Result<()> {
        let running = self.kabupaten.running.borrow();
        let hub = running.as_ref().context("the hub is down")?;
        for desa in &self.desa {
            let running = desa.running.borrow();
            let head = running.as_ref().with_context(|| format!("{} is down", desa.name))?;
            let head = head.barn().head().position.seq.0;
            let live =
                hub.live.get(desa.code).with_context(|| format!("{} is unknown", desa.name))?;
            let (phase, seq) = (live.phase, live.proven_seq);
            ensure!(
                live.proven() && seq == head,
                "{}: {phase:?}, proven at {seq} of {head}, {}",
                desa.name,
                live.trouble
            );
        }
        Ok(())
    }

    fn check(&self) -> anyhow::Result<()> {
        let running = self.kabupaten.running.borrow();
        let hub = running.as_ref().context("the hub is down")?;
        for (desa, parting) in self.desa.iter().zip(&self.parting) {
            let running = desa.running.borrow();
            let barn = running.as_ref().context("a node is down")?.barn();
            let folded = fold::fold_barn(barn).context(desa.name.clone())?;
            fold::compare(&folded, &*hub.dataset, desa.code).context(desa.name.clone())?;
            let aside = parting::conflicts(&*hub.dataset, desa.code)?;
            let book = desa.book.borrow();
            for (id, content) in aside.iter().filter(|_| parting.conflicts_are_its_own()) {
                let name = &desa.name;
                ensure!(book.may_conflict(*id), "{name}: a false conflict of {id}: {content:?}");
            }
            let aside = |id, content: &Content| aside.contains(&(id, content.clone()));
            book.check_but(barn, &folded, &aside).context(desa.name.clone())?;
            let faults = barn.verify()?.faults;
            ensure!(faults.is_empty(), "{}: {faults:?}", desa.name);
        }
        self.check_reports()
    }
}
