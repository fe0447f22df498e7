//! Pure document to document work: look-ups, totals, rounding, order mapping.
