//! Arc tables: evaluation, matrix and DOT printing.
