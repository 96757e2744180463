// Being signed in: the official menu of a user, several accounts in one browser, tokens, and how sessions end.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startVestry } from '../lib/server.mjs';
import { MAJORS, backend, enter, fill, go, isIn, isOut, startApp, unforeseen, visit } from './app.mjs';
import { launch, picture } from './browser.mjs';

const PASSWORD = 'correct horse battery';
const HOME = { '/home': ['UserButton', {}], '/sign-in': ['SignIn', { routing: 'path', path: '/sign-in', fallbackRedirectUrl: '/home' }] };

let browser;
/** Of one session in a browser, of several, and one whose clock is moved. */
const servers = {};
const apps = {};
before(async () => {
  browser = await launch();
  for (const kind of ['one', 'many', 'later']) {
    servers[kind] = await startVestry();
    for (const major of MAJORS) apps[kind + major] = await startApp(servers[kind], major, { pages: HOME });
  }
  await servers.many.configure({ session: { single_session: false } });
  await servers.later.configure({ session: { inactivity_seconds: 1800, lifetime_seconds: 86_400 } });
});
after(async () => {
  await browser?.close();
  for (const app of Object.values(apps)) await app.stop();
  for (const server of Object.values(servers)) await server.stop();
});

let count = 0;
const somebody = async (call, first_name) => {
  const address = `${first_name.toLowerCase()}${++count}@example.com`;
  const user = await call('/users', { email_address: [address], first_name, password: PASSWORD });
  return { ...user, address };
};

/** Ada, signed in on a page with the menu. */
const open = async (t, kind, major) => {
  const [vestry, app] = [servers[kind], apps[kind + major]];
  const call = backend(vestry);
  const ada = await somebody(call, 'Ada');
  const { page, context, problems } = await visit(t, browser, vestry, app);
  await enter(page, call, ada.id);
  await page.goto(`${app.url}/home`);
  await page.locator('.cl-userButtonTrigger').waitFor();
  await isIn(page, 'Ada');
  const sessions = status => call(`/sessions?user_id=${ada.id}&status=${status}`, undefined, 'GET');
  return { page, context, problems, app, call, ada, sessions };
};

const unfold = async page => {
  await page.locator('.cl-userButtonTrigger').click();
  await page.locator('.cl-userButtonPopoverCard').waitFor();
};
const press = (page, action) => page.locator(`.cl-userButtonPopoverActionButton__${action}`).first().click();
const claims = token => JSON.parse(Buffer.from(token.split('.')[1], 'base64url'));
/** What a page hears when it asks for another token. */
const askForToken = page => page.evaluate(() => window.Clerk.session?.getToken({ skipCache: true }).then(() => 'a token', error => error.status ?? String(error)));

