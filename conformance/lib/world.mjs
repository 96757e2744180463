// One suite's world: a Vestry on an empty store, a judge in front of it, and one version of the official SDK.
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, describe } from 'node:test';
import { contradictionsMet } from './contradictions.mjs';
import { judge } from './judge.mjs';
import { startProxy } from './proxy.mjs';
import { methodsOf, recorded } from './recorder.mjs';
import { startVestry, store } from './server.mjs';

const load = async (version, name) => ({ version, ...(await import(name)) });

/** The two versions of `@clerk/backend` that have to be satisfied. */
export const sdks = [await load('2.9.4', 'clerk-backend-2'), await load('latest', 'clerk-backend-latest')];

/** A client as an application's developer makes one. */
export const clientOf = (sdk, { secretKey, publishableKey, apiUrl }) =>
  sdk.createClerkClient({ secretKey, publishableKey, apiUrl, telemetry: { disabled: true } });

/** Leaves what a suite noted for the runner. */
export const save = (suite, version, calls, methods) => {
  const folder = process.env.CONFORMANCE_RESULTS;
  if (!folder) return;
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${suite.replace(/\W+/g, '-')}-${version}-${store}.json`);
  writeFileSync(file, JSON.stringify({ suite, version, store, calls, methods, contradictions: contradictionsMet() }));
};

/** Runs the tests that `define` declares against both versions, each on a server of its own. */
export const suite = (name, define) => {
  for (const sdk of sdks) {
    describe(`${name} · @clerk/backend ${sdk.version} · ${store}`, () => {
      const world = { sdk, is2: sdk.version === '2.9.4', calls: {}, exchanges: [], count: 0 };
      let faults = [];
      const keep = exchange => {
        world.exchanges.push(exchange);
        faults.push(...judge(exchange));
      };
      before(async () => {
        world.server = await startVestry();
        world.proxy = await startProxy(world.server.apiUrl, keep);
        world.keys = { ...world.server, apiUrl: world.proxy.url };
        world.plain = clientOf(sdk, world.keys);
        world.clerk = recorded(world.plain, world.calls);
      });
      after(async () => {
        if (world.plain) save(name, sdk.version, world.calls, methodsOf(world.plain));
        await world.proxy?.stop();
        await world.server?.stop();
      });
      afterEach(() => {
        const found = faults;
        faults = [];
        assert.deepEqual(found, [], 'answers that break a rule');
      });
      define(equipped(world));
    });
  }
};

const equipped = world =>
  Object.assign(world, {
    /** A text no other test uses. */
    unique: stem => `${stem}${(world.count += 1)}`,
    email: () => world.unique('person') + '@example.com',
    phone: () => `+1202555${String((world.count += 1)).padStart(4, '0')}`,
    /** A user with one verified address, plus what is given. */
    user: (given = {}) => world.clerk.users.createUser({ emailAddress: [world.email()], password: 'correct horse battery', skipPasswordChecks: true, ...given }),
    /** A request without any SDK. A body that is not a text is sent as JSON. */
    raw: async (method, path, { body, headers = {}, key = world.keys.secretKey, version } = {}) => {
      const response = await fetch(world.keys.apiUrl + path, {
        method,
        headers: {
          ...(key === null ? {} : { authorization: `Bearer ${key}` }),
          ...(version ? { 'clerk-api-version': version } : {}),
          ...(body !== undefined && !(body instanceof FormData) ? { 'content-type': 'application/json' } : {}),
          ...headers,
        },
        body: body === undefined || typeof body === 'string' || body instanceof FormData ? body : JSON.stringify(body),
        redirect: 'manual',
      });
      const text = await response.text();
      return { status: response.status, headers: response.headers, body: text === '' ? undefined : JSON.parse(text) };
    },
    /** Expects a raw answer to be a refusal. */
    rawRefused: async (expected, ...request) => {
      const { status, body } = await world.raw(...request);
      const [error] = body?.errors ?? [{}];
      assert.deepEqual({ status, code: error.code }, { status: expected.status, code: expected.code }, error.long_message);
      if (expected.param) assert.equal(error.meta.param_name, expected.param);
      return error;
    },
    /** Expects a call of the SDK to be refused, with everything its error object promises. */
    refused: async (call, { status, code, param }) => {
      const error = await call().then(
        value => assert.fail(`expected ${status} ${code}, got ${JSON.stringify(value)?.slice(0, 200)}`),
        thrown => thrown,
      );
      if (error instanceof assert.AssertionError) throw error;
      assert.ok(error.clerkError, `not an API error: ${error}`);
      const [first] = error.errors;
      const codes = [code].flat();
      assert.ok(
        error.status === status && codes.includes(first?.code),
        `expected ${status} ${codes.join('|')}, got ${error.status} ${first?.code}: ${first?.longMessage}`,
      );
      assert.ok(first.message && first.longMessage, 'both messages');
      assert.ok(error.clerkTraceId, 'a trace id');
      if (param) assert.equal(first.meta?.paramName, param);
      return error;
    },
  });
