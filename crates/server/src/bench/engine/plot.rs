//! The figures as a picture: CPU time and deviations against legs, as SVG 1.1.

use super::Findings;
use super::step::Step;
use std::fmt::Write;

/// One panel, in pixels; the two stand side by side.
const WIDTH: f64 = 460.0;
const HEIGHT: f64 = 300.0;

/// What is left free around a panel for its words.
const MARGIN: f64 = 50.0;

/// A line's space in the legend, in pixels.
const LINE: f64 = 18.0;

/// One for each kind of work; they can be told apart without seeing red and green.
const COLOURS: [&str; 4] = ["#0072b2", "#d55e00", "#009e73", "#cc79a7"];

type Axis = (&'static str, fn(&Step) -> f64);

const AXES: [Axis; 2] = [
    ("µs of CPU per leg and second", |step| step.phase.cpu_us_per_leg_second),
    ("ms off 20 ms, p99", |step| step.phase.arrival_deviation.p99_us as f64 / 1000.0),
];

/// Draws them.
pub(super) fn svg(works: &[Findings]) -> String {
    let (width, height) = (2.0 * WIDTH, HEIGHT + LINE * (works.len() + 1) as f64);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         font-family=\"sans-serif\" font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
    );
    for (axis, left) in AXES.iter().zip([0.0, WIDTH]) {
        panel(&mut svg, works, *axis, left);
    }
    for ((at, found), colour) in works.iter().enumerate().zip(COLOURS) {
        text(&mut svg, MARGIN, HEIGHT + LINE * (at + 1) as f64, colour, found.work.title());
    }
    svg + "</svg>\n"
}

fn panel(svg: &mut String, works: &[Findings], (title, value): Axis, left: f64) {
    let steps = || works.iter().flat_map(|found| &found.steps);
    let legs_max = steps().map(|step| step.legs as f64).fold(1.0, f64::max);
    let value_max = steps().map(value).fold(f64::MIN_POSITIVE, f64::max);
    let x = |legs: f64| left + MARGIN + (WIDTH - 2.0 * MARGIN) * legs / legs_max;
    let y = |value: f64| HEIGHT - MARGIN - (HEIGHT - 2.0 * MARGIN) * value / value_max;
    text(svg, left + MARGIN, MARGIN - LINE, "black", title);
    text(svg, left, y(value_max), "black", &format!("{value_max:.1}"));
    text(svg, left, y(0.0), "black", "0");
    text(svg, x(legs_max) - MARGIN, y(0.0) + LINE, "black", &format!("{legs_max} legs"));
    line(svg, "black", &[(x(0.0), y(value_max)), (x(0.0), y(0.0)), (x(legs_max), y(0.0))]);
    for (found, colour) in works.iter().zip(COLOURS) {
        let points: Vec<_> = found.steps.iter().map(|step| (x(step.legs as f64), y(value(step)))).collect();
        line(svg, colour, &points);
    }
}

fn line(svg: &mut String, colour: &str, points: &[(f64, f64)]) {
    let points: Vec<String> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
    // Writing to a string does not fail.
    let _ = writeln!(
        svg,
        "<polyline fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.5\" points=\"{}\"/>",
        points.join(" ")
    );
}

fn text(svg: &mut String, x: f64, y: f64, colour: &str, words: &str) {
    let _ = writeln!(svg, "<text x=\"{x:.1}\" y=\"{y:.1}\" fill=\"{colour}\">{words}</text>");
}
