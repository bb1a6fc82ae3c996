//! What the numbers were measured on.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::time::Instant;

/// Appends of one small record made durable, to learn what the disk can do.
const SYNCS: u32 = 500;

/// Prints the machine and returns nothing: every table stands below it.
pub(crate) fn describe(dir: &Path) -> anyhow::Result<()> {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name"));
    let model = model.map_or("?", |model| model.trim_start_matches([' ', '\t', ':']));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    println!("machine: {model}, {cores} cores, Linux {}", kernel.trim());
    println!("load before: {}", load());
    println!("disk: {:.0} appends with fdatasync a second\n", syncs_per_second(dir)?);
    Ok(())
}

/// How many want a core, on average over the last minute.
pub(crate) fn load() -> String {
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    load.split(' ').next().unwrap_or("?").to_owned()
}

/// Appends of 216 bytes with fdatasync, per second.
pub(crate) fn syncs_per_second(dir: &Path) -> anyhow::Result<f64> {
    let path = dir.join("syncs");
    let mut file = fs::File::create(&path)?;
    let begun = Instant::now();
    for _ in 0..SYNCS {
        file.write_all(&[7; 216])?;
        file.sync_data()?;
    }
    let rate = f64::from(SYNCS) / begun.elapsed().as_secs_f64();
    fs::remove_file(&path)?;
    Ok(rate)
}

/// CPU seconds a process has used so far, all threads.
pub(crate) fn cpu_seconds(pid: u32) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // Behind the command's name in parentheses: user and system ticks are
    // the 12th and 13th field, at 100 a second on Linux.
    let after = stat.rsplit_once(')').map_or("", |(_, after)| after);
    let ticks: Vec<f64> =
        after.split_whitespace().skip(11).take(2).filter_map(|field| field.parse().ok()).collect();
    ticks.iter().sum::<f64>() / 100.0
}

/// The most memory a process has held, MB.
pub(crate) fn peak_mb(pid: u32) -> f64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("0");
    let kb: f64 = line.trim().trim_end_matches(" kB").parse().unwrap_or(0.0);
    kb / 1024.0
}
