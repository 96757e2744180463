//! Lists, page by page.

use std::{
    collections::VecDeque,
    fmt,
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll, ready},
};

use futures_core::Stream;
use wire::{Endpoint, Field, Listing, Page};

use crate::{Client, Error};

/// Items asked for at once, unless the request says how many.
const LIMIT: u64 = 100;

/// An answer that is part of a list.
///
/// ```
/// use vestry_sdk::{Items, api::Page};
///
/// let page = Page { data: vec!["a", "b"], total_count: 7 };
/// assert_eq!(page.total_count(), Some(7));
/// assert_eq!(page.into_items(), ["a", "b"]);
/// ```
pub trait Items {
    /// What the list is of.
    type Item: Send + Unpin + 'static;
    /// Length of the whole list, if the answer says.
    fn total_count(&self) -> Option<u64>;
    /// The part.
    fn into_items(self) -> Vec<Self::Item>;
}

impl<T: Send + Unpin + 'static> Items for Vec<T> {
    type Item = T;

    fn total_count(&self) -> Option<u64> {
        None
    }

    fn into_items(self) -> Self {
        self
    }
}

impl<T: Send + Unpin + 'static> Items for Page<T> {
    type Item = T;

    fn total_count(&self) -> Option<u64> {
        Some(self.total_count)
    }

    fn into_items(self) -> Vec<T> {
        self.data
    }
}

impl<T: Send + Unpin + 'static> Items for Listing<T> {
    type Item = T;

    fn total_count(&self) -> Option<u64> {
        match self {
            Self::Page(page) => Some(page.total_count),
            Self::Bare(_) => None,
        }
    }

    fn into_items(self) -> Vec<T> {
        Self::into_items(self)
    }
}

type Asking<E> = Pin<Box<dyn Future<Output = Result<<E as Endpoint>::Response, Error>> + Send>>;

/// The items of a list, one after the other; made by [`Client::pages`].
///
/// It ends after the last item, and after an error.
pub struct Pages<E: Endpoint>
where
    E::Response: Items,
{
    client: Client,
    request: serde_json::Result<serde_json::Value>,
    limit: u64,
    offset: u64,
    ended: bool,
    asking: Option<Asking<E>>,
    items: VecDeque<<E::Response as Items>::Item>,
}

impl<E: Endpoint> fmt::Debug for Pages<E>
where
    E::Response: Items,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pages").field("offset", &self.offset).finish_non_exhaustive()
    }
}

impl<E: Endpoint> Pages<E>
where
    E::Response: Items,
{
    pub(crate) fn new(client: Client, request: E) -> Self {
        const {
            assert!(has(E::META.fields, "limit"), "this list has no limit");
            assert!(has(E::META.fields, "offset"), "this list has no offset");
        }
        let request = serde_json::to_value(request);
        let number = |name| request.as_ref().ok().and_then(|fields| fields.get(name)?.as_u64());
        let (limit, offset) = (number("limit").unwrap_or(LIMIT), number("offset").unwrap_or(0));
        let (asking, items) = (None, VecDeque::new());
        Self { client, request, limit, offset, ended: false, asking, items }
    }

    /// The next item, or none after the last. The same as the stream's, for those without a
    /// crate for streams.
    pub async fn next(&mut self) -> Option<Result<<E::Response as Items>::Item, Error>> {
        poll_fn(|context| self.poll(context)).await
    }

    fn poll(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<<E::Response as Items>::Item, Error>>> {
        loop {
            if let Some(item) = self.items.pop_front() {
                return Poll::Ready(Some(Ok(item)));
            }
            if self.ended {
                return Poll::Ready(None);
            }
            if self.asking.is_none() {
                match self.ask() {
                    Ok(asking) => self.asking = Some(asking),
                    Err(error) => return self.fail(error),
                }
            }
            let Some(asking) = &mut self.asking else {
                return Poll::Ready(None);
            };
            let answer = ready!(asking.as_mut().poll(context));
            self.asking = None;
            match answer {
                Ok(response) => self.take(response),
                Err(error) => return self.fail(error),
            }
        }
    }

    fn ask(&self) -> Result<Asking<E>, Error> {
        let mut fields = match &self.request {
            Ok(fields) => fields.clone(),
            Err(error) => return Err(Error::Configuration(error.to_string())),
        };
        fields["limit"] = self.limit.into();
        fields["offset"] = self.offset.into();
        let request: E = serde_json::from_value(fields).map_err(Error::Encode)?;
        let client = self.client.clone();
        Ok(Box::pin(async move { client.send(&request).await }))
    }

    fn take(&mut self, response: E::Response) {
        let total = response.total_count();
        let items = response.into_items();
        let count = items.len() as u64;
        self.offset += count;
        // A bare list does not say how long it is, so it ends where a page is not full.
        self.ended = count == 0 || total.map_or(count < self.limit, |total| self.offset >= total);
        self.items = items.into();
    }

    fn fail<T>(&mut self, error: Error) -> Poll<Option<Result<T, Error>>> {
        self.ended = true;
        Poll::Ready(Some(Err(error)))
    }
}

impl<E: Endpoint> Stream for Pages<E>
where
    E::Response: Items,
{
    type Item = Result<<E::Response as Items>::Item, Error>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll(context)
    }
}

/// True if one of the parameters has this name; texts cannot be compared at compile time otherwise.
const fn has(fields: &[Field], name: &str) -> bool {
    let mut index = 0;
    while index < fields.len() {
        if is_same(fields[index].name.as_bytes(), name.as_bytes()) {
            return true;
        }
        index += 1;
    }
    false
}

const fn is_same(one: &[u8], other: &[u8]) -> bool {
    if one.len() != other.len() {
        return false;
    }
    let mut index = 0;
    while index < one.len() {
        if one[index] != other[index] {
            return false;
        }
        index += 1;
    }
    true
}
