//! What the machine gives the process: as /proc and the control group tell it; what they do not tell is left out.

use std::fs::read_to_string;

use serde_json::{Map, Value, json};

/// Processors, memory, limits, system.
pub(super) fn machine() -> Value {
    json!({
        "sistema": os(),
        "kernel": first_line("/proc/sys/kernel/osrelease"),
        "architettura": std::env::consts::ARCH,
        "processori": std::thread::available_parallelism().ok().map(usize::from),
        "memoria": fields("/proc/meminfo", &["MemTotal", "MemAvailable", "SwapTotal", "SwapFree"]),
        "carico": first_line("/proc/loadavg"),
        "gruppo_di_controllo": {
            "memory.max": first_line("/sys/fs/cgroup/memory.max"),
            "cpu.max": first_line("/sys/fs/cgroup/cpu.max"),
            "pids.max": first_line("/sys/fs/cgroup/pids.max"),
        },
        "limiti_di_questo_comando": limits(),
    })
}

fn os() -> Option<String> {
    let testo = read_to_string("/etc/os-release").ok()?;
    let nome = testo.lines().find_map(|riga| riga.strip_prefix("PRETTY_NAME="))?;
    Some(nome.trim_matches('"').to_owned())
}

fn first_line(file: &str) -> Option<String> {
    let testo = read_to_string(file).ok()?;
    testo.lines().next().map(str::to_owned)
}

/// `Name:  value` lines.
fn fields(file: &str, nomi: &[&str]) -> Map<String, Value> {
    let testo = read_to_string(file).unwrap_or_default();
    let coppie = testo.lines().filter_map(|riga| riga.split_once(':'));
    coppie
        .filter(|(nome, _)| nomi.contains(nome))
        .map(|(nome, valore)| (nome.to_owned(), valore.trim().into()))
        .collect()
}

/// Each limit with what is in force and what it may be raised to.
fn limits() -> Map<String, Value> {
    let testo = read_to_string("/proc/self/limits").unwrap_or_default();
    let righe = testo.lines().skip(1);
    righe
        .filter_map(|riga| {
            // Columns of fixed width: the name may hold blanks.
            let (nome, valori) = (riga.get(..26)?, riga.get(26..)?);
            let valori: Vec<_> = valori.split_whitespace().take(2).collect();
            Some((nome.trim().to_owned(), valori.join(" / ").into()))
        })
        .collect()
}
