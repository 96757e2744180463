//! Connections, and the statements on them.

use std::{
    collections::HashMap,
    future::poll_fn,
    pin::Pin,
    sync::{Arc, Mutex},
    task::Poll,
};

use tokio_postgres::{Client, Statement as Prepared, error::SqlState, types::ToSql};

use super::{
    Postgres, READ,
    values::{is_conflict, is_gone, read},
};
use crate::{Error, Result, Row, Statement, Value, unit::lock};

/// Statements a connection remembers.
const STATEMENTS_MAX: usize = 512;

type Answer<T> = std::result::Result<T, tokio_postgres::Error>;
type Sent<'c> = Pin<Box<dyn Future<Output = Answer<Vec<tokio_postgres::Row>>> + Send + 'c>>;

pub(super) struct Connection {
    pub(super) client: Client,
    statements: Mutex<HashMap<String, Prepared>>,
}

/// A connection, lent to one unit, or to one statement of each of many.
pub(crate) struct Session {
    pub(super) connection: Arc<Connection>,
    unit: &'static str,
    way: Way,
    state: Mutex<State>,
}

enum Way {
    /// Begun by this statement, which is sent together with the first one.
    Lent(&'static str),
    /// No transaction; a batch borrows a connection there.
    Shared(Arc<Postgres>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Fresh,
    Begun,
    /// A statement failed; those after it do too.
    Failed,
    /// Another transaction was in the way: run the unit again.
    Again,
    /// The connection is gone before the commit: run the unit again.
    Gone,
    /// A second statement on a shared connection: run the unit again, in a snapshot.
    Snapshot,
}

impl Session {
    pub(super) fn lent(
        connection: Arc<Connection>,
        unit: &'static str,
        begin: &'static str,
    ) -> Arc<Self> {
        let state = Mutex::new(State::Fresh);
        Arc::new(Self { connection, unit, way: Way::Lent(begin), state })
    }

    pub(super) fn shared(
        connection: Arc<Connection>,
        unit: &'static str,
        pool: Arc<Postgres>,
    ) -> Arc<Self> {
        let state = Mutex::new(State::Fresh);
        Arc::new(Self { connection, unit, way: Way::Shared(pool), state })
    }

    pub(super) fn state(&self) -> State {
        *lock(&self.state)
    }

    /// Notes that the unit asked for what is refused.
    pub(crate) fn fail(&self) {
        let mut state = lock(&self.state);
        if matches!(*state, State::Fresh | State::Begun) {
            *state = State::Failed;
        }
    }

    /// A statement of the unit.
    pub(crate) async fn rows(&self, sql: &str, values: &[Value]) -> Result<Vec<Row>> {
        let begin = self.enter()?;
        let rows = self.connection.query(begin, sql, values).await;
        rows.map_err(|error| self.note(error))
    }

    /// Several statements of the unit, sent together.
    pub(crate) async fn batch(&self, statements: &[Statement]) -> Result<Vec<Vec<Row>>> {
        if statements.is_empty() {
            return Ok(Vec::new());
        }
        let begin = self.enter()?;
        if let (Way::Shared(pool), [_, _, ..]) = (&self.way, statements) {
            return self.batch_apart(pool, statements).await;
        }
        let rows = self.connection.pipeline(begin, statements, None).await;
        rows.map_err(|error| self.note(error))
    }

    /// A batch that is all the unit does: its snapshot begins and ends in the same round trip.
    async fn batch_apart(
        &self,
        pool: &Arc<Postgres>,
        statements: &[Statement],
    ) -> Result<Vec<Vec<Row>>> {
        let borrowed = pool.borrow().await;
        let (connection, _permit) = borrowed.inspect_err(|_| self.fail())?;
        let rows = connection.pipeline(Some(READ), statements, Some("commit")).await;
        // After a failed statement the commit was a rollback.
        if !connection.client.is_closed() {
            lock(&pool.resting).push(connection);
        }
        rows.map_err(|error| self.note(error))
    }

    fn note(&self, error: tokio_postgres::Error) -> Error {
        let gone = self.connection.client.is_closed() || is_gone(&error);
        let conflict = is_conflict(&error);
        let timed_out = error.code() == Some(&SqlState::QUERY_CANCELED)
            || error.code() == Some(&SqlState::LOCK_NOT_AVAILABLE);
        let error = if timed_out { Error::TimedOut(self.unit) } else { error.into() };
        *lock(&self.state) = match () {
            () if gone => State::Gone,
            () if conflict || error.is_position() => State::Again,
            () => State::Failed,
        };
        error
    }

    /// Notes a statement; the first one of a transaction is sent together with its beginning.
    fn enter(&self) -> Result<Option<&'static str>> {
        let mut state = lock(&self.state);
        match (*state, &self.way) {
            (State::Fresh, way) => {
                *state = State::Begun;
                match way {
                    Way::Lent(begin) => Ok(Some(begin)),
                    Way::Shared(_) => Ok(None),
                }
            }
            (State::Begun, Way::Lent(_)) => Ok(None),
            (State::Begun | State::Snapshot, _) => {
                *state = State::Snapshot;
                Err(Error::Conflict)
            }
            (State::Failed, _) => Err(Error::Unit("a statement after one that failed".to_owned())),
            (State::Again | State::Gone, _) => Err(Error::Conflict),
        }
    }
}

impl Connection {
    pub(super) fn new(client: Client) -> Self {
        Self { client, statements: Mutex::default() }
    }

