//! The two kinds of plots, as SVG.

use crate::samples::Summary;
use anyhow::{Result, anyhow};
use plotters::coord::ranged1d::SegmentValue;
use plotters::element::ErrorBar;
use plotters::prelude::*;

const INK: RGBColor = RGBColor(64, 64, 64);
const OURS: RGBColor = RGBColor(200, 60, 20);
const OTHERS: RGBColor = RGBColor(60, 90, 130);
/// Told apart by those who do not see all colours, too (Okabe and Ito).
const LINES: [RGBColor; 6] = [
    RGBColor(0, 114, 178),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
    RGBColor(86, 180, 233),
    RGBColor(0, 0, 0),
];
const WIDTH: u32 = 760;

/// A row of a dot plot.
pub(crate) struct Dot {
    /// Its name.
    pub(crate) label: String,
    /// What is shown: a point at the median, a line between the quartiles.
    pub(crate) summary: Summary,
    /// Shown in another colour.
    pub(crate) ours: bool,
}

/// The values that a plot must show, and some margin; from 0 if that is not far away.
fn range(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let (low, high) =
        values.fold((f64::MAX, f64::MIN), |(low, high), value| (low.min(value), high.max(value)));
    if low > high {
        return (0.0, 1.0);
    }
    let margin = ((high - low) * 0.08).max(high.abs() * 0.01).max(1e-9);
    (if low > 0.0 && low < high * 0.4 { 0.0 } else { low - margin }, high + margin)
}

/// SVG as it stands in a page: it may shrink with it, and begins anew with the document's own font.
fn finish(svg: String, title: &str) -> String {
    let title = title.replace('&', "&amp;").replace('<', "&lt;");
    svg.replacen("<svg ", "<svg role=\"img\" style=\"max-width:100%;height:auto\" ", 1).replacen(
        '\n',
        &format!("\n<title>{title}</title>\n"),
        1,
    )
}

/// Plots one row for each peer, and a line at what was to be reached.
pub(crate) fn dots(title: &str, unit: &str, rows: &[Dot], limit: Option<f64>) -> Result<String> {
    let wrong = |error: &dyn std::fmt::Display| anyhow!("plot {title}: {error}");
    let mut svg = String::new();
    {
        let height = 90 + 24 * rows.len() as u32;
        let area = SVGBackend::with_string(&mut svg, (WIDTH, height)).into_drawing_area();
        let values = rows.iter().flat_map(|row| [row.summary.low, row.summary.high, row.summary.median]);
        let (low, high) = range(values.chain(limit));
        let mut chart = ChartBuilder::on(&area)
            .caption(title, ("sans-serif", 16).into_font().color(&INK))
            .margin(8)
            .margin_right(24)
            .y_label_area_size(190)
            .x_label_area_size(40)
            .build_cartesian_2d(low..high, (0..rows.len()).into_segmented())
            .map_err(|error| wrong(&error))?;
        // The first row is at the top.
        let at = |index: usize| SegmentValue::CenterOf(rows.len() - 1 - index);
        let name = |value: &SegmentValue<usize>| match value {
            SegmentValue::CenterOf(index) => {
                let row = rows.len().checked_sub(index + 1).and_then(|index| rows.get(index));
                row.map_or_else(String::new, |row| row.label.clone())
            }
            _ => String::new(),
        };
        chart
            .configure_mesh()
            .disable_y_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(INK.mix(0.15))
            .y_labels(rows.len() + 1)
            .set_tick_mark_size(LabelAreaPosition::Left, 0)
            .y_label_formatter(&name)
            .x_label_formatter(&|value| number(*value))
            .x_desc(unit)
            .label_style(("sans-serif", 13).into_font().color(&INK))
            .draw()
            .map_err(|error| wrong(&error))?;
        if let Some(limit) = limit {
            let line = [(limit, SegmentValue::Exact(0)), (limit, SegmentValue::Exact(rows.len()))];
            chart.draw_series(LineSeries::new(line, OURS.mix(0.5))).map_err(|error| wrong(&error))?;
        }
        for (index, row) in rows.iter().enumerate() {
            let colour = if row.ours { OURS } else { OTHERS };
            let Summary { low, median, high, .. } = row.summary;
            let bar = ErrorBar::new_horizontal(at(index), low, median, high, colour.stroke_width(2), 8);
            chart.draw_series([bar]).map_err(|error| wrong(&error))?;
            let point = Circle::new((median, at(index)), 4, colour.filled());
            chart.draw_series([point]).map_err(|error| wrong(&error))?;
        }
        area.present().map_err(|error| wrong(&error))?;
    }
    Ok(finish(svg, title))
}

