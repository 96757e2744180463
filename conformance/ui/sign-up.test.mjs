// Signing up through the official component, as people do it.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { startProduction } from '../lib/server.mjs';
import { MAJORS, codeField, codeFor, fill, go, isIn, isOut, linkFor, messageFor, messagesFor, raise, says, startApp, typeCode, underSettings, unforeseen, visit, wrong } from './app.mjs';
import { picture } from './browser.mjs';

const PASSWORD = 'correct horse battery';

let vestry, browser, call, apps, stop;
before(async () => {
  ({ vestry, browser, call, apps, stop } = await raise());
});
after(() => stop?.());

let count = 0;
const someone = () => `bea${++count}@example.com`;
const open = (t, major, path = '/sign-up', options = {}) => visit(t, browser, vestry, apps[major], path, options);

const under = (settings, tests) => underSettings(change => vestry.configure(change), settings, tests);

/** Fills in a card, and goes on. */
const begin = async (page, fields) => {
  await fill(page, fields);
  // The component judges a password a little later: the button moves then, and what the server said is gone.
  const judged = page.locator('.cl-formFieldSuccessText, .cl-formFieldErrorText, .cl-formFieldWarningText');
  if (fields.password) await judged.first().waitFor({ timeout: 2000 }).catch(() => {});
  await go(page);
};

const refused = async (page, field, text) => {
  const feedback = page.locator(`.cl-formFieldErrorText__${field}`).filter({ hasText: text });
  await feedback.first().waitFor();
};

under({}, {
  'an address and a password, a wrong code, a new one, a reload': async (t, major) => {
    const emailAddress = someone();
    const { page, problems } = await open(t, major);
    await begin(page, { emailAddress, password: 'short' });
    await refused(page, 'password', /8 or more characters/);
    await picture(page, `sign-up-${major}-short`);
    await begin(page, { password: PASSWORD });
    const first = await messageFor(vestry, emailAddress);
    await typeCode(page, wrong(first.code));
    await says(page, /incorrect code/i);
    await picture(page, `sign-up-${major}-wrong-code`);
    // Whoever comes back finds the code asked for, and can go back to their address.
    await page.reload();
    await codeField(page).waitFor();
    await page.locator('.cl-identityPreviewEditButton').click();
    await page.locator('input[name=emailAddress]').waitFor();
    // The older one sends another code then.
    await Promise.all([major === 5 && page.waitForResponse(/prepare_verification/), page.goBack()]);
    await codeField(page).waitFor();
    assert.match(page.url(), /verify-email-address/);
    const newest = await messageFor(vestry, emailAddress, { wait: '0s' });
    await typeCode(page, newest.code);
    await isIn(page, emailAddress);
    await page.reload();
    await isIn(page, emailAddress);
    assert.deepEqual(unforeseen(problems, [422]), []);
  },

  'a code asked for twice': async (t, major) => {
    const emailAddress = someone();
    const { page, problems } = await open(t, major, '/');
    await page.clock.install();
    await page.goto(`${apps[major].url}/sign-up`);
    await begin(page, { emailAddress, password: PASSWORD });
    const first = await messageFor(vestry, emailAddress);
    await codeField(page).waitFor();
    await page.clock.runFor(31_000);
    await page.locator('.cl-formResendCodeLink').click();
    const second = await messageFor(vestry, emailAddress, { after: first.id });
    if (first.code !== second.code) {
      await typeCode(page, first.code);
      await says(page, /incorrect code/i);
    }
    await typeCode(page, second.code);
    await isIn(page, emailAddress);
    assert.deepEqual(unforeseen(problems, [422]), []);
  },

  'a code guessed too often': async (t, major) => {
    const emailAddress = someone();
    const { page, problems } = await open(t, major, '/');
    await page.clock.install();
    await page.goto(`${apps[major].url}/sign-up`);
    await begin(page, { emailAddress, password: PASSWORD });
    const first = await messageFor(vestry, emailAddress);
    for (let guesses = 0; guesses < 4; guesses += 1) {
      await Promise.all([page.waitForResponse(/attempt_verification/), typeCode(page, wrong(first.code))]);
    }
    await says(page, /too many/i);
    await picture(page, `sign-up-${major}-guessed`);
    await page.clock.runFor(31_000);
    await page.locator('.cl-formResendCodeLink').click();
    const { code } = await messageFor(vestry, emailAddress, { after: first.id });
    await typeCode(page, code);
    await isIn(page, emailAddress);
    assert.deepEqual(unforeseen(problems, [400, 422]), []);
  },

  'a password that others know, an address that somebody has': async (t, major) => {
    const emailAddress = someone();
    await call('/users', { email_address: [emailAddress], password: PASSWORD });
    const { page, problems } = await open(t, major);
    await begin(page, { emailAddress: someone(), password: 'password123' });
    await refused(page, 'password', /data breach|breach/i);
    await picture(page, `sign-up-${major}-breached`);
    await begin(page, { emailAddress, password: PASSWORD });
    await refused(page, 'emailAddress', /taken/i);
    await picture(page, `sign-up-${major}-taken`);
    assert.deepEqual(unforeseen(problems, [422]), []);
  },

  'an invitation, by its link': async (t, major) => {
    const email_address = someone();
    const invitation = await call('/invitations', { email_address, redirect_url: `${apps[major].url}/sign-up`, public_metadata: { plan: 'gold' } });
    const { page, problems } = await open(t, major, '/');
    await page.goto(invitation.url);
    await page.locator('input[name=password]').first().waitFor();
    await picture(page, `sign-up-${major}-invitation`);
    await begin(page, { password: PASSWORD });
    await isIn(page, email_address);
    const { data: [user] } = await call(`/users?email_address=${encodeURIComponent(email_address)}`, undefined, 'GET').then(data => ({ data }));
    assert.deepEqual(user.public_metadata, { plan: 'gold' });
    assert.deepEqual(unforeseen(problems), []);
  },
});

