// What every refusal looks like, whatever was refused.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clientOf, suite } from '../lib/world.mjs';

suite('refusals', world => {
  test('a wrong key is refused', async () => {
    const stranger = clientOf(world.sdk, { ...world.keys, secretKey: 'sk_test_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' });
    await world.refused(() => stranger.users.getUserList(), { status: 401, code: 'clerk_key_invalid' });
    await world.refused(() => stranger.jwks.getJwks(), { status: 401, code: 'clerk_key_invalid' });
    await world.refused(() => stranger.users.getUser('user_none'), { status: 401, code: 'clerk_key_invalid' });
  });

  test('a missing or garbled key is refused', async () => {
    for (const authorization of [undefined, 'Basic abc', 'Bearer', world.keys.secretKey]) {
      const headers = authorization ? { authorization } : {};
      await world.rawRefused({ status: 401, code: 'authorization_header_format_invalid' }, 'GET', '/v1/users', { key: null, headers });
    }
  });

  test('a publishable key is no secret key', async () => {
    await world.rawRefused({ status: 401, code: 'clerk_key_invalid' }, 'GET', '/v1/users', { key: world.keys.publishableKey });
  });

  test('paths work with and without /v1', async () => {
    assert.equal((await world.raw('GET', '/users')).status, 200);
    assert.equal((await world.raw('GET', '/v1/users')).status, 200);
  });

  test('a GET may carry a content type and no body', async () => {
    assert.equal((await world.raw('GET', '/v1/users', { headers: { 'content-type': 'application/json' } })).status, 200);
    const user = await world.user();
    assert.equal((await world.raw('POST', `/v1/users/${user.id}/ban`, { headers: { 'content-type': 'application/json' } })).status, 200);
  });

  test('a body that is no JSON object is refused', async () => {
    for (const body of ['{', 'not json', '{"first_name":}']) {
      await world.rawRefused({ status: 400, code: 'request_body_invalid' }, 'POST', '/v1/users', { body });
    }
    for (const body of ['[]', '"text"', '7']) assert.ok([400, 422].includes((await world.raw('POST', '/v1/users', { body })).status), body);
    await world.rawRefused({ status: 415, code: 'unsupported_content_type' }, 'POST', '/v1/users', { body: 'first_name: Ada', headers: { 'content-type': 'text/yaml' } });
    await world.rawRefused({ status: 413, code: 'request_body_too_large' }, 'POST', '/v1/users', { body: JSON.stringify({ first_name: 'x'.repeat(20 * 1024 * 1024) }) });
  });

  test('a parameter of the wrong kind is named', async () => {
    const create = (body, expected) => world.rawRefused({ status: 422, ...expected }, 'POST', '/v1/users', { body: { email_address: [world.email()], skip_password_requirement: true, ...body } });
    await create({ colour: 'red' }, { code: 'form_param_unknown', param: 'colour' });
    await create({ first_name: 7 }, { code: 'form_param_type_invalid', param: 'first_name' });
    await create({ email_address: 'text' }, { code: 'form_param_type_invalid', param: 'email_address' });
    await create({ skip_password_checks: 'yes' }, { code: 'form_param_type_invalid', param: 'skip_password_checks' });
    await create({ email_address: null }, { code: 'form_param_nil', param: 'email_address' });
    const nul = await world.raw('POST', '/v1/users', { body: { email_address: [world.email()], skip_password_requirement: true, first_name: 'a\u0000b' } });
    assert.equal(nul.status, 422);
    assert.equal(nul.body.errors[0].meta.param_name, 'first_name');
    const query = await world.raw('GET', '/v1/users?query=a%00b');
    assert.equal(query.status, 422);
    assert.equal(query.body.errors[0].meta.param_name, 'query');
  });

  test('an unknown path or method is refused in the envelope', async () => {
    for (const path of ['/v1/nothing', '/v1', '/v1/users/user_x/nothing', '/v2/users']) {
      const { status } = await world.raw('GET', path);
      assert.equal(status, 404, path);
    }
    for (const [method, path] of [['PUT', '/v1/jwks'], ['DELETE', '/v1/users'], ['PATCH', '/v1/testing_tokens']]) {
      assert.equal((await world.raw(method, path)).status, 405, `${method} ${path}`);
    }
  });

  test('API versions are known, newer ones are the newest, others are refused', async () => {
    for (const version of ['2021-02-05', '2024-10-01', '2025-03-12', '2025-04-10', '2025-11-10', '2026-05-12', '2099-12-31']) {
      assert.equal((await world.raw('GET', '/v1/users', { version })).status, 200, version);
      assert.equal((await world.raw('GET', `/v1/users?__clerk_api_version=${version}`)).status, 200, version);
    }
    for (const version of ['2020-01-01', '2025-04-11', 'newest', '2025-4-10']) {
      await world.rawRefused({ status: 400, code: 'api_version_invalid' }, 'GET', '/v1/users', { version });
      await world.rawRefused({ status: 400, code: 'api_version_invalid' }, 'GET', `/v1/users?__clerk_api_version=${version}`);
    }
    await world.rawRefused({ status: 400, code: 'api_version_invalid' }, 'GET', '/v1/users?__clerk_api_version=2025-04-10', { version: '2025-04-10' });
    assert.equal((await world.raw('GET', '/v1/users')).status, 200, 'none');
  });

  test('each refusal has a trace id of its own', async () => {
    const ids = [];
    for (let count = 0; count < 3; count += 1) ids.push((await world.raw('GET', '/v1/users/user_none')).body.clerk_trace_id);
    assert.equal(new Set(ids).size, 3);
  });

  test('a server that is gone is told apart from one that refuses', async () => {
    const nowhere = clientOf(world.sdk, { ...world.keys, apiUrl: 'http://127.0.0.1:9' });
    const error = await nowhere.users.getUser('user_x').then(() => assert.fail('answered by nobody'), thrown => thrown);
    assert.equal(error.errors[0].code, 'unexpected_error');
    assert.equal(error.status, undefined);
  });
});
