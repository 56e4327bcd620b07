//! Tests that need the whole crate: the schema, and the format of a deadline.

use std::time::Duration;

use stampede_plugin::testing::written_schema;

use crate::{Grpc, timeout};

#[test]
fn a_deadline_is_sent_with_eight_digits_at_most() {
    for (deadline, text) in [
        (Duration::from_micros(10), "1m"),
        (Duration::from_millis(1500), "1500m"),
        (Duration::from_secs(200_000), "200000S"),
        (Duration::MAX, "99999999S"),
    ] {
        assert_eq!(timeout(deadline), text);
    }
}

#[test]
fn the_written_schema_is_that_of_the_parameters() {
    written_schema::<Grpc>("schema/grpc.json");
}
