//! Asks who the user is while it is asked what it is, when there is none.

use stampede_guests::{Misbehaviour, guest, user};

/// The guest.
pub struct UserWhileDescribed;

impl Misbehaviour for UserWhileDescribed {
    fn describing() {
        user::id();
    }
}

guest!(UserWhileDescribed);
