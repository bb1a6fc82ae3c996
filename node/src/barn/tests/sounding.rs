//! Reading what of the log proves itself, around blocks that are damaged.

use super::super::sound::Sound;
use super::*;
use lumbung_ledger::ChainTag;

/// Forty entries, four in a block.
fn filled() -> Barn {
    let barn = Barn::open_on(Arc::new(MemoryStore::default()), options(true)).unwrap();
    for block in 0..10 {
        let changes = (0..4).map(|n| change(block * 4 + n, Some(&[block * 4 + n, 7]))).collect();
        barn.submit_blocking(submission(changes)).unwrap();
    }
    barn
}

/// What is read on until the end or a break: the last sound entry, and where
/// it is broken.
fn read_on(barn: &Barn, bytes_max: usize) -> (Seq, Option<Seq>) {
    let mut at = Position { seq: Seq::ZERO, chain: ChainTag::genesis(LOG), ..barn.head().position };
    loop {
        match barn.read_sound(at, bytes_max).unwrap() {
            Sound::End => return (at.seq, None),
            Sound::Broken(seq) => return (at.seq, Some(seq)),
            Sound::Run(run) => {
                assert_eq!(run.before, at.chain);
                let chain = run.entries.iter().fold(at.chain, |chain, it| chain.step(it).0);
                assert_eq!(run.after, chain, "what is handed over proves itself");
                assert_eq!(run.entries[0].header.seq, at.seq.next());
                at = Position { seq: run.entries.last().unwrap().header.seq, chain, ..at };
            }
        }
    }
}

/// What is done to a block, and the first entry that is not sound then.
type Damage = (&'static str, fn(&mut Vec<u8>), u64);

#[test]
fn what_comes_before_a_damage_is_read_and_the_damage_is_named() {
    // Of the block that begins with entry 21.
    let key = keys::log(Seq(21));
    let damages: [Damage; 5] = [
        // Its own entries read, but the blocks before it can't be shown to
        // lead there.
        ("its beginning", |value| value[3] ^= 1, 17),
        ("not a block any more", |value| value.truncate(20), 21),
        ("another content", |value| *value.last_mut().unwrap() ^= 1, 21),
        ("nothing left", Vec::clear, 17),
        ("cut off in an entry", |value| value.truncate(value.len() - 3), 21),
    ];
    for bytes_max in [1, 100, 1_000_000] {
        let barn = filled();
        assert_eq!(read_on(&barn, bytes_max), (Seq(40), None));
        let sound = barn.store.get(&key).unwrap().unwrap();
        for (what, damage, broken) in damages {
            let mut value = sound.to_vec();
            damage(&mut value);
            let mut batch = WriteBatch::default();
            batch.put(key.clone(), value);
            barn.store.apply(batch).unwrap();
            let expected = (Seq(broken - 1), Some(Seq(broken)));
            assert_eq!(read_on(&barn, bytes_max), expected, "{what}, {bytes_max}");
        }
        let mut batch = WriteBatch::default();
        batch.remove(key.clone());
        barn.store.apply(batch).unwrap();
        assert_eq!(read_on(&barn, bytes_max), (Seq(16), Some(Seq(17))), "a block is missing");
    }
}

#[test]
fn the_end_is_proven_by_the_head() {
    let barn = filled();
    let key = keys::log(Seq(37));
    let mut value = barn.store.get(&key).unwrap().unwrap().to_vec();
    *value.last_mut().unwrap() ^= 1;
    let mut batch = WriteBatch::default();
    batch.put(key, value);
    barn.store.apply(batch).unwrap();
    assert_eq!(read_on(&barn, 1_000_000), (Seq(36), Some(Seq(37))));
}
