// Asking to be let in, through the official component, and being let in.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startVestry } from '../lib/server.mjs';
import { MAJORS, backend, fill, go, linkFor, says, startApp, unforeseen, visit } from './app.mjs';
import { launch, picture } from './browser.mjs';

const PAGES = {
  '/waitlist': ['Waitlist', {}],
  '/sign-up': ['SignUp', { routing: 'path', path: '/sign-up' }],
  '/sign-in': ['SignIn', { routing: 'path', path: '/sign-in' }],
};

let vestry, browser, call;
const apps = {};
before(async () => {
  vestry = await startVestry();
  await vestry.configure({ sign_up: { mode: 'waitlist' }, restrictions: { blocklist: true } });
  call = backend(vestry);
  await call('/blocklist_identifiers', { identifier: '*@evil.example' });
  browser = await launch();
  for (const major of MAJORS) apps[major] = await startApp(vestry, major, { pages: PAGES, load: { waitlistUrl: '/waitlist' } });
});
after(async () => {
  await browser?.close();
  for (const app of Object.values(apps)) await app.stop();
  await vestry?.stop();
});

for (const major of MAJORS) {
  test(`clerk-js ${major}: somebody asks to be let in, and is`, async t => {
    const { page, problems } = await visit(t, browser, vestry, apps[major], '/waitlist');
    const address = `grace.${major}@example.com`;
    await fill(page, { emailAddress: address });
    await picture(page, `waitlist-${major}`);
    await go(page);
    await says(page, 'Thanks for joining the waitlist!');
    await picture(page, `waitlist-${major}-joined`);
    const { data } = await call(`/waitlist_entries?query=${encodeURIComponent(address)}`, undefined, 'GET');
    assert.deepEqual(data.map(entry => [entry.email_address, entry.status]), [[address, 'pending']]);
    await call(`/waitlist_entries/${data[0].id}/invite`, {});
    const link = new URL(await linkFor(vestry, address));
    assert.equal(link.origin, new URL(vestry.frontendApiUrl).origin);
    await page.goto(link.href);
    await page.locator('.cl-signUp-root').waitFor();
    await page.locator('input[name=password]').waitFor();
    await picture(page, `waitlist-${major}-invited`);
    assert.deepEqual(unforeseen(problems), []);
  });

  test(`clerk-js ${major}: whoever is not welcome is told so`, async t => {
    const { page, problems } = await visit(t, browser, vestry, apps[major], '/waitlist');
    await fill(page, { emailAddress: 'mallory@evil.example' });
    await go(page);
    await page.locator('.cl-formFieldErrorText__emailAddress, .cl-alertText').first().waitFor();
    await picture(page, `waitlist-${major}-unwelcome`);
    const { data } = await call('/waitlist_entries?query=mallory', undefined, 'GET');
    assert.deepEqual(data, []);
    assert.deepEqual(unforeseen(problems, [403, 422]), []);
  });

  test(`clerk-js ${major}: sign-up and sign-in lead to the list`, async t => {
    const { page, problems } = await visit(t, browser, vestry, apps[major], '/sign-up');
    await says(page, 'Sign ups are currently disabled');
    assert.equal(await page.locator('input').count(), 0);
    await picture(page, `waitlist-${major}-sign-up`);
    await page.getByText('Join waitlist').click();
    await page.waitForURL('**/waitlist');
    await page.goto(`${apps[major].url}/sign-in`);
    await page.getByText('Join waitlist').click();
    await page.waitForURL('**/waitlist');
    assert.deepEqual(unforeseen(problems), []);
  });
}
