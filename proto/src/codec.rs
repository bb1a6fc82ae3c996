//! The codec of every service: prost's, with buffers for many quiet calls.

use std::marker::PhantomData;

use prost::Message;
use tonic::codec::{BufferSettings, Codec};
use tonic_prost::{ProstCodec, ProstDecoder, ProstEncoder};

/// Bytes of a buffer until a message needs more. tonic sets 8 KiB aside in
/// both directions of a call, and a hub holds one pull open for each of
/// thousands of villages that say nothing for minutes.
const BUFFER_BYTES: usize = 512;

/// Bytes of messages that are sent in one go, tonic's own figure.
const YIELD_BYTES: usize = 32 * 1024;

/// Encodes `T` and decodes `U` as protobuf.
#[derive(Debug, Clone)]
pub struct FrugalCodec<T, U>(PhantomData<(T, U)>);

impl<T, U> Default for FrugalCodec<T, U> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<T, U> Codec for FrugalCodec<T, U>
where
    T: Message + Send + 'static,
    U: Message + Default + Send + 'static,
{
    type Encode = T;
    type Decode = U;
    type Encoder = ProstEncoder<T>;
    type Decoder = ProstDecoder<U>;

    fn encoder(&mut self) -> Self::Encoder {
        ProstCodec::<T, U>::raw_encoder(settings())
    }

    fn decoder(&mut self) -> Self::Decoder {
        ProstCodec::<T, U>::raw_decoder(settings())
    }
}

fn settings() -> BufferSettings {
    BufferSettings::new(BUFFER_BYTES, YIELD_BYTES)
}
