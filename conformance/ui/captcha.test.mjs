// Captchas through the official components, with keys of one's own.
//
// The widget's script comes from one fixed host. Here that name leads to this machine, as a line in /etc/hosts would have it, and
// the script is a stand-in that solves itself, or has a button for it. So is the service that judges what it gives.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { startVestry } from '../lib/server.mjs';
import { MAJORS, codeFor, fill, go, isIn, says, startApp, typeCode, unforeseen } from './app.mjs';
import { launch, picture, watchedPage } from './browser.mjs';

const HOST = 'challenges.cloudflare.com';
const PASSWORD = 'correct horse battery';

/** What the pages load: a token tells of which widget it is, and for what. */
const widget = () => {
  const boxes = new Map();
  window.turnstile = {
    render(container, options) {
      const id = `widget-${boxes.size}`;
      const box = document.createElement('div');
      document.querySelector(container).append(box);
      boxes.set(id, box);
      const solve = () => options.callback([options.sitekey, options.action, crypto.randomUUID()].join('|'));
      setTimeout(() => {
        if (!options.sitekey.includes('asks')) return solve();
        options['before-interactive-callback']?.();
        const button = Object.assign(document.createElement('button'), { type: 'button', textContent: 'I am human', onclick: solve });
        box.append(button);
      }, 50);
      return id;
    },
    remove: id => boxes.get(id)?.remove(),
    reset: () => {},
  };
};

const stop = server => new Promise(done => { server.close(done); server.closeAllConnections(); });
const listen = server => new Promise(done => server.listen(0, '127.0.0.1', () => done(server.address().port)));

let folder, cloud, judge, vestry, browser, verifyUrl;
/** How often the script was asked for, and what was judged. */
const seen = { scripts: 0, forms: [] };

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'vestry-captcha-'));
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const words = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=${HOST} -keyout ${key} -out ${cert}`;
  const made = spawnSync('openssl', words.split(' '), { encoding: 'utf8' });
  assert.equal(made.status, 0, `openssl makes the certificate\n${made.stderr}`);
  cloud = createTlsServer({ key: readFileSync(key), cert: readFileSync(cert) }, (request, response) => {
    if (!request.url.startsWith('/turnstile/v0/api.js')) return response.writeHead(404).end();
    seen.scripts += 1;
    response.writeHead(200, { 'content-type': 'text/javascript' }).end(`(${widget})();`);
  });
  const spent = new Set();
  judge = createServer((request, response) => {
    let body = '';
    request.on('data', data => { body += data; }).on('end', () => {
      const form = Object.fromEntries(new URLSearchParams(body));
      seen.forms.push(form);
      const [site, action] = form.response.split('|');
      const isHuman = form.secret === `secret-of-${site}` && !site.includes('bot') && !spent.has(form.response);
      spent.add(form.response);
      const said = isHuman ? { success: true, action, hostname: 'localhost' } : { success: false, 'error-codes': ['invalid-input-response'] };
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(said));
    });
  });
  const port = await listen(cloud);
  verifyUrl = `http://127.0.0.1:${await listen(judge)}/siteverify`;
  vestry = await startVestry();
  browser = await launch([`--host-resolver-rules=MAP ${HOST} 127.0.0.1:${port}`]);
});
after(async () => {
  await browser?.close();
  await vestry?.stop();
  if (cloud) await stop(cloud);
  if (judge) await stop(judge);
  if (folder) rmSync(folder, { recursive: true, force: true });
});

/** Switches captchas on, with widgets of these names. */
const guard = ({ site = 'seen', unseen, type = 'smart', more = {} } = {}) => vestry.configure({
  ...more,
  sign_up: { captcha: true, captcha_widget_type: type },
  captcha: {
    site_key: site,
    secret_key: `secret-of-${site}`,
    verify_url: verifyUrl,
    ...(unseen && { invisible_site_key: unseen, invisible_secret_key: `secret-of-${unseen}` }),
  },
});

/** A page of an app, or of the server itself, in a browser that does not mind who vouches for the certificate. */
const open = async (t, major, path, { portal = false } = {}) => {
  const app = portal ? undefined : await startApp(vestry, major);
  const origins = [...(app ? [app.url] : []), vestry.frontendApiUrl, `https://${HOST}`];
  const { page, context, problems } = await watchedPage(browser, origins, { ignoreHTTPSErrors: true });
  t.after(async () => {
    if (t.passed === false) await picture(page, `failed-captcha-${major}`);
    await context.close();
    await app?.stop();
  });
  page.setDefaultTimeout(15_000);
  seen.scripts = 0;
  seen.forms.length = 0;
  await page.goto((app?.url ?? vestry.frontendApiUrl) + path);
  return { page, problems };
};

let count = 0;
const someone = () => `cleo${++count}@example.com`;

/** Fills in the card of a sign-up, and goes on. */
const begin = async (page, emailAddress) => {
  await fill(page, { emailAddress, password: PASSWORD });
  await page.locator('.cl-formFieldSuccessText, .cl-formFieldWarningText').first().waitFor({ timeout: 2000 }).catch(() => {});
  await go(page);
};

