// What goes wrong around the official components: clocks, networks, cookies; and other languages.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { arSA, deDE, jaJP } from '@clerk/localizations';
import { parts } from '../lib/codes.mjs';
import { MAJORS, codeField, codeFor, fill, go, isIn, isOut, raise, says, startApp, typeCode, unforeseen, visit } from './app.mjs';
import { PHONE, fits, picture } from './browser.mjs';

const PASSWORD = 'correct horse battery';

let vestry, browser, call, apps, stop;
before(async () => {
  // Nothing of another site may keep a cookie.
  ({ vestry, browser, call, apps, stop } = await raise(['--test-third-party-cookie-phaseout']));
});
after(() => stop?.());

let count = 0;
const somebody = async (user = {}) => {
  const address = `eve${++count}@example.com`;
  await call('/users', { email_address: [address], first_name: 'Eve', password: PASSWORD, ...user });
  return address;
};

const withPassword = async (page, address) => {
  await fill(page, { identifier: address });
  await go(page);
  await fill(page, { password: PASSWORD });
  await go(page);
};

const LANGUAGES = { German: deDE, Japanese: jaJP, Arabic: arSA };

const withoutPassword = { password: undefined, skip_password_requirement: true };
const FAILED = ['net::ERR_FAILED', 'ClerkJS: Network error'];

for (const major of MAJORS) describe(`around clerk-js ${major}`, { concurrency: 2 }, () => {
  for (const minutes of [-10, 10]) {
    test(`clerk-js ${major}: a clock that is ${minutes} minutes off`, async t => {
      const address = await somebody();
      const { page, problems } = await visit(t, browser, vestry, apps[major]);
      await page.clock.install({ time: Date.now() + minutes * 60_000 });
      await page.goto(`${apps[major].url}/sign-in`);
      await withPassword(page, address);
      await isIn(page, 'Eve');
      await page.reload();
      await isIn(page, 'Eve');
      let asked = 0;
      page.on('request', request => { asked += request.url().includes('/tokens') ? 1 : 0; });
      for (let times = 0; times < 3; times += 1) {
        const token = await page.evaluate(() => window.Clerk.session.getToken());
        const { payload } = parts(token);
        assert.ok(payload.exp * 1000 > Date.now() && payload.iat * 1000 < Date.now() + 1000);
      }
      await new Promise(done => setTimeout(done, 1500));
      assert.ok(asked <= 6, `${asked} tokens were asked for`);
      await isIn(page, 'Eve');
      assert.deepEqual(unforeseen(problems), []);
    });
  }

  test(`clerk-js ${major}: a network that fails once, and is slow`, async t => {
    const address = await somebody(withoutPassword);
    const { page, problems } = await visit(t, browser, vestry, apps[major]);
    const failed = new Set();
    await page.route('**/v1/**', async route => {
      const { pathname, searchParams } = new URL(route.request().url());
      const call = `${searchParams.get('_method') ?? route.request().method()} ${pathname.replace(/si[au]_\w+/, 'ID')}`;
      const fails = ['GET /v1/client', 'POST /v1/client/sign_ins', 'POST /v1/client/sign_ins/ID/attempt_first_factor'];
      if (fails.includes(call) && !failed.has(call)) {
        failed.add(call);
        return route.abort();
      }
      await new Promise(done => setTimeout(done, 300));
      return route.continue();
    });
    // What only asks is asked again by the official script.
    await page.goto(`${apps[major].url}/sign-in`);
    await fill(page, { identifier: address });
    // What does something, by the one who wants it.
    await Promise.all([page.waitForEvent('requestfailed'), go(page)]);
    await page.locator('.cl-formButtonPrimary:enabled').first().waitFor();
    await picture(page, `robust-${major}-failed`);
    await go(page);
    await codeField(page).waitFor();
    await Promise.all([page.waitForEvent('requestfailed'), typeCode(page, await codeFor(vestry, address))]);
    // The component waits for ever now; a reload goes on where one was.
    await picture(page, `robust-${major}-failed-code`);
    await page.reload();
    await codeField(page).waitFor();
    await page.waitForLoadState('networkidle');
    await typeCode(page, await codeFor(vestry, address));
    await isIn(page, 'Eve');
    assert.equal(failed.size, 3);
    assert.deepEqual(unforeseen(problems, FAILED), []);
  });

  test(`clerk-js ${major}: an answer that is lost`, async t => {
    const address = await somebody(withoutPassword);
    const { page, problems } = await visit(t, browser, vestry, apps[major], '/sign-in');
    await fill(page, { identifier: address });
    await go(page);
    await codeField(page).waitFor();
    const code = await codeFor(vestry, address);
    let done = () => {};
    const taken = new Promise(accept => { done = accept; });
    await page.route('**/attempt_first_factor*', async route => {
      await route.fetch();
      await route.abort();
      done();
    });
    await typeCode(page, code);
    await taken;
    await isOut(page);
    await page.reload();
    await isIn(page, 'Eve');
    assert.deepEqual(unforeseen(problems, FAILED), []);
  });

  test(`clerk-js ${major}: an app of another site, whose cookies nobody keeps`, async t => {
    const address = await somebody();
    const app = await startApp(vestry, major, { host: '127.0.0.1' });
    t.after(() => app.stop());
    const { page, context, problems } = await visit(t, browser, vestry, app, '/sign-in');
    await withPassword(page, address);
    await isIn(page, 'Eve');
    await page.reload();
    await isIn(page, 'Eve');
    assert.deepEqual(await context.cookies(vestry.frontendApiUrl), []);
    assert.ok(await page.evaluate(() => window.Clerk.session.getToken({ skipCache: true })));
    assert.deepEqual(unforeseen(problems), []);
  });

  for (const [language, localization] of Object.entries(LANGUAGES)) {
    test(`clerk-js ${major}: in ${language}`, async t => {
      const address = await somebody();
      const { locale, formButtonPrimary, formFieldLabel__password: label, unstable__errors: errors } = localization;
      const [short] = locale.split('-');
      const app = await startApp(vestry, major, { load: { localization }, language: short });
      t.after(() => app.stop());
      const { page, problems } = await visit(t, browser, vestry, app, '/sign-in', { locale, viewport: PHONE });
      const button = page.locator('.cl-formButtonPrimary').first();
      await button.filter({ hasText: formButtonPrimary }).waitFor();
      assert.equal(await page.locator('.cl-card').first().evaluate(card => getComputedStyle(card).direction), short === 'ar' ? 'rtl' : 'ltr');
      await fits(page, `the sign-in in ${language}`);
      await fill(page, { identifier: 'nobody@example.com' });
      await go(page);
      await says(page, errors.form_identifier_not_found);
      await picture(page, `robust-${major}-${language}`);
      await fill(page, { identifier: address });
      await go(page);
      await page.getByText(label, { exact: true }).first().waitFor();
      await fill(page, { password: 'wrong horse battery' });
      await go(page);
      // What the language lacks, the server says.
      await says(page, errors.form_password_incorrect ?? 'Password is incorrect');
      await fits(page, `the password in ${language}`);
      await picture(page, `robust-${major}-${language}-password`);
      await fill(page, { password: PASSWORD });
      await go(page);
      await isIn(page, 'Eve');
      assert.deepEqual(unforeseen(problems, [422]), []);
    });
  }
});
