// The example app, as a developer starts it, in front of a Vestry.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { end, firstLine, root } from '../lib/server.mjs';
import { Visitor } from '../lib/visitor.mjs';
import { suite } from '../lib/world.mjs';

suite('@clerk/express', world => {
  let app;
  before(async () => {
    const { secretKey, publishableKey, apiUrl } = world.keys;
    app = { child: spawn(process.execPath, [join(root, 'examples', 'express', 'app.mjs')], {
      env: { ...process.env, PORT: '0', CLERK_SECRET_KEY: secretKey, CLERK_PUBLISHABLE_KEY: publishableKey, CLERK_API_URL: apiUrl, CLERK_TELEMETRY_DISABLED: '1' },
      stdio: ['ignore', 'pipe', 'inherit'],
    }) };
    app.url = await firstLine(app.child, 'the example app');
    app.child.stdout.resume();
  });
  after(() => app && end(app.child));

  const get = (path, token) => fetch(app.url + path, { headers: token ? { authorization: `Bearer ${token}` } : {}, redirect: 'manual' });

  test('a minted token is let in, anything else is not', async () => {
    const user = await world.user();
    const session = await world.clerk.sessions.createSession({ userId: user.id });
    const { jwt } = await world.clerk.sessions.getToken(session.id);

    const welcome = await get('/api/me', jwt);
    assert.equal(welcome.status, 200);
    assert.deepEqual(await welcome.json(), { userId: user.id, sessionId: session.id, emailAddress: user.primaryEmailAddress?.emailAddress ?? null });
    for (const token of [undefined, 'garbage', `${jwt.slice(0, -6)}AAAAAA`]) assert.equal((await get('/api/me', token)).status, 401);

    const page = await get('/account', jwt);
    assert.deepEqual([page.status, await page.text()], [200, user.id]);
    const stranger = await get('/account');
    assert.deepEqual([stranger.status, stranger.headers.get('location')], [302, '/sign-in']);
  });

  const frontend = () => `https://${Buffer.from(world.keys.publishableKey.split('_')[2], 'base64').toString().replace('$', '')}`;

  /** A browser that knows where the Frontend API is. */
  const visitor = () => new Visitor({ [new URL(frontend()).hostname]: world.server.frontendApiUrl.replace('localhost', '127.0.0.1') });

  const statuses = ({ trail }) => trail.map(({ status }) => status);

  /** Signs somebody up as the script of a page does, which then tells the app's server by a cookie. */
  const signUp = async browser => {
    const token = browser.cookies(app.url).__clerk_db_jwt;
    const submit = async (path, fields) => {
      const { status, body } = await browser.submit(`${frontend()}/v1/client/sign_ups${path}?__clerk_db_jwt=${token}`, fields, app.url);
      assert.equal(status, 200, JSON.stringify(body));
      return body;
    };
    const begun = await submit('', { email_address: world.unique('person') + '+clerk_test@example.com', password: 'correct horse battery staple' });
    await submit(`/${begun.response.id}/prepare_verification`, { strategy: 'email_code' });
    const { response, client } = await submit(`/${begun.response.id}/attempt_verification`, { strategy: 'email_code', code: '424242' });
    assert.equal(response.status, 'complete');
    browser.keep(app.url, `__client_uat=${Math.floor(client.updated_at / 1000)}`);
    return { userId: response.created_user_id, sessionId: response.created_session_id };
  };

  test('a stranger is sent through the handshake once', async () => {
    const browser = visitor();
    const page = await browser.load(`${app.url}/account?tab=1`);
    // To the Frontend API, back with a nonce, to the page without it; that sends strangers to sign in.
    assert.deepEqual(statuses(page), [307, 307, 307, 302, 404]);
    assert.match(page.trail[1].url, /\/v1\/client\/handshake\?.*reason=dev-browser-missing/);
    assert.equal(page.trail[3].url, `${app.url}/account?tab=1`);
    const { __clerk_db_jwt: token, __client_uat: updated, __session: session } = browser.cookies(app.url);
    assert.match(token, /^dvb_/);
    assert.deepEqual([updated, session], ['0', undefined]);
    assert.deepEqual(statuses(await browser.load(`${app.url}/account`)), [302, 404]);
  });

  test('whoever signs in comes back signed in, and stays so', async () => {
    const browser = visitor();
    await browser.load(`${app.url}/account`);
    const { userId, sessionId } = await signUp(browser);

    const page = await browser.load(`${app.url}/account`);
    assert.deepEqual(statuses(page), [307, 307, 307, 200]);
    assert.match(page.trail[1].url, /reason=client-uat-but-no-session-token/);
    assert.equal(page.text, userId);
    const api = await browser.ask(`${app.url}/api/me`);
    const { emailAddress, ...who } = JSON.parse(api.text);
    assert.deepEqual(who, { userId, sessionId });
    assert.match(emailAddress, /@example.com$/);
    assert.deepEqual(statuses(await browser.load(`${app.url}/account`)), [200]);

    // The app is the same for both versions, and time takes its time.
    if (world.is2) return;
    // The token is used up, and the app's server renews it without the browser.
    const suffix = Object.keys(browser.cookies(app.url)).find(name => name.startsWith('__refresh_'))?.slice('__refresh_'.length);
    assert.ok(suffix, 'a refresh token');
    const used = browser.cookies(app.url);
    await new Promise(done => setTimeout(done, 67_000));
    const later = await browser.load(`${app.url}/account`);
    assert.deepEqual([statuses(later), later.text], [[200], userId]);
    const renewed = browser.cookies(app.url);
    for (const name of ['__session', `__session_${suffix}`, `__refresh_${suffix}`]) assert.notEqual(renewed[name], used[name], name);

    // Signed out elsewhere: known once the token is used up, and nobody is sent around.
    await world.clerk.sessions.revokeSession(sessionId);
    await new Promise(done => setTimeout(done, 67_000));
    const out = await browser.load(`${app.url}/account`);
    assert.deepEqual(statuses(out).slice(-2), [302, 404]);
    assert.equal(browser.cookies(app.url).__session, undefined);
  });
});
