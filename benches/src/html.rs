//! The report as one page that needs nothing else.

use crate::report::{Block, Cell, QUICK, Results, Section, TITLE, Table};

const STYLE: &str = "
body { font: 15px/1.45 system-ui, sans-serif; color: #222; background: #fff; max-width: 72rem;
       margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.6rem } h2 { font-size: 1.25rem; margin-top: 2.4rem } h3 { font-size: 1rem; margin-bottom: .3rem }
nav a { margin-right: 1rem; white-space: nowrap } a { color: #a03010 }
.wide { overflow-x: auto; margin: .6rem 0 1rem }
table { border-collapse: collapse; font-variant-numeric: tabular-nums }
th, td { padding: .25rem .7rem; border-bottom: 1px solid #ddd; text-align: right; vertical-align: top }
th { font-weight: 600; text-align: right } td:first-child, th:first-child { text-align: left }
td small { display: block; color: #777; font-size: .78em }
tr.ours { background: #fdf3ee } .best { font-weight: 700 }
.text td { text-align: left } .good { color: #18794e } .bad { color: #b42318 }
dl { display: grid; grid-template-columns: max-content auto; gap: .15rem 1rem } dt { color: #666 } dd { margin: 0 }
.quick { font-weight: 700; color: #b42318 }
svg { display: block; margin: .6rem 0 }
";

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn field(cell: &Cell) -> String {
    let class = match (cell.best, cell.text.as_str()) {
        (true, _) => " class=\"best\"",
        (_, "reached") => " class=\"good\"",
        (_, "not reached") => " class=\"bad\"",
        _ => "",
    };
    let spread = match cell.spread.as_str() {
        "" => String::new(),
        spread => format!("<small>{}</small>", escaped(spread)),
    };
    format!("<td{class}>{}{spread}</td>", escaped(&cell.text))
}

fn table(table: &Table) -> String {
    // These tables are of words more than of figures.
    let words = table.head.iter().any(|head| head.starts_with("which"));
    let head: String = table.head.iter().map(|head| format!("<th>{}</th>", escaped(head))).collect();
    let mut text = format!("<div class=\"wide\"><table{}>", if words { " class=\"text\"" } else { "" });
    text += &format!("<thead><tr>{head}</tr></thead>\n<tbody>\n");
    for row in &table.rows {
        let ours = !words && row.first().is_some_and(|name| crate::peers::is_ours(&name.text));
        let fields: String = row.iter().map(field).collect();
        text += &format!("<tr{}>{fields}</tr>\n", if ours { " class=\"ours\"" } else { "" });
    }
    text + "</tbody></table></div>\n"
}

/// Links to all sections but the first.
fn contents(sections: &[Section]) -> String {
    let link = |(index, section): (usize, &Section)| {
        format!("<a href=\"#s{index}\">{}</a> ", escaped(section.title))
    };
    format!("<nav>{}</nav>\n", sections.iter().enumerate().skip(1).map(link).collect::<String>())
}

/// All of it: machine, date and versions; the results in short; the rest.
pub(crate) fn report(results: &Results, sections: &[Section]) -> String {
    let mut text = format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{TITLE}</title>\n<style>{STYLE}</style></head><body>\n{}\
         <h1>{TITLE}</h1>\n<dl>\n",
        if results.quick { format!("<p class=\"quick\">{QUICK}</p>\n") } else { String::new() },
    );
    for (name, value) in &results.machine.0 {
        text += &format!("<dt>{}</dt><dd>{}</dd>\n", escaped(name), escaped(value));
    }
    text += &format!(
        "</dl>\n<p>{} Medians; small below them the quartiles; the best of a column is bold.</p>\n",
        escaped(&results.settings)
    );
    for (index, section) in sections.iter().enumerate() {
        // After the first one, which has the results in short, the way to the others.
        if index == 1 {
            text += &contents(sections);
        }
        text += &format!(
            "<h2 id=\"s{index}\">{}</h2>\n<p>{}</p>\n",
            escaped(section.title),
            escaped(&section.text)
        );
        for block in &section.blocks {
            match block {
                Block::Heading(heading) => text += &format!("<h3>{}</h3>\n", escaped(heading)),
                Block::Table(rows) => text += &table(rows),
                Block::Plot(svg) => text += svg,
            }
        }
    }
    if !results.notes.is_empty() {
        text += "<h2>Notes</h2>\n<ul>\n";
        text.extend(results.notes.iter().map(|note| format!("<li>{}</li>\n", escaped(note))));
        text += "</ul>\n";
    }
    text + "</body></html>\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn machine_and_date_come_before_the_first_section() {
        let machine = vec![("date".to_owned(), "2026-12-01".to_owned())];
        let results = Results { machine: crate::machine::Machine(machine), ..Results::default() };
        let text = report(&results, &crate::report::sections(&results).unwrap_or_default());
        let at = |what: &str| text.find(what).unwrap_or_else(|| panic!("{what}: {text}"));
        assert!(at("<h1>") < at("2026-12-01") && at("2026-12-01") < at("<h2"));
    }

    #[test]
    fn a_quick_run_says_so_first() {
        let mut results = Results::default();
        assert!(!report(&results, &[]).contains("not to be quoted"));
        results.quick = true;
        let text = report(&results, &[]);
        let body = text.split_once("<body>\n").map(|(_, body)| body);
        assert!(body.is_some_and(|body| body.starts_with("<p class=\"quick\">A quick run")), "{text}");
    }
}