under({ password: { show_zxcvbn: true, min_zxcvbn_strength: 3 } }, {
  'a password that is guessed easily': async (t, major) => {
    const emailAddress = someone();
    const { page, problems } = await open(t, major);
    await begin(page, { emailAddress, password: 'aaaaaaaaaa' });
    await says(page, /not strong enough/i);
    await picture(page, `sign-up-${major}-weak`);
    await begin(page, { password: 'zebra quilt harbour 81' });
    await typeCode(page, await codeFor(vestry, emailAddress));
    await isIn(page, emailAddress);
    assert.deepEqual(unforeseen(problems, [422]), []);
  },
});

const phone = { enabled: true, required: true, used_for_first_factor: true };

under({ attributes: { phone_number: phone, username: { enabled: true, required: true, used_for_first_factor: true }, first_name: { required: true }, last_name: { required: true } } }, {
  'an address, a number, a username and names': async (t, major) => {
    const emailAddress = someone();
    const username = `bea_${major}`;
    await call('/users', { email_address: [someone()], phone_number: [`+1212555010${major}`], username: `taken_${major}`, password: PASSWORD });
    const { page, problems } = await open(t, major);
    await begin(page, { firstName: 'Bea', lastName: 'Bee', username: 'a', emailAddress, phoneNumber: `201555010${major}`, password: PASSWORD });
    await refused(page, 'username', /between 4 and 64/i);
    await picture(page, `sign-up-${major}-all`);
    await begin(page, { username: `taken_${major}` });
    await refused(page, 'username', /taken/i);
    await begin(page, { username });
    await typeCode(page, await codeFor(vestry, emailAddress));
    await page.waitForURL(/verify-phone-number/);
    await typeCode(page, '111111');
    await says(page, /incorrect code/i);
    await picture(page, `sign-up-${major}-phone-code`);
    await typeCode(page, '424242');
    await isIn(page, 'Bea');
    assert.deepEqual(unforeseen(problems, [422]), []);
  },

  'what is missing is asked for': async (t, major) => {
    const emailAddress = someone();
    const { page, problems } = await open(t, major, '/');
    // An app that begins by itself, and leaves the rest to the component.
    await page.evaluate(async address => {
      await window.ready;
      await window.Clerk.client.signUp.create({ emailAddress: address, firstName: 'Bea' });
      window.history.pushState(null, '', '/sign-up/continue');
    }, emailAddress);
    await page.reload();
    await page.locator('input[name=username]').waitFor();
    await picture(page, `sign-up-${major}-continue`);
    await begin(page, { lastName: 'Bee', username: `missing_${major}`, phoneNumber: `203555010${major}`, password: PASSWORD });
    await typeCode(page, await codeFor(vestry, emailAddress));
    await page.waitForURL(/verify-phone-number/);
    await typeCode(page, '424242');
    await isIn(page, 'Bea');
    assert.deepEqual(unforeseen(problems), []);
  },
});

