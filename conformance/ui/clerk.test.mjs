// The official browser SDK, as a plain page loads it: what it asks for at the start, and who it says is signed in.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import { startProduction, startVestry } from '../lib/server.mjs';
import { launch, watchedPage } from './browser.mjs';

/** An app of nothing but a page, at http://localhost. */
const startApp = async (vestry, major) => {
  const script = (name, rest = '') => `<script crossorigin="anonymous" src="${vestry.frontendApiUrl}/npm/@clerk/${name}" ${rest}></script>`;
  const attributes = `data-clerk-publishable-key="${vestry.publishableKey}" data-clerk-proxy-url="${vestry.frontendApiUrl}"`;
  const scripts = major === 6
    ? script('ui@1/dist/ui.browser.js') + script('clerk-js@6/dist/clerk.browser.js', attributes)
    : script('clerk-js@5/dist/clerk.browser.js', attributes);
  const start = `
    const ui = window.__internal_ClerkUICtor && { ClerkUI: window.__internal_ClerkUICtor };
    window.ready = window.Clerk.load({ telemetry: false, ...(ui ? { ui } : {}) });`;
  const page = `<!doctype html><html lang="en"><link rel="icon" href="data:,"><title>App</title><div id="here"></div>${scripts}<script>${start}</script></html>`;
  const server = createServer((_, response) => response.writeHead(200, { 'content-type': 'text/html' }).end(page));
  await new Promise(done => server.listen(0, '127.0.0.1', done));
  return { url: `http://localhost:${server.address().port}/`, stop: () => new Promise(done => { server.close(done); server.closeAllConnections(); }) };
};

const kinds = {
  development: { start: startVestry, key: /^pk_test_/ },
  production: { start: startProduction, key: /^pk_live_/ },
};

let browser;
before(async () => { browser = await launch(); });
after(async () => { await browser?.close(); });

/** Whether the SDK is there and how it is, once it has loaded. */
const state = page => page.evaluate(async () => {
  await window.ready;
  const { Clerk } = window;
  return { loaded: Clerk.loaded, status: Clerk.status, session: Clerk.session?.id ?? null, user: Clerk.user?.id ?? null };
});

/** What nobody announced: the SDK says itself that a development key is one. */
const unexpected = problems => problems.filter(problem => !problem.includes('loaded with development keys'));

const signedOut = { loaded: true, status: 'ready', session: null, user: null };

/** A server, an app, and a page of it in a browser that was nowhere before. */
const open = async (t, kind, major) => {
  const vestry = await kinds[kind].start();
  t.after(() => vestry.stop());
  assert.match(vestry.publishableKey, kinds[kind].key);
  const app = await startApp(vestry, major);
  t.after(() => app.stop());
  const { page, context, problems } = await watchedPage(browser, [app.url, vestry.frontendApiUrl]);
  t.after(() => context.close());
  const asked = [];
  page.on('request', request => {
    const { pathname, searchParams } = new URL(request.url());
    if (pathname.startsWith('/v1/')) asked.push(`${searchParams.get('_method') ?? request.method()} ${pathname}`);
  });
  await page.goto(app.url);
  return { vestry, app, page, problems, asked };
};

for (const kind of Object.keys(kinds)) {
  for (const major of [6, 5]) {
    test(`clerk-js ${major} loads in ${kind}`, async t => {
      const { page, problems, asked } = await open(t, kind, major);
      assert.deepEqual(await state(page), signedOut);
      const boot = kind === 'development'
        ? ['GET /v1/client', 'PATCH /v1/environment', 'POST /v1/dev_browser']
        : ['GET /v1/client', 'GET /v1/environment'];
      assert.deepEqual(asked.toSorted(), boot);
      // Whoever comes back has a token already.
      asked.length = 0;
      await page.reload();
      assert.deepEqual(await state(page), signedOut);
      assert.deepEqual(asked.toSorted(), boot.filter(call => !call.endsWith('dev_browser')));
      assert.deepEqual(unexpected(problems), []);
    });

    test(`clerk-js ${major} signs in and out in ${kind}, and is signed in after a reload`, async t => {
      const { vestry, app, page, problems } = await open(t, kind, major);
      assert.deepEqual(await state(page), signedOut);
      const call = async (path, body) => {
        const headers = { authorization: `Bearer ${vestry.secretKey}`, 'content-type': 'application/json' };
        const response = await fetch(`${vestry.apiUrl}/v1${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
        assert.equal(response.status, 200, await response.clone().text());
        return response.json();
      };
      const user = await call('/users', { email_address: ['ada@example.com'], first_name: 'Ada', skip_password_requirement: true });
      if (!(await enter(vestry, page, call, user))) return t.skip('sign-ins are not served yet');

      for (const look of ['at once', 'after a reload']) {
        if (look === 'after a reload') await page.reload();
        const now = await state(page);
        assert.deepEqual({ ...now, session: typeof now.session }, { loaded: true, status: 'ready', session: 'string', user: user.id }, look);
      }
      const seen = await page.evaluate(async () => ({
        name: window.Clerk.user.firstName,
        token: await window.Clerk.session.getToken(),
        again: await window.Clerk.session.getToken({ skipCache: true }),
        cookie: document.cookie,
      }));
      assert.equal(seen.name, 'Ada');
      assert.notEqual(seen.token, seen.again);
      const claims = JSON.parse(Buffer.from(seen.again.split('.')[1], 'base64url'));
      assert.equal(claims.sub, user.id);
      assert.equal(`${claims.azp}/`, app.url);
      assert.match(seen.cookie, /__session=/);
      assert.match(seen.cookie, /__client_uat=[1-9]/);

      // It would go elsewhere by itself, but not with a function of one's own.
      await page.evaluate(() => window.Clerk.signOut(() => {}));
      assert.deepEqual(await state(page), signedOut);
      await page.goto(app.url);
      assert.deepEqual(await state(page), signedOut);
      assert.deepEqual(unexpected(problems), []);
    });
  }
}

/** Signs a user in by a ticket; false if the server does not know how. */
const enter = async (vestry, page, call, user) => {
  const { token } = await call('/sign_in_tokens', { user_id: user.id });
  return page.evaluate(async ticket => {
    const { Clerk } = window;
    try {
      const made = await Clerk.client.signIn.create({ strategy: 'ticket', ticket });
      await Clerk.setActive({ session: made.createdSessionId });
      return true;
    } catch (error) {
      if (error.errors?.[0]?.code === 'not_supported_by_server') return false;
      throw error;
    }
  }, token);
};
