// A Vestry of one's own: started for a suite, stopped after it.
import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

/** The program under test. */
export const binary = () =>
  resolve(root, process.env.VESTRY_BIN ?? join(process.env.CARGO_TARGET_DIR ?? 'target', 'debug', 'vestry'));

/** What the program is to know of the surroundings: it refuses variables that it does not know. */
const surroundings = () => {
  const { VESTRY_BIN, ...rest } = process.env;
  return rest;
};

/** The store under test: `sqlite`, or `postgres` in the folder `CONFORMANCE_POSTGRES` that scripts/postgres.sh made. */
export const store = process.env.CONFORMANCE_STORE ?? 'sqlite';

const storeArguments = () => {
  // The folder that `vestry dev` makes in the working folder.
  if (store === 'sqlite') return [];
  const made = spawnSync(join(root, 'scripts', 'postgres.sh'), ['database', process.env.CONFORMANCE_POSTGRES], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (made.status !== 0) throw new Error('no empty database could be made');
  return ['--database-url', made.stdout.trim()];
};

/** Two documents in one; what `change` says counts. */
const merged = (whole, change) => {
  const isObject = value => value !== null && typeof value === 'object' && !Array.isArray(value);
  if (!isObject(whole) || !isObject(change)) return change;
  return { ...whole, ...Object.fromEntries(Object.entries(change).map(([name, value]) => [name, merged(whole[name], value)])) };
};

/** Changes the settings of an instance as operators do, by `vestry config apply`. What a change does not mention is as it was at first. */
const configurer = (folder, storage) => {
  let original;
  const config = words => {
    const done = spawnSync(binary(), ['config', ...words, ...storage], { cwd: folder, encoding: 'utf8', env: surroundings() });
    if (done.status !== 0) throw new Error(`vestry config ${words.join(' ')} failed\n${done.stdout}${done.stderr}`);
    return done.stdout;
  };
  return async (change = {}) => {
    original ??= JSON.parse(config(['get', '--json']));
    const file = join(folder, 'settings.json');
    writeFileSync(file, JSON.stringify(merged(original, change)));
    if (config(['apply', file, '--yes']).startsWith('Nothing changes')) return;
    // A server that runs knows of it within a second.
    await new Promise(done => setTimeout(done, 1100));
  };
};

/** Moves the clock of a development instance, as `vestry instance clock` takes it: `['--advance', '2h']`, `['--reset']`. */
const clockmaker = (folder, storage) => async words => {
  const done = spawnSync(binary(), ['instance', 'clock', ...words, ...storage], { cwd: folder, encoding: 'utf8', env: surroundings() });
  if (done.status !== 0) throw new Error(`vestry instance clock ${words.join(' ')} failed\n${done.stdout}${done.stderr}`);
  await new Promise(done => setTimeout(done, 1100));
};

/** Reads the first line of a process's standard output, or tells how the process ended without one. */
export const firstLine = (child, what, milliseconds = 60_000) =>
  new Promise((accept, reject) => {
    const timer = setTimeout(() => reject(new Error(`${what} said nothing for ${milliseconds} ms`)), milliseconds);
    const settle = (give, value) => { clearTimeout(timer); give(value); };
    createInterface({ input: child.stdout }).once('line', line => settle(accept, line));
    child.once('error', error => settle(reject, error));
    child.once('exit', (code, signal) => settle(reject, new Error(`${what} ended with ${code ?? signal} before it was ready`)));
  });

/** Ends a process as an operator does and waits for it. */
export const end = async (child, milliseconds = 15_000) => {
  if (child.exitCode !== null || child.signalCode !== null) return;
  if (child.pid === undefined) return;
  const gone = new Promise(done => child.once('exit', done));
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), milliseconds);
  await gone;
  clearTimeout(timer);
};

/** The last words of a process on standard error, for when it does not come up. */
const lastWords = child => {
  const lines = [];
  createInterface({ input: child.stderr }).on('line', line => {
    if (process.env.CONFORMANCE_VERBOSE) console.error(line);
    lines.push(line);
    if (lines.length > 20) lines.shift();
  });
  return () => lines.join('\n');
};

/** `more` are further flags of `vestry dev`. */
export const startVestry = async (more = []) => {
  const folder = mkdtempSync(join(tmpdir(), 'vestry-dev-'));
  const storage = storeArguments();
  const child = spawn(binary(), ['dev', '--listen', '127.0.0.1:0', ...storage, '--json', ...more], {
    cwd: folder,
    env: surroundings(),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const words = lastWords(child);
  const stop = async () => {
    await end(child);
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const keys = JSON.parse(await firstLine(child, 'vestry dev'));
    child.stdout.resume();
    return {
      secretKey: keys.secret_key,
      publishableKey: keys.publishable_key,
      apiUrl: keys.api_url,
      frontendApiUrl: keys.frontend_api_url,
      instanceId: keys.instance_id,
      configure: configurer(folder, storage),
      clock: clockmaker(folder, storage),
      stop,
    };
  } catch (error) {
    await stop();
    throw new Error(`${error.message}\n${words()}`, { cause: error });
  }
};

/** A port that nobody has. */
export const freePort = () => new Promise((accept, reject) => {
  const server = createServer();
  server.once('error', reject);
  server.listen(0, '127.0.0.1', () => { const { port } = server.address(); server.close(() => accept(port)); });
});

/** A production server for apps on http://localhost, whose publishable key spells clerk.localhost. */
export const startProduction = async () => {
  const folder = mkdtempSync(join(tmpdir(), 'vestry-serve-'));
  const data = store === 'sqlite' ? ['--data', join(folder, 'data')] : [...storeArguments(), '--root-key-file', join(folder, 'root.key')];
  if (store !== 'sqlite') writeFileSync(join(folder, 'root.key'), randomBytes(32).toString('base64'), { mode: 0o600 });
  const made = spawnSync(binary(), ['instance', 'create', ...data, '--public-url', 'http://clerk.localhost', '--json'], { encoding: 'utf8', env: surroundings() });
  if (made.status !== 0) throw new Error(`no instance could be made\n${made.stderr}`);
  const keys = JSON.parse(made.stdout);
  const port = await freePort();
  const url = `http://localhost:${port}`;
  const child = spawn(binary(), ['serve', '--listen', `127.0.0.1:${port}`, ...data, '--public-url', `http://clerk.localhost:${port}`], { cwd: folder, env: surroundings(), stdio: ['ignore', 'ignore', 'pipe'] });
  const words = lastWords(child);
  const stop = async () => {
    await end(child);
    rmSync(folder, { recursive: true, force: true });
  };
  for (let tries = 0; ; tries += 1) {
    const ready = await fetch(`http://127.0.0.1:${port}/readyz`).then(response => response.ok, () => false);
    if (ready) break;
    if (tries > 300 || child.exitCode !== null) {
      await stop();
      throw new Error(`vestry serve is not ready\n${words()}`);
    }
    await new Promise(done => setTimeout(done, 100));
  }
  return { secretKey: keys.secret_key, publishableKey: keys.publishable_key, apiUrl: `http://127.0.0.1:${port}`, frontendApiUrl: url, instanceId: keys.instance_id, configure: configurer(folder, data), stop };
};
