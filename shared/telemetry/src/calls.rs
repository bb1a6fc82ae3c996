//! Which trace of the caller's a call belongs to: the header `traceparent` of
//! W3C Trace Context, and the span that puts the trace's id into the log lines
//! of the call.
//!
//! Who is called sends no traces itself; with the id its lines are found
//! beside the caller's spans.

use tracing::Span;

/// The header.
pub const HEADER: &str = "traceparent";

/// The target of spans that name a caller's trace.
pub const TARGET: &str = "lumbung::calls";

/// The field of a log line that holds the trace's id.
pub(crate) const FIELD: &str = "trace";

/// The span of a call with this header; none when it names no trace.
#[must_use]
pub fn span(header: Option<&str>) -> Span {
    let trace = header.and_then(trace);
    // Never filtered out by its level: lines of every level belong to it.
    trace.map_or_else(Span::none, |trace| tracing::error_span!(target: TARGET, "call", trace))
}

/// The trace's id in a header, if that is one.
fn trace(header: &str) -> Option<&str> {
    let mut parts = header.split('-');
    let (version, trace) = (parts.next()?, parts.next()?);
    let (span, flags) = (parts.next()?, parts.next()?);
    // Later versions may say more.
    let whole = version != "00" || parts.next().is_none();
    let hex = |text: &str, length| {
        text.len() == length && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    let named = |text: &str| text.bytes().any(|byte| byte != b'0');
    let fits = hex(version, 2)
        && version != "ff"
        && hex(trace, 32)
        && named(trace)
        && hex(span, 16)
        && named(span)
        && hex(flags, 2);
    (whole && fits).then_some(trace)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_names_a_trace_or_nothing() {
        let id = "0af7651916cd43dd8448eb211c80319c";
        let whole = format!("00-{id}-b7ad6b7169203331-01");
        assert_eq!(trace(&whole), Some(id));
        assert_eq!(trace(&format!("01-{id}-b7ad6b7169203331-01-more")), Some(id));
        for wrong in [
            String::new(),
            "00".to_owned(),
            format!("{whole}-more"),
            whole.to_uppercase(),
            whole.replace("00-", "ff-"),
            whole.replace(id, &"0".repeat(32)),
            whole.replace("b7ad6b7169203331", &"0".repeat(16)),
            whole.replace(id, &id[1..]),
            format!("00-{id}-b7ad6b7169203331"),
        ] {
            assert_eq!(trace(&wrong), None, "{wrong}");
        }
    }
}
