//! What the commands promise elsewhere: that everything a page of the console
//! does can be typed, as the table in docs/operators.md has it.

use std::collections::BTreeSet;
use std::path::Path;

use clap::CommandFactory as _;

use super::Cli;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The rows of the table: pages, and commands.
fn table() -> Vec<(Vec<String>, Vec<String>)> {
    let text = std::fs::read_to_string(root().join("../docs/operators.md")).unwrap();
    let (_, table) = text.split_once("| console | `lumbung-hubctl` |").unwrap();
    let quoted = |cell: &str| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect();
    let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
    rows.map(|row| {
        let mut cells = row.split('|').skip(1);
        (quoted(cells.next().unwrap()), quoted(cells.next().unwrap()))
    })
    .collect()
}

/// The paths of the console's pages, from its sources.
fn pages(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            if !path.ends_with("tests") {
                pages(&path, found);
            }
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let routes = text.split(".route(\"").skip(1);
        found.extend(routes.filter_map(|rest| Some(rest.split_once('"')?.0.to_owned())));
    }
}

/// Every verb that has no other below it.
fn verbs(command: &clap::Command, before: &str, found: &mut BTreeSet<String>) {
    for below in command.get_subcommands() {
        let name = format!("{before} {}", below.get_name()).trim_start().to_owned();
        match below.has_subcommands() {
            true => verbs(below, &name, found),
            false => _ = found.insert(name),
        }
    }
}

#[test]
fn the_definition_holds_together() {
    Cli::command().debug_assert();
}

#[test]
fn every_page_has_its_commands_and_every_command_is_told_of() {
    let table = table();
    let mut routes = BTreeSet::new();
    pages(&root().join("src/console"), &mut routes);
    let text = std::fs::read_to_string(root().join("src/console.rs")).unwrap();
    routes.extend(text.split(".route(\"").skip(1).map(|it| it.split('"').next().unwrap().into()));
    assert!(routes.len() > 40, "{routes:?}");
    let told: BTreeSet<String> = table.iter().flat_map(|(pages, _)| pages.clone()).collect();
    assert_eq!(told, routes, "pages in docs/operators.md, and pages of the console");

    let mut known = BTreeSet::new();
    verbs(&Cli::command(), "", &mut known);
    let told: BTreeSet<String> = table
        .iter()
        .flat_map(|(_, commands)| commands)
        .map(|command| command.split(" --").next().unwrap().to_owned())
        .filter(|command| !command.starts_with("--"))
        .collect();
    assert_eq!(told, known, "commands in docs/operators.md, and commands there are");
}
