//! Parameters: what a value of each type looks like before it is one.
//!
//! The shapes let client and server say which parameter is wrong, and how, before any type is
//! built from the whole.

use serde_json::{Map, Value};

use crate::{Id, Patch, Timestamp};

/// One parameter of an operation.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Its name, as it travels.
    pub name: &'static str,
    /// True if a request without it is refused.
    pub required: bool,
    /// True if it may be `null`.
    pub nullable: bool,
    /// What its values look like.
    pub shape: Shape,
}

/// What values look like, in JSON or as text.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    /// Text without NUL characters.
    Text,
    /// A whole number within bounds, both included.
    Integer { min: i64, max: i64 },
    /// Any number.
    Number,
    /// `true` or `false`.
    Boolean,
    /// An object of the caller's own making.
    Object,
    /// Anything.
    Any,
    /// An array; in a query the parameter is repeated.
    List(&'static Self),
    /// An object with these parameters.
    Fields(&'static [Field]),
}

/// A type that parameters can have.
pub trait Param {
    /// What its values look like.
    const SHAPE: Shape;
    /// True if it may be absent.
    const OPTIONAL: bool = false;
    /// True if it may be `null`.
    const NULLABLE: bool = false;
}

/// The declaration of a parameter of type `P`.
pub const fn field<P: Param>(name: &'static str) -> Field {
    Field { name, required: !P::OPTIONAL, nullable: P::NULLABLE, shape: P::SHAPE }
}

const WHOLE: Shape = Shape::Integer { min: i64::MIN, max: i64::MAX };

impl Param for String {
    const SHAPE: Shape = Shape::Text;
}

impl<K> Param for Id<K> {
    const SHAPE: Shape = Shape::Text;
}

impl Param for bool {
    const SHAPE: Shape = Shape::Boolean;
}

impl Param for i64 {
    const SHAPE: Shape = WHOLE;
}

impl Param for u32 {
    const SHAPE: Shape = Shape::Integer { min: 0, max: 4_294_967_295 };
}

/// Milliseconds since 1970, not before it and not after the year 9999.
impl Param for Timestamp {
    const SHAPE: Shape = Shape::Integer { min: 0, max: 253_402_300_799_999 };
}

impl Param for Value {
    const SHAPE: Shape = Shape::Any;
}

impl Param for Map<String, Value> {
    const SHAPE: Shape = Shape::Object;
}

impl<T: Param> Param for Option<T> {
    const SHAPE: Shape = T::SHAPE;
    const OPTIONAL: bool = true;
}

impl<T: Param> Param for Patch<T> {
    const SHAPE: Shape = T::SHAPE;
    const OPTIONAL: bool = true;
    const NULLABLE: bool = true;
}

impl<T: Param> Param for Vec<T> {
    const SHAPE: Shape = Shape::List(&T::SHAPE);
    const OPTIONAL: bool = true;
}
