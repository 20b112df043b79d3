//! Tests that look at more of the store than its trait shows.

mod simulazione;
