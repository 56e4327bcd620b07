//! Asks for the user's number while it describes itself, when there is no user.

use stampede_guests::{Misbehaviour, guest, user};

/// The guest.
pub struct UserWhileDescribed;

impl Misbehaviour for UserWhileDescribed {
    fn describing() {
        user::id();
    }
}

guest!(UserWhileDescribed);
