//! The rows below steps. They are defined while steps are configured: first when the script is checked, which builds
//! the list and gives each row its place below its step, then in every instance, which looks its rows up.

use super::limits;
use crate::metrics::aggregate::{RowInfo, RowPart, WHAT};
use crate::metrics::sample::RowId;

/// The rows below the steps of a run.
#[derive(Debug)]
pub enum RowRegistry {
    /// The rows that were defined so far. Steps have the numbers of their drafts.
    Open(Vec<RowPart>),
    /// All rows of a checked script, to which none can be added.
    Frozen(Vec<RowInfo>),
}

impl Default for RowRegistry {
    fn default() -> Self {
        Self::Open(Vec::new())
    }
}

impl RowRegistry {
    /// Returns the number of a row below a step, adding the row if it is new.
    ///
    /// # Errors
    /// A message for the user: the name is malformed or has other times already, or a limit is exceeded.
    pub fn define(&mut self, wanted: RowPart) -> Result<RowId, String> {
        let (is_by_design, what) = (wanted.is_by_design, wanted.what.clone());
        let (row, known) = match self {
            Self::Open(parts) => {
                let position = parts.iter().position(|part| (part.of, &part.what) == (wanted.of, &wanted.what));
                let position = match position {
                    Some(position) => position,
                    None => add(parts, wanted)?,
                };
                (position, &parts[position])
            }
            Self::Frozen(rows) => {
                let fits = |part: &RowPart| (part.of, &part.what) == (wanted.of, &wanted.what);
                let mut parts = rows.iter().enumerate().filter_map(|(row, info)| Some((row, info.part.as_ref()?)));
                let found = parts.find(|(_, part)| fits(part));
                found.ok_or_else(|| format!("the row `{what}` was not defined when the script was checked"))?
            }
        };
        if known.is_by_design != is_by_design {
            let times = if known.is_by_design { "are by design" } else { "are counted" };
            return Err(format!("the times of the row `{what}` {times} already"));
        }
        Ok(row as RowId)
    }

    /// Returns the rows of the report: each of these rows of steps, and directly below it those that were defined.
    pub fn arrange(&self, steps: Vec<RowInfo>) -> ArrangedRows {
        let Self::Open(parts) = self else { return ArrangedRows { rows: steps, of_steps: Vec::new() } };
        let mut arranged = ArrangedRows { rows: Vec::with_capacity(steps.len() + parts.len()), of_steps: Vec::new() };
        for (number, step) in steps.into_iter().enumerate() {
            let row = arranged.rows.len() as RowId;
            arranged.of_steps.push(row);
            let below = parts.iter().filter(|part| usize::from(part.of) == number);
            let below: Vec<_> = below.map(|part| row_below(&step, RowPart { of: row, ..part.clone() })).collect();
            arranged.rows.push(step);
            arranged.rows.extend(below);
        }
        arranged
    }
}

/// The rows of a report in their order.
pub struct ArrangedRows {
    /// All rows.
    pub rows: Vec<RowInfo>,
    /// The row of each step.
    pub of_steps: Vec<RowId>,
}

fn add(parts: &mut Vec<RowPart>, wanted: RowPart) -> Result<usize, String> {
    if !is_name(&wanted.what) {
        return Err("a row's name has 1 to 64 letters, digits, `_`, `-`, `.` and spaces, a letter or digit first and \
                    last"
            .into());
    }
    if parts.iter().filter(|part| part.of == wanted.of).count() >= limits::ROWS_OF_STEP {
        return Err(format!("a step may have {} rows", limits::ROWS_OF_STEP));
    }
    if parts.len() >= limits::ROWS {
        return Err(format!("there may be {} rows below steps", limits::ROWS));
    }
    parts.push(wanted);
    Ok(parts.len() - 1)
}

fn is_name(text: &str) -> bool {
    let is_part = |part: u8| part.is_ascii_alphanumeric() || b"_-. ".contains(&part);
    let ends_well = text.starts_with(|first: char| first.is_ascii_alphanumeric())
        && text.ends_with(|last: char| last.is_ascii_alphanumeric());
    text.len() <= 64 && ends_well && text.bytes().all(is_part)
}

