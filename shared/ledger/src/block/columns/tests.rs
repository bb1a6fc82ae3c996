use bytes::Bytes;
use lumbung_domain::id::{KindCode, RecordId};
use proptest::prelude::*;

use super::*;
use crate::block::{self, BlockError};
use crate::entry::{Entry, Header, Operation, Payload, Salt, Source};
use crate::position::Seq;
use crate::varint::write_u64;

/// One field of a made-up message, as bytes on the wire.
fn any_field() -> impl Strategy<Value = (u32, Vec<u8>)> {
    let number = 1_u32..40;
    let framed = |bytes: Vec<u8>| {
        let mut out = Vec::new();
        write_u64(bytes.len() as u64, &mut out);
        out.extend(bytes);
        out
    };
    let id = (0_u16..4_096, 0_u64..3).prop_map(|(counter, random)| {
        RecordId::from_parts(1_790_000_000_000, counter, random).0.to_vec()
    });
    let place = (-9_000_000_i64..9_000_000, any::<i64>())
        .prop_map(|(lat, lon)| column::place_bytes([lat, lon % 200_000_000]).to_vec());
    let varint = prop_oneof![0_u64..4, any::<u64>()].prop_map(|value| {
        let mut out = Vec::new();
        write_u64(value, &mut out);
        out
    });
    let value = prop_oneof![
        4 => varint.prop_map(|bytes| (0, bytes)),
        2 => prop_oneof![id, place].prop_map(move |bytes| (2, framed(bytes))),
        3 => "[A-C]{0,9}".prop_map(move |text| (2, framed(text.into_bytes()))),
        1 => any::<[u8; 8]>().prop_map(|bytes| (1, bytes.to_vec())),
        1 => any::<[u8; 4]>().prop_map(|bytes| (5, bytes.to_vec())),
    ];
    (number, value).prop_map(|(number, (wire, bytes))| (number << 3 | wire, bytes))
}

/// Messages as protobuf writes them, and some that are none.
fn any_payload() -> impl Strategy<Value = Bytes> {
    let message = proptest::collection::vec(any_field(), 0..14).prop_map(|mut fields| {
        fields.sort_by_key(|(tag, _)| *tag);
        let mut out = Vec::new();
        for (tag, bytes) in fields {
            write_u64(u64::from(tag), &mut out);
            out.extend(bytes);
        }
        Bytes::from(out)
    });
    prop_oneof![
        8 => message,
        1 => proptest::collection::vec(any::<u8>(), 0..60).prop_map(Bytes::from),
    ]
}

fn any_entries() -> impl Strategy<Value = Vec<Entry>> {
    let id = (0_u64..9, 0_u16..4_096, 0_u64..3);
    let header = (id, 0_u16..3, 1_u16..3, 1_u8..=3, any::<i64>(), "[a-b]{0,2}");
    let payload = prop_oneof![
        9 => (any::<[u8; 8]>(), any_payload())
            .prop_map(|(salt, bytes)| Payload::Present { salt: Salt(salt), bytes }),
        1 => any::<[u8; 32]>().prop_map(|digest| Payload::Withheld { digest }),
    ];
    let entry = (header, payload).prop_map(|((id, kind, schema, op, time_ms, actor), payload)| {
        let (millis, counter, random) = id;
        let header = Header {
            seq: Seq(0),
            id: RecordId::from_parts(1_790_000_000_000 + millis, counter, random),
            kind: KindCode(kind),
            schema,
            operation: Operation::from_number(op).unwrap(),
            time_ms,
            actor: actor.into(),
            source: Source(3),
        };
        Entry { header, payload }
    });
    (1_u64..1 << 40, proptest::collection::vec(entry, 1..60)).prop_map(|(first, mut entries)| {
        for (seq, entry) in (first..).zip(&mut entries) {
            entry.header.seq = Seq(seq);
        }
        entries
    })
}