under({ attributes: { email_address: { enabled: false, required: false, used_for_first_factor: false }, phone_number: phone, password: { enabled: false, required: false } } }, {
  'a number alone': async (t, major) => {
    const { page, problems } = await open(t, major);
    await begin(page, { phoneNumber: `202555012${major}` });
    await typeCode(page, '424242');
    await isIn(page, `+1202555012${major}`);
    await picture(page, `sign-up-${major}-number`);
    assert.deepEqual(unforeseen(problems), []);
  },
});

under({ attributes: { email_address: { enabled: false, required: false, used_for_first_factor: false }, username: { enabled: true, required: true, used_for_first_factor: true } } }, {
  'a username and a password': async (t, major) => {
    const { page, problems } = await open(t, major);
    await begin(page, { username: `solo_${major}`, password: PASSWORD });
    await isIn(page, `solo_${major}`);
    assert.deepEqual(unforeseen(problems), []);
  },
});

under({ sign_up: { legal_consent: true }, display: { terms_url: 'http://localhost/terms', privacy_policy_url: 'http://localhost/privacy' } }, {
  'terms are accepted': async (t, major) => {
    const emailAddress = someone();
    const { page, problems } = await open(t, major);
    await page.locator('input[name=legalAccepted]').waitFor();
    await picture(page, `sign-up-${major}-legal`);
    await fill(page, { emailAddress, password: PASSWORD });
    await page.locator('input[name=legalAccepted]').check();
    await go(page);
    await typeCode(page, await codeFor(vestry, emailAddress));
    await isIn(page, emailAddress);
    const [user] = await call(`/users?email_address=${encodeURIComponent(emailAddress)}`, undefined, 'GET');
    assert.ok(user.legal_accepted_at > 0);
    assert.deepEqual(unforeseen(problems), []);
  },
});

under({ sign_up: { mode: 'restricted' } }, {
  'nobody gets in without an invitation': async (t, major) => {
    const { page, problems } = await open(t, major);
    await says(page, /access restricted|restricted/i);
    await picture(page, `sign-up-${major}-restricted`);
    const email_address = someone();
    const invitation = await call('/invitations', { email_address, redirect_url: `${apps[major].url}/sign-up` });
    await page.goto(invitation.url);
    await begin(page, { password: PASSWORD });
    await isIn(page, email_address);
    assert.deepEqual(unforeseen(problems), []);
  },
});

