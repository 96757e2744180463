// What people do to themselves in the official profile, and to the devices they are signed in on.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startVestry } from '../lib/server.mjs';
import { MAJORS, backend, codeField, codeFor, enter, fill, isOut, linkFor, says, startApp, typeCode, unforeseen, visit, wrong } from './app.mjs';
import { PHONE, fits, launch, picture, still } from './browser.mjs';

const PASSWORD = 'correct horse battery';

/** A red square, PNG. */
const square = async page => {
  const url = await page.evaluate(() => {
    const canvas = Object.assign(document.createElement('canvas'), { width: 64, height: 64 });
    const brush = canvas.getContext('2d');
    brush.fillStyle = '#c00';
    brush.fillRect(0, 0, 64, 64);
    return canvas.toDataURL('image/png');
  });
  return Buffer.from(url.split(',')[1], 'base64');
};

const ATTRIBUTES = { username: { enabled: true }, phone_number: { enabled: true, used_for_first_factor: true } };

let vestry, browser, call;
const apps = {};
before(async () => {
  vestry = await startVestry();
  await vestry.configure({ attributes: ATTRIBUTES });
  call = backend(vestry);
  browser = await launch();
  for (const major of MAJORS) apps[major] = await startApp(vestry, major, { pages: { '/profile': ['UserProfile', { routing: 'path', path: '/profile' }] } });
});
after(async () => {
  await browser?.close();
  for (const app of Object.values(apps)) await app.stop();
  await vestry?.stop();
});

let count = 0;
/** Somebody, and their profile in a browser. */
const open = async (t, major, { user = {}, options } = {}) => {
  const address = `ada${++count}.${major}@example.com`;
  const ada = await call('/users', { email_address: [address], first_name: 'Ada', last_name: 'Lovelace', password: PASSWORD, ...user });
  const now = () => call(`/users/${ada.id}`, undefined, 'GET');
  return { ...await another(t, major, ada, options), ada, address, now };
};

/** Their profile in another browser. */
const another = async (t, major, user, options) => {
  const visited = await visit(t, browser, vestry, apps[major], '/', options);
  await enter(visited.page, call, user.id);
  await visited.page.goto(`${apps[major].url}/profile`);
  await visited.page.locator('.cl-profileSection__profile').last().waitFor();
  return visited;
};

const section = (page, id) => page.locator(`.cl-profileSection__${id}`);
/** Unfolds the form of a section. */
const unfold = (page, id) => page.locator(`.cl-profileSectionPrimaryButton__${id}`).last().click();
/** Presses the button of a form, once it no longer unfolds: what moves away under the pointer is not pressed. */
const save = async scope => {
  await scope.locator('.cl-formButtonPrimary').last().waitFor();
  await still(scope.page());
  await scope.locator('.cl-formButtonPrimary').last().click();
};
/** Chooses what the menu beside an entry offers. */
const choose = async (page, id, text, action) => {
  await page.locator(`.cl-profileSectionItem__${id}`).filter({ hasText: text }).locator('.cl-menuButtonEllipsis').click();
  await page.getByRole('menuitem', { name: action }).click();
};
const security = async page => {
  await page.locator('.cl-navbarButton__security').first().click();
  await section(page, 'activeDevices').waitFor();
};
const waitFor = async (what, holds) => {
  for (let tries = 0; tries < 50; tries += 1) {
    if (await holds()) return;
    await new Promise(done => setTimeout(done, 100));
  }
  assert.fail(what);
};

