// Runs the suites that look at pages through Chromium: our own pages, and the official components.
//
//   node conformance/ui/run.mjs [suite …]
//
// UI_SCREENSHOTS names a folder that takes pictures of what was seen.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { binary, root } from '../lib/server.mjs';

const words = process.argv.slice(2);
const folder = join(root, 'conformance', 'ui');
const files = readdirSync(folder)
  .filter(name => name.endsWith('.test.mjs') && (words.length === 0 || words.some(word => name === `${word}.test.mjs`)))
  .map(name => join(folder, name));
if (files.length === 0) {
  console.error('usage: node conformance/ui/run.mjs [suite …]');
  process.exit(2);
}
if (!existsSync(binary())) {
  console.error(`${binary()} is missing: build it (cargo build --bin vestry), or name another by VESTRY_BIN`);
  process.exit(2);
}

const must = (program, parameters, options) => {
  const done = spawnSync(program, parameters, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'], ...options });
  if (done.status !== 0) {
    console.error(`${program} ${parameters.join(' ')} failed`);
    process.exit(1);
  }
  return done.stdout.trim();
};

const components = process.env.VESTRY_UI_DIR ?? join(root, '.vestry', 'ui');
must(binary(), ['ui', 'add', '--ui-dir', components]);
const chromium = must(join(root, 'scripts', 'chromium.sh'), []);
if (process.env.UI_SCREENSHOTS) mkdirSync(process.env.UI_SCREENSHOTS, { recursive: true });

const environment = { ...process.env, VESTRY_UI_DIR: components, CHROMIUM: chromium, CLERK_TELEMETRY_DISABLED: '1' };
for (const name of ['CLERK_SECRET_KEY', 'CLERK_PUBLISHABLE_KEY', 'CLERK_API_URL', 'NODE_TEST_CONTEXT']) delete environment[name];
const tests = ['--test', '--test-concurrency=1', '--test-reporter=spec', ...files];
process.exit(spawnSync(process.execPath, tests, { stdio: 'inherit', env: environment }).status ?? 1);