/// A number on an axis.
fn number(value: f64) -> String {
    let magnitude = value.abs();
    if magnitude >= 1e6 {
        format!("{:.1}M", value / 1e6)
    } else if magnitude >= 1e4 {
        format!("{:.0}k", value / 1e3)
    } else if magnitude >= 20.0 || magnitude == 0.0 {
        format!("{value:.0}")
    } else {
        format!("{value:.2}")
    }
}

/// A line of a line plot: its name, and its points.
pub(crate) type Line = (String, Vec<(f64, Summary)>);

/// Plots lines over a logarithmic axis.
pub(crate) fn lines(title: &str, across: &str, up: &str, all: &[Line]) -> Result<String> {
    let wrong = |error: &dyn std::fmt::Display| anyhow!("plot {title}: {error}");
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, (WIDTH, 380)).into_drawing_area();
        let points = || all.iter().flat_map(|(_, points)| points.iter());
        let (left, right) = points().fold((f64::MAX, 1.0_f64), |(l, r), (x, _)| (l.min(*x), r.max(*x)));
        let (_, top) = range(points().flat_map(|(_, summary)| [summary.low, summary.high]));
        let mut chart = ChartBuilder::on(&area)
            .caption(title, ("sans-serif", 16).into_font().color(&INK))
            .margin(8)
            .margin_right(24)
            .y_label_area_size(64)
            .x_label_area_size(44)
            .build_cartesian_2d((left * 0.9..right * 1.1).log_scale(), 0.0..top)
            .map_err(|error| wrong(&error))?;
        chart
            .configure_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(INK.mix(0.15))
            .x_desc(across)
            .y_desc(up)
            .x_label_formatter(&|value| number(*value))
            .y_label_formatter(&|value| number(*value))
            .label_style(("sans-serif", 13).into_font().color(&INK))
            .draw()
            .map_err(|error| wrong(&error))?;
        let mut colours = LINES.into_iter().cycle();
        for (label, points) in all {
            let ours = crate::peers::is_ours(label);
            let colour = if ours { OURS } else { colours.next().unwrap_or(INK) };
            let style = colour.stroke_width(2);
            let medians = points.iter().map(|(x, summary)| (*x, summary.median));
            chart
                .draw_series(LineSeries::new(medians, style))
                .map_err(|error| wrong(&error))?
                .label(label)
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], style));
            let bars = points
                .iter()
                .map(|(x, s)| ErrorBar::new_vertical(*x, s.low, s.median, s.high, colour.filled(), 7));
            chart.draw_series(bars).map_err(|error| wrong(&error))?;
        }
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::UpperLeft)
            .background_style(WHITE.mix(0.8))
            .label_font(("sans-serif", 13).into_font().color(&INK))
            .draw()
            .map_err(|error| wrong(&error))?;
        area.present().map_err(|error| wrong(&error))?;
    }
    Ok(finish(svg, title))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary(median: f64) -> Summary {
        Summary { median, low: median * 0.9, high: median * 1.1, count: 3 }
    }

    #[test]
    fn plots_are_drawn() {
        let dot = |label: &str, value, ours| Dot { label: label.to_owned(), summary: summary(value), ours };
        let svg = dots("A & B", "us", &[dot("one", 1.0, false), dot("two", 2.0, true)], Some(1.5)).unwrap();
        assert!(svg.starts_with("<svg role") && svg.contains("A &amp; B") && svg.contains("two"));
        let all = [("one".to_owned(), vec![(100.0, summary(1.0)), (9000.0, summary(2.0))])];
        assert!(lines("L", "x", "y", &all).unwrap().contains("polyline"));
    }

    #[test]
    fn few_or_equal_values_have_a_range() {
        assert_eq!(range([].into_iter()), (0.0, 1.0));
        let (low, high) = range([1.0].into_iter());
        assert!(low < 1.0 && high > 1.0);
        assert_eq!(range([1.0, 10.0].into_iter()).0, 0.0);
    }
}
