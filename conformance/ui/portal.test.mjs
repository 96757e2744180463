// The account portal: hosted pages made of the official components, under a strict policy.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startProduction, startVestry } from '../lib/server.mjs';
import { backend } from './app.mjs';
import { DESK, PHONE, accessible, fits, launch, picture, unexpected, watchedPage } from './browser.mjs';

let vestry, browser;
before(async () => { vestry = await startVestry(); browser = await launch(); });
after(async () => { await browser?.close(); await vestry?.stop(); });

const open = async (path, options) => {
  const watched = await watchedPage(browser, [vestry.frontendApiUrl], options);
  await watched.page.goto(vestry.frontendApiUrl + path);
  return watched;
};

const looks = [['desk-light', DESK, 'light'], ['phone-dark', PHONE, 'dark']];
const components = { '/sign-in': '.cl-signIn-root', '/sign-up': '.cl-signUp-root', '/waitlist': '.cl-waitlist-root', '/sign-in/factor-one': '.cl-signIn-root' };

for (const [path, root] of Object.entries(components)) {
  for (const [look, viewport, colorScheme] of looks) {
    test(`${path} ${look} shows the official component, from here alone`, async () => {
      const { page, context, problems } = await open(path, { viewport, colorScheme });
      await page.locator(root).waitFor();
      await page.locator('.cl-formButtonPrimary').first().waitFor();
      await picture(page, `portal${path.replaceAll('/', '-')}-${look}`);
      await fits(page, path);
      await accessible(page, path);
      const text = await page.locator('body').innerText();
      assert.doesNotMatch(text, /Secured by|Development mode/i);
      // Styles came through the policy: a card has a ground of its own.
      const ground = await page.locator('.cl-card').first().evaluate(card => getComputedStyle(card).backgroundColor);
      assert.equal(ground === 'rgb(255, 255, 255)', colorScheme === 'light', ground);
      assert.deepEqual(unexpected(problems), []);
      await context.close();
    });
  }
}

test('the sign-in page is painted once its scripts are known', async t => {
  const { page, context } = await open('/sign-in');
  await page.locator('.cl-formButtonPrimary').first().waitFor();
  await page.reload();
  await page.locator('.cl-formButtonPrimary').first().waitFor();
  // It is told of a moment after it happened.
  const told = await page.waitForFunction(() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime);
  t.diagnostic(`first contentful paint, warm: ${Math.round(await told.jsonValue())} ms`);
  await context.close();
});

test('a production instance has its portal too, and nothing of development', async () => {
  const production = await startProduction();
  try {
    const home = production.frontendApiUrl.replace('localhost', 'clerk.localhost');
    const { page, context, problems } = await watchedPage(browser, [home]);
    await page.goto(`${home}/sign-in`);
    await page.locator('.cl-formButtonPrimary').first().waitFor();
    await picture(page, 'portal-production');
    assert.doesNotMatch(await page.locator('body').innerText(), /Secured by|Development mode/i);
    // With cookies instead of what browsers of developers have.
    await enter(page, production);
    await page.goto(`${home}/user/security`);
    await page.locator('.cl-profileSection__activeDevices').waitFor();
    await page.evaluate(() => window.Clerk.signOut());
    await page.locator('.cl-signIn-root').waitFor();
    assert.deepEqual(problems, []);
    await context.close();
    for (const path of ['/', '/inbox', '/dev/inbox']) assert.equal((await fetch(production.apiUrl + path)).status, 404, path);
    const asked = await fetch(`${production.apiUrl}/sign-in?redirect_url=http://127.0.0.1:3000/`, { redirect: 'manual' });
    assert.equal(asked.status, 303, 'what is near in development is strange in production');
  } finally {
    await production.stop();
  }
});

test('/user sends whoever is not signed in to the sign-in, and back again after it', async () => {
  const { page, context, problems } = await open('/user');
  await page.waitForURL(url => url.pathname === '/sign-in');
  await page.locator('.cl-signIn-root').waitFor();
  assert.match(page.url(), /redirect_url=/);
  assert.deepEqual(unexpected(problems), []);
  await context.close();
});

/** Signs somebody in on a page of the portal, without the component. */
const enter = async (page, server = vestry) => {
  const call = backend(server);
  const user = await call('/users', { email_address: [`ada${Date.now()}@example.com`], first_name: 'Ada', last_name: 'Lovelace', password: 'correct horse battery' });
  const { token } = await call('/sign_in_tokens', { user_id: user.id });
  await page.evaluate(async ticket => {
    const made = await window.Clerk.client.signIn.create({ strategy: 'ticket', ticket });
    await window.Clerk.setActive({ session: made.createdSessionId });
  }, token);
};