proptest! {
    #[test]
    fn every_payload_comes_back_byte_for_byte(entries in any_entries()) {
        let encoded = encode(&entries).unwrap();
        prop_assert!(encoded.cuts.is_sorted());
        let block = Bytes::from(encoded.bytes);
        prop_assert_eq!(block::decode(&block).unwrap(), entries);
    }

    #[test]
    fn a_cut_block_is_refused(entries in any_entries(), cut in any::<prop::sample::Index>()) {
        let block = encode(&entries).unwrap().bytes;
        let cut = Bytes::copy_from_slice(&block[..cut.index(block.len())]);
        prop_assert!(block::decode(&cut).is_err());
    }

    #[test]
    fn a_changed_byte_never_panics(
        entries in any_entries(),
        at in any::<prop::sample::Index>(),
        flip in 1_u8..,
    ) {
        let mut block = encode(&entries).unwrap().bytes;
        let at = at.index(block.len());
        block[at] ^= flip;
        if let Ok(changed) = block::decode(&Bytes::from(block)) {
            prop_assert_eq!(changed.len(), entries.len());
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(mut bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        bytes.splice(0..0, MAGIC);
        let _ = block::decode(&Bytes::from(bytes));
    }
}

fn entry(seq: u64, payload: Vec<u8>) -> Entry {
    Entry {
        header: Header {
            seq: Seq(seq),
            id: RecordId::from_parts(1_790_000_000_000, seq as u16, 7),
            kind: KindCode(7),
            schema: 1,
            operation: Operation::Create,
            time_ms: 5,
            actor: "kader".into(),
            source: Source::MANUAL,
        },
        payload: Payload::Present { salt: Salt([1; 8]), bytes: payload.into() },
    }
}

#[test]
fn a_small_block_that_would_become_huge_is_refused() {
    // One long text, named again by every record for a byte.
    let mut payload = vec![0x0a];
    write_u64(60_000, &mut payload);
    payload.extend(std::iter::repeat_n(b'A', 60_000));
    let entries: Vec<_> = (1..=30).map(|seq| entry(seq, payload.clone())).collect();
    let whole = encode(&entries).unwrap().bytes;
    assert!(whole.len() < 62_000, "{} bytes", whole.len());
    assert_eq!(block::decode(&Bytes::from(whole)).unwrap(), entries);
    let entries: Vec<_> = (1..=40).map(|seq| entry(seq, payload.clone())).collect();
    assert!(encode(&entries).is_none(), "more than a receiver takes");

    // A liar has no encoder that stops it: `n` entries of the same long text.
    let liar = |n: u64| {
        let mut told = MAGIC.to_vec();
        // Count, first number, no actor's name, one tail, one shape.
        for number in [n, 1, 1, 0, 1] {
            write_u64(number, &mut told);
        }
        told.extend([0; 8]);
        told.extend([1, 7, 1, 1, 0, 2]);
        // One group with one column of texts.
        told.extend([1, 7, 1, 1, 0x0a, 2, 0]);
        let mut numbers = Vec::new();
        write_u64(60_024, &mut numbers);
        numbers.extend(std::iter::repeat_n(1, n as usize - 1));
        let zeros = n as usize;
        for length in [zeros, zeros, zeros, zeros, 0, 0, numbers.len(), 60_000, 8 * zeros] {
            write_u64(length as u64, &mut told);
        }
        told.extend(std::iter::repeat_n(0, 4 * zeros));
        told.extend(numbers);
        told.extend(std::iter::repeat_n(b'A', 60_000));
        told.extend(std::iter::repeat_n(0, 8 * zeros));
        block::decode(&Bytes::from(told)).map(|entries| entries.len())
    };
    assert_eq!(liar(30), Ok(30));
    assert_eq!(liar(60_000), Err(BlockError::TooLarge));
}

#[test]
fn numbers_must_be_consecutive() {
    assert!(encode(&[entry(4, vec![]), entry(6, vec![])]).is_none());
    assert!(encode(&[]).is_none());
}
