// An app that lets nothing in but its own pages and the server: the official components need no more.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startProduction, startVestry } from '../lib/server.mjs';
import { MAJORS, backend, go, isIn, isOut, startApp, visit } from './app.mjs';
import { launch, picture, unexpected, watchedPage } from './browser.mjs';

const PASSWORD = 'correct horse battery staple';

let browser;
before(async () => { browser = await launch(); });
after(() => browser?.close());

/** Where pictures are: under the name that a production server was given. */
const pictures = (vestry, kind) => (kind === 'production' ? vestry.frontendApiUrl.replace('localhost', 'clerk.localhost') : vestry.frontendApiUrl);

const policyFor = (vestry, kind) => nonce => [
  "default-src 'none'",
  `script-src 'nonce-${nonce}' ${vestry.frontendApiUrl}`,
  `style-src 'nonce-${nonce}'`,
  // The page's own icon, and pictures of users.
  `img-src data: ${pictures(vestry, kind)}`,
  `connect-src ${vestry.frontendApiUrl}`,
  'worker-src blob:',
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ');

const kinds = { development: startVestry, production: startProduction };

for (const [kind, start] of Object.entries(kinds)) {
  for (const major of MAJORS) {
    test(`clerk-js ${major}, ${kind}: people sign in under a strict policy, see their picture and leave`, async t => {
      const vestry = await start();
      t.after(() => vestry.stop());
      const pages = { '/sign-in': ['SignIn', { routing: 'path', path: '/sign-in', fallbackRedirectUrl: '/' }], '/': ['UserButton', { afterSignOutUrl: '/' }] };
      const app = await startApp(vestry, major, { pages, policy: policyFor(vestry, kind) });
      t.after(() => app.stop());
      const address = 'ada@example.com';
      await backend(vestry)('/users', { email_address: [address], password: PASSWORD, first_name: 'Ada' });
      const { page, context, problems } = await watchedPage(browser, [app.url, vestry.frontendApiUrl, pictures(vestry, kind)]);
      t.after(() => context.close());
      await page.goto(`${app.url}/sign-in`);
      await page.locator('input[name=identifier]').fill(address);
      await go(page);
      await page.locator('input[name=password]').fill(PASSWORD);
      await go(page);
      await isIn(page, 'Ada');
      await page.locator('.cl-userButtonTrigger').click();
      const leave = page.locator('.cl-userButtonPopoverActionButton__signOut');
      await leave.waitFor();
      await page.waitForFunction(() => [...document.querySelectorAll('.cl-avatarImage')].every(image => image.naturalWidth > 0));
      // Styles came through the policy.
      const ground = await page.locator('.cl-userButtonPopoverCard').evaluate(card => getComputedStyle(card).borderRadius);
      assert.notEqual(ground, '0px');
      await picture(page, `policy-${kind}-${major}`);
      await leave.click();
      await isOut(page);
      assert.deepEqual(unexpected(problems), []);
    });
  }
}

for (const major of MAJORS) {
  test(`clerk-js ${major}: providers nobody can sign in with yet are not shown, nor their pictures asked for`, async t => {
    const vestry = await startVestry();
    t.after(() => vestry.stop());
    const google = { enabled: true, authenticatable: true };
    await vestry.configure({ social: { oauth_google: google, oauth_github: google } });
    const app = await startApp(vestry, major);
    t.after(() => app.stop());
    for (const path of ['/sign-in', '/sign-up']) {
      const { page, problems } = await visit(t, browser, vestry, app, path);
      await page.locator('.cl-formButtonPrimary').first().waitFor();
      assert.equal(await page.locator('.cl-socialButtons').count(), 0);
      await picture(page, `policy-social-${major}${path.replace('/', '-')}`);
      assert.deepEqual(unexpected(problems), []);
    }
  });
}
