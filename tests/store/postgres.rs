//! The story on PostgreSQL, and what is promised of a database that others share.

use crate::banco::Banco;

crate::story::stories!(Banco::postgres);
