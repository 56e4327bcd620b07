//! Values that a plugin keeps for each user from one task to the next, such as an open socket or a session number.
//!
//! The SDK drops a user's values when the host announces that the user is gone: an action needs no code for that.

use std::any::Any;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use crate::bindings::user;
use crate::{Task, UserId};

/// A value for each user who has one. Create it in [`Action::configure`](crate::Action::configure) and keep it in the
/// action.
///
/// To use a value across an `await`, [take](PerUser::take) it out and [put](PerUser::put) it back: if the task fails or
/// times out in between, the value is dropped, and the next task begins without one. A user does one task at a time,
/// unless the script runs several at once (`parallel`); another of them that runs meanwhile finds no value.
///
/// ```
/// # use stampede_plugin::{ConfigError, Outcome, PerUser, Task};
/// # use stampede_plugin::socket::{Address, Socket};
/// struct Ask {
///     address: Address,
///     sockets: PerUser<Socket>,
/// }
///
/// impl Ask {
///     async fn run(&self, task: &Task) -> Outcome {
///         let socket = match self.sockets.take(task) {
///             Some(socket) => socket,
///             None => Socket::connect(task, &self.address).await?,
///         };
///         socket.write(task, b"how are you?\n").await?;
///         socket.read_until(task, b"\n", 80).await?;
///         self.sockets.put(task, socket);
///         Ok(())
///     }
/// }
/// ```
pub struct PerUser<T: 'static>(Rc<Values<T>>);

/// A tree, because a hash map would ask the host for a random seed.
type Values<T> = RefCell<BTreeMap<UserId, T>>;

/// Values with their type erased.
trait Forget {
    /// Drops the value of a user.
    fn forget_user(&self, user: UserId);
}

impl<T> Forget for Values<T> {
    fn forget_user(&self, user: UserId) {
        // Dropped where nothing is borrowed: a value's `drop` may come back here.
        let gone = self.borrow_mut().remove(&user);
        drop(gone);
    }
}

/// All values of the instance.
struct Registry {
    /// Every `PerUser`, to drop the values of a user who is gone.
    forget: Vec<Rc<dyn Forget>>,
    /// The shared ones, one for each type.
    shared: Vec<Rc<dyn Any>>,
}

impl Registry {
    const NEW: Self = Self { forget: Vec::new(), shared: Vec::new() };
}

thread_local! {
    /// Steps last as long as the instance, and so do their values.
    static REGISTRY: RefCell<Registry> = const { RefCell::new(Registry::NEW) };
}

impl<T: 'static> PerUser<T> {
    /// Creates values of this step only.
    #[allow(clippy::new_without_default, reason = "each one is kept until the instance ends, which a default hides")]
    pub fn new() -> Self {
        let values = Rc::new(Values::<T>::default());
        REGISTRY.with_borrow_mut(|all| all.forget.push(Rc::<Values<T>>::clone(&values)));
        Self(values)
    }

    /// Returns the values of this type that all steps of the plugin share, so that one action opens a connection that
    /// another uses. Give them a type of your own, so that they are not mixed up with others.
    pub fn shared() -> Self {
        let known = REGISTRY.with_borrow(|all| all.shared.iter().find_map(|values| Rc::clone(values).downcast().ok()));
        known.map_or_else(
            || {
                let new = Self::new();
                REGISTRY.with_borrow_mut(|all| all.shared.push(Rc::<Values<T>>::clone(&new.0)));
                new
            },
            Self,
        )
    }

    /// Takes the value of the task's user out, if there is one.
    pub fn take(&self, _task: &Task) -> Option<T> {
        self.0.borrow_mut().remove(&user::id())
    }

    /// Keeps a value for the task's user, and drops the one that it replaces.
    pub fn put(&self, _task: &Task, value: T) {
        let replaced = self.0.borrow_mut().insert(user::id(), value);
        drop(replaced);
    }

    /// Reads or changes the value of the task's user, which begins as the default. `look` must not use these values
    /// again: that panics.
    pub fn with<R>(&self, _task: &Task, look: impl FnOnce(&mut T) -> R) -> R
    where
        T: Default,
    {
        look(self.0.borrow_mut().entry(user::id()).or_default())
    }
}

/// Drops the values of a user.
pub(crate) fn forget_user(user: UserId) {
    let all = REGISTRY.with_borrow(|all| all.forget.clone());
    all.iter().for_each(|values| values.forget_user(user));
}

/// Drops all values, to begin like a new instance.
#[cfg(not(target_arch = "wasm32"))]
pub(crate) fn reset() {
    let old = REGISTRY.replace(Registry::NEW);
    drop(old);
}