for (const major of MAJORS) {
  test(`clerk-js ${major}: the menu leads to the profile and out`, async t => {
    const { page, context, problems, ada, sessions } = await open(t, 'one', major);
    const tab = await context.newPage();
    await tab.goto(`${apps[`one${major}`].url}/home`);
    await isIn(tab, 'Ada');
    await page.bringToFront();
    await unfold(page);
    const text = await page.locator('.cl-userButtonPopoverCard').innerText();
    assert.match(text, /Ada/);
    assert.ok(text.includes(ada.address));
    assert.doesNotMatch(text, /Add account|Secured by|Development mode/i);
    await picture(page, `user-button-${major}`);
    await press(page, 'manageAccount');
    await page.locator('.cl-modalContent .cl-profileSection__profile').waitFor();
    await picture(page, `user-button-${major}-profile`);
    await page.keyboard.press('Escape');
    await page.locator('.cl-modalContent').waitFor({ state: 'detached' });
    await unfold(page);
    await press(page, 'signOut');
    await isOut(page);
    // The other tab hears of it.
    await isOut(tab);
    assert.equal((await sessions('active')).length, 0);
    await page.goto(apps[`one${major}`].url);
    await isOut(page);
    assert.doesNotMatch(await page.evaluate(() => document.cookie), /__session=[^;]/);
    assert.deepEqual(unforeseen(problems), []);
  });

  test(`clerk-js ${major}: a second account is added, chosen, and left alone`, async t => {
    const { page, context, problems, app, call } = await open(t, 'many', major);
    const grace = await somebody(call, 'Grace');
    await unfold(page);
    await picture(page, `user-button-${major}-many`);
    await press(page, 'addAccount');
    await page.waitForURL(`${app.url}/sign-in**`);
    await fill(page, { identifier: grace.address });
    await go(page);
    await fill(page, { password: PASSWORD });
    await go(page);
    await isIn(page, 'Grace');
    await page.goto(`${app.url}/home`);
    await isIn(page, 'Grace');

    await unfold(page);
    await picture(page, `user-button-${major}-two`);
    await page.locator('.cl-userButtonPopoverCard').getByText('Ada', { exact: true }).click();
    // Whoever changes accounts begins anew.
    await page.waitForURL(`${app.url}/`);
    await isIn(page, 'Ada');
    const first = await page.evaluate(() => window.Clerk.session.id);
    const second = await page.evaluate(() => window.Clerk.client.sessions.find(one => one.id !== window.Clerk.session.id).id);
    await page.evaluate(session => window.Clerk.setActive({ session }), second);
    await isIn(page, 'Grace');
    assert.equal(claims(await page.evaluate(() => window.Clerk.session.getToken())).sid, second);
    // Whoever comes later finds what was chosen last.
    const tab = await context.newPage();
    await tab.goto(`${app.url}/home`);
    await isIn(tab, 'Grace');
    await tab.close();

    await page.goto(`${app.url}/home`);
    await unfold(page);
    await press(page, 'signOut');
    await page.waitForURL(/choose|\/sign-in/);
    await page.locator('.cl-userPreview, .cl-accountSwitcher-root').first().waitFor();
    await picture(page, `user-button-${major}-choose`);
    await page.getByText('Ada', { exact: true }).click();
    await page.waitForURL(url => !url.pathname.startsWith('/sign-in'));
    await isIn(page, 'Ada');
    const left = await page.evaluate(() => window.Clerk.client.sessions.map(one => one.id));
    assert.deepEqual(left, [first]);
    assert.deepEqual(unforeseen(problems), []);
  });

  test(`clerk-js ${major}: all accounts are left at once`, async t => {
    const { page, problems, app, call, sessions } = await open(t, 'many', major);
    const grace = await somebody(call, 'Grace');
    await enter(page, call, grace.id);
    await page.goto(`${app.url}/home`);
    await isIn(page, 'Grace');
    await unfold(page);
    await press(page, 'signOutAll');
    await isOut(page);
    assert.equal((await sessions('active')).length, 0);
    assert.deepEqual(await call(`/sessions?user_id=${grace.id}&status=active`, undefined, 'GET'), []);
    assert.deepEqual(unforeseen(problems), []);
  });

  test(`clerk-js ${major}: tokens, of the session and of a template`, async t => {
    const { page, problems, app, call, ada } = await open(t, 'one', major);
    await call('/jwt_templates', { name: `app${major}`, claims: { name: '{{user.first_name}}', 'https://app.example/role': 'reader' }, lifetime: 90 });
    const told = await page.evaluate(async template => {
      const { session } = window.Clerk;
      return { id: session.id, own: await session.getToken(), next: await session.getToken({ skipCache: true }), of: await session.getToken({ template }) };
    }, `app${major}`);
    const own = claims(told.own);
    assert.deepEqual([own.sub, own.sid, own.azp, own.v], [ada.id, told.id, app.url, 2]);
    assert.ok(claims(told.next).iat >= own.iat);
    const of = claims(told.of);
    assert.deepEqual([of.sub, of.name, of['https://app.example/role'], of.exp - of.iat], [ada.id, 'Ada', 'reader', 90]);
    const refused = await page.evaluate(() => window.Clerk.session.getToken({ template: 'nothing' }).catch(error => [error.status, error.errors[0].code]));
    assert.deepEqual(refused, [404, 'resource_not_found']);
    await page.evaluate(() => window.Clerk.session.touch());
    await isIn(page, 'Ada');
    assert.deepEqual(unforeseen(problems, [404]), []);
  });

  test(`clerk-js ${major}: what a server revokes is over with the next token`, async t => {
    const { page, context, problems, app, call } = await open(t, 'one', major);
    const tab = await context.newPage();
    await tab.goto(`${app.url}/home`);
    await isIn(tab, 'Ada');
    const id = await page.evaluate(() => window.Clerk.session.id);
    await call(`/sessions/${id}/revoke`, {});
    await askForToken(page);
    await isOut(page);
    await askForToken(tab);
    await isOut(tab);
    await page.goto(`${app.url}/home`);
    await isOut(page);
    assert.deepEqual(unforeseen(problems, [401]), []);
  });

  test(`clerk-js ${major}: whoever is banned or deleted is out`, async t => {
    const banned = await open(t, 'one', major);
    await banned.call(`/users/${banned.ada.id}/ban`, {});
    await askForToken(banned.page);
    await isOut(banned.page);
    const deleted = await open(t, 'one', major);
    await deleted.call(`/users/${deleted.ada.id}`, undefined, 'DELETE');
    await askForToken(deleted.page);
    await isOut(deleted.page);
    for (const { problems } of [banned, deleted]) assert.deepEqual(unforeseen(problems, [401]), []);
  });

  test(`clerk-js ${major}: a session ends with its time, and before it if nobody uses it`, async t => {
    const { later } = servers;
    t.after(() => later.clock(['--reset']));
    const { page, problems } = await open(t, 'later', major);
    // Whoever is there stays.
    await later.clock(['--advance', '20m']);
    await page.evaluate(() => window.Clerk.session.touch());
    await later.clock(['--advance', '20m']);
    assert.equal(await askForToken(page), 'a token');
    await isIn(page, 'Ada');
    await later.clock(['--advance', '31m']);
    await askForToken(page);
    await isOut(page);

    const other = await open(t, 'later', major);
    await other.page.evaluate(() => window.Clerk.session.touch());
    await later.clock(['--advance', '25h']);
    await other.page.reload();
    await isOut(other.page);
    for (const each of [problems, other.problems]) assert.deepEqual(unforeseen(each, [401]), []);
  });
}
