// HTTPS for development: an app that passes nothing but the key finds the server by the host in it.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import { startVestry } from '../lib/server.mjs';
import { launch, unexpected, watchedPage } from './browser.mjs';

let vestry, browser, app, host;

const lines = {
  6: ['@clerk/clerk-js@6/dist/clerk.browser.js', '@clerk/ui@1/dist/ui.browser.js'],
  5: ['@clerk/clerk-js@5/dist/clerk.browser.js'],
};

/** A page as somebody writes it who knows only the key. */
const page = major => `<!doctype html><html lang="en"><title>app</title><link rel="icon" href="data:,">
<main id="app"></main>
${lines[major].map(file => `<script src="https://${host}/npm/${file}" crossorigin="anonymous" data-clerk-publishable-key="${vestry.publishableKey}"></script>`).join('\n')}
<script>window.ready = Clerk.load({ telemetry: false, ui: window.__internal_ClerkUICtor && { ClerkUI: window.__internal_ClerkUICtor } });</script>`;

before(async () => {
  vestry = await startVestry(['--tls']);
  host = Buffer.from(vestry.publishableKey.split('_')[2], 'base64').toString().replace('$', '');
  const { port } = new URL(vestry.apiUrl);
  // What a line in /etc/hosts and port 443 do on a machine of one's own.
  browser = await launch([`--host-resolver-rules=MAP ${host} 127.0.0.1:${port}`]);
  app = createServer((request, response) => {
    response.writeHead(200, { 'content-type': 'text/html' });
    response.end(page(request.url.slice(1)));
  });
  await new Promise(done => app.listen(0, '127.0.0.1', done));
});
after(async () => { await browser?.close(); app?.close(); await vestry?.stop(); });

for (const major of [6, 5]) {
  test(`clerk-js ${major} loads with the key alone`, async () => {
    const origin = `http://localhost:${app.address().port}`;
    const watched = await watchedPage(browser, [origin, `https://${host}`], { ignoreHTTPSErrors: true });
    await watched.page.goto(`${origin}/${major}`);
    await watched.page.evaluate(() => window.ready);
    assert.equal(await watched.page.evaluate(() => window.Clerk.status ?? 'ready'), 'ready');
    await watched.page.evaluate(() => window.Clerk.mountSignIn(document.getElementById('app')));
    await watched.page.locator('.cl-formButtonPrimary').first().waitFor();
    assert.deepEqual(unexpected(watched.problems), []);
    await watched.context.close();
  });
}