for (const [look, viewport, colorScheme] of looks) {
  test(`/user ${look} is the profile of whoever is signed in`, async () => {
    const { page, context, problems } = await open('/unauthorized', { viewport, colorScheme });
    await page.waitForFunction(() => window.Clerk?.loaded);
    await enter(page);
    for (const [path, section] of [['/user', 'emailAddresses'], ['/user/security', 'activeDevices']]) {
      await page.goto(vestry.frontendApiUrl + path);
      await page.locator(`.cl-profileSection__${section}`).waitFor();
      await picture(page, `portal${path.replaceAll('/', '-')}-${look}`);
      await fits(page, path);
      await accessible(page, path);
      assert.doesNotMatch(await page.locator('body').innerText(), /Secured by|Development mode/i);
      const ground = await page.locator('.cl-scrollBox').evaluate(card => getComputedStyle(card).backgroundColor);
      assert.equal(ground === 'rgb(255, 255, 255)', colorScheme === 'light', ground);
    }
    await page.evaluate(() => window.Clerk.signOut());
    await page.waitForURL(url => url.pathname === '/sign-in');
    assert.deepEqual(unexpected(problems), []);
    await context.close();
  });
}

test('/unauthorized says so, for everybody', async () => {
  for (const [look, viewport, colorScheme] of looks) {
    const { page, context, problems } = await open('/unauthorized', { viewport, colorScheme });
    await page.waitForFunction(() => window.Clerk?.loaded);
    await picture(page, `portal-unauthorized-${look}`);
    await accessible(page, '/unauthorized');
    await fits(page, '/unauthorized');
    assert.deepEqual(unexpected(problems), []);
    await context.close();
  }
});

test('web_05 nobody is sent to an address that is not allowed', async () => {
  const ask = query => fetch(`${vestry.frontendApiUrl}/sign-in?${new URLSearchParams(query)}`, { redirect: 'manual' });
  const strange = ['https://evil.example/', '//evil.example', '/\\evil.example', 'javascript:alert(1)', 'https://localhost.evil.example', 'https://localhost:3000@evil.example', 'data:text/html,x'];
  for (const name of ['redirect_url', 'sign_in_force_redirect_url', 'after_sign_up_url', 'sign_up_url']) {
    for (const url of strange) {
      const response = await ask({ [name]: url, keep: '1' });
      assert.equal(response.status, 303, `${name} ${url}`);
      assert.equal(response.headers.get('location'), '/sign-in?keep=1');
    }
  }
  for (const url of ['http://localhost:3000/after?x=1', '/user', 'http://127.0.0.1:3000']) {
    assert.equal((await ask({ redirect_url: url })).status, 200, url);
  }
});

test('web_05 nobody is sent to an address that is said in the fragment', async () => {
  const asked = 'http://localhost:3000/after';
  for (const [said, kept] of [['https://evil.example/', null], ['//evil.example/', null], [asked, asked], ['http://*.evil.example', null]]) {
    const { page, context, problems } = await open(`/sign-in#/?redirect_url=${encodeURIComponent(said)}&keep=1`);
    await page.locator('.cl-formButtonPrimary').first().waitFor();
    const { hash, searchParams } = new URL(page.url());
    assert.deepEqual([hash, searchParams.get('redirect_url'), searchParams.get('keep')], ['', kept, '1'], said);
    const after = await page.evaluate(url => window.Clerk.buildSignInUrl({ signInForceRedirectUrl: url }), said);
    assert.equal(after.includes('evil'), false, after);
    // The script says aloud what it refuses.
    const refused = problems.filter(problem => problem.includes('allowedRedirectOrigins'));
    assert.deepEqual(unexpected(problems).filter(problem => !refused.includes(problem)), []);
    await context.close();
  }
});

test('each page has a policy with a number used once, and no page may be framed', async () => {
  const policies = [];
  for (const path of ['/sign-in', '/sign-in', '/user/security', '/__clerk/sign-up']) {
    const response = await fetch(vestry.frontendApiUrl + path);
    assert.equal(response.status, 200, path);
    const policy = response.headers.get('content-security-policy');
    assert.match(policy, /frame-ancestors 'none'/);
    assert.doesNotMatch(policy, /unsafe|https?:|\*/);
    policies.push(policy);
  }
  assert.equal(new Set(policies).size, policies.length);
});
