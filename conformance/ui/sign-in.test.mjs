// Signing in through the official component, as people do it.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import { startVestry } from '../lib/server.mjs';
import { launch, picture, unexpected, watchedPage } from './browser.mjs';

const PASSWORD = 'correct horse battery';

let vestry, browser;
before(async () => { vestry = await startVestry(); browser = await launch(); });
after(async () => { await browser?.close(); await vestry?.stop(); });

/** An app with the component on its only page, at http://localhost. */
const startApp = async major => {
  const script = (name, rest = '') => `<script crossorigin="anonymous" src="${vestry.frontendApiUrl}/npm/@clerk/${name}" ${rest}></script>`;
  const attributes = `data-clerk-publishable-key="${vestry.publishableKey}" data-clerk-proxy-url="${vestry.frontendApiUrl}"`;
  const scripts = major === 6
    ? script('ui@1/dist/ui.browser.js') + script('clerk-js@6/dist/clerk.browser.js', attributes)
    : script('clerk-js@5/dist/clerk.browser.js', attributes);
  const start = `
    const ui = window.__internal_ClerkUICtor && { ClerkUI: window.__internal_ClerkUICtor };
    window.ready = window.Clerk.load({ telemetry: false, ...(ui ? { ui } : {}) }).then(() => {
      const here = document.getElementById('here');
      if (window.Clerk.user) here.textContent = 'Hello ' + window.Clerk.user.firstName;
      else window.Clerk.mountSignIn(here, { routing: 'hash', forceRedirectUrl: '/' , signUpUrl: '/sign-up' });
    });`;
  const page = `<!doctype html><html lang="en"><link rel="icon" href="data:,"><title>App</title><main id="here"></main>${scripts}<script>${start}</script></html>`;
  const server = createServer((_, response) => response.writeHead(200, { 'content-type': 'text/html' }).end(page));
  await new Promise(done => server.listen(0, '127.0.0.1', done));
  return { url: `http://localhost:${server.address().port}/`, stop: () => new Promise(done => { server.close(done); server.closeAllConnections(); }) };
};

const call = async (path, body) => {
  const headers = { authorization: `Bearer ${vestry.secretKey}`, 'content-type': 'application/json' };
  const response = await fetch(`${vestry.apiUrl}/v1${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
  assert.equal(response.status, 200, await response.clone().text());
  return response.json();
};

/** The newest code that was sent to an address. */
const codeFor = async address => {
  const response = await fetch(`${vestry.apiUrl}/dev/inbox?to=${encodeURIComponent(address)}&wait=10s`);
  const { data } = await response.json();
  return data[0].code;
};

let count = 0;
/** An app, somebody who can sign in to it, and a page with the component. */
const open = async (t, major, user = {}) => {
  const app = await startApp(major);
  t.after(() => app.stop());
  const address = `ada${++count}@example.com`;
  await call('/users', { email_address: [address], first_name: 'Ada', password: PASSWORD, ...user });
  const { page, context, problems } = await watchedPage(browser, [app.url, vestry.frontendApiUrl]);
  t.after(() => context.close());
  await page.goto(app.url);
  await page.locator('input[name=identifier]').fill(address);
  return { page, problems, address };
};

const go = page => page.locator('.cl-formButtonPrimary').first().click();
const isIn = page => page.getByText('Hello Ada').waitFor();
/** The official script says aloud what the server refused. */
const unforeseen = (problems, statuses = []) =>
  unexpected(problems).filter(problem => !statuses.some(status => problem.includes(`the server responded with a status of ${status}`)));

for (const major of [6, 5]) {
  test(`clerk-js ${major}: a password, after a wrong one`, async t => {
    const { page, problems } = await open(t, major);
    await go(page);
    await page.locator('input[name=password]').fill('wrong horse battery');
    await go(page);
    await page.getByText(/password is incorrect/i).first().waitFor();
    await picture(page, `sign-in-${major}-wrong-password`);
    await page.locator('input[name=password]').fill(PASSWORD);
    await go(page);
    await isIn(page);
    await page.reload();
    await isIn(page);
    assert.deepEqual(unforeseen(problems, [422]), []);
  });

  test(`clerk-js ${major}: a code, after a wrong one`, async t => {
    const { page, problems, address } = await open(t, major, { password: undefined, skip_password_requirement: true });
    await go(page);
    const input = page.locator('input[autocomplete=one-time-code], input[name=codeInput-0]').first();
    await input.waitFor();
    const code = await codeFor(address);
    await picture(page, `sign-in-${major}-code`);
    await input.pressSequentially(code === '111111' ? '222222' : '111111');
    await page.getByText(/incorrect code/i).first().waitFor();
    // The component empties its fields before they take another code.
    await page.waitForFunction(() => [...document.querySelectorAll('input')].every(field => field.value === '' && !field.disabled));
    await input.pressSequentially(code);
    await isIn(page);
    assert.deepEqual(unforeseen(problems, [422]), []);
  });

  test(`clerk-js ${major}: a forgotten password`, async t => {
    const { page, problems, address } = await open(t, major);
    await go(page);
    await page.locator('input[name=password]').waitFor();
    await page.getByText(/forgot password/i).click();
    await page.getByText(/reset your password/i).first().click();
    const input = page.locator('input[autocomplete=one-time-code], input[name=codeInput-0]').first();
    await input.waitFor();
    await input.pressSequentially(await codeFor(address));
    await page.locator('input[name=password]').fill('another horse battery');
    await page.locator('input[name=confirmPassword]').fill('another horse battery');
    await picture(page, `sign-in-${major}-reset`);
    await go(page);
    await isIn(page);
    assert.deepEqual(unforeseen(problems), []);
  });

  test(`clerk-js ${major}: whoever is unknown is told so`, async t => {
    const { page, problems } = await open(t, major);
    await page.locator('input[name=identifier]').fill('nobody@example.com');
    await go(page);
    await page.getByText(/couldn.t find your account/i).first().waitFor();
    assert.deepEqual(unforeseen(problems, [422]), []);
  });
}
