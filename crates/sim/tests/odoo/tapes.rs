//! The tapes.
