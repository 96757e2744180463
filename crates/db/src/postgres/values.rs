//! Values and errors, translated.

use bytes::BytesMut;
use tokio_postgres::{
    error::SqlState,
    types::{FromSql, IsNull, ToSql, Type, to_sql_checked},
};

use crate::{Error, Row, Value};

type Translated<T> = std::result::Result<T, Box<dyn std::error::Error + Sync + Send>>;

pub(super) fn read(row: &tokio_postgres::Row) -> Result<Row, tokio_postgres::Error> {
    let values: Result<Vec<_>, _> = (0..row.len()).map(|index| row.try_get(index)).collect();
    Ok(Row(values?.into_iter()))
}

/// True if the server asks for the transaction to be run again.
pub(super) fn is_conflict(error: &tokio_postgres::Error) -> bool {
    error.code().is_some_and(|code| {
        [SqlState::T_R_SERIALIZATION_FAILURE, SqlState::T_R_DEADLOCK_DETECTED].contains(code)
    })
}

/// True if the connection is of no more use.
pub(super) fn is_gone(error: &tokio_postgres::Error) -> bool {
    let known = [
        SqlState::ADMIN_SHUTDOWN,
        SqlState::CRASH_SHUTDOWN,
        SqlState::CANNOT_CONNECT_NOW,
        SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
        SqlState::CONNECTION_FAILURE,
    ];
    let io =
        std::error::Error::source(error).is_some_and(<dyn std::error::Error>::is::<std::io::Error>);
    io || error.is_closed() || error.code().is_some_and(|code| known.contains(code))
}

impl ToSql for Value {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Translated<IsNull> {
        match (self, ty) {
            (Self::Null, _) => Ok(IsNull::Yes),
            (Self::Int(value), &Type::INT8) => value.to_sql(ty, out),
            (Self::Text(value), &(Type::TEXT | Type::VARCHAR)) => value.to_sql(ty, out),
            (Self::Bool(value), &Type::BOOL) => value.to_sql(ty, out),
            (Self::Bytes(value), &Type::BYTEA) => value.to_sql(ty, out),
            _ => Err(format!("a value does not fit a placeholder of type {ty}").into()),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

impl<'a> FromSql<'a> for Value {
    fn from_sql(ty: &Type, raw: &'a [u8]) -> Translated<Self> {
        Ok(match *ty {
            Type::INT8 => Self::Int(i64::from_sql(ty, raw)?),
            Type::INT4 => Self::Int(i32::from_sql(ty, raw)?.into()),
            Type::BOOL => Self::Bool(bool::from_sql(ty, raw)?),
            Type::BYTEA => Self::Bytes(Vec::from_sql(ty, raw)?),
            _ => Self::Text(String::from_sql(ty, raw)?),
        })
    }

    fn from_sql_null(_: &Type) -> Translated<Self> {
        Ok(Self::Null)
    }

    fn accepts(ty: &Type) -> bool {
        let text = [Type::TEXT, Type::VARCHAR, Type::NAME];
        text.contains(ty) || [Type::INT8, Type::INT4, Type::BOOL, Type::BYTEA].contains(ty)
    }
}

impl From<tokio_postgres::Error> for Error {
    fn from(error: tokio_postgres::Error) -> Self {
        match error.as_db_error() {
            Some(known) if known.code() == &SqlState::UNIQUE_VIOLATION => {
                let columns = known.detail().and_then(|text| text.split(")=").next());
                let column = columns.unwrap_or_default().rsplit([' ', '(']).next();
                // Words of SQL's own come in quotes.
                let column = column.unwrap_or_default().trim_matches('"');
                Self::Taken {
                    table: known.table().unwrap_or_default().to_owned(),
                    column: column.to_owned(),
                }
            }
            Some(_) if is_conflict(&error) => Self::Conflict,
            _ if is_gone(&error) => Self::Unavailable(error.to_string()),
            _ => Self::Driver(error.into()),
        }
    }
}
