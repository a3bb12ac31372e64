//! A second reading of the bundle's layout, apart from the reader's own code.

/// Where a bundle's frames lie: name, and the bytes `from..to` of the file. Written anew here, so
/// that the layout is pinned by a second reading of it.
pub fn frames(bundle: &[u8]) -> Vec<(String, usize, usize)> {
    let mut at = 8 + 2 + 16;
    let mut found = vec![("header".to_owned(), 0, at)];
    while at < bundle.len() {
        let index = u64::from_le_bytes(bundle[at + 1..at + 9].try_into().unwrap());
        let len = u32::from_le_bytes(bundle[at + 9..at + 13].try_into().unwrap()) as usize;
        let name = match bundle[at] {
            1 => "the preamble".to_owned(),
            2 => "the hashes before the range".to_owned(),
            3 => "the hashes behind the range".to_owned(),
            4 => format!("registry change {index}, before the range,"),
            5 => format!("entry {index}"),
            6 => "the checkpoint".to_owned(),
            7 => "the trailer".to_owned(),
            kind => panic!("frame of kind {kind}"),
        };
        let end = at + 29 + len + 32;
        found.push((name, at, end));
        at = end;
    }
    assert_eq!(at, bundle.len());
    found
}
