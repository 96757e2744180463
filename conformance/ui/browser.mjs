// Chromium, and what is true of each page one looks at in it.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

// Most of these keep Chromium from looking for hosts of its own; the last lets it look like a person's.
const flags = ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync', '--disable-blink-features=AutomationControlled'];

export const launch = (more = []) =>
  chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: [...flags, ...more] });

export const PHONE = { width: 360, height: 740 };
export const DESK = { width: 1200, height: 900 };

/** A page in a fresh context, watched: what goes wrong, and which other origins are asked, ends up in `problems`. */
export const watchedPage = async (browser, origins, options = {}) => {
  const context = await browser.newContext({ viewport: DESK, ...options });
  const page = await context.newPage();
  const problems = [];
  const allowed = new Set(origins.map(url => new URL(url).origin));
  page.on('pageerror', error => problems.push(`page error: ${error.message}`));
  page.on('console', message => {
    if (['error', 'warning'].includes(message.type())) problems.push(`console: ${message.text()}`);
  });
  page.on('request', request => {
    const url = new URL(request.url());
    if (url.protocol.startsWith('http') && !allowed.has(url.origin)) problems.push(`foreign request: ${url.href}`);
  });
  return { page, context, problems };
};

/** Waits until nothing moves any more, but for what never rests. */
export const still = page => page.evaluate(async () => {
  const moving = document.getAnimations().filter(one => one.effect?.getComputedTiming().endTime !== Infinity);
  await Promise.race([Promise.allSettled(moving.map(one => one.finished)), new Promise(done => setTimeout(done, 2000))]);
});

/** What axe finds wrong with the page for people who do not see or point. */
export const violations = async page => {
  await still(page);
  // Run by the debugger, which no policy of the page holds back.
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }));
  return violations.map(({ id, help, nodes }) => `${id}: ${help} (${nodes.map(node => node.target.join(' ')).join('; ')})`);
};

export const accessible = async (page, what) => assert.deepEqual(await violations(page), [], what);

/** Nothing sticks out to the side. */
export const fits = async (page, what) => {
  const [wide, room] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
  assert.ok(wide <= room, `${what} is ${wide} pixels wide, and there are ${room}`);
};

/** Takes a picture, if somebody wants to look at it. */
export const picture = async (page, name) => {
  const folder = process.env.UI_SCREENSHOTS;
  if (!folder) return;
  await still(page);
  await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true, animations: 'disabled' });
};

/** What went wrong, but for what the official script says of every development key. */
export const unexpected = problems => problems.filter(problem => !problem.includes('has been loaded with development keys'));
