// Signing up by a link, through the official component, as people do it.
import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import { fill, go, isIn, isOut, linkFor, messagesFor, raise, says, underSettings, unforeseen, visit } from './app.mjs';
import { picture } from './browser.mjs';

let vestry, browser, apps, stop;
before(async () => {
  ({ vestry, browser, apps, stop } = await raise());
});
after(() => stop?.());

let count = 0;
const open = (t, major, path = '/sign-up') => visit(t, browser, vestry, apps[major], path);
const under = (settings, tests) => underSettings(change => vestry.configure(change), settings, tests);

/** Begins to sign up; answers the link that was sent. */
const begin = async (t, major, more = {}) => {
  const address = `cleo${++count}@example.com`;
  const { page, context, problems } = await open(t, major);
  await fill(page, { emailAddress: address, ...more });
  await go(page);
  return { page, context, problems, address, link: await linkFor(vestry, address) };
};

const email_address = { verifications: ['email_link'] };

under({ attributes: { email_address, password: { required: false } } }, {
  'a link, in the same browser and twice': async (t, major) => {
    const { page, context, problems, address, link } = await begin(t, major);
    await picture(page, `sign-up-${major}-link`);
    const tab = await context.newPage();
    await tab.goto(link);
    await isIn(tab, address);
    await picture(page, `sign-up-${major}-link-first-tab`);
    await page.reload();
    await isIn(page, address);
    const again = await context.newPage();
    await again.goto(link);
    await says(again, /link is invalid/i);
    await isIn(again, address);
    assert.deepEqual(unforeseen(problems), []);
  },

  'a link, in another browser': async (t, major) => {
    const { page, problems, address, link } = await begin(t, major);
    const other = await open(t, major, '/');
    await other.page.goto(link);
    await says(other.page, /return to original tab/i);
    await picture(other.page, `sign-up-${major}-link-elsewhere`);
    await isOut(other.page);
    await isIn(page, address);
    assert.equal((await messagesFor(vestry, address)).length, 1);
    assert.deepEqual(unforeseen(problems), []);
    assert.deepEqual(unforeseen(other.problems), []);
  },
});

under({ attributes: { email_address, password: { required: false }, first_name: { required: true } }, attack_protection: { email_link_require_same_client: true } }, {
  'a link that works only where it was asked for': async (t, major) => {
    const { page, problems, link } = await begin(t, major, { firstName: 'Cleo' });
    const other = await open(t, major, '/');
    await other.page.goto(link);
    await says(other.page, /link is invalid for this device/i);
    await picture(other.page, `sign-up-${major}-link-mismatch`);
    await isOut(page);
    await page.goto(link);
    await isIn(page, 'Cleo');
    assert.deepEqual(unforeseen(problems), []);
  },
});
