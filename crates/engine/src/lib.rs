//! Observe, decide, execute, confirm: the one road of a record.
