// An app as its developers write it, with what the official SDK lets them set, and what a person does in it.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { before, describe, test } from 'node:test';
import { startVestry } from '../lib/server.mjs';
import { launch, picture, unexpected, watchedPage } from './browser.mjs';

export const MAJORS = [6, 5];

const PAGES = {
  '/sign-in': ['SignIn', { routing: 'path', path: '/sign-in' }],
  '/sign-up': ['SignUp', { routing: 'path', path: '/sign-up' }],
};

/** What the pages run: it loads the SDK, mounts what the page is for, and says who is signed in. As routers do, it stays on a page whose component moves below its path. */
const start = ({ load, mounts, prefix }) => {
  const stays = to => {
    const { origin, pathname } = new URL(to, location.href);
    return origin === location.origin && prefix !== '/' && (pathname === prefix || pathname.startsWith(`${prefix}/`));
  };
  const routerPush = to => (stays(to) ? history.pushState(null, '', to) : location.assign(to));
  const routerReplace = to => (stays(to) ? history.replaceState(null, '', to) : location.replace(to));
  const ui = window.__internal_ClerkUICtor && { ClerkUI: window.__internal_ClerkUICtor };
  const who = document.getElementById('who');
  const name = user => user.firstName ?? user.username ?? user.primaryEmailAddress?.emailAddress ?? user.primaryPhoneNumber?.phoneNumber;
  window.ready = window.Clerk.load({ telemetry: false, routerPush, routerReplace, ...load, ...(ui ? { ui } : {}) }).then(() => {
    const { Clerk } = window;
    Clerk.addListener(({ user }) => {
      if (user !== undefined) who.textContent = user ? `Hello ${name(user)}` : 'Nobody is signed in';
    });
    for (const [component, options] of mounts) {
      const here = document.createElement('div');
      document.getElementById('here').append(here);
      Clerk[`mount${component}`](here, options);
    }
  });
};

const json = value => JSON.stringify(value).replaceAll('<', '\\u003c');

/** The host of the Frontend API, which a publishable key spells. */
export const hostOfKey = key => Buffer.from(key.split('_')[2], 'base64').toString().replace('$', '');

/**
 * An app at http://localhost.
 *
 * `pages` says for a path what is mounted there and below it, as `[component, props]` or a list of such; elsewhere nothing is
 * but the line that says who is signed in. `load` goes to `Clerk.load`; the pages say that they are in `language`. With
 * `keyAlone` its developers know no more than the publishable key, and the server is where that says. `policy` makes a Content-Security-Policy from a number used once.
 */
export const startApp = async (vestry, major, { pages = PAGES, load = {}, host = 'localhost', keyAlone = false, policy, language = 'en' } = {}) => {
  const from = keyAlone ? `https://${hostOfKey(vestry.publishableKey)}` : vestry.frontendApiUrl;
  const script = (name, rest = '') => `<script crossorigin="anonymous" src="${from}/npm/@clerk/${name}" ${rest}></script>`;
  const attributes = `data-clerk-publishable-key="${vestry.publishableKey}"${keyAlone ? '' : ` data-clerk-proxy-url="${from}"`}`;
  const scripts = major === 6
    ? script('ui@1/dist/ui.browser.js') + script('clerk-js@6/dist/clerk.browser.js', attributes)
    : script('clerk-js@5/dist/clerk.browser.js', attributes);
  const links = { signInUrl: '/sign-in', signUpUrl: '/sign-up' };
  const page = (path, nonce) => {
    const own = Object.keys(pages).filter(prefix => path === prefix || (prefix !== '/' && path.startsWith(`${prefix}/`)));
    const [prefix = '/'] = own.toSorted((one, other) => other.length - one.length);
    const found = pages[prefix] ?? [];
    const mounts = found.length > 0 && !Array.isArray(found[0]) ? [found] : found;
    const text = `<!doctype html><html lang="${language}" dir="${['ar', 'he'].includes(language) ? 'rtl' : 'ltr'}"><link rel="icon" href="data:,"><title>App</title><p id="who"></p><main id="here"></main>${scripts}
<script>(${start})(${json({ load: { ...links, ...load, ...(nonce ? { nonce } : {}) }, mounts, prefix })})</script></html>`;
    return nonce ? text.replaceAll('<script', `<script nonce="${nonce}"`) : text;
  };
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url, 'http://app');
    const nonce = policy && randomBytes(16).toString('hex');
    const headers = { 'content-type': 'text/html; charset=utf-8', ...(policy ? { 'content-security-policy': policy(nonce) } : {}) };
    response.writeHead(200, headers).end(page(pathname, nonce));
  });
  await new Promise(done => server.listen(0, '127.0.0.1', done));
  return {
    url: `http://${host}:${server.address().port}`,
    stop: () => new Promise(done => { server.close(done); server.closeAllConnections(); }),
  };
};