    async fn query(&self, begin: Option<&str>, sql: &str, values: &[Value]) -> Answer<Vec<Row>> {
        let statement = self.statement(sql).await?;
        let values = parameters(values);
        let query = self.client.query(&statement, &values);
        let rows = match begin {
            Some(begin) => {
                let (started, rows) = tokio::join!(biased; self.client.batch_execute(begin), query);
                started.and(rows)?
            }
            None => query.await?,
        };
        rows.iter().map(read).collect()
    }

    /// Sends all of it before the first answer comes.
    pub(super) async fn pipeline(
        &self,
        begin: Option<&str>,
        statements: &[Statement],
        end: Option<&str>,
    ) -> Answer<Vec<Vec<Row>>> {
        let mut prepared = Vec::with_capacity(statements.len());
        for Statement { sql, values } in statements {
            prepared.push((self.statement(sql).await?, parameters(values)));
        }
        let begins = usize::from(begin.is_some());
        let mut sent: Vec<Sent<'_>> = Vec::with_capacity(statements.len() + 2);
        sent.extend(begin.map(|begin| self.command(begin)));
        for (statement, values) in &prepared {
            sent.push(Box::pin(self.client.query(statement, values)));
        }
        sent.extend(end.map(|end| self.command(end)));
        let answers = in_order(sent).await.into_iter().collect::<Answer<Vec<_>>>()?;
        let found = answers.iter().skip(begins).take(statements.len());
        found.map(|rows| rows.iter().map(read).collect()).collect()
    }

    fn command<'c>(&'c self, sql: &'c str) -> Sent<'c> {
        Box::pin(async move { self.client.batch_execute(sql).await.map(|()| Vec::new()) })
    }

    async fn statement(&self, sql: &str) -> Answer<Prepared> {
        if let Some(statement) = lock(&self.statements).get(sql) {
            return Ok(statement.clone());
        }
        let statement = self.client.prepare(sql).await?;
        let mut statements = lock(&self.statements);
        if statements.len() >= STATEMENTS_MAX {
            let any = statements.keys().next().cloned().unwrap_or_default();
            statements.remove(&any);
        }
        statements.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }
}

fn parameters(values: &[Value]) -> Vec<&(dyn ToSql + Sync)> {
    values.iter().map(|value| value as &(dyn ToSql + Sync)).collect()
}

/// Polls them from the first to the last, so that they are sent in this order; waits for all.
async fn in_order(mut sent: Vec<Sent<'_>>) -> Vec<Answer<Vec<tokio_postgres::Row>>> {
    let mut answers: Vec<_> = sent.iter().map(|_| None).collect();
    poll_fn(|context| {
        for (future, answer) in sent.iter_mut().zip(&mut answers) {
            if answer.is_none()
                && let Poll::Ready(done) = future.as_mut().poll(context)
            {
                *answer = Some(done);
            }
        }
        if answers.iter().all(Option::is_some) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    answers.into_iter().flatten().collect()
}
