//! Questions that a player asks a playlist, whatever it was read from: none may panic, and the answers fit together.

use viewer_core::Playlist;

/// Asks everything that a player asks.
pub(crate) fn ask(list: &Playlist) {
    let numbers = list.numbers();
    assert!(numbers.start <= numbers.end);
    for wall in [i64::MIN, 0, 1_796_083_200_000_000, i64::MAX] {
        let window = list.window(wall);
        assert!(window.start <= window.end && window.start >= numbers.start && window.end <= numbers.end);
        let _ = list.end(wall);
    }
    for number in numbers.clone().take(50).chain([0, numbers.end.saturating_sub(1), numbers.end, u64::MAX]) {
        if let Some(segment) = list.segment(number) {
            assert!(segment.duration > 0);
            assert!(list.resource(number, 1).is_some());
            assert!(segment.init.is_none_or(|init| list.init(init, 1).is_some()));
            assert!(segment.key.is_none_or(|key| list.key(key).is_some()));
        }
        for index in 0..list.part_count(number) {
            assert!(list.part(number, index).is_some() && list.part_resource(number, index).is_some());
        }
    }
    for time in [i64::MIN, -1, 0, 1, 5_000_000, i64::MAX] {
        let number = list.number_at(time);
        assert!(number.is_none_or(|number| numbers.contains(&number)));
    }
    assert!(list.memory() > 0);
    let _ = list.hint();
}