/** The Backend API, as an app's own server calls it. */
export const backend = vestry => async (path, body, method = 'POST') => {
  const headers = { authorization: `Bearer ${vestry.secretKey}`, 'content-type': 'application/json' };
  const response = await fetch(`${vestry.apiUrl}/v1${path}`, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
  const text = await response.text();
  assert.ok(response.ok, `${method} ${path}: ${response.status} ${text}`);
  return text === '' ? undefined : JSON.parse(text);
};

/** All that a suite needs: a server, an app for each major, a browser. `flags` are for Chromium. */
export const raise = async (flags = []) => {
  const vestry = await startVestry();
  const apps = {};
  for (const major of MAJORS) apps[major] = await startApp(vestry, major);
  const browser = await launch(flags);
  const stop = async () => {
    await browser.close();
    for (const app of Object.values(apps)) await app.stop();
    await vestry.stop();
  };
  return { vestry, call: backend(vestry), apps, browser, stop };
};

/** Tests by what they show, each with both majors, under settings of their own that `configure` makes. */
export const underSettings = (configure, settings, tests) =>
  describe(Object.keys(settings).join(', ') || 'as it comes', { concurrency: 2 }, () => {
    before(() => configure(settings));
    for (const [what, run] of Object.entries(tests)) {
      for (const major of MAJORS) test(`clerk-js ${major}: ${what}`, t => run(t, major));
    }
  });

/** What was sent to an address or a number, the newest first; of what came `after` a message, if that is said. */
export const messagesFor = async (vestry, to, { after = '', wait = '10s' } = {}) => {
  const response = await fetch(`${vestry.apiUrl}/dev/inbox?${new URLSearchParams({ to, after, wait })}`);
  assert.equal(response.status, 200, await response.clone().text());
  return (await response.json()).data;
};

export const messageFor = async (vestry, to, options) => {
  const [newest] = await messagesFor(vestry, to, options);
  assert.ok(newest, `nothing was sent to ${to}`);
  return newest;
};

export const codeFor = async (vestry, to, options) => (await messageFor(vestry, to, options)).code;

export const linkFor = async (vestry, to, options) => (await messageFor(vestry, to, options)).link;

/** Six digits that are not the code. */
export const wrong = code => (code === '111111' ? '222222' : '111111');

/** A page of the app in a browser of its own, with the problems it has. */
export const visit = async (t, browser, vestry, app, path = '/', options = {}) => {
  const { page, context, problems } = await watchedPage(browser, [app.url, vestry.frontendApiUrl], options);
  t.after(async () => {
    if (t.passed === false) await picture(page, `failed-${t.name.replaceAll(/[^a-z0-9]+/gi, '-')}`);
    await context.close();
  });
  page.setDefaultTimeout(15_000);
  await page.goto(app.url + path);
  return { page, context, problems };
};

/** Signs a user in on a page of the app, without the component. */
export const enter = async (page, call, userId) => {
  const { token } = await call('/sign_in_tokens', { user_id: userId });
  await page.evaluate(async ticket => {
    await window.ready;
    const made = await window.Clerk.client.signIn.create({ strategy: 'ticket', ticket });
    await window.Clerk.setActive({ session: made.createdSessionId });
  }, token);
};

/** Presses the button that goes on. */
export const go = page => page.locator('.cl-formButtonPrimary').first().click();

export const fill = async (page, fields) => {
  for (const [name, value] of Object.entries(fields)) await page.locator(`input[name=${name}]`).first().fill(value);
};

/** Where a code is typed. */
export const codeField = page => page.locator('input[autocomplete=one-time-code], input[name=codeInput-0]').first();

export const typeCode = async (page, code) => {
  await codeField(page).waitFor();
  // The component empties its fields after a wrong code, before they take another.
  await page.waitForFunction(() => {
    const fields = [...document.querySelectorAll('input[autocomplete=one-time-code], input[name^=codeInput]')];
    return fields.every(field => field.value === '' && !field.disabled);
  });
  await codeField(page).pressSequentially(code);
};

export const isIn = (page, name) => page.getByText(`Hello ${name}`).waitFor();
export const isOut = page => page.getByText('Nobody is signed in').waitFor();
export const says = (page, text) => page.getByText(text).first().waitFor();

/** What went wrong but for what was to be: the official script says aloud the status of each refusal, and browsers what of the network fails. */
export const unforeseen = (problems, foreseen = []) => {
  const told = foreseen.map(what => (typeof what === 'number' ? `the server responded with a status of ${what}` : what));
  return unexpected(problems).filter(problem => !told.some(text => problem.includes(text)));
};
