//! Holds the layering of architecture.md: an import only points down, the pure layers stay pure,
//! and the library without the node feature has none of the node's dependencies.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Higher imports lower, and equal where the modules do not shut each other out below.
const BASE: u32 = 20;
const PURE: u32 = 30;
const ADAPTERS: u32 = 40;
const TOP: u32 = 50;

/// Room (a module of src, or a crate) and its layer. Within PURE the order is by what a room is
/// about: genesis, batches and the log of them, the registry they are judged by, what they do to the
/// state, consensus over it.
const ROOMS: &[(&str, u32)] = &[
    ("ukehi_kernels", 0),
    ("ukehi_circuits", 5),
    ("ukehi_keys", 5),
    ("ukehi_provers", 10),
    ("ukehi_suite", 15),
    ("ids", BASE),
    ("wire", BASE),
    ("kv", BASE),
    ("genesis", PURE),
    ("batch", PURE),
    ("log", PURE),
    ("registry", PURE),
    ("keyspace", PURE),
    ("replica", PURE),
    ("api", PURE),
    ("store", ADAPTERS),
    ("net", ADAPTERS),
    ("params", ADAPTERS),
    ("ceremony", ADAPTERS + 1),
    ("trust", ADAPTERS),
    ("client", TOP),
    ("audit", TOP),
    ("doctor", TOP),
    ("node", TOP),
    ("cli", TOP + 1),
];

/// Pairs that know nothing of each other, either way.
const STRANGERS: &[(&str, &str)] = &[
    ("ukehi_circuits", "ukehi_keys"),
    ("ukehi_keys", "ukehi_kernels"),
    ("store", "net"),
    ("client", "audit"),
    ("client", "node"),
    ("audit", "node"),
    ("doctor", "client"),
];

/// Sideways imports, each with its reason. Everything else on one layer is free.
const NO_SIDEWAYS: &[(&str, &str)] = &[
    // Consensus carries batches and decides nothing about what they do or how clients ask.
    ("genesis", "batch"),
    ("genesis", "log"),
    ("genesis", "registry"),
    ("batch", "registry"),
    ("log", "registry"),
    ("registry", "keyspace"),
    ("registry", "replica"),
    ("registry", "api"),
    ("genesis", "keyspace"),
    ("genesis", "replica"),
    ("genesis", "api"),
    ("batch", "log"),
    ("batch", "keyspace"),
    ("batch", "replica"),
    ("batch", "api"),
    ("log", "keyspace"),
    ("log", "replica"),
    ("log", "api"),
    ("keyspace", "replica"),
    ("keyspace", "api"),
    ("replica", "api"),
    ("api", "replica"),
];

/// What a pure layer may not name: clocks, randomness, locks, threads, files, sockets, async.
const IMPURE: &[&str] = &[
    "std::fs",
    "std::net",
    "std::thread",
    "std::process",
    "std::env",
    "std::time::Instant",
    "std::time::SystemTime",
    "Instant::now",
    "SystemTime",
    "std::sync::Mutex",
    "std::sync::RwLock",
    "Mutex<",
    "RwLock<",
    "tokio",
    "getrandom",
    "rand::",
    "thread_rng",
    "rayon",
    "libp2p",
    "rocksdb",
    "futures::",
    "async fn",
];

/// Pure beyond the rooms of layer PURE: the simulator runs this very code.
const ALSO_PURE: &[&str] = &["src/node/driver", "src/ids.rs", "src/wire.rs", "src/kv.rs"];

