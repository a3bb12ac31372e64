//! A line chart: one curve a subject, with whiskers for the intervals and a mark of its own shape.

use super::axis::Scale;
use super::text::{escaped, number};
use std::fmt::Write;

const WIDTH: f64 = 560.0;
const HEIGHT: f64 = 360.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 16.0;
const TOP: f64 = 14.0;
const BOTTOM: f64 = 54.0;

pub struct Point {
    pub x: f64,
    pub y: f64,
    pub low: f64,
    pub high: f64,
}

pub struct Curve {
    pub name: String,
    /// Which colour, dash and mark; the same subject has the same in every chart.
    pub style: usize,
    pub own: bool,
    pub points: Vec<Point>,
}

pub struct LineChart {
    pub title: String,
    pub x_label: &'static str,
    pub y_label: &'static str,
    /// Values with a label each.
    pub x_ticks: Vec<(f64, String)>,
    pub y: Scale,
    pub curves: Vec<Curve>,
    /// Ends of a dotted line that shows what would be ideal.
    pub ideal: Option<[(f64, f64); 2]>,
}

impl LineChart {
    pub fn html(&self) -> String {
        let title = escaped(&self.title);
        let mut svg = format!(
            "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{title}: {} against {}\">\n",
            self.y_label, self.x_label
        );
        self.grid(&mut svg);
        if let Some([(x0, y0), (x1, y1)]) = self.ideal {
            let (x0, y0, x1, y1) = (self.x(x0), self.y(y0), self.x(x1), self.y(y1));
            let _ = writeln!(
                svg,
                "<path class=\"ideal\" d=\"M{x0:.1} {y0:.1}L{x1:.1} {y1:.1}\"/>"
            );
        }
        // Ours last: on top of the others.
        let (own, others): (Vec<&Curve>, Vec<&Curve>) = self.curves.iter().partition(|c| c.own);
        others
            .into_iter()
            .chain(own)
            .for_each(|curve| self.curve(&mut svg, curve));
        svg.push_str("</svg>");
        format!(
            "<figure>\n<h3>{title}</h3>\n{}\n{svg}\n</figure>",
            legend(&self.curves, self.ideal.is_some())
        )
    }

    fn x(&self, value: f64) -> f64 {
        let (first, last) = (self.x_ticks[0].0, self.x_ticks[self.x_ticks.len() - 1].0);
        let room = WIDTH - LEFT - RIGHT - 40.0;
        let share = if last > first {
            (value - first) / (last - first)
        } else {
            0.5
        };
        LEFT + 20.0 + room * share
    }

    fn y(&self, value: f64) -> f64 {
        TOP + (HEIGHT - TOP - BOTTOM) * (1.0 - self.y.at(value))
    }

    fn grid(&self, svg: &mut String) {
        let (right, bottom) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
        for tick in self.y.ticks() {
            let y = self.y(tick);
            let _ = writeln!(
                svg,
                "<path class=\"grid\" d=\"M{LEFT} {y:.1}H{right}\"/><text class=\"small soft\" x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
                LEFT - 7.0,
                y + 4.5,
                tick_label(tick)
            );
        }
        for (value, label) in &self.x_ticks {
            let x = self.x(*value);
            let _ = writeln!(
                svg,
                "<path class=\"axis\" d=\"M{x:.1} {bottom}v5\"/><text class=\"small soft\" x=\"{x:.1}\" y=\"{}\" text-anchor=\"middle\">{label}</text>",
                bottom + 20.0
            );
        }
        let _ = writeln!(
            svg,
            "<path class=\"axis\" d=\"M{LEFT} {TOP}V{bottom}H{right}\"/>\
             <text class=\"small\" x=\"{:.1}\" y=\"{}\" text-anchor=\"middle\">{}</text>\
             <text class=\"small\" transform=\"translate(15 {:.1}) rotate(-90)\" text-anchor=\"middle\">{}</text>",
            LEFT + (right - LEFT) / 2.0,
            HEIGHT - 10.0,
            self.x_label,
            TOP + (bottom - TOP) / 2.0,
            self.y_label
        );
    }

    fn curve(&self, svg: &mut String, curve: &Curve) {
        let style = curve.style % 6;
        let path: Vec<String> = curve
            .points
            .iter()
            .map(|p| format!("{:.1} {:.1}", self.x(p.x), self.y(p.y)))
            .collect();
        let own = if curve.own { " own" } else { "" };
        let _ = writeln!(
            svg,
            "<path class=\"curve s{style} d{style}{own}\" style=\"fill:none\" d=\"M{}\"/>",
            path.join("L")
        );
        for point in &curve.points {
            let (x, y) = (self.x(point.x), self.y(point.y));
            let _ = writeln!(
                svg,
                "<g class=\"s{style}\"><title>{}: {} ({} to {})</title><path class=\"whisker\" d=\"M{x:.1} {:.1}V{:.1}\"/>{}</g>",
                escaped(&curve.name),
                number(point.y),
                number(point.low),
                number(point.high),
                self.y(point.low),
                self.y(point.high),
                mark(style, x, y)
            );
        }
    }
}

/// The name of each style beside it.
fn legend(curves: &[Curve], ideal: bool) -> String {
    let entry = |c: &Curve| {
        let (style, own) = (c.style % 6, if c.own { " own" } else { "" });
        format!(
            "<li><svg viewBox=\"0 0 34 14\" aria-hidden=\"true\"><path class=\"curve s{style} d{style}{own}\" style=\"fill:none\" d=\"M1 7H33\"/><g class=\"s{style}\">{}</g></svg>{}</li>",
            mark(style, 17.0, 7.0),
            escaped(&c.name)
        )
    };
    let mut entries: String = curves.iter().map(entry).collect();
    if ideal {
        entries.push_str("<li><svg viewBox=\"0 0 34 14\" aria-hidden=\"true\"><path class=\"ideal\" d=\"M1 7H33\"/></svg>twice the threads, twice the proofs</li>");
    }
    format!("<ul class=\"legend\">{entries}</ul>")
}

/// A mark by style, so that curves are told apart without their colours.
fn mark(style: usize, x: f64, y: f64) -> String {
    match style {
        0 => format!("<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"5\"/>"),
        1 => format!(
            "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"9\" height=\"9\"/>",
            x - 4.5,
            y - 4.5
        ),
        2 => format!("<path d=\"M{x:.1} {:.1}l5.5 9.5h-11z\"/>", y - 6.0),
        3 => format!("<path d=\"M{x:.1} {:.1}l6 6l-6 6l-6-6z\"/>", y - 6.0),
        4 => format!("<path d=\"M{x:.1} {:.1}l5.5-9.5h-11z\"/>", y + 6.0),
        _ => format!(
            "<path style=\"fill:none;stroke-width:2.4\" d=\"M{:.1} {:.1}l9 9m0-9l-9 9\"/>",
            x - 4.5,
            y - 4.5
        ),
    }
}

/// Grid values are round, so they need no further digits.
fn tick_label(value: f64) -> String {
    if value >= 1000.0 {
        number(value)
    } else {
        format!("{}", (value * 1e6).round() / 1e6)
    }
}
