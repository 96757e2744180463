// The pages of a development server, as a person sees, hears and types on them.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startVestry } from '../lib/server.mjs';
import { DESK, PHONE, accessible, fits, launch, picture, watchedPage } from './browser.mjs';

let vestry, browser;
before(async () => { vestry = await startVestry(); browser = await launch(); });
after(async () => { await browser?.close(); await vestry?.stop(); });

const looks = [['desk-light', DESK, 'light'], ['desk-dark', DESK, 'dark'], ['phone-light', PHONE, 'light'], ['phone-dark', PHONE, 'dark']];

const open = async (path, options) => {
  const watched = await watchedPage(browser, [vestry.frontendApiUrl], options);
  await watched.page.goto(vestry.frontendApiUrl + path);
  return watched;
};

/** Has the server write to somebody. */
const send = async (address = `ada.${Date.now()}@example.com`) => {
  const call = async (path, body) => {
    const response = await fetch(`${vestry.apiUrl}/v1${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${vestry.secretKey}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    assert.equal(response.status, 200, await response.clone().text());
    return response.json();
  };
  const user = await call('/users', { email_address: [address], password: 'a rather long one 7' });
  await call('/email_addresses', { user_id: user.id, email_address: `new.${address}`, verified: true, primary: true, notify_primary_email_address_changed: true });
  return address;
};

for (const path of ['/', '/inbox']) {
  for (const [look, viewport, colorScheme] of looks) {
    test(`${path} ${look} is for everybody`, async () => {
      await send();
      const { page, context, problems } = await open(path, { viewport, colorScheme });
      await picture(page, `${path.slice(1) || 'start'}-${look}`);
      await accessible(page, path);
      await fits(page, path);
      // With everything unfolded as well.
      await page.evaluate(() => document.querySelectorAll('details').forEach(part => { part.removeAttribute('name'); part.open = true; }));
      await picture(page, `${path.slice(1) || 'start'}-${look}-open`);
      await accessible(page, `${path} unfolded`);
      await fits(page, `${path} unfolded`);
      assert.deepEqual(problems, []);
      await context.close();
    });
  }
}

test('the secret key is not seen before it is asked for, with the keyboard alone', async () => {
  const { page, context, problems } = await open('/');
  const secret = page.locator('#secret-key');
  assert.equal(await secret.isVisible(), false);
  for (let presses = 0; presses < 20 && !(await secret.isVisible()); presses += 1) {
    await page.keyboard.press('Tab');
    if (await page.evaluate(() => document.activeElement.textContent === 'Show the secret key')) await page.keyboard.press('Enter');
  }
  assert.equal(await secret.textContent(), vestry.secretKey);
  assert.ok(await secret.isVisible());
  assert.deepEqual(problems, []);
  await context.close();
});

test('the environment is copied whole', async () => {
  const { page, context, problems } = await open('/', { permissions: ['clipboard-read', 'clipboard-write'] });
  await page.getByRole('button', { name: 'Copy all variables for Next.js' }).click();
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  assert.deepEqual(copied.split('\n'), [
    `NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY=${vestry.publishableKey}`,
    `NEXT_PUBLIC_CLERK_PROXY_URL=${vestry.frontendApiUrl}`,
    `NEXT_PUBLIC_CLERK_JS_URL=${vestry.frontendApiUrl}/npm/@clerk/clerk-js@6/dist/clerk.browser.js`,
    `NEXT_PUBLIC_CLERK_UI_URL=${vestry.frontendApiUrl}/npm/@clerk/ui@1/dist/ui.browser.js`,
    'NEXT_PUBLIC_CLERK_TELEMETRY_DISABLED=1',
    `CLERK_API_URL=${vestry.apiUrl}`,
    `CLERK_SECRET_KEY=${vestry.secretKey}`,
  ]);
  assert.equal(await page.locator('#status').textContent(), 'Copied');
  assert.deepEqual(problems, []);
  await context.close();
});

test('a message appears in an open inbox by itself, and is announced', async () => {
  const { page, context, problems } = await open('/inbox');
  const address = await send();
  await page.locator('.messages > li').filter({ hasText: address }).waitFor({ timeout: 5000 });
  const first = page.locator('.messages > li').first();
  assert.match(await first.textContent(), /Your primary e-mail address was changed/);
  assert.equal(await page.locator('#status').textContent(), `New message to ${address}`);
  await picture(page, 'inbox-news');
  await accessible(page, 'the inbox with news');
  assert.deepEqual(problems, []);
  await context.close();
});

test('no page may be framed, and none runs what it does not bring', async () => {
  for (const path of ['/', '/inbox']) {
    const response = await fetch(vestry.frontendApiUrl + path);
    const policy = response.headers.get('content-security-policy');
    assert.match(policy, /frame-ancestors 'none'/);
    assert.doesNotMatch(policy, /unsafe|https?:|\*/);
  }
});

for (const [major, files] of [[6, ['@clerk/clerk-js@6/dist/clerk.browser.js', '@clerk/ui@1/dist/ui.browser.js']], [5, ['@clerk/clerk-js@5/dist/clerk.browser.js']]]) {
  test(`the scripts of the ${major} line run from here, and nothing else is asked`, async () => {
    const { page, context, problems } = await open('/inbox');
    for (const file of files) {
      const loaded = await page.evaluate(([src, key, proxy]) => new Promise(done => {
        const script = Object.assign(document.createElement('script'), { src, crossOrigin: 'anonymous' });
        script.dataset.clerkPublishableKey = key;
        script.dataset.clerkProxyUrl = proxy;
        script.onload = () => done(true);
        script.onerror = () => done(false);
        document.head.append(script);
      }), [`/npm/${file}`, vestry.publishableKey, vestry.frontendApiUrl]);
      assert.ok(loaded, file);
    }
    const version = await page.evaluate(() => window.Clerk.version);
    assert.equal(Number(version.split('.')[0]), major);
    // A chunk comes under the exact version.
    const exact = await fetch(`${vestry.frontendApiUrl}/npm/@clerk/clerk-js@${version}/dist/clerk.browser.js`);
    assert.equal(exact.headers.get('cache-control'), 'public, max-age=31536000, immutable');
    assert.deepEqual(problems, []);
    await context.close();
  });
}
