//! Plots of the measurements, as SVG.

use std::fmt::Write;

/// A named line of points.
pub(crate) struct Series {
    pub(crate) name: String,
    pub(crate) points: Vec<(f64, f64)>,
    /// Drawn with dots only.
    pub(crate) dots: bool,
}

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 440.0;
/// Left, top, right and bottom of the plot area.
const AREA: [f64; 4] = [80.0, 40.0, 520.0, 380.0];
/// Colours that differ in lightness as well as in hue.
const COLOURS: [&str; 6] = ["#0b3c5d", "#d95f02", "#1b9e77", "#7570b3", "#a6761d", "#666666"];

/// The powers of ten around all values.
fn decades(values: impl Iterator<Item = f64> + Clone) -> (i32, i32) {
    let low = values.clone().fold(f64::INFINITY, f64::min).log10().floor() as i32;
    let high = values.fold(f64::NEG_INFINITY, f64::max).log10().ceil() as i32;
    (low, high.max(low + 1))
}

fn power(exponent: i32) -> String {
    if (-3..=6).contains(&exponent) {
        let value = 10f64.powi(exponent);
        return if exponent < 0 { format!("{value}") } else { format!("{value:.0}") };
    }
    format!("1e{exponent}")
}

/// A plot with logarithmic axes. Values must be above 0.
pub(crate) fn log_log(title: &str, x_name: &str, y_name: &str, series: &[Series]) -> String {
    let all = series.iter().flat_map(|s| &s.points);
    let (x_low, x_high) = decades(all.clone().map(|p| p.0));
    let (y_low, y_high) = decades(all.map(|p| p.1));
    let [left, top, right, bottom] = AREA;
    let x = |v: f64| left + (v.log10() - f64::from(x_low)) / f64::from(x_high - x_low) * (right - left);
    let y = |v: f64| bottom - (v.log10() - f64::from(y_low)) / f64::from(y_high - y_low) * (bottom - top);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" \
         font-size=\"13\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n\
         <text x=\"{left}\" y=\"24\" font-size=\"15\" font-weight=\"bold\">{title}</text>\n"
    );
    let mut draw = |text: std::fmt::Arguments<'_>| {
        svg.write_fmt(text).and_then(|()| svg.write_str("\n")).expect("a string takes all");
    };
    for exponent in x_low..=x_high {
        let at = x(10f64.powi(exponent));
        draw(format_args!(
            "<line x1=\"{at:.1}\" y1=\"{top}\" x2=\"{at:.1}\" y2=\"{bottom}\" stroke=\"#ddd\"/>"
        ));
        let label = power(exponent);
        draw(format_args!(
            "<text x=\"{at:.1}\" y=\"{}\" text-anchor=\"middle\">{label}</text>",
            bottom + 18.0
        ));
    }
    for exponent in y_low..=y_high {
        let at = y(10f64.powi(exponent));
        draw(format_args!(
            "<line x1=\"{left}\" y1=\"{at:.1}\" x2=\"{right}\" y2=\"{at:.1}\" stroke=\"#ddd\"/>"
        ));
        let label = power(exponent);
        draw(format_args!(
            "<text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{label}</text>",
            left - 6.0,
            at + 4.0
        ));
    }
    draw(format_args!(
        "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">{x_name}</text>",
        (left + right) / 2.0,
        bottom + 40.0
    ));
    draw(format_args!(
        "<text transform=\"translate(20 {}) rotate(-90)\" text-anchor=\"middle\">{y_name}</text>",
        (top + bottom) / 2.0
    ));
    for (number, one) in series.iter().enumerate() {
        let colour = COLOURS[number % COLOURS.len()];
        let places: Vec<String> = one.points.iter().map(|p| format!("{:.1},{:.1}", x(p.0), y(p.1))).collect();
        if !one.dots {
            draw(format_args!(
                "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>",
                places.join(" ")
            ));
        }
        if one.dots || one.points.len() < 20 {
            for place in &places {
                let (px, py) = place.split_once(',').unwrap_or(("0", "0"));
                draw(format_args!("<circle cx=\"{px}\" cy=\"{py}\" r=\"3.5\" fill=\"{colour}\"/>"));
            }
        }
        let line = top + 14.0 + 20.0 * number as f64;
        draw(format_args!(
            "<circle cx=\"{}\" cy=\"{}\" r=\"5\" fill=\"{colour}\"/>",
            right + 16.0,
            line - 4.0
        ));
        draw(format_args!("<text x=\"{}\" y=\"{line}\">{}</text>", right + 28.0, one.name));
    }
    svg.push_str("</svg>\n");
    svg
}
