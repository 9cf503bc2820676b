//! The report without its plots and its longest tables, as Markdown.

use crate::report::{Block, Cell, QUICK, Results, Section, TITLE, Table};

/// Text in a field: a bar would end it.
fn escaped(text: &str) -> String {
    text.replace('|', "\\|")
}

fn field(cell: &Cell) -> String {
    let text = escaped(&cell.text);
    let text = if cell.best { format!("**{text}**") } else { text };
    if cell.spread.is_empty() { text } else { format!("{text} ({})", cell.spread) }
}

fn line(fields: impl Iterator<Item = String>) -> String {
    format!("| {} |\n", fields.collect::<Vec<String>>().join(" | "))
}

fn table(table: &Table) -> String {
    let mut text = line(table.head.iter().map(|head| escaped(head)));
    text += &line(table.head.iter().map(|_| "---".to_owned()));
    text.extend(table.rows.iter().map(|row| line(row.iter().map(field))));
    text
}

/// All of it: machine, date and versions; the results in short; the rest.
pub(crate) fn report(results: &Results, sections: &[Section]) -> String {
    let mut text = if results.quick { format!("**{QUICK}**\n\n") } else { String::new() };
    text += &format!("## {TITLE}\n\n");
    text += &line(["", ""].map(str::to_owned).into_iter());
    text += &line(["---", "---"].map(str::to_owned).into_iter());
    for (name, value) in &results.machine.0 {
        text += &line([name, value].map(|field| escaped(field)).into_iter());
    }
    text += &format!(
        "\n{} Medians, in parentheses the quartiles; the best of a column is bold.\n",
        results.settings
    );
    for section in sections.iter().filter(|section| section.readme) {
        text += &format!("\n### {}\n\n{}\n", section.title, section.text);
        for block in &section.blocks {
            match block {
                Block::Heading(heading) => text += &format!("\n{heading}:\n"),
                Block::Table(rows) => text += &format!("\n{}", table(rows)),
                Block::Plot(_) => {}
            }
        }
    }
    if !results.notes.is_empty() {
        text += "\nNotes:\n\n";
        text.extend(results.notes.iter().map(|note| format!("- {note}\n")));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::plain;

    #[test]
    fn tables_are_tables() {
        let best = Cell { text: "1".into(), spread: "1–2".into(), best: true };
        let rows = vec![vec![plain("a|b"), best]];
        let text = table(&Table { head: vec![String::new(), "x".into()], rows });
        assert_eq!(text, "|  | x |\n| --- | --- |\n| a\\|b | **1** (1–2) |\n");
    }

    #[test]
    fn machine_and_date_come_before_the_first_section() {
        let machine = vec![("date".to_owned(), "2026-12-01".to_owned())];
        let results = Results { machine: crate::machine::Machine(machine), ..Results::default() };
        let section = Section { title: "Result", text: String::new(), blocks: Vec::new(), readme: true };
        let text = report(&results, &[section]);
        let at = |what: &str| text.find(what).unwrap_or_else(|| panic!("{what}: {text}"));
        assert!(at("| date | 2026-12-01 |") < at("### Result"));
    }

    #[test]
    fn a_quick_run_says_so_first() {
        let mut results = Results::default();
        assert!(report(&results, &[]).starts_with("## "));
        results.quick = true;
        let text = report(&results, &[]);
        assert!(text.lines().next().is_some_and(|line| line.contains("not to be quoted")), "{text}");
    }
}