for (const major of MAJORS) {
  test(`clerk-js ${major}: nobody sees a captcha that needs nobody`, async t => {
    await guard();
    const { page, problems } = await open(t, major, '/sign-up');
    const emailAddress = someone();
    await begin(page, emailAddress);
    await typeCode(page, await codeFor(vestry, emailAddress));
    await isIn(page, emailAddress);
    const [form] = seen.forms;
    assert.deepEqual([seen.scripts, seen.forms.length, form.secret, form.remoteip], [1, 1, 'secret-of-seen', '127.0.0.1']);
    assert.match(form.response, /^seen\|signup\|/);
    assert.deepEqual(unforeseen(problems), []);
  });

  test(`clerk-js ${major}: somebody solves a captcha`, async t => {
    await guard({ site: 'asks' });
    const { page, problems } = await open(t, major, '/sign-up');
    const emailAddress = someone();
    await begin(page, emailAddress);
    const button = page.locator('#clerk-captcha button');
    await button.waitFor();
    await picture(page, `captcha-${major}-asks`);
    assert.equal(seen.forms.length, 0);
    await button.click();
    await typeCode(page, await codeFor(vestry, emailAddress));
    await isIn(page, emailAddress);
    assert.deepEqual(unforeseen(problems), []);
  });

  test(`clerk-js ${major}: a widget that is never seen is known by its own key`, async t => {
    await guard({ unseen: 'unseen', type: 'invisible' });
    const { page, problems } = await open(t, major, '/sign-up');
    const emailAddress = someone();
    await begin(page, emailAddress);
    await typeCode(page, await codeFor(vestry, emailAddress));
    await isIn(page, emailAddress);
    assert.deepEqual(seen.forms.map(form => form.secret), ['secret-of-unseen']);
    assert.deepEqual(unforeseen(problems), []);
  });

  test(`clerk-js ${major}: who is taken for a bot is told, and signs up once they are not`, async t => {
    await guard({ site: 'bot' });
    const { page, problems } = await open(t, major, '/sign-up');
    const emailAddress = someone();
    await begin(page, emailAddress);
    await page.locator('.cl-alert, .cl-formFieldErrorText').first().waitFor();
    await says(page, /captcha was not solved/i);
    await picture(page, `captcha-${major}-bot`);
    await guard();
    await page.reload();
    await begin(page, emailAddress);
    await typeCode(page, await codeFor(vestry, emailAddress));
    await isIn(page, emailAddress);
    assert.deepEqual(unforeseen(problems, [400]), []);
  });

  test(`clerk-js ${major}: a widget that cannot load lets nobody in, and they are told why`, async t => {
    await guard();
    const { page } = await open(t, major, '/');
    await page.route(`https://${HOST}/**`, route => route.abort());
    await page.goto(page.url() + 'sign-up');
    await begin(page, someone());
    await says(page, /captcha could not be shown/i);
    await picture(page, `captcha-${major}-blocked`);
    assert.equal(seen.forms.length, 0);
  });
}

// The older one does not know that a sign-in may become a sign-up.
test('clerk-js 6: whoever may go on from the sign-in to sign up solves it there, once', async t => {
  await guard({ more: { attack_protection: { enumeration_protection: true }, attributes: { password: { required: false } } } });
  const { page, problems } = await open(t, 6, '/');
  const emailAddress = someone();
  await page.evaluate(async identifier => {
    await window.ready;
    const { signIn } = window.Clerk.client;
    await signIn.create({ identifier, strategy: 'email_code', signUpIfMissing: true });
  }, emailAddress);
  assert.match(seen.forms[0].response, /\|signin\|/);
  const code = await codeFor(vestry, emailAddress);
  await page.evaluate(async code => {
    const { client } = window.Clerk;
    const proven = await client.signIn.attemptFirstFactor({ strategy: 'email_code', code });
    if (proven.firstFactorVerification.status !== 'transferable') throw new Error(proven.firstFactorVerification.status);
    const made = await client.signUp.create({ transfer: true });
    await window.Clerk.setActive({ session: made.createdSessionId });
  }, code);
  await isIn(page, emailAddress);
  assert.equal(seen.forms.length, 1);
  // Without a component there is no place for the widget, which the script says aloud.
  assert.deepEqual(unforeseen(problems, ['clerk-captcha']), []);
});

test('the account portal has captchas under its policy', async t => {
  await guard({ site: 'asks' });
  const { page, problems } = await open(t, 6, '/sign-up', { portal: true });
  const emailAddress = someone();
  await begin(page, emailAddress);
  const button = page.locator('#clerk-captcha button');
  await button.waitFor();
  await picture(page, 'captcha-portal');
  await button.click();
  await typeCode(page, await codeFor(vestry, emailAddress));
  await page.waitForURL(url => url.pathname.startsWith('/user'));
  assert.deepEqual(unforeseen(problems), []);
});

test('without captchas no page asks that host for anything', async t => {
  await vestry.configure();
  const { page, problems } = await open(t, 6, '/sign-up');
  const emailAddress = someone();
  await begin(page, emailAddress);
  await typeCode(page, await codeFor(vestry, emailAddress));
  await isIn(page, emailAddress);
  assert.deepEqual([seen.scripts, seen.forms.length], [0, 0]);
  assert.deepEqual(unforeseen(problems), []);
});
