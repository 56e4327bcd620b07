//! The report as a page for people, one HTML file that needs no network. A run writes its own, with all that its live
//! page had; this is for reports that were read back.

pub(super) use super::super::page::write;
