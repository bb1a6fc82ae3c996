//! What a link takes from the machine below it: threads for work that blocks,
//! and dice.
//!
//! In a simulated world (see [`simulate`]) one thread carries every host and
//! one seed decides everything, so there blocking work runs in place and the
//! dice are the seed's. Programs never simulate.

use std::cell::Cell;
use std::marker::PhantomData;

thread_local! {
    /// The dice of the simulated world on this thread, if it carries one.
    static SIMULATED: Cell<Option<u64>> = const { Cell::new(None) };
}

/// The runtime is going down; the work may not have been done.
#[derive(Debug, thiserror::Error)]
#[error("the program is stopping")]
pub struct Stopping;

/// A simulated world on this thread; it ends with this.
#[derive(Debug)]
#[must_use = "the world ends with it"]
pub struct Simulation {
    /// It concerns the thread that made it.
    thread: PhantomData<*const ()>,
}

/// Makes this thread carry a simulated world until the returned value goes.
pub fn simulate(seed: u64) -> Simulation {
    SIMULATED.set(Some(seed));
    Simulation { thread: PhantomData }
}

impl Drop for Simulation {
    fn drop(&mut self) {
        SIMULATED.set(None);
    }
}

/// Whether this thread carries a simulated world. There the machine's clock
/// says nothing: it would make no two runs alike.
#[must_use]
pub fn is_simulated() -> bool {
    SIMULATED.get().is_some()
}

/// Does work that blocks: on a thread of the runtime made for it, or in
/// place in a simulated world.
///
/// # Errors
/// [`Stopping`], also when the work panicked.
pub async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Stopping> {
    if SIMULATED.get().is_some() {
        return Ok(work());
    }
    tokio::task::spawn_blocking(work).await.map_err(|_| Stopping)
}

/// A random byte, for jitter. Without randomness it is 0: the jitter is lost,
/// nothing else.
#[must_use]
pub fn dice() -> u8 {
    if let Some(state) = SIMULATED.get() {
        // splitmix64
        let state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        SIMULATED.set(Some(state));
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        return (mixed >> 56) as u8;
    }
    let mut byte = [0_u8; 1];
    let _ = getrandom::fill(&mut byte);
    byte[0]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_simulated_world_works_in_place_and_repeats_its_dice() {
        let here = std::thread::current().id();
        let elsewhere = blocking(move || std::thread::current().id() != here).await;
        assert!(elsewhere.unwrap());
        let rolls = |seed| {
            let _world = simulate(seed);
            (0..20).map(|_| dice()).collect::<Vec<_>>()
        };
        assert_eq!(rolls(7), rolls(7));
        assert_ne!(rolls(7), rolls(8));
        let _world = simulate(1);
        let in_place = blocking(move || std::thread::current().id() == here).await;
        assert!(in_place.unwrap());
    }
}
