//! Draws the month of a fleet, as `docs/figures/fleet.svg`.

use std::fmt::Write;
use std::path::Path;

use super::figures::Figures;
use super::incidents::Incident;

const HOUR: usize = 3600;
const HOURS: usize = 30 * 24;
/// Where the curves are, in pixels; an hour is one wide.
const LEFT: usize = 68;
const WIDTH: usize = LEFT + HOURS + 36;
const HEIGHT: usize = 80;
const BETWEEN: usize = 46;
const TOP: usize = 74;
/// Of a curve, as a power of ten.
const MOST: usize = 5;

struct Curve {
    name: &'static str,
    class: &'static str,
    hours: Vec<u64>,
}

pub(super) fn write(figures: &Figures, incidents: &[Incident]) {
    let load = &figures.load;
    let most = |counts: Vec<u32>| counts.into_iter().map(u64::from).collect();
    let curves = [
        Curve {
            name: "token requests in an hour",
            class: "requests",
            hours: load.requests.by(HOUR),
        },
        Curve {
            name: "scripts at Redis, in the worst second of an hour",
            class: "scripts",
            hours: most(load.commands.most_by(HOUR)),
        },
        Curve {
            name: "failed calls of hosts without a token, in an hour",
            class: "failed",
            hours: figures.calls.failed.by(HOUR),
        },
    ];
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/figures/fleet.svg");
    std::fs::write(path, svg(&curves, incidents)).expect("the figure can be written");
}

fn svg(curves: &[Curve], incidents: &[Incident]) -> String {
    let height = TOP + curves.len() * (HEIGHT + BETWEEN) + 8;
    let bottom = height - BETWEEN - 8;
    let mut svg = include_str!("chart_head.svg")
        .replace("WIDTH", &WIDTH.to_string())
        .replace("HEIGHT", &height.to_string());
    let (width, height) = (WIDTH - 1, height - 1);
    let place = format!(r#"x="0.5" y="0.5" width="{width}" height="{height}" rx="8""#);
    let _ = writeln!(svg, r#"  <rect class="paper" {place}/>"#);
    for (at, incident) in incidents.iter().enumerate() {
        draw_band(&mut svg, incident, at + 1, bottom);
    }
    for (at, curve) in curves.iter().enumerate() {
        draw(&mut svg, curve, TOP + at * (HEIGHT + BETWEEN));
    }
    for day in (0..=30).step_by(5) {
        let (x, y) = (LEFT + 24 * day, bottom + 22);
        let _ = writeln!(svg, r#"  <text x="{x}" y="{y}" text-anchor="middle">day {day}</text>"#);
    }
    svg + "</svg>\n"
}

/// When something was wrong, and its number.
fn draw_band(svg: &mut String, incident: &Incident, number: usize, bottom: usize) {
    let x = LEFT as f64 + incident.from.as_secs_f64() / HOUR as f64;
    let width = (incident.length.as_secs_f64() / HOUR as f64).max(1.5);
    let (top, height) = (TOP - 30, bottom - TOP + 30);
    let place = format!(r#"x="{x:.1}" y="{top}" width="{width:.1}" height="{height}""#);
    let _ = writeln!(svg, r#"  <rect class="incident" {place}/>"#);
    let y = top - 6;
    let _ = writeln!(svg, r#"  <text x="{x:.1}" y="{y}" text-anchor="middle">{number}</text>"#);
}

/// How high a count is, by its logarithm; one is a tenth.
fn height(count: u64) -> f64 {
    if count == 0 { 0.0 } else { ((count as f64).log10() + 0.1) / MOST as f64 * HEIGHT as f64 }
}

fn draw(svg: &mut String, curve: &Curve, top: usize) {
    let bottom = (top + HEIGHT) as f64;
    let Curve { name, class, hours } = curve;
    let (x, y) = (LEFT, top - 8);
    let _ = writeln!(svg, r#"  <text x="{x}" y="{y}" font-weight="600">{name}</text>"#);
    for (power, label) in [(0, "1"), (2, "100"), (4, "10,000")] {
        let y = bottom - height(10_u64.pow(power));
        let _ = writeln!(svg, r#"  <path class="line" d="M{LEFT} {y:.1}h{HOURS}"/>"#);
        let (x, y) = (LEFT - 8, y + 5.0);
        let _ = writeln!(svg, r#"  <text x="{x}" y="{y:.1}" text-anchor="end">{label}</text>"#);
    }
    let mut path = format!("M{LEFT} {bottom}");
    for count in hours.iter().take(HOURS) {
        let _ = write!(path, "V{:.1}h1", bottom - height(*count));
    }
    let _ = writeln!(svg, r#"  <path class="{class}" d="{path}V{bottom}z"/>"#);
}