for (const major of MAJORS) {
  test(`clerk-js ${major}: names, a username and a picture`, async t => {
    const { page, problems, now } = await open(t, major);
    const profile = section(page, 'profile');
    await picture(page, `profile-${major}`);
    await unfold(page, 'profile');
    await fill(page, { firstName: 'Grace', lastName: 'Hopper' });
    await picture(page, `profile-${major}-names`);
    assert.equal(await profile.locator('.cl-avatarImageActionsRemove').count(), 0, 'there is no picture to remove');
    await save(profile);
    await profile.getByText('Grace Hopper').waitFor();
    assert.equal((await now()).first_name, 'Grace');

    await unfold(page, 'username');
    await fill(page, { username: 'a b' });
    await save(section(page, 'username'));
    await page.locator('.cl-formFieldErrorText__username').waitFor();
    await picture(page, `profile-${major}-bad-username`);
    const name = `grace_${major}`;
    await fill(page, { username: name });
    await save(section(page, 'username'));
    await section(page, 'username').getByText(name).waitFor();
    assert.equal((await now()).username, name);

    const shown = profile.locator('img').first();
    const before = await shown.getAttribute('src');
    await unfold(page, 'profile');
    await profile.locator('input[type=file]').setInputFiles({ name: 'red.png', mimeType: 'image/png', buffer: await square(page) });
    await page.locator('.cl-profileSectionPrimaryButton__profile').last().waitFor();
    await page.waitForFunction(before => {
      const image = document.querySelector('.cl-profileSection__profile img');
      return image && image.src !== before && image.complete && image.naturalWidth > 0;
    }, before);
    await picture(page, `profile-${major}-image`);
    assert.equal((await now()).has_image, true);
    await unfold(page, 'profile');
    await profile.locator('.cl-avatarImageActionsRemove').click();
    await waitFor('the picture is gone', async () => !(await now()).has_image);
    await unfold(page, 'profile');
    await profile.locator('.cl-avatarImageActionsRemove').waitFor({ state: 'detached' });
    assert.deepEqual(unforeseen(problems, [422]), []);
  });

  test(`clerk-js ${major}: an address is added, becomes the primary one, and the old one goes`, async t => {
    const { page, problems, address, now } = await open(t, major);
    const emails = section(page, 'emailAddresses');
    const added = `new.${address}`;
    await unfold(page, 'emailAddresses');
    await fill(page, { emailAddress: added });
    await save(emails);
    await codeField(page).waitFor();
    const code = await codeFor(vestry, added);
    await typeCode(page, wrong(code));
    await emails.getByText(/incorrect/i).first().waitFor();
    await picture(page, `profile-${major}-wrong-code`);
    await typeCode(page, code);
    await page.locator('.cl-profileSectionPrimaryButton__emailAddresses').last().waitFor();
    await choose(page, 'emailAddresses', added, 'Set as primary');
    await page.locator('.cl-profileSectionItem__emailAddresses').filter({ hasText: added }).getByText('Primary').waitFor();
    await picture(page, `profile-${major}-primary`);
    await page.locator('.cl-profileSectionItem__emailAddresses').nth(1).locator('.cl-menuButtonEllipsis').click();
    await page.getByRole('menuitem', { name: 'Remove email' }).click();
    await emails.getByText('will be removed from this account').waitFor();
    await picture(page, `profile-${major}-remove-email`);
    await save(emails);
    await waitFor('the old address is gone', async () => (await now()).email_addresses.length === 1);
    const user = await now();
    assert.equal(user.email_addresses[0].email_address, added);
    assert.equal(user.primary_email_address_id, user.email_addresses[0].id);
    await page.getByText(address, { exact: true }).waitFor({ state: 'detached' });
    assert.deepEqual(unforeseen(problems, [422]), []);
  });

  test(`clerk-js ${major}: what others have is not added, and what waits is proven later`, async t => {
    const { page, problems, address, now } = await open(t, major);
    const emails = section(page, 'emailAddresses');
    const taken = `taken.${address}`;
    await call('/users', { email_address: [taken], password: PASSWORD });
    await unfold(page, 'emailAddresses');
    await fill(page, { emailAddress: taken });
    await save(emails);
    await page.locator('.cl-formFieldErrorText__emailAddress').waitFor();
    await picture(page, `profile-${major}-taken`);
    const later = `later${count}.${major}+clerk_test@example.com`;
    await fill(page, { emailAddress: later });
    await save(emails);
    await codeField(page).waitFor();
    await emails.locator('.cl-formButtonReset:enabled').first().click();
    const entry = page.locator('.cl-profileSectionItem__emailAddresses').filter({ hasText: later });
    await entry.getByText('Unverified').waitFor();
    await page.reload();
    await entry.getByText('Unverified').waitFor();
    await picture(page, `profile-${major}-unverified`);
    await choose(page, 'emailAddresses', later, 'Remove email');
    await save(emails);
    await waitFor('it is gone', async () => (await now()).email_addresses.length === 1);

    // Everybody has an address here, so the last one stays.
    await choose(page, 'emailAddresses', address, 'Remove email');
    await save(emails);
    await page.locator('.cl-alertText, [class*=cl-formFieldErrorText]').first().waitFor();
    await picture(page, `profile-${major}-last-address`);
    assert.equal((await now()).email_addresses.length, 1);
    assert.deepEqual(unforeseen(problems, [400, 403, 422]), []);
  });

  test(`clerk-js ${major}: a number`, async t => {
    const { page, problems, now } = await open(t, major);
    const phones = section(page, 'phoneNumbers');
    const number = `20155501${major}${count % 10}`;
    await unfold(page, 'phoneNumbers');
    await phones.locator('input[type=tel], input[name=phoneNumber]').first().fill(number);
    await picture(page, `profile-${major}-number`);
    await save(phones);
    await typeCode(page, '424242');
    await page.locator('.cl-profileSectionPrimaryButton__phoneNumbers').last().waitFor();
    await waitFor('it is proven', async () => (await now()).phone_numbers[0]?.verification?.status === 'verified');
    const user = await now();
    assert.equal(user.phone_numbers[0].phone_number, `+1${number}`);
    assert.equal(user.primary_phone_number_id, user.phone_numbers[0].id);
    await picture(page, `profile-${major}-number-added`);
    await choose(page, 'phoneNumbers', '555', 'Remove phone number');
    await save(phones);
    await waitFor('it is gone', async () => (await now()).phone_numbers.length === 0);
    assert.deepEqual(unforeseen(problems), []);
  });

  test(`clerk-js ${major}: another password signs out of all other devices`, async t => {
    const { page, problems, ada } = await open(t, major);
    const other = await another(t, major, ada);
    await security(page);
    const password = section(page, 'password');
    await unfold(page, 'password');
    await fill(page, { currentPassword: 'wrong horse battery', newPassword: 'another horse battery', confirmPassword: 'another horse battery' });
    await picture(page, `profile-${major}-password`);
    await save(password);
    await page.locator('.cl-formFieldErrorText__currentPassword').waitFor();
    await picture(page, `profile-${major}-wrong-password`);
    await fill(page, { currentPassword: PASSWORD });
    await save(password);
    await page.locator('.cl-profileSectionPrimaryButton__password').last().waitFor();
    await call(`/users/${ada.id}/verify_password`, { password: 'another horse battery' });
    await signedOutSoon(other);
    await page.reload();
    await page.locator('.cl-userProfile-root').waitFor();
    assert.deepEqual(unforeseen(problems, [422]), []);
    assert.deepEqual(unforeseen(other.problems, [401]), []);
  });

  test(`clerk-js ${major}: a first password`, async t => {
    const { page, problems, ada } = await open(t, major, { user: { password: undefined, skip_password_requirement: true } });
    await security(page);
    await unfold(page, 'password');
    assert.equal(await page.locator('input[name=currentPassword]').count(), 0);
    await fill(page, { newPassword: 'password', confirmPassword: 'password' });
    // The component judges by itself, a moment later; what it finds would hide what the server says.
    await page.locator('[class*=cl-formFieldSuccessText__newPassword], [class*=cl-formFieldWarningText__newPassword]').first().waitFor();
    await save(section(page, 'password'));
    await page.locator('.cl-formFieldErrorText__newPassword').waitFor();
    await picture(page, `profile-${major}-breached-password`);
    await fill(page, { newPassword: PASSWORD, confirmPassword: PASSWORD });
    await save(section(page, 'password'));
    await section(page, 'password').getByRole('button', { name: 'Update password' }).waitFor();
    await call(`/users/${ada.id}/verify_password`, { password: PASSWORD });
    assert.deepEqual(unforeseen(problems, [422]), []);
  });

  test(`clerk-js ${major}: another device is listed and signed out`, async t => {
    const { page, problems, ada } = await open(t, major);
    const phone = 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1';
    const other = await another(t, major, ada, { userAgent: phone });
    await security(page);
    await page.locator('.cl-activeDevice__current').getByText('This device').waitFor();
    const text = await section(page, 'activeDevices').innerText();
    assert.match(text, /Linux/);
    assert.match(text, /Chrome \d+/);
    assert.match(text, /iPhone/);
    assert.match(text, /Safari 18\.1/);
    assert.match(text, /127\.0\.0\.1/);
    await picture(page, `profile-${major}-devices`);
    await page.locator('.cl-activeDeviceListItem').filter({ hasText: 'iPhone' }).locator('.cl-menuButtonEllipsis').click();
    await page.getByRole('menuitem', { name: 'Sign out of device' }).click();
    await waitFor('it is signed out', async () => (await call(`/sessions?user_id=${ada.id}&status=active`, undefined, 'GET')).length === 1);
    await page.locator('.cl-activeDeviceListItem').filter({ hasText: 'iPhone' }).waitFor({ state: 'detached' });
    await picture(page, `profile-${major}-device-gone`);
    await signedOutSoon(other);
    await page.reload();
    await section(page, 'activeDevices').getByText('This device').waitFor();
    assert.doesNotMatch(await section(page, 'activeDevices').innerText(), /iPhone/);
    assert.deepEqual(unforeseen(problems), []);
    assert.deepEqual(unforeseen(other.problems, [401]), []);
  });

  test(`clerk-js ${major}: somebody goes for good`, async t => {
    const { page, problems, ada } = await open(t, major);
    await security(page);
    await unfold(page, 'danger');
    await fill(page, { deleteConfirmation: 'Delete account' });
    await picture(page, `profile-${major}-delete`);
    await save(section(page, 'danger'));
    await waitFor('the user is gone', async () => {
      const response = await fetch(`${vestry.apiUrl}/v1/users/${ada.id}`, { headers: { authorization: `Bearer ${vestry.secretKey}` } });
      return response.status === 404;
    });
    await isOut(page);
    assert.deepEqual(unforeseen(problems), []);
  });

  test(`clerk-js ${major}: metadata of one's own`, async t => {
    const { page, problems, now } = await open(t, major);
    const told = await page.evaluate(async () => {
      await window.Clerk.user.update({ unsafeMetadata: { theme: 'dark', deep: { list: [1, 'zwei', null] } } });
      return window.Clerk.user.unsafeMetadata;
    });
    assert.deepEqual(told, { theme: 'dark', deep: { list: [1, 'zwei', null] } });
    assert.deepEqual((await now()).unsafe_metadata, told);
    if (major > 5) {
      await page.evaluate(() => window.Clerk.user.updateMetadata({ unsafeMetadata: { theme: null, deep: { more: true } } }));
      assert.deepEqual((await now()).unsafe_metadata, { deep: { list: [1, 'zwei', null], more: true } });
    }
    // The newer SDK would rather have the second way taken.
    assert.deepEqual(unforeseen(problems, ['DEPRECATION WARNING: "user.update({ unsafeMetadata })"']), []);
  });

  test(`clerk-js ${major}: nobody is asked for an account elsewhere`, async t => {
    const { page, problems } = await visit(t, browser, vestry, apps[major]);
    await isOut(page);
    await page.evaluate(() => window.Clerk.openGoogleOneTap({}));
    await page.waitForTimeout(500);
    assert.equal(await page.locator('iframe, [id*=credential]').count(), 0);
    assert.deepEqual(unforeseen(problems), []);
  });

  test(`clerk-js ${major}: nothing is offered that the instance does not have`, async t => {
    const { page, problems } = await open(t, major, { options: { viewport: PHONE } });
    await picture(page, `profile-${major}-phone`);
    await fits(page, 'the profile');
    const parts = async () => page.locator('[class*=cl-profileSection__]').evaluateAll(all => all.map(one => [...one.classList].find(name => name.startsWith('cl-profileSection__')).slice(19)));
    assert.deepEqual(await parts(), ['profile', 'username', 'emailAddresses', 'phoneNumbers']);
    await page.locator('.cl-navbarMobileMenuButton').click();
    const places = await page.locator('.cl-navbarButton').evaluateAll(all => all.filter(one => one.offsetParent).map(one => one.innerText.trim()));
    assert.deepEqual(places, ['Profile', 'Security']);
    await page.locator('.cl-navbarButton__security').last().click();
    await section(page, 'activeDevices').waitFor();
    await picture(page, `profile-${major}-phone-security`);
    assert.deepEqual(await parts(), ['password', 'activeDevices', 'danger']);
    await fits(page, 'the profile');
    assert.deepEqual(unforeseen(problems), []);
  });
}

