// The example app, in development and as it is built: people sign up, ask the back end, sign out and come back.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startVestry } from '../lib/server.mjs';
import { launch, picture, unexpected, watchedPage } from './browser.mjs';
import { startExample } from './example.mjs';

const PASSWORD = 'correct horse battery staple';

let vestry, browser;
before(async () => { vestry = await startVestry(); browser = await launch(); });
after(async () => { await browser?.close(); await vestry?.stop(); });

/** The newest code that was sent to an address. */
const codeFor = async address => {
  const response = await fetch(`${vestry.apiUrl}/dev/inbox?to=${encodeURIComponent(address)}&wait=10s`);
  const { data } = await response.json();
  return data[0].code;
};

/** The newest user, as the Backend API knows them. */
const newest = async () => {
  const response = await fetch(`${vestry.apiUrl}/v1/users?limit=1`, { headers: { authorization: `Bearer ${vestry.secretKey}` } });
  return (await response.json())[0];
};

const go = page => page.locator('.cl-formButtonPrimary').first().click();
const isIn = (page, address) => page.getByText(`You are ${address}.`).waitFor();
const isOut = page => page.getByText('Nobody is signed in.').waitFor();

/** What the back end says to the page itself, whose cookies say who asks. */
const backEnd = page => page.evaluate(async () => {
  const response = await fetch('/api/me');
  return { status: response.status, body: await response.json() };
});

for (const kind of ['dev', 'preview']) {
  test(`people sign up, out and in (vite ${kind})`, async t => {
    const app = await startExample(vestry, kind);
    t.after(() => app.stop());
    const { page, context, problems } = await watchedPage(browser, [app.url, vestry.frontendApiUrl]);
    t.after(() => context.close());
    const address = `ada.${kind}@example.com`;

    await page.goto(app.url);
    await isOut(page);
    await picture(page, `react-${kind}-out`);
    await page.getByRole('button', { name: 'Sign up' }).click();
    await page.locator('input[name=emailAddress]').fill(address);
    await page.locator('input[name=password]').fill(PASSWORD);
    await picture(page, `react-${kind}-sign-up`);
    await go(page);
    const input = page.locator('input[autocomplete=one-time-code], input[name=codeInput-0]').first();
    await input.waitFor();
    await input.pressSequentially(await codeFor(address));
    await isIn(page, address);

    await page.getByRole('button', { name: 'Ask the back end' }).click();
    const user = await newest();
    await page.locator('pre', { hasText: user.id }).waitFor();
    const { userId, sessionId, emailAddress } = JSON.parse(await page.locator('pre').innerText());
    assert.deepEqual([userId, emailAddress], [user.id, address]);
    assert.match(sessionId, /^sess_/);
    assert.deepEqual(await backEnd(page), { status: 200, body: { userId, sessionId, emailAddress } });
    await picture(page, `react-${kind}-in`);
    await page.reload();
    await isIn(page, address);

    await page.locator('.cl-userButtonTrigger').click();
    const leave = page.locator('.cl-userButtonPopoverActionButton__signOut');
    await leave.waitFor();
    await picture(page, `react-${kind}-menu`);
    await leave.click();
    await isOut(page);
    assert.deepEqual(unexpected(problems), []);
    assert.equal((await backEnd(page)).status, 401);
    problems.length = 0;

    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.locator('input[name=identifier]').fill(address);
    await go(page);
    await page.locator('input[name=password]').fill(PASSWORD);
    await go(page);
    await isIn(page, address);
    assert.notEqual((await backEnd(page)).body.sessionId, sessionId);
    assert.deepEqual(unexpected(problems), []);
  });
}
