// The judge itself: it passes what is right and names what is wrong.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judge } from '../lib/judge.mjs';

const session = {
  object: 'session',
  id: 'sess_2aaaaaaaaaaaaaaaaaaaaaaaaaa',
  client_id: 'client_2aaaaaaaaaaaaaaaaaaaaaaaaaa',
  user_id: 'user_2aaaaaaaaaaaaaaaaaaaaaaaaaa',
  status: 'active',
  actor: null,
  last_active_at: 1_700_000_000_000,
  expire_at: 1_700_000_000_000,
  abandon_at: 1_700_000_000_000,
  created_at: 1_700_000_000_000,
  updated_at: 1_700_000_000_000,
};
const refusal = { errors: [{ code: 'resource_not_found', message: 'not found', long_message: 'No session was found.', meta: {} }], clerk_trace_id: 'abc' };

const verdict = (body, { status = 200, url = '/v1/sessions/sess_x', headers = {} } = {}) =>
  judge({
    method: 'GET',
    url,
    requestHeaders: { 'clerk-api-version': '2025-04-10' },
    status,
    headers: { 'content-type': 'application/json', ...headers },
    body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)),
  });
const wrong = (faults, text) => assert.ok(faults.some(fault => fault.includes(text)), `${text} is not in ${JSON.stringify(faults)}`);

test('passes what is right', () => {
  assert.deepEqual(verdict(session), []);
  assert.deepEqual(verdict([session], { url: '/v1/sessions' }), []);
  assert.deepEqual(verdict({ data: [session], total_count: 1 }, { url: '/v1/sessions?paginated=true' }), []);
  assert.deepEqual(verdict(refusal, { status: 404, headers: { 'clerk-trace-id': 'abc' } }), []);
  assert.deepEqual(verdict('', { status: 204 }), []);
});

test('names a broken resource wherever it stands', () => {
  const { user_id: _, ...broken } = session;
  wrong(verdict(broken), 'seed session /user_id required');
  wrong(verdict([broken], { url: '/v1/sessions' }), 'user_id');
  wrong(verdict({ data: [{ ...session, created_at: 'today' }], total_count: 1 }, { url: '/v1/sessions?paginated=true' }), 'seed session /created_at type');
  assert.deepEqual(verdict({ anything: { public_metadata: { object: 'session' } } }, { url: '/v1/unknown' }), [], "users' own data is theirs");
});

test('names a broken transport', () => {
  wrong(verdict(session, { headers: { 'content-type': 'application/json; charset=utf-8' } }), 'content type');
  wrong(verdict('null'), 'null');
  wrong(verdict('<html>'), 'not JSON');
  wrong(verdict('{}', { status: 302 }), 'redirects');
  wrong(verdict('x', { status: 204 }), 'has a body');
  wrong(verdict(refusal, { status: 429, headers: { 'clerk-trace-id': 'abc' } }), 'Retry-After');
});

test('names a broken refusal', () => {
  const refused = body => verdict(body, { status: 404, headers: { 'clerk-trace-id': 'abc' } });
  wrong(refused({ errors: [] }), 'errors[]');
  wrong(refused({ ...refusal, errors: [{ ...refusal.errors[0], long_message: undefined }] }), 'long_message');
  wrong(refused({ ...refusal, errors: [{ ...refusal.errors[0], meta: undefined }] }), 'meta');
  wrong(refused({ ...refusal, clerk_trace_id: 'other' }), 'Clerk-Trace-Id');
});
