use super::*;
use crate::testing;

/// Tags are closed in the order in which they were opened, attributes are quoted, no stray `<` or `&`.
fn well_formed(page: &str) -> Result<(), String> {
    const VOID: [&str; 3] = ["meta", "br", "hr"];
    let mut open: Vec<&str> = Vec::new();
    let mut rest = page.strip_prefix("<!DOCTYPE html>").ok_or("no doctype")?;
    while let Some(at) = rest.find(['<', '&']) {
        let tail = &rest[at..];
        if tail.starts_with('&') {
            let end = tail
                .find(';')
                .filter(|end| *end < 8)
                .ok_or_else(|| format!("a bare &: {:.30}", tail))?;
            rest = &tail[end..];
            continue;
        }
        let end = tail.find('>').ok_or("a tag without an end")?;
        let tag = &tail[1..end];
        rest = &tail[end + 1..];
        if tag.matches('"').count() % 2 == 1 {
            return Err(format!("an unclosed quote: {tag}"));
        }
        if let Some(name) = tag.strip_prefix('/') {
            let expected = open.pop();
            if expected != Some(name) {
                return Err(format!("</{name}> closes {expected:?}"));
            }
            continue;
        }
        let name = tag.split([' ', '/', '\n']).next().unwrap_or_default();
        if !name.chars().next().is_some_and(|c| c.is_ascii_alphabetic()) {
            return Err(format!("no tag: {tag:.30}"));
        }
        if name == "style" {
            let end = rest.find("</style>").ok_or("a style without an end")?;
            rest = &rest[end + "</style>".len()..];
        } else if !tag.ends_with('/') && !VOID.contains(&name) {
            open.push(name);
        }
    }
    if open.is_empty() {
        Ok(())
    } else {
        Err(format!("never closed: {open:?}"))
    }
}

#[test]
fn the_page_is_well_formed_and_has_every_section() {
    let page = html(&testing::full_results());
    well_formed(&page).unwrap();
    for id in [
        "summary",
        "speed",
        "throughput",
        "cores",
        "stages",
        "memory",
        "cold",
        "figures",
        "instances",
        "machine",
        "method",
        "not-run",
    ] {
        assert!(page.contains(&format!("<section id=\"{id}\">")), "{id}");
        assert!(page.contains(&format!("href=\"#{id}\"")), "no link to {id}");
    }
    // Every chart is there, with figures that are numbers.
    assert_eq!(
        page.matches("<figure>").count(),
        page.matches("</svg>\n</figure>").count()
    );
    assert!(
        page.matches("<figure>").count() >= 9,
        "{}",
        page.matches("<figure>").count()
    );
    for broken in ["NaN", "inf", "None", "Some("] {
        assert!(!page.contains(broken), "{broken} in the page");
    }
}

#[test]
fn nothing_is_fetched_and_nothing_runs() {
    let page = html(&testing::full_results());
    for outside in [
        "http:", "https:", "<script", "<link", "<img", "<iframe", "@import", "url(", " src=",
        "onload",
    ] {
        assert!(!page.contains(outside), "{outside}");
    }
}

#[test]
fn names_and_faults_from_outside_are_escaped() {
    let page = html(&testing::full_results());
    assert!(page.contains("&lt;b&gt;rapidsnark&lt;/b&gt;"));
    assert!(page.contains("signal 11 &amp; &lt;script&gt;"));
}

#[test]
fn the_summary_names_each_peer_with_its_ratio_and_interval() {
    let results = testing::full_results();
    let page = html(&results);
    let summary = &page[page.find("id=\"summary\"").unwrap()..page.find("id=\"speed\"").unwrap()];
    for peer in ["ark-groth16", "taceo-groth16"] {
        assert!(summary.contains(peer), "{peer}: {summary}");
    }
    assert!(
        summary.contains("<strong>8.30×</strong> ark-groth16 (8.30 to 8.30)"),
        "{summary}"
    );
    assert!(summary.contains("a proof on each thread"), "{summary}");
}

#[test]
fn an_empty_and_an_unfinished_run_have_a_page_too() {
    let mut results = testing::results(&[]);
    results.complete = false;
    results.clocks.clear();
    let page = html(&results);
    well_formed(&page).unwrap();
    assert!(page.contains("not complete"));
}

#[test]
fn the_check_of_well_formedness_can_fail() {
    for bad in [
        "<p>",
        "<p></b></p>",
        "<p>a & b</p>",
        "<p>1 < 2</p>",
        "<p class=\"x></p>",
    ] {
        assert!(
            well_formed(&format!("<!DOCTYPE html>{bad}")).is_err(),
            "{bad}"
        );
    }
}
