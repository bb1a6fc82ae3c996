//! The contract as a list: every field's number, type and label, every enum
//! value and every call, kept in `golden/numbers.txt`. A number that moves, a
//! type that changes or a name that goes away shows as a changed line.
//!
//! Lines are added, never edited: old nodes and old logs speak these numbers.

use protox::compile;

/// What the .proto files say now, one line for each thing that must not move.
fn contract() -> Vec<String> {
    let root = env!("CARGO_MANIFEST_DIR");
    let files = ["record", "sync", "local", "enrolment", "fleet", "media", "inbox", "admin"]
        .map(|name| format!("{root}/lumbung/v1/{name}.proto"));
    let files = compile(files, [root]).expect("the build compiled them too");
    let mut lines = Vec::new();
    let mut messages = Vec::new();
    let mut enums = Vec::new();
    for file in files.file {
        let package = file.package().to_owned();
        for service in &file.service {
            for call in &service.method {
                let side =
                    |streams, name: &str| format!("{}{name}", if streams { "stream " } else { "" });
                let asks = side(call.client_streaming(), call.input_type());
                let answers = side(call.server_streaming(), call.output_type());
                let (service, call) = (service.name(), call.name());
                lines.push(format!("{package}.{service}/{call} {asks} -> {answers}"));
            }
        }
        enums.extend(file.enum_type.into_iter().map(|it| (package.clone(), it)));
        messages.extend(file.message_type.into_iter().map(|it| (package.clone(), it)));
    }
    while let Some((within, message)) = messages.pop() {
        let name = format!("{within}.{}", message.name());
        for field in &message.field {
            let kind = match field.type_name() {
                "" => field.r#type().as_str_name(),
                named => named,
            };
            let label = field.label().as_str_name();
            lines.push(format!("{name}.{} = {} {kind} {label}", field.name(), field.number()));
        }
        for range in &message.reserved_range {
            lines.push(format!("{name} reserved {}..{}", range.start(), range.end()));
        }
        enums.extend(message.enum_type.into_iter().map(|it| (name.clone(), it)));
        messages.extend(message.nested_type.into_iter().map(|it| (name.clone(), it)));
    }
    for (within, choice) in enums {
        for value in &choice.value {
            let (choice, name) = (choice.name(), value.name());
            lines.push(format!("{within}.{choice}.{name} = {}", value.number()));
        }
    }
    lines.sort_unstable();
    lines
}

#[test]
fn no_number_moves() {
    let path = format!("{}/tests/golden/numbers.txt", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_default();
    let kept: Vec<_> = text.lines().map(str::to_owned).collect();
    let now = contract();
    let gone: Vec<_> = kept.iter().filter(|line| !now.contains(line)).collect();
    assert!(gone.is_empty(), "old nodes still speak: {gone:#?}");
    let new: Vec<_> = now.iter().filter(|line| !kept.contains(line)).cloned().collect();
    assert!(new.is_empty(), "add to {path}:\n{}", new.join("\n"));
}
