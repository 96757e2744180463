// Signing in through the official component, as people do it.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startVestry } from '../lib/server.mjs';
import { MAJORS, backend, codeField, codeFor, fill, go, isIn, says, startApp, typeCode, unforeseen, visit, wrong } from './app.mjs';
import { launch, picture } from './browser.mjs';

const PASSWORD = 'correct horse battery';

let vestry, browser, call;
const apps = {};
before(async () => {
  vestry = await startVestry();
  call = backend(vestry);
  for (const major of MAJORS) apps[major] = await startApp(vestry, major);
  browser = await launch();
});
after(async () => {
  await browser?.close();
  for (const app of Object.values(apps)) await app.stop();
  await vestry?.stop();
});

let count = 0;
/** Somebody who can sign in, and a page with the component. */
const open = async (t, major, user = {}) => {
  const address = `ada${++count}@example.com`;
  await call('/users', { email_address: [address], first_name: 'Ada', password: PASSWORD, ...user });
  const { page, problems } = await visit(t, browser, vestry, apps[major], '/sign-in');
  await fill(page, { identifier: address });
  return { page, problems, address };
};

for (const major of MAJORS) {
  test(`clerk-js ${major}: a password, after a wrong one`, async t => {
    const { page, problems } = await open(t, major);
    await go(page);
    await fill(page, { password: 'wrong horse battery' });
    await go(page);
    await says(page, /password is incorrect/i);
    await picture(page, `sign-in-${major}-wrong-password`);
    await fill(page, { password: PASSWORD });
    await go(page);
    await isIn(page, 'Ada');
    await page.reload();
    await isIn(page, 'Ada');
    assert.deepEqual(unforeseen(problems, [422]), []);
  });

  test(`clerk-js ${major}: a code, after a wrong one`, async t => {
    const { page, problems, address } = await open(t, major, { password: undefined, skip_password_requirement: true });
    await go(page);
    await codeField(page).waitFor();
    const code = await codeFor(vestry, address);
    await picture(page, `sign-in-${major}-code`);
    await typeCode(page, wrong(code));
    await says(page, /incorrect code/i);
    await typeCode(page, code);
    await isIn(page, 'Ada');
    assert.deepEqual(unforeseen(problems, [422]), []);
  });

  test(`clerk-js ${major}: a forgotten password`, async t => {
    const { page, problems, address } = await open(t, major);
    await go(page);
    await page.locator('input[name=password]').waitFor();
    await page.getByText(/forgot password/i).click();
    await page.getByText(/reset your password/i).first().click();
    await codeField(page).waitFor();
    await typeCode(page, await codeFor(vestry, address));
    await fill(page, { password: 'another horse battery', confirmPassword: 'another horse battery' });
    await picture(page, `sign-in-${major}-reset`);
    await go(page);
    await isIn(page, 'Ada');
    assert.deepEqual(unforeseen(problems), []);
  });

  test(`clerk-js ${major}: whoever is unknown is told so`, async t => {
    const { page, problems } = await open(t, major);
    await fill(page, { identifier: 'nobody@example.com' });
    await go(page);
    await says(page, /couldn.t find your account/i);
    assert.deepEqual(unforeseen(problems, [422]), []);
  });
}