under({ sign_up: { mode: 'waitlist' } }, {
  'there is a list to wait on, and a way in from it': async (t, major) => {
    const emailAddress = someone();
    const pages = { '/sign-up': ['SignUp', { routing: 'path', path: '/sign-up' }], '/waitlist': ['Waitlist', {}] };
    const app = await startApp(vestry, major, { pages, load: { waitlistUrl: '/waitlist' } });
    t.after(() => app.stop());
    const { page, problems } = await visit(t, browser, vestry, app, '/sign-up');
    await says(page, /waitlist/i);
    await picture(page, `sign-up-${major}-waitlist`);
    await page.getByRole('button', { name: 'Join waitlist' }).click();
    await page.waitForURL(/\/waitlist/);
    await begin(page, { emailAddress });
    await says(page, /thanks for joining/i);
    await picture(page, `sign-up-${major}-waiting`);
    const { data } = await call('/waitlist_entries', undefined, 'GET');
    const entry = data.find(entry => entry.email_address === emailAddress);
    const before = (await messagesFor(vestry, emailAddress, { wait: '0s' }))[0]?.id;
    await call(`/waitlist_entries/${entry.id}/invite`, {});
    await page.goto(await linkFor(vestry, emailAddress, { after: before }));
    await page.goto(`${app.url}/sign-up${new URL(page.url()).search}`);
    await begin(page, { password: PASSWORD });
    await isIn(page, emailAddress);
    assert.deepEqual(unforeseen(problems), []);
  },
});

under({ restrictions: { allowlist: true, block_email_subaddresses: true } }, {
  'only those on the list': async (t, major) => {
    await call('/allowlist_identifiers', { identifier: `vip${major}@example.com`, notify: false });
    const { page, problems } = await open(t, major);
    await begin(page, { emailAddress: someone(), password: PASSWORD });
    await says(page, /not allowed/i);
    await picture(page, `sign-up-${major}-allowlist`);
    await begin(page, { emailAddress: `vip${major}@example.com` });
    await typeCode(page, await codeFor(vestry, `vip${major}@example.com`));
    await isIn(page, `vip${major}@example.com`);
    assert.deepEqual(unforeseen(problems, [403, 422]), []);
  },
});

under({ restrictions: { blocklist: true, block_disposable_email_domains: true, block_email_subaddresses: true } }, {
  'nobody of the other list': async (t, major) => {
    await call('/blocklist_identifiers', { identifier: `*@blocked${major}.com` });
    const { page, problems } = await open(t, major);
    for (const [what, emailAddress] of Object.entries({ blocked: `someone@blocked${major}.com`, disposable: 'someone@mailinator.com', subaddress: 'someone+else@example.com' })) {
      await begin(page, { emailAddress, password: PASSWORD });
      await page.locator('.cl-formFieldErrorText, .cl-alertText').first().waitFor();
      await picture(page, `sign-up-${major}-${what}`);
      await page.reload();
    }
    assert.deepEqual(unforeseen(problems, [403, 422]), []);
  },
});

describe('in production, with cookies', () => {
  let production;
  before(async () => {
    production = await startProduction();
    await production.configure({ test_mode: true });
  });
  after(() => production?.stop());
  for (const major of MAJORS) {
    test(`clerk-js ${major}: signs up, out and in`, async t => {
      const address = `bea${major}+clerk_test@example.com`;
      const app = await startApp(production, major);
      t.after(() => app.stop());
      const { page, context, problems } = await visit(t, browser, production, app, '/sign-up');
      await begin(page, { emailAddress: address, password: PASSWORD });
      await typeCode(page, '424242');
      await isIn(page, address);
      const cookies = Object.fromEntries((await context.cookies(production.frontendApiUrl)).map(cookie => [cookie.name, cookie]));
      assert.ok(cookies.__client.httpOnly && cookies.__client.sameSite === 'Lax');
      await page.evaluate(() => window.Clerk.signOut(() => {}));
      await isOut(page);
      await page.goto(`${app.url}/sign-in`);
      await begin(page, { identifier: address });
      await fill(page, { password: PASSWORD });
      await go(page);
      await isIn(page, address);
      await page.reload();
      await isIn(page, address);
      assert.deepEqual(unforeseen(problems), []);
    });
  }
});
