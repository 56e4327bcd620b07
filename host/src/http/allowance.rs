//! The bytes of content that a task may still hold.

use std::cell::Cell;
use std::rc::Rc;

/// Bytes of content that may still be kept, counted over all replies of a task together.
pub(crate) type Allowance = Rc<Cell<usize>>;
