//! How operations of the Frontend API are offered.

use db::Mode;
use wire::{Endpoint, Method, decode};

use super::{
    answer::{Show, encode, finish, tells_client},
    client_state,
};
use crate::{
    Answer, Cx, Error, Handler, Operation, Operations, Outside, Result,
    cx::{Output, Work, outcome},
    operations::Running,
};

impl Operations {
    /// Offers the endpoint whose request `function` takes, in one transaction. `GET` reads.
    ///
    /// What the function returns is the response, or what [`Show`] makes it of afterwards.
    #[must_use]
    pub(crate) fn offer_visitor<E: Endpoint, O: Show<E::Response>>(
        mut self,
        function: impl for<'cx> Handler<&'cx mut Cx, E, O>,
    ) -> Self {
        let run = move |outside: Outside, parts| -> Running {
            let work = decode::<E>(parts);
            let work = work.map(|request| erase(function, request, tells_client(&E::META)));
            Box::pin(visit(outside, E::META, work.map_err(Error::from), show::<E::Response, O>))
        };
        self.0.push(Operation { meta: E::META, run: Box::new(run) });
        self
    }

    /// Offers an endpoint with slow parts: `function` holds no transaction, and runs its own.
    #[must_use]
    pub(crate) fn offer_visitor_outside<E: Endpoint, O: Show<E::Response>>(
        mut self,
        function: impl for<'o> Handler<&'o Outside, E, O>,
    ) -> Self {
        let run = move |outside: Outside, parts| -> Running {
            let request = decode::<E>(parts);
            Box::pin(async move {
                let output = match request {
                    Ok(request) => function.call(&outside, request).await,
                    Err(refusal) => Err(refusal.into()),
                };
                let response = output.and_then(|output| {
                    let response: E::Response = output.show(&outside)?;
                    encode(&response)
                });
                finish(&outside, &E::META, response).await
            })
        };
        self.0.push(Operation { meta: E::META, run: Box::new(run) });
        self
    }
}

/// `function` on a copy of `input`, and then the client as it left it.
fn erase<I, O>(
    function: impl for<'cx> Handler<&'cx mut Cx, I, O>,
    input: I,
    tells_client: bool,
) -> Work
where
    I: Clone + Send + 'static,
    O: Send + 'static,
{
    Box::new(move |mut cx| {
        let input = input.clone();
        Box::pin(async move {
            let outcome = outcome(function.call(&mut cx, input).await)?;
            if tells_client && outcome.is_ok() {
                cx.reply.visit.state = client_state::read(&mut cx, ()).await?.map(Box::new);
            }
            Ok((outcome, cx.reply))
        })
    })
}

/// All that need not be compiled once per operation.
async fn visit(
    outside: Outside,
    meta: wire::Meta,
    work: Result<Work>,
    show: fn(Output, &Outside) -> Result<Vec<u8>>,
) -> Result<Answer> {
    let mode = if meta.method == Method::GET { Mode::Read } else { Mode::Write };
    let response = match work {
        Ok(work) => outside.run_erased(mode, work).await.and_then(|(output, reply)| {
            outside.with_reply(|all| all.add(reply));
            show(output, &outside)
        }),
        Err(error) => Err(error),
    };
    finish(&outside, &meta, response).await
}

fn show<R: serde::Serialize, O: Show<R>>(output: Output, outside: &Outside) -> Result<Vec<u8>> {
    let output = output.downcast::<O>().map_err(|_| Error::Broken("another type".into()))?;
    let response: R = Show::<R>::show(*output, outside)?;
    encode(&response)
}
