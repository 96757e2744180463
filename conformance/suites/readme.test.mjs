// What the README shows runs as it stands there.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { binary, freePort, root, startVestry, store } from '../lib/server.mjs';

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

/** A clone as far as the commands need one, with a server whose data are where `make run` has them. */
const startClone = async () => {
  const folder = mkdtempSync(join(tmpdir(), 'vestry-clone-'));
  for (const name of ['package.json', 'package-lock.json', 'examples']) {
    cpSync(join(root, name), join(folder, name), { recursive: true, filter: path => !/\/(node_modules|dist|\.env)$/.test(path) });
  }
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  const server = await startVestry(['--data', join(folder, '.vestry')]);
  return { folder, server, stop: async () => { await server.stop(); rmSync(folder, { recursive: true, force: true }); } };
};

test('the first app in a minute', { skip: store === 'sqlite' ? false : 'what stands there is for the default store' }, async t => {
  const clone = await startClone();
  t.after(() => clone.stop());
  // The packages are there, the program is built.
  const commands = block('sh', 'keys --env').replace(/^npm ci$/m, '').replaceAll('cargo run --bin vestry --', binary());
  // The program refuses variables that it does not know.
  const { VESTRY_BIN, ...surroundings } = process.env;
  const env = { ...surroundings, PORT: String(await freePort()), NO_COLOR: '1' };
  const shell = spawn('bash', ['-c', commands], { cwd: clone.folder, env, detached: true, stdio: ['ignore', 'pipe', 'inherit'] });
  const gone = new Promise(done => shell.once('close', done));
  t.after(async () => { process.kill(-shell.pid, 'SIGTERM'); await gone; });

  let app, back;
  for await (const line of createInterface({ input: shell.stdout })) {
    app ??= line.match(/Local: +(http:\S+)/)?.[1];
    back ||= line.includes(`:${env.PORT}`);
    if (app && back) break;
  }
  assert.ok(app && back, 'both run');
  shell.stdout.resume();
  assert.match(await (await fetch(app)).text(), /src="\/src\/main.jsx"/);
  for (const name of ['react', 'express']) {
    assert.ok(readFileSync(join(clone.folder, 'examples', name, '.env'), 'utf8').includes(`VITE_CLERK_PUBLISHABLE_KEY=${clone.server.publishableKey}\n`));
  }
  assert.equal((await fetch(`${app}__clerk/v1/environment`)).status, 200);
  const me = await fetch(`${app}api/me`);
  assert.deepEqual([me.status, await me.json()], [401, { error: 'unauthenticated' }]);
});

test('what is shown of the app is in the app', () => {
  const files = ['react/src/main.jsx', 'react/vite.config.js', 'express/app.mjs'];
  const all = files.map(name => readFileSync(join(root, 'examples', name), 'utf8')).join('\n');
  const shown = [block('jsx', 'ClerkProvider'), block('js', '/__clerk'), block('js', 'clerkMiddleware')];
  for (const line of shown.flatMap(text => text.split('\n'))) assert.ok(all.includes(line.trim()), line);
});
