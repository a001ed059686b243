//! Bars: how many records have which value, drawn as SVG, with a table of the same.

/// Bars that are drawn; the others are summed up.
const MOST: usize = 8;
/// Height of a bar with the space below it, and the longest bar, in the drawing's own units.
const STEP: i64 = 22;
const LONGEST: i64 = 230;

/// A chart.
pub(crate) struct Chart {
    pub(crate) title: &'static str,
    /// What a bar counts.
    pub(crate) of: &'static str,
    pub(crate) bars: Vec<Bar>,
    pub(crate) height: i64,
}

/// A bar: how many records have a value, and the list of those.
pub(crate) struct Bar {
    pub(crate) label: String,
    pub(crate) n: i64,
    pub(crate) to: Option<String>,
    /// Where it begins, from the top.
    pub(crate) y: i64,
    pub(crate) width: i64,
}

impl Chart {
    /// A chart of values and their numbers, the most frequent first; `list` is where a value's records are.
    pub(crate) fn new(
        title: &'static str,
        of: &'static str,
        mut values: Vec<(String, i64)>,
        list: impl Fn(&str) -> String,
    ) -> Self {
        let rest: i64 = values.iter().skip(MOST).map(|(_, n)| n).sum();
        values.truncate(MOST);
        let mut bars: Vec<_> = values.into_iter().map(|(value, n)| (list(&value), value, n)).map(bar).collect();
        if rest > 0 {
            bars.push(Bar { label: "others".to_owned(), n: rest, to: None, y: 0, width: 0 });
        }
        let longest = bars.iter().map(|bar| bar.n).max().unwrap_or(0).max(1);
        for (y, bar) in (0..).step_by(usize::try_from(STEP).unwrap_or(1)).zip(&mut bars) {
            bar.y = y;
            bar.width = (bar.n * LONGEST / longest).max(1);
        }
        let height = i64::try_from(bars.len()).unwrap_or(0) * STEP;
        Self { title, of, bars, height }
    }
}

fn bar((to, value, n): (String, String, i64)) -> Bar {
    let label = if value.is_empty() { "not known".to_owned() } else { value };
    Bar { label, n, to: Some(to), y: 0, width: 0 }
}

/// A label that has room beside its bar; the table has it in full.
pub(crate) fn short(label: &str) -> String {
    const ROOM: usize = 26;
    if label.chars().count() <= ROOM {
        return label.to_owned();
    }
    label.chars().take(ROOM - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::Chart;

    #[test]
    fn bars_are_in_proportion_and_what_has_no_room_is_summed_up() {
        let values = (0..12).map(|n| (format!("v{n}"), 100 - n)).collect();
        let chart = Chart::new("t", "records", values, |value| format!("/x?v={value}"));
        assert_eq!((chart.bars.len(), chart.height), (9, 198));
        let last = chart.bars.last().unwrap();
        assert_eq!((last.label.as_str(), last.n, last.to.is_none()), ("others", 92 + 91 + 90 + 89, true));
        assert!(chart.bars.iter().all(|bar| bar.width <= last.width && bar.width >= 1));
        assert_eq!(Chart::new("t", "records", Vec::new(), str::to_owned).bars.len(), 0);
    }
}
