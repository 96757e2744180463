// The official testing package, as test suites use it: testing tokens, signing in without clicking, page objects.
//
// It recognizes requests by https and the host in the key alone, and asks again from Node.js. A name server and port 443 of
// one's own are here a proxy, which browser and Node.js both go through.
import { clerk, clerkSetup, setupClerkTestingToken } from '@clerk/testing/playwright';
import { createPageObjects } from '@clerk/testing/playwright/unstable';
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { after, before, test } from 'node:test';
import { startVestry } from '../lib/server.mjs';
import { MAJORS, backend, hostOfKey, startApp } from './app.mjs';
import { launch, picture, unexpected, watchedPage } from './browser.mjs';

const PASSWORD = 'correct horse battery staple';
const PHONE = '+15555550100';
const PHONES = { attributes: { phone_number: { enabled: true, used_for_first_factor: true, first_factors: ['phone_code'] } } };

let vestry, browser, proxy, host, call;

/** Lets connections through to the server and no other. */
const startProxy = async address => {
  const server = createServer((_, response) => response.writeHead(403).end());
  const sockets = new Set();
  server.on('connect', (request, socket) => {
    if (request.url !== `${host}:443`) return socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
    const { hostname, port } = new URL(address);
    const there = connect(Number(port), hostname, () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      there.pipe(socket).pipe(there);
    });
    for (const end of [there, socket]) {
      sockets.add(end);
      end.on('error', () => {}).on('close', () => { sockets.delete(end); there.destroy(); socket.destroy(); });
    }
  });
  await new Promise(done => server.listen(0, '127.0.0.1', done));
  return {
    server: `http://127.0.0.1:${server.address().port}`,
    stop: () => new Promise(done => { server.close(done); server.closeAllConnections(); for (const socket of sockets) socket.destroy(); }),
  };
};

before(async () => {
  vestry = await startVestry(['--tls', '--verification-delay', '2s']);
  host = hostOfKey(vestry.publishableKey);
  proxy = await startProxy(vestry.apiUrl);
  browser = await launch();
  call = backend(vestry);
  await vestry.configure(PHONES);
  const { secretKey, publishableKey, apiUrl } = vestry;
  Object.assign(process.env, { CLERK_SECRET_KEY: secretKey, CLERK_PUBLISHABLE_KEY: publishableKey, CLERK_API_URL: apiUrl });
});
after(async () => { await browser?.close(); await proxy?.stop(); await vestry?.stop(); });

/** A page of an app that knows the key alone, in a browser that does not mind who vouches for the certificate. */
const open = async (t, major, path = '/') => {
  const app = await startApp(vestry, major, { keyAlone: true });
  t.after(() => app.stop());
  const options = { proxy: { server: proxy.server, bypass: 'localhost' }, ignoreHTTPSErrors: true };
  const { page, context, problems } = await watchedPage(browser, [app.url, `https://${host}`], options);
  t.after(() => context.close());
  page.setDefaultTimeout(15_000);
  return { app, page, context, problems, goto: () => page.goto(app.url + path) };
};

const userOf = page => page.evaluate(() => window.Clerk.user?.id ?? null);

test('clerkSetup finds the host, and gets a testing token', async () => {
  delete process.env.CLERK_TESTING_TOKEN;
  await clerkSetup({ dotenv: false });
  assert.equal(process.env.CLERK_FAPI, host);
  assert.ok(process.env.CLERK_TESTING_TOKEN);
});

for (const major of MAJORS) {
  test(`clerk-js ${major}: setupClerkTestingToken lifts limits, and no captcha is shown`, async t => {
    await vestry.configure({ ...PHONES, rate_limits: { enabled: true, creates: { requests: 2, seconds: 600 } } });
    t.after(() => vestry.configure(PHONES));
    const { page, goto } = await open(t, major);
    /** How often of four times it was said that nobody has the address, and not that it was asked too often. */
    const told = async () => page.evaluate(async () => {
      const codes = [];
      for (let tries = 0; tries < 4; tries += 1) {
        await window.Clerk.client.signIn.create({ identifier: 'nobody@example.com' }).catch(error => codes.push(error.errors[0].code));
      }
      return codes.filter(code => code === 'form_identifier_not_found').length;
    });
    await goto();
    await clerk.loaded({ page });
    assert.equal(await page.evaluate(() => window.Clerk.client.captchaBypass), false);
    assert.ok(await told() <= 2);
    await setupClerkTestingToken({ page });
    await page.reload();
    await clerk.loaded({ page });
    assert.deepEqual([await page.evaluate(() => window.Clerk.client.captchaBypass), await told()], [true, 4]);
  });

  test(`clerk-js ${major}: signIn by password and by codes, and signOut`, async t => {
    const address = `ada${major}+clerk_test@example.com`;
    const phone = PHONE.replace(/.$/, major);
    const user = await call('/users', { email_address: [address], phone_number: [phone], password: PASSWORD, first_name: 'Ada' });
    const { page, problems, goto } = await open(t, major);
    await goto();
    const { token: ticket } = await call('/sign_in_tokens', { user_id: user.id });
    for (const signInParams of [
      { strategy: 'password', identifier: address, password: PASSWORD },
      { strategy: 'email_code', identifier: address },
      { strategy: 'phone_code', identifier: phone },
      { strategy: 'ticket', ticket },
    ]) {
      await clerk.signIn({ page, signInParams });
      assert.equal(await userOf(page), user.id, signInParams.strategy);
      await clerk.loaded({ page });
      await clerk.signOut({ page });
      // The script opens the page anew.
      await page.waitForFunction(() => window.Clerk?.loaded && window.Clerk.user === null);
    }
    await assert.rejects(clerk.signIn({ page, signInParams: { strategy: 'password', identifier: address, password: 'wrong' } }), /Failed to sign in/);
    assert.deepEqual(unexpected(problems).filter(problem => !problem.includes('status of 422')), []);
  });

  test(`clerk-js ${major}: page objects, which wait for an answer after they have asked`, async t => {
    const { app, page, problems } = await open(t, major);
    const po = createPageObjects({ page, useTestingToken: true, baseURL: app.url });
    const email = `bob${major}+clerk_test@example.com`;
    await po.signUp.goTo();
    await po.signUp.signUpWithEmailAndPassword({ email, password: PASSWORD });
    await po.signUp.enterTestOtpCode();
    await po.expect.toBeSignedIn();
    await picture(page, `testing-${major}-signed-up`);
    await po.page.signOut();
    await po.expect.toBeSignedOut();
    await po.signIn.goTo();
    await po.signIn.signInWithEmailAndInstantPassword({ email, password: PASSWORD });
    await po.expect.toBeSignedIn();
    assert.deepEqual(unexpected(problems), []);
  });
}
