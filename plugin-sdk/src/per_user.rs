//! What a plugin keeps for each user from one task to the next, such as an open socket or a session number.
//!
//! When the host says that a user is gone, the SDK drops what was kept for it: there is nothing to remember to do.

use std::any::Any;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use crate::bindings::user;
use crate::{Task, UserId};

/// A value for each user who has one. Made in [`Action::configure`](crate::Action::configure) and kept in the action.
///
/// A value that is needed across an `await` is [taken](PerUser::take) out and [put](PerUser::put) back: if the task fails or
/// times out in between, the value is dropped, and the next task begins without. A user does one task at a time, unless the
/// script has it do several at once (`parallel`); another of them that comes meanwhile finds none.
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

/// A tree and no hash map, which would ask the host for a random seed.
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

/// All that there is, for when a user is gone.
struct All {
    forget: Vec<Rc<dyn Forget>>,
    /// Those that are one for each type.
    shared: Vec<Rc<dyn Any>>,
}

impl All {
    const NEW: Self = Self { forget: Vec::new(), shared: Vec::new() };
}

thread_local! {
    /// Steps live as long as the instance, and so does what they keep.
    static ALL: RefCell<All> = const { RefCell::new(All::NEW) };
}

impl<T: 'static> PerUser<T> {
    /// One of this step alone.
    #[allow(clippy::new_without_default, reason = "each one is kept until the instance ends, which a default hides")]
    pub fn new() -> Self {
        let values = Rc::new(Values::<T>::default());
        ALL.with_borrow_mut(|all| all.forget.push(Rc::<Values<T>>::clone(&values)));
        Self(values)
    }

    /// The one of this type that all steps of the plugin share, so that one action opens what another uses. Give it a
    /// type of your own, so that it is not mistaken for another.
    pub fn shared() -> Self {
        let known = ALL.with_borrow(|all| all.shared.iter().find_map(|values| Rc::clone(values).downcast().ok()));
        known.map_or_else(
            || {
                let new = Self::new();
                ALL.with_borrow_mut(|all| all.shared.push(Rc::<Values<T>>::clone(&new.0)));
                new
            },
            Self,
        )
    }

    /// Takes the value of the task's user out, if there is one.
    pub fn take(&self, _task: &Task) -> Option<T> {
        self.0.borrow_mut().remove(&user::id())
    }

    /// Keeps a value for the task's user in place of the one there was.
    pub fn put(&self, _task: &Task, value: T) {
        let replaced = self.0.borrow_mut().insert(user::id(), value);
        drop(replaced);
    }

    /// Looks at, or changes, the value of the task's user, which begins as the default. What `look` does must not come
    /// back to the same values.
    pub fn with<R>(&self, _task: &Task, look: impl FnOnce(&mut T) -> R) -> R
    where
        T: Default,
    {
        look(self.0.borrow_mut().entry(user::id()).or_default())
    }
}

/// Drops what was kept for a user.
pub(crate) fn forget_user(user: UserId) {
    let all = ALL.with_borrow(|all| all.forget.clone());
    all.iter().for_each(|values| values.forget_user(user));
}

/// Forgets all values, as a new instance would.
#[cfg(not(target_arch = "wasm32"))]
pub(crate) fn reset() {
    let old = ALL.replace(All::NEW);
    drop(old);
}
