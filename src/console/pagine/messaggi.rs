//! The messages, searched.

use actix_web::HttpResponse;
use askama::Template;

use super::Cornice;
use crate::console::{Domanda, Fallo};

pub(super) async fn page(_: &Domanda<'_>) -> Result<HttpResponse, Fallo> {
    Err(Fallo::NonCe)
}
pub(super) async fn by_person(_: &Domanda<'_>) -> Result<HttpResponse, Fallo> {
    Err(Fallo::NonCe)
}
pub(super) async fn keep(_: &Domanda<'_>) -> Result<HttpResponse, Fallo> {
    Err(Fallo::NonCe)
}
pub(super) async fn forget(_: &Domanda<'_>) -> Result<HttpResponse, Fallo> {
    Err(Fallo::NonCe)
}
pub(super) async fn export(_: &Domanda<'_>) -> Result<HttpResponse, Fallo> {
    Err(Fallo::NonCe)
}
