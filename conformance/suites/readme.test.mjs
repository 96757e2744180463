// What the README shows runs as it stands there.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { root, startVestry } from '../lib/server.mjs';

const readme = readFileSync(join(root, 'README.md'), 'utf8');
const block = (language, part) => {
  const blocks = [...readme.matchAll(/^```(\w+)\n([^]*?)^```$/gm)].filter(([, name]) => name === language);
  const found = blocks.map(([, , text]) => text).find(text => text.includes(part));
  assert.ok(found, `the README shows ${part}`);
  return found;
};

let vestry;
before(async () => { vestry = await startVestry(); });
after(() => vestry?.stop());

const run = (program, words) => {
  const env = { ...process.env, CLERK_API_URL: vestry.apiUrl, CLERK_SECRET_KEY: vestry.secretKey };
  const done = spawnSync(program, words, { encoding: 'utf8', env, timeout: 30_000 });
  assert.equal(done.status, 0, done.stderr);
  return done.stdout;
};

test('the first call with curl', () => {
  const user = JSON.parse(run('bash', ['-c', block('sh', 'curl')]));
  assert.equal(user.first_name, 'Ada');
});

test('the first call with the official SDK', () => {
  // Beside the package, so that its name is found.
  const folder = mkdtempSync(join(root, 'node_modules', '.readme-'));
  try {
    const file = join(folder, 'first-call.mjs');
    writeFileSync(file, block('js', 'createClerkClient'));
    assert.match(run(process.execPath, [file]), /^user_\w+ \d+ \d+\n$/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
