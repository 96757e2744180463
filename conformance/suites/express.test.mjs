// The example app, as a developer starts it, in front of a Vestry.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { end, firstLine, root } from '../lib/server.mjs';
import { suite } from '../lib/world.mjs';

suite('@clerk/express', world => {
  let app;
  let address;
  before(async () => {
    const { secretKey, publishableKey, apiUrl } = world.keys;
    app = spawn(process.execPath, [join(root, 'examples', 'express', 'app.mjs')], {
      env: { ...process.env, PORT: '0', CLERK_SECRET_KEY: secretKey, CLERK_PUBLISHABLE_KEY: publishableKey, CLERK_API_URL: apiUrl, CLERK_TELEMETRY_DISABLED: '1' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    address = await firstLine(app, 'the example app');
    app.stdout.resume();
  });
  after(() => app && end(app));

  const get = (path, token) => fetch(address + path, { headers: token ? { authorization: `Bearer ${token}` } : {}, redirect: 'manual' });

  test('a minted token is let in, anything else is not', async () => {
    const user = await world.user();
    const session = await world.clerk.sessions.createSession({ userId: user.id });
    const { jwt } = await world.clerk.sessions.getToken(session.id);

    const welcome = await get('/api/me', jwt);
    assert.equal(welcome.status, 200);
    assert.deepEqual(await welcome.json(), { userId: user.id, sessionId: session.id });
    for (const token of [undefined, 'garbage', `${jwt.slice(0, -6)}AAAAAA`]) assert.equal((await get('/api/me', token)).status, 401);

    const page = await get('/account', jwt);
    assert.deepEqual([page.status, await page.text()], [200, user.id]);
    const stranger = await get('/account');
    assert.deepEqual([stranger.status, stranger.headers.get('location')], [302, '/sign-in']);
  });
});
