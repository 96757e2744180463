// An app whose own server forwards /__clerk: pages then ask nobody else, and need no other word on where to ask.
import assert from 'node:assert/strict';
import { createServer, request as ask } from 'node:http';
import { after, before, test } from 'node:test';
import { startVestry } from '../lib/server.mjs';
import { launch, unexpected, watchedPage } from './browser.mjs';

let vestry, browser, app, origin;

const lines = {
  6: ['@clerk/clerk-js@6/dist/clerk.browser.js', '@clerk/ui@1/dist/ui.browser.js'],
  5: ['@clerk/clerk-js@5/dist/clerk.browser.js'],
};

const page = major => `<!doctype html><html lang="en"><title>app</title><link rel="icon" href="data:,">
<main id="app"></main>
${lines[major].map(file => `<script src="/__clerk/npm/${file}" crossorigin="anonymous" data-clerk-publishable-key="${vestry.publishableKey}" data-clerk-proxy-url="/__clerk"></script>`).join('\n')}
<script>window.ready = Clerk.load({ telemetry: false, ui: window.__internal_ClerkUICtor && { ClerkUI: window.__internal_ClerkUICtor } });</script>`;

before(async () => {
  vestry = await startVestry();
  browser = await launch();
  app = createServer((request, response) => {
    if (!request.url.startsWith('/__clerk/')) return response.writeHead(200, { 'content-type': 'text/html' }).end(page(request.url.slice(1)));
    const sent = ask(vestry.apiUrl + request.url, { method: request.method, headers: request.headers }, answer => {
      response.writeHead(answer.statusCode, answer.headers);
      answer.pipe(response);
    });
    sent.on('error', () => response.destroy());
    return request.pipe(sent);
  });
  await new Promise(done => app.listen(0, '127.0.0.1', done));
  origin = `http://localhost:${app.address().port}`;
});
after(async () => { await browser?.close(); app?.close(); app?.closeAllConnections(); await vestry?.stop(); });

for (const major of [6, 5]) {
  test(`clerk-js ${major} loads through the app's own server`, async () => {
    const watched = await watchedPage(browser, [origin]);
    await watched.page.goto(`${origin}/${major}`);
    await watched.page.evaluate(() => window.ready);
    await watched.page.evaluate(() => window.Clerk.mountSignIn(document.getElementById('app')));
    await watched.page.locator('.cl-formButtonPrimary').first().waitFor();
    assert.deepEqual(unexpected(watched.problems), []);
    await watched.context.close();
  });
}

test('the portal is there as well', async () => {
  const watched = await watchedPage(browser, [origin]);
  await watched.page.goto(`${origin}/__clerk/sign-in`);
  await watched.page.locator('.cl-formButtonPrimary').first().waitFor();
  await watched.page.getByRole('link', { name: 'Sign up' }).click();
  await watched.page.waitForURL(`${origin}/__clerk/sign-up*`);
  await watched.page.locator('.cl-signUp-root').waitFor();
  assert.deepEqual(unexpected(watched.problems), []);
  await watched.context.close();
});
