//! One folder per system, one list.