for (const major of MAJORS) {
  test(`clerk-js ${major}: an address is proven by a link, here or elsewhere`, async t => {
    await vestry.configure({ attributes: { ...ATTRIBUTES, email_address: { verifications: ['email_link', 'email_code'] } } });
    const { page, context, problems, address, now } = await open(t, major);
    const verified = async name => (await now()).email_addresses.some(one => one.email_address === name && one.verification?.status === 'verified');
    const elsewhere = await visit(t, browser, vestry, apps[major]);
    for (const [name, tab] of [[`here.${address}`, await context.newPage()], [`elsewhere.${address}`, elsewhere.page]]) {
      await unfold(page, 'emailAddresses');
      await fill(page, { emailAddress: name });
      await save(section(page, 'emailAddresses'));
      await says(page, /verification link/i);
      const link = await linkFor(vestry, name);
      await picture(page, `profile-${major}-link`);
      assert.equal(await verified(name), false);
      await tab.goto(link);
      await tab.waitForURL(`${apps[major].url}/profile/verify**`);
      await page.locator('.cl-profileSectionPrimaryButton__emailAddresses').last().waitFor();
      await page.locator('.cl-profileSectionItem__emailAddresses').filter({ hasText: name }).waitFor();
      assert.equal(await page.getByText('Unverified').count(), 0);
      assert.ok(await verified(name));
      await picture(tab, `profile-${major}-link-followed-${name.split('.')[0]}`);
      await tab.close();
    }
    assert.deepEqual(unforeseen(problems), []);
    // Nobody is signed in there, which the SDK says aloud of an app that mounts a profile all the same.
    assert.deepEqual(unforeseen(elsewhere.problems, ['<UserProfile/> cannot render unless a user is signed in']), []);
  });
}

/** The page finds out when it asks for the next token. */
const signedOutSoon = async ({ page }) => {
  await page.evaluate(() => window.Clerk.session?.getToken({ skipCache: true }).catch(() => null));
  await isOut(page);
};