struct Source {
    path: String,
    room: String,
    /// Lines of code: no comments, no test modules.
    lines: Vec<(usize, String)>,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn layer(room: &str) -> Option<u32> {
    ROOMS
        .iter()
        .find(|(name, _)| *name == room)
        .map(|(_, l)| *l)
}

fn rust_files(dir: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> = fs::read_dir(dir)
        .unwrap_or_else(|e| panic!("{}: {e}", dir.display()))
        .map(|e| e.unwrap().path())
        .collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

/// Files that `#[cfg(test)]` pulls in are named so.
fn is_test_file(path: &str) -> bool {
    path.ends_with("_tests.rs")
        || path.ends_with("/tests.rs")
        || path.ends_with("/testing.rs")
        || path.contains("/tests/")
}

/// Code without line comments, and without items under `#[cfg(test)]`.
fn code(text: &str) -> Vec<(usize, String)> {
    let mut lines: Vec<(usize, String)> = Vec::new();
    let mut skip: Option<(usize, bool)> = None;
    let mut depth = 0usize;
    for (number, line) in (1..).zip(text.lines()) {
        let line = match line.find("//") {
            Some(at) if !line[..at].contains('"') => &line[..at],
            _ => line,
        };
        if skip.is_none() && line.trim_start().starts_with("#[cfg(test)]") {
            skip = Some((depth, false));
        }
        let opens = line.matches('{').count();
        let closes = line.matches('}').count();
        depth = (depth + opens).saturating_sub(closes);
        match &mut skip {
            Some((from, entered)) => {
                *entered |= opens > 0;
                let item_ends = line.trim_end().ends_with(';') && !*entered;
                if (*entered && depth <= *from) || item_ends {
                    skip = None;
                }
            }
            None if line.trim().is_empty() => {}
            None => match lines.last_mut() {
                // A list of imports over several lines is one line.
                Some((_, before)) if is_open_list(before) => before.push_str(line.trim()),
                _ => lines.push((number, line.to_owned())),
            },
        }
    }
    lines
}

fn is_open_list(line: &str) -> bool {
    let list = line.find("crate::{").map(|at| &line[at..]);
    list.is_some_and(|list| list.matches('{').count() > list.matches('}').count())
}

fn sources(dir: &str, room_of: impl Fn(&str) -> String) -> Vec<Source> {
    let mut files = Vec::new();
    rust_files(&root().join(dir), &mut files);
    files
        .iter()
        .filter_map(|path| {
            let shown = path
                .strip_prefix(root())
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned();
            (!is_test_file(&shown)).then(|| Source {
                room: room_of(&shown),
                lines: code(&fs::read_to_string(path).unwrap()),
                path: shown,
            })
        })
        .collect()
}

fn library() -> Vec<Source> {
    sources("src", |path| {
        let name = path.strip_prefix("src/").unwrap();
        let name = name.split('/').next().unwrap();
        name.strip_suffix(".rs").unwrap_or(name).to_owned()
    })
}

/// The rooms a line names: `crate::x`, each `x` of `crate::{x, y}`, and `ukehi_x`.
fn named(line: &str) -> BTreeSet<String> {
    let word = |text: &str| -> String {
        text.chars()
            .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
            .collect()
    };
    let mut found = BTreeSet::new();
    for (at, start) in line.match_indices("crate::") {
        let rest = &line[at + start.len()..];
        match rest.strip_prefix('{') {
            Some(list) => {
                let mut depth = 0;
                for part in list.split_inclusive(['{', '}', ',']) {
                    if depth == 0 {
                        found.insert(word(part.trim_start()));
                    }
                    depth += part.matches('{').count() as i32 - part.matches('}').count() as i32;
                    if depth < 0 {
                        break;
                    }
                }
            }
            None => drop(found.insert(word(rest))),
        }
    }
    for (at, _) in line.match_indices("ukehi_") {
        if !line[..at].ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_') {
            found.insert(word(&line[at..]));
        }
    }
    found.remove("");
    found
}

/// Why `from` may not import `to`.
fn objection(from: &str, to: &str) -> Option<String> {
    // error.rs holds exit codes and may be named anywhere; it names nothing itself.
    if from == to || to == "error" {
        return None;
    }
    let (Some(above), Some(below)) = (layer(from), layer(to)) else {
        return Some(format!("{from} or {to} is missing in the table of layers"));
    };
    if above < below {
        return Some(format!("an upward import: {from} lies below {to}"));
    }
    let strangers = |(a, b): &(&str, &str)| (*a == from && *b == to) || (*b == from && *a == to);
    if STRANGERS.iter().any(strangers) {
        return Some(format!("{from} and {to} know nothing of each other"));
    }
    if NO_SIDEWAYS.contains(&(from, to)) {
        return Some(format!(
            "an upward import: within its layer {from} lies below {to}"
        ));
    }
    None
}

fn assert_none(violations: &[String]) {
    assert!(violations.is_empty(), "\n{}\n", violations.join("\n"));
}

#[test]
fn every_module_of_the_library_has_its_layer() {
    let rooms: BTreeSet<String> = library().into_iter().map(|s| s.room).collect();
    let unplaced: Vec<&String> = rooms
        .iter()
        .filter(|r| !["lib", "main", "error"].contains(&r.as_str()) && layer(r).is_none())
        .collect();
    assert!(
        unplaced.is_empty(),
        "give them a layer in tests/layers.rs: {unplaced:?}"
    );
}

#[test]
fn imports_only_point_down() {
    let mut violations = Vec::new();
    for source in library() {
        if ["lib", "main"].contains(&source.room.as_str()) {
            continue;
        }
        for (number, line) in &source.lines {
            for to in named(line) {
                if source.room == "error" {
                    violations.push(format!("{}:{number}: error.rs imports {to}", source.path));
                } else if let Some(objection) = objection(&source.room, &to) {
                    violations.push(format!("{}:{number}: {objection}", source.path));
                }
            }
        }
    }
    assert_none(&violations);
}

#[test]
fn the_pure_layers_have_no_clock_randomness_lock_file_or_socket() {
    let mut violations = Vec::new();
    for source in library() {
        let pure = layer(&source.room) == Some(PURE)
            || ALSO_PURE.iter().any(|p| source.path.starts_with(p));
        if !pure {
            continue;
        }
        for (number, line) in &source.lines {
            for impure in IMPURE.iter().filter(|i| line.contains(**i)) {
                violations.push(format!(
                    "{}:{number}: a pure layer names {impure}",
                    source.path
                ));
            }
        }
    }
    assert_none(&violations);
}

#[test]
fn the_crates_below_know_neither_each_other_nor_the_library() {
    let may: BTreeMap<&str, &[&str]> = BTreeMap::from([
        ("kernels", &[][..]),
        ("circuits", &["ukehi_kernels"][..]),
        ("keys", &[][..]),
        (
            "provers",
            &["ukehi_circuits", "ukehi_kernels", "ukehi_keys"][..],
        ),
        ("suite", &["ukehi_circuits", "ukehi_provers"][..]),
    ]);
    let mut violations = Vec::new();
    for (krate, allowed) in may {
        let own = format!("ukehi_{krate}");
        let manifest = fs::read_to_string(root().join(krate).join("Cargo.toml")).unwrap();
        let dependencies = manifest.lines().filter_map(|line| {
            let name = line.split(['.', '=', ' ']).next()?;
            name.starts_with("ukehi").then(|| name.replace('-', "_"))
        });
        for name in dependencies.filter(|n| !allowed.contains(&n.as_str())) {
            violations.push(format!("{krate}/Cargo.toml: {krate} does not know {name}"));
        }
        for source in sources(&format!("{krate}/src"), |_| own.clone()) {
            for (number, line) in &source.lines {
                for to in named(line) {
                    let foreign = to == "ukehi" || to.starts_with("ukehi_");
                    if foreign && to != own && !allowed.contains(&to.as_str()) {
                        violations.push(format!("{}:{number}: names {to}", source.path));
                    }
                }
            }
        }
    }
    assert_none(&violations);
}

#[test]
fn the_library_without_the_node_feature_has_no_tokio_libp2p_or_rocksdb() {
    let output = Command::new(env!("CARGO"))
        .args([
            "tree",
            "--no-default-features",
            "-e",
            "normal",
            "-p",
            "ukehi",
        ])
        .args(["--prefix", "none", "--offline", "--locked"])
        .current_dir(root())
        .output()
        .unwrap();
    let tree = String::from_utf8_lossy(&output.stdout);
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cargo tree: {complaint}");
    assert!(tree.contains("ukehi-circuits"), "{tree}");
    let forbidden = [
        "tokio",
        "libp2p",
        "rocksdb",
        "librocksdb-sys",
        "raft",
        "clap",
    ];
    let found: Vec<&str> = tree
        .lines()
        .filter_map(|line| line.split(' ').next())
        .filter(|name| {
            forbidden
                .iter()
                .any(|f| name == f || name.starts_with(&format!("{f}-")))
        })
        .collect();
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn an_upward_import_is_seen_and_named() {
    for (from, line, to) in [
        ("batch", "use crate::replica::Gate;", "replica"),
        ("log", "use crate::{ids, keyspace::Keyspace};", "keyspace"),
        ("store", "    crate::net::open()", "net"),
        (
            "ids",
            "pub use crate::wire::{Reader, Writer}; use crate::batch::x;",
            "batch",
        ),
        ("ukehi_keys", "use ukehi_circuits::F;", "ukehi_circuits"),
        ("trust", "use crate::client::Reader;", "client"),
    ] {
        assert!(named(line).contains(to), "{line}");
        assert!(objection(from, to).is_some(), "{from} -> {to}");
    }
    assert_eq!(objection("batch", "genesis"), None);
    assert_eq!(objection("node", "net"), None);
    assert_eq!(objection("net", "error"), None);
    // Test code and comments may name what they like.
    let text = "use a;\n#[cfg(test)]\nmod tests {\n  use std::fs;\n}\n// crate::net\nfn b() {}\n#[cfg(test)]\nuse std::fs;\nlet c;";
    let list = code("use crate::{\n  ids::Hash,\n  net::{A, B},\n};\nfn c() {}");
    assert!(
        list.len() == 2 && named(&list[0].1).contains("net"),
        "{list:?}"
    );
    let kept: Vec<String> = code(text).into_iter().map(|(_, line)| line).collect();
    assert_eq!(kept, ["use a;", "fn b() {}", "let c;"]);
}
