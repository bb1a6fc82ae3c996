//! Calls to nodes say which of the hub's traces they belong to, so that a
//! node's log lines are found beside the hub's spans. While traces are off
//! nothing is added to any call.

use lumbung_telemetry::calls::HEADER;
use tonic::metadata::MetadataValue;
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;
use tonic::{Request, Status};

use crate::spans;

/// What calls to a node go over.
pub(crate) type Line = InterceptedService<Channel, Traced>;

/// Calls over this connection.
pub(crate) fn line(channel: Channel) -> Line {
    InterceptedService::new(channel, Traced)
}

/// Adds the header to calls that are made within a span that is sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Traced;

impl Interceptor for Traced {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        let parent = spans::traceparent().and_then(|text| MetadataValue::try_from(text).ok());
        if let Some(parent) = parent {
            request.metadata_mut().insert(HEADER, parent);
        }
        Ok(request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_added_to_a_call_while_nobody_listens() {
        let call = Traced.call(Request::new(())).unwrap();
        assert!(call.metadata().is_empty(), "{:?}", call.metadata());
    }
}
