// Sign-in tokens, testing tokens, the instance.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parts } from '../lib/codes.mjs';
import { suite } from '../lib/world.mjs';

suite('sign-in tokens, testing tokens, instance', world => {
  const tokens = () => world.clerk.signInTokens;

  test('a sign-in token is a ticket', async () => {
    const user = await world.user();
    const created = await tokens().createSignInToken({ userId: user.id, expiresInSeconds: 3600 });
    assert.match(created.id, /^sit_\w+$/);
    assert.deepEqual([created.userId, created.status], [user.id, 'pending']);
    const { header, payload } = parts(created.token);
    assert.deepEqual([header.alg, header.kid], ['HS256', undefined]);
    assert.deepEqual([payload.st, payload.sid, payload.iid, payload.eis], ['sign_in_token', created.id, world.keys.instanceId, 3600]);
    assert.equal(new URL(created.url).searchParams.get('__clerk_ticket'), created.token);
    const lasting = await tokens().createSignInToken({ userId: user.id });
    assert.equal(parts(lasting.token).payload.eis, 2_592_000);
  });

  test('a sign-in token is revoked once', async () => {
    const user = await world.user();
    const created = await tokens().createSignInToken({ userId: user.id, expiresInSeconds: 3600 });
    assert.equal((await tokens().revokeSignInToken(created.id)).status, 'revoked');
    await world.refused(() => tokens().revokeSignInToken(created.id), { status: 400, code: 'sign_in_token_cannot_be_revoked_code' });
  });

  test('refuses what is unknown', async () => {
    await world.refused(() => tokens().createSignInToken({ userId: 'user_none', expiresInSeconds: 60 }), { status: 404, code: 'resource_not_found' });
    await world.refused(() => tokens().createSignInToken({}), { status: 422, code: 'form_param_missing', param: 'user_id' });
    await world.refused(() => tokens().createSignInToken({ userId: 'user_none', colour: 1 }), { status: 422, code: 'form_param_unknown', param: 'colour' });
    await world.refused(() => tokens().revokeSignInToken('sit_none'), { status: 404, code: 'resource_not_found' });
  });

  test('a testing token lasts an hour', async () => {
    // Neither version knows the class of this object: it arrives as it was sent.
    const created = await world.clerk.testingTokens.createTestingToken();
    assert.equal(created.object, 'testing_token');
    assert.match(created.token, /^\d+-c_\w{32,}$/);
    const expires = created.expires_at ?? created.expiresAt;
    assert.ok(Math.abs(expires - Date.now() / 1000 - 3600) < 60, 'seconds, an hour from now');
  });

  test('the instance is read', async () => {
    const instance = await world.clerk.instance.get();
    assert.equal(instance.id, world.keys.instanceId);
    assert.equal(instance.environmentType, 'development');
  });
});
