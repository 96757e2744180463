// Runs the conformance suites on one store or both and merges what they noted into results.json.
//
//   node conformance/run.mjs [--store sqlite|postgres|all] [suite …]
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openapiPresent, prepareOpenapi } from './lib/openapi.mjs';
import { contradictionsKnown } from './lib/contradictions.mjs';
import { binary, root } from './lib/server.mjs';

const words = process.argv.slice(2);
const at = words.indexOf('--store');
const [, chosen = 'sqlite'] = at >= 0 ? words.splice(at, 2) : [];
const stores = chosen === 'all' ? ['sqlite', 'postgres'] : [chosen];
const suites = join(root, 'conformance', 'suites');
const files = readdirSync(suites)
  .filter(name => name.endsWith('.test.mjs') && (words.length === 0 || words.some(word => name === `${word}.test.mjs`)))
  .map(name => join(suites, name));
if (files.length === 0 || stores.some(store => !['sqlite', 'postgres'].includes(store))) {
  console.error('usage: node conformance/run.mjs [--store sqlite|postgres|all] [suite …]');
  process.exit(2);
}

if (!existsSync(binary())) {
  console.error(`${binary()} is missing: build it (cargo build --bin vestry), or name another by VESTRY_BIN`);
  process.exit(2);
}

const descriptions = mkdtempSync(join(tmpdir(), 'vestry-openapi-'));
prepareOpenapi(descriptions);
const noted = mkdtempSync(join(tmpdir(), 'vestry-conformance-'));
const script = (...parameters) =>
  spawnSync(join(root, 'scripts', 'postgres.sh'), parameters, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });

const run = store => {
  const environment = { ...process.env, CONFORMANCE_STORE: store, CONFORMANCE_RESULTS: noted, CONFORMANCE_OPENAPI_JSON: descriptions, CLERK_TELEMETRY_DISABLED: '1' };
  // The suites say themselves what they talk to.
  for (const name of ['CLERK_SECRET_KEY', 'CLERK_PUBLISHABLE_KEY', 'CLERK_API_URL', 'CLERK_JWT_KEY', 'NODE_TEST_CONTEXT']) delete environment[name];
  const test = () => spawnSync(process.execPath, ['--test', '--test-concurrency=2', '--test-reporter=spec', ...files], { stdio: 'inherit', env: environment }).status === 0;
  if (store === 'sqlite') return test();
  const folder = mkdtempSync(join(tmpdir(), 'vestry-conformance-postgres-'));
  chmodSync(folder, 0o755);
  try {
    if (script('start', folder).status !== 0) throw new Error('PostgreSQL does not start');
    environment.CONFORMANCE_POSTGRES = folder;
    return test();
  } finally {
    script('stop', folder);
    rmSync(folder, { recursive: true, force: true });
  }
};

console.log(openapiPresent ? 'Answers are validated against the OpenAPI files as well.' : 'SKIPPED: no OpenAPI files (CLERK_OPENAPI); answers are validated against the JSON schema only.');
let passed = stores.map(run).every(Boolean);

const parts = readdirSync(noted).map(name => JSON.parse(readFileSync(join(noted, name), 'utf8')));
for (const folder of [noted, descriptions]) rmSync(folder, { recursive: true, force: true });

/** Per version and method: whether it succeeded, and how it was refused. */
const merge = version => {
  const own = parts.filter(part => part.version === version);
  const classes = new Map(own.flatMap(part => part.methods).map(method => [`${method.property}.${method.method}`, method]));
  const methods = {};
  for (const [name, method] of classes) methods[name] = { class: method.class, method: method.method, succeeded: 0, refused: {} };
  for (const { calls } of own) {
    for (const [name, { succeeded, refused }] of Object.entries(calls)) {
      const entry = (methods[name] ??= { class: null, method: name, succeeded: 0, refused: {} });
      entry.succeeded += succeeded;
      for (const [code, times] of Object.entries(refused)) entry.refused[code] = (entry.refused[code] ?? 0) + times;
    }
  }
  return Object.fromEntries(Object.entries(methods).sort(([one], [other]) => one.localeCompare(other)));
};

const versions = [...new Set(parts.filter(part => part.methods.length > 0).map(part => part.version))];
const results = { stores, openapi: openapiPresent, passed, versions: Object.fromEntries(versions.map(version => [version, merge(version)])) };

// With every suite run, each method has either succeeded or is in the tables of those that cannot yet.
if (words.length === 0) {
  const { refused_only, answers_501 } = JSON.parse(readFileSync(join(root, 'conformance', 'unserved.json'), 'utf8'));
  const cannot = new Set([...refused_only, ...Object.keys(answers_501)]);
  for (const [version, methods] of Object.entries(results.versions)) {
    const missing = Object.entries(methods).filter(([name, { succeeded }]) => succeeded === 0 && !cannot.has(name)).map(([name]) => name);
    if (missing.length > 0) {
      passed = false;
      console.error(`@clerk/backend ${version}: never succeeded and not in unserved.json: ${missing.join(', ')}`);
    }
  }
  const met = new Set(parts.flatMap(part => part.contradictions));
  if (openapiPresent && passed && met.size < contradictionsKnown) {
    passed = false;
    const idle = Array.from({ length: contradictionsKnown }, (_, row) => row).filter(row => !met.has(row));
    console.error(`contradictions.json: rows ${idle.join(', ')} are not needed any more; take them out`);
  }
}
results.passed = passed;
writeFileSync(join(root, 'conformance', 'results.json'), `${JSON.stringify(results, null, 1)}\n`);
for (const [version, methods] of Object.entries(results.versions)) {
  const all = Object.values(methods).filter(method => method.class !== null);
  console.log(`@clerk/backend ${version}: ${all.filter(({ succeeded }) => succeeded > 0).length} of ${all.length} methods succeeded`);
}
process.exit(passed ? 0 : 1);
