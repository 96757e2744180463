// How long people wait for the account portal's sign-in page once its scripts are known to their browser.
//
//   VESTRY_BIN=target/release/vestry node bench/paint.mjs
//
// Beside it stands what the same Chromium needs for a page of one line from the same machine.
import { createServer } from 'node:http';
import { launch } from '../conformance/ui/browser.mjs';
import { startVestry } from '../conformance/lib/server.mjs';

const ROUNDS = 15;

const middle = numbers => numbers.toSorted((one, other) => one - other)[Math.floor(numbers.length / 2)];
const largest = numbers => Math.max(...numbers);

/** Opens the page again and again in one browser: when something was painted, and when `wanted` was there. */
const measure = async (browser, url, wanted) => {
  const context = await browser.newContext({ viewport: { width: 1200, height: 900 } });
  const page = await context.newPage();
  // The browser itself notes the moment that the element is in the page.
  await page.addInitScript(selector => {
    const look = () => { if (document.querySelector(selector)) window.there ??= performance.now(); };
    new MutationObserver(look).observe(document, { childList: true, subtree: true });
  }, wanted);
  const [painted, there] = [[], []];
  for (let round = 0; round <= ROUNDS; round += 1) {
    await page.goto(url);
    const told = await page.waitForFunction(() => window.there && performance.getEntriesByName('first-contentful-paint')[0]?.startTime);
    // The first visit fetches the scripts.
    if (round === 0) continue;
    painted.push(await told.jsonValue());
    there.push(await page.evaluate(() => window.there));
  }
  await context.close();
  return { painted, there };
};

const say = (what, times) => console.log(`${what} | ${middle(times).toFixed(0)} | ${largest(times).toFixed(0)}`);

const plain = createServer((_, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><title>plain</title><p>One line.'));
await new Promise(done => plain.listen(0, '127.0.0.1', done));
const browser = await launch();
const vestry = await startVestry();
try {
  console.log('page, warm, in Chromium | median ms | largest ms');
  console.log('--- | --- | ---');
  const bare = await measure(browser, `http://localhost:${plain.address().port}/`, 'p');
  say('a page of one line, first paint', bare.painted);
  const portal = await measure(browser, `${vestry.frontendApiUrl}/sign-in`, '.cl-formButtonPrimary');
  say('/sign-in, first paint', portal.painted);
  say('/sign-in, its form is there', portal.there);
} finally {
  await browser.close();
  await vestry.stop();
  plain.close();
  plain.closeAllConnections();
}
