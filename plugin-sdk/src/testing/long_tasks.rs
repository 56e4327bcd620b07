//! The imports of tasks that last, answered by the fake: exchanges in rows of their own, and the end of the user's
//! time.

/// Exchanges in rows, whose content arrives evenly between the head and the end of the reply.
pub(crate) mod transfers {
    use std::hash::{DefaultHasher, Hash, Hasher};

    use super::super::record::TransferRecord;
    use super::super::state::{FakeRow, OperationKind, State, in_task, number, with};
    use crate::bindings::http_types::DynamicRequest;
    use crate::bindings::transfer_types::{RowTimes, TransferProgress, TransferTimes};
    use crate::testing::Reply;

    pub(crate) fn define_row(name: &str, times: RowTimes) -> Result<u32, String> {
        let ends_well = name.starts_with(|c: char| c.is_ascii_alphanumeric())
            && name.ends_with(|c: char| c.is_ascii_alphanumeric());
        let is_part = |c: char| c.is_ascii_alphanumeric() || "_-. ".contains(c);
        if !ends_well || !name.chars().all(is_part) || name.len() > 64 {
            return Err(format!("`{name}` is not a valid name of a row"));
        }
        with(|state| {
            assert!(!state.in_task, "rows are defined while a step is configured, not in a task");
            match state.rows.iter().position(|row| row.name == name) {
                Some(at) if state.rows[at].times == times => Ok(number(at)),
                Some(_) => Err(format!("the row `{name}` is defined with other times")),
                None => {
                    state.rows.push(FakeRow { name: name.to_owned(), times });
                    Ok(number(state.rows.len() - 1))
                }
            }
        })
    }

    pub(crate) fn begin(request: &DynamicRequest, row: u32) -> u32 {
        let sent = super::super::imports::http::dynamic(request);
        in_task(|state| {
            let (url, row) = (sent.url.clone(), state.rows[row as usize].name.clone());
            let operation = state.send(sent);
            state.transfers.push((operation, TransferRecord { url, row, is_left: false }));
            operation
        })
    }

    pub(crate) fn progress(exchange: u32) -> TransferProgress {
        in_task(|state| {
            let (now, reply, times) = exchange_of(state, exchange);
            let is_headed = reply.outcome.is_ok() && now >= times.headed;
            let (length, total) = (reply.body.len() as u64, times.end - times.headed);
            let content = match now.saturating_sub(times.headed) {
                _ if !is_headed => 0,
                passed if passed >= total => length,
                passed => (u128::from(length) * u128::from(passed) / u128::from(total)) as u64,
            };
            TransferProgress { headed: is_headed.then_some(times.headed), content }
        })
    }

    pub(crate) fn times(exchange: u32) -> TransferTimes {
        in_task(|state| {
            state.announced(exchange);
            exchange_of(state, exchange).2
        })
    }

    pub(crate) fn fingerprint(exchange: u32) -> u64 {
        in_task(|state| {
            assert!(is_transfer(state, exchange), "only an exchange that `begin` submitted has a fingerprint");
            let (reply, keeps_body) = state.reply(exchange);
            if !keeps_body || reply.body.is_empty() || reply.outcome.is_err() {
                return 0;
            }
            let mut hasher = DefaultHasher::new();
            reply.body.hash(&mut hasher);
            hasher.finish()
        })
    }

    pub(crate) fn leave(exchange: u32, row: u32) {
        in_task(|state| {
            exchange_of(state, exchange);
            let row = state.rows[row as usize].name.clone();
            let is_left = state.give_up_quietly(exchange);
            let known = state.transfers.iter_mut().find(|(known, _)| *known == exchange);
            if let Some((_, record)) = known.filter(|_| is_left) {
                (record.row, record.is_left) = (row, true);
            }
        });
    }

    fn is_transfer(state: &State, exchange: u32) -> bool {
        state.transfers.iter().any(|(known, _)| *known == exchange)
    }

    /// Returns the time, the reply of an exchange and its times.
    fn exchange_of(state: &mut State, exchange: u32) -> (u64, &Reply, TransferTimes) {
        let now = state.now;
        let operation = state.operation(exchange);
        let (start, end) = (operation.submitted, operation.due);
        let OperationKind::Exchange(reply, _) = &operation.kind else { panic!("that operation is not an exchange") };
        let wait = reply.head_after.map_or(end - start, |wait| wait.as_nanos() as u64);
        (now, reply, TransferTimes { start, headed: (start + wait).min(end), end, fresh: false })
    }
}

/// The lifetime of tasks, which is recorded, and the end of the user's time, which the test chooses.
pub(crate) mod lifetime {
    use std::time::Duration;

    use super::super::state::{in_task, with};

    pub(crate) fn lasts(nanoseconds: u64) {
        with(|state| {
            assert!(!state.in_task, "a lifetime is declared while a step is configured, not in a task");
            state.declared.lasts = Some(Duration::from_nanos(nanoseconds));
        });
    }

    pub(crate) fn connections(most: u16) {
        with(|state| {
            assert!(!state.in_task, "connections are declared while a step is configured, not in a task");
            state.declared.connections = Some(most);
        });
    }

    pub(crate) fn ending() -> u32 {
        in_task(super::super::state::State::wait_for_ending)
    }
}
