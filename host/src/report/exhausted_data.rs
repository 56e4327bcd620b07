//! The table's lines about data sets that had no row left for some user.

use super::format::grouped;
use super::model::ExhaustedDataSet;

/// Renders a line for each data set.
pub(super) fn lines(ends: &[ExhaustedDataSet]) -> String {
    let line = |end: &ExhaustedDataSet| {
        let users = if end.users == 1 { "1 user".into() } else { format!("{} users", grouped(end.users.into())) };
        let rows = if end.rows == 1 { "its only row".into() } else { format!("its {} rows", grouped(end.rows)) };
        format!("Data set `{}` ran out: {users} ended, for whom nothing of {rows} was left.\n", end.name)
    };
    ends.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_names_users_and_rows() {
        let end = |rows, users| ExhaustedDataSet { name: "ids".into(), rows, users };
        let expected = "Data set `ids` ran out: 12 users ended, for whom nothing of its 999 rows was left.\n\
                        Data set `ids` ran out: 1 user ended, for whom nothing of its only row was left.\n";
        assert_eq!(lines(&[end(999, 12), end(1, 1)]), expected);
    }
}
