//! The rules that all prestazioni share.