/// Returns the row below that of a step. It has the tags of the step, and its own.
fn row_below(step: &RowInfo, part: RowPart) -> RowInfo {
    RowInfo {
        scenario: step.scenario.clone(),
        name: format!("{}/{}", step.name, part.what),
        action: step.action.clone(),
        tags: step.tags.iter().filter(|(name, _)| name != WHAT).cloned().collect(),
        apdex_target: step.apdex_target.filter(|_| !part.is_by_design),
        part: Some(RowPart { step: step.name.clone(), ..part }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(of: RowId, what: &str) -> RowPart {
        RowPart { of, step: String::new(), what: what.into(), is_by_design: false }
    }

    fn step(name: &str) -> RowInfo {
        let tags = vec![("team".into(), "media".into()), (WHAT.into(), "ours".into())];
        let (name, action) = (name.to_owned(), "stream".to_owned());
        RowInfo { scenario: None, name, action, tags, apdex_target: Some(1), part: None }
    }

    #[test]
    fn rows_stand_below_their_steps_and_are_found_again() {
        let mut rows = RowRegistry::default();
        let poll = RowPart { is_by_design: true, ..part(0, "poll") };
        for (number, wanted) in [part(1, "segment"), poll.clone(), part(1, "playlist")].into_iter().enumerate() {
            assert_eq!(rows.define(wanted), Ok(number as RowId));
        }
        assert_eq!(rows.define(part(1, "segment")), Ok(0));
        let arranged = rows.arrange(vec![step("Chat"), step("Watch"), step("End")]);
        let names: Vec<_> = arranged.rows.iter().map(|row| row.name.as_str()).collect();
        assert_eq!(names, ["Chat", "Chat/poll", "Watch", "Watch/segment", "Watch/playlist", "End"]);
        assert_eq!(arranged.of_steps, [0, 2, 5]);
        let tags: Vec<_> = arranged.rows[3].all_tags().collect();
        let own = [("step", "Watch"), ("action", "stream"), ("what", "segment")];
        assert_eq!(tags, [&own[..], &[("team", "media")]].concat());
        assert_eq!(arranged.rows.iter().map(|row| row.apdex_target.is_some()).filter(|has| *has).count(), 5);
        assert_eq!(arranged.rows.iter().map(RowInfo::is_by_design).filter(|is| *is).count(), 1);
        let mut complete = RowRegistry::Frozen(arranged.rows);
        assert_eq!(complete.define(part(2, "playlist")), Ok(4));
        assert_eq!(complete.define(RowPart { of: 0, ..poll }), Ok(1));
        let error = complete.define(part(2, "init")).unwrap_err();
        assert_eq!(error, "the row `init` was not defined when the script was checked");
    }

    #[test]
    fn names_times_and_numbers_are_limited() {
        let mut rows = RowRegistry::default();
        for name in ["", " a", "a ", "a/b", "ä", "a\n", &"x".repeat(65)] {
            assert!(rows.define(part(0, name)).is_err(), "{name}");
        }
        assert_eq!(rows.define(part(0, "Audio 1_2-3.4")), Ok(0));
        let error = rows.define(RowPart { is_by_design: true, ..part(0, "Audio 1_2-3.4") }).unwrap_err();
        assert_eq!(error, "the times of the row `Audio 1_2-3.4` are counted already");
        (1..limits::ROWS_OF_STEP).for_each(|number| drop(rows.define(part(0, &number.to_string()))));
        assert_eq!(rows.define(part(0, "x")), Err("a step may have 16 rows".into()));
        let others = (limits::ROWS_OF_STEP..limits::ROWS).map(|number| (1 + number / 16, number));
        for (step, number) in others {
            assert!(rows.define(part(step as RowId, &number.to_string())).is_ok(), "{number}");
        }
        assert_eq!(rows.define(part(999, "x")), Err("there may be 1000 rows below steps".into()));
    }
}
