//! Horizontal bars, whole or in parts, each with its value in figures behind it.

use super::axis::Scale;
use super::text::{escaped, number};
use std::fmt::Write;

const WIDTH: f64 = 560.0;
const ROW: f64 = 26.0;
const BAR: f64 = 17.0;
const HEAD: f64 = 30.0;
const BOTTOM: f64 = 46.0;
const LEFT: f64 = 150.0;
const RIGHT: f64 = 96.0;

pub struct Part {
    pub value: f64,
    pub style: usize,
    pub name: String,
}

pub struct Bar {
    pub name: String,
    pub parts: Vec<Part>,
    /// The interval's ends.
    pub whisker: Option<(f64, f64)>,
    /// What stands behind the bar.
    pub label: String,
}

pub struct Group {
    pub name: String,
    pub bars: Vec<Bar>,
}

pub struct BarChart {
    pub title: String,
    pub label: &'static str,
    pub groups: Vec<Group>,
    /// A value worth a line across, such as "as fast as ours".
    pub line: Option<f64>,
}

impl BarChart {
    pub fn html(&self) -> String {
        let bars = || self.groups.iter().flat_map(|g| &g.bars);
        let ends = bars().map(|b| {
            let sum: f64 = b.parts.iter().map(|p| p.value).sum();
            b.whisker.map_or(sum, |(_, high)| high.max(sum))
        });
        let scale = Scale::from_zero(ends.chain(self.line));
        let height = bars().count() as f64 * ROW + self.groups.len() as f64 * HEAD + BOTTOM;
        let title = escaped(&self.title);
        let mut svg = format!(
            "<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"{title}, {}\">\n",
            self.label
        );
        grid(&mut svg, scale, height, self.label);
        let mut y = 0.0;
        for group in &self.groups {
            y += HEAD;
            let _ = writeln!(
                svg,
                "<text x=\"0\" y=\"{:.1}\" class=\"head\">{}</text>",
                y - 9.0,
                escaped(&group.name)
            );
            for bar in &group.bars {
                draw(&mut svg, scale, bar, y);
                y += ROW;
            }
        }
        if let Some(value) = self.line {
            let _ = writeln!(
                svg,
                "<path class=\"over\" d=\"M{:.1} 0V{:.1}\" stroke-dasharray=\"4 3\"/>",
                x(scale, value),
                height - BOTTOM
            );
        }
        svg.push_str("</svg>");
        format!(
            "<figure>\n<h3>{title}</h3>\n{}\n{svg}\n</figure>",
            self.legend()
        )
    }

    /// Only bars of several parts need one: others are named beside the bar.
    fn legend(&self) -> String {
        let bars = self.groups.iter().flat_map(|g| &g.bars);
        let mut seen: Vec<(usize, &str)> = Vec::new();
        for part in bars.filter(|b| b.parts.len() > 1).flat_map(|b| &b.parts) {
            if !seen.iter().any(|(_, name)| *name == part.name) {
                seen.push((part.style, &part.name));
            }
        }
        if seen.is_empty() {
            return String::new();
        }
        let entry = |(style, name): &(usize, &str)| {
            format!(
                "<li><svg viewBox=\"0 0 34 14\" aria-hidden=\"true\"><rect class=\"bar s{}\" style=\"{}\" x=\"8\" y=\"1\" width=\"18\" height=\"12\"/></svg>{}</li>",
                style % 6,
                shade(*style),
                escaped(name)
            )
        };
        format!(
            "<ul class=\"legend\">{}</ul>",
            seen.iter().map(entry).collect::<String>()
        )
    }
}

fn x(scale: Scale, value: f64) -> f64 {
    LEFT + (WIDTH - LEFT - RIGHT) * scale.at(value)
}

/// A seventh part has the first one's colour, paler.
fn shade(style: usize) -> &'static str {
    if style < 6 { "" } else { "fill-opacity:0.45" }
}

fn grid(svg: &mut String, scale: Scale, height: f64, label: &str) {
    let bottom = height - BOTTOM;
    for tick in scale.ticks() {
        let x = x(scale, tick);
        let shown = number(tick);
        let shown = if shown.contains('.') {
            shown.trim_end_matches('0').trim_end_matches('.')
        } else {
            &shown
        };
        let _ = writeln!(
            svg,
            "<path class=\"grid\" d=\"M{x:.1} 0V{bottom:.1}\"/><text class=\"small soft\" x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{shown}</text>",
            bottom + 17.0
        );
    }
    let _ = writeln!(
        svg,
        "<text class=\"small\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{label}</text>",
        LEFT + (WIDTH - LEFT - RIGHT) / 2.0,
        height - 8.0
    );
}

fn draw(svg: &mut String, scale: Scale, bar: &Bar, y: f64) {
    let middle = y + ROW / 2.0;
    let _ = writeln!(
        svg,
        "<text class=\"small\" x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
        LEFT - 8.0,
        middle + 4.5,
        escaped(&bar.name)
    );
    let mut from = 0.0;
    for part in &bar.parts {
        let (left, right) = (x(scale, from), x(scale, from + part.value));
        let _ = writeln!(
            svg,
            "<rect class=\"bar s{}\" style=\"{}\" x=\"{left:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{BAR}\"><title>{}: {}</title></rect>",
            part.style % 6,
            shade(part.style),
            middle - BAR / 2.0,
            (right - left).max(0.5),
            escaped(&part.name),
            number(part.value)
        );
        from += part.value;
    }
    let mut end = x(scale, from);
    if let Some((low, high)) = bar.whisker {
        let (low, high) = (x(scale, low), x(scale, high));
        end = end.max(high);
        let _ = writeln!(
            svg,
            "<path class=\"over\" d=\"M{low:.1} {middle:.1}H{high:.1}m0-4v8M{low:.1} {:.1}v8\"/>",
            middle - 4.0
        );
    }
    let _ = writeln!(
        svg,
        "<text class=\"small\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
        end + 7.0,
        middle + 4.5,
        escaped(&bar.label)
    );
}
