// Actor tokens, agent tasks, sign-ups, handshakes, trusted devices.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parts } from '../lib/codes.mjs';
import { suite } from '../lib/world.mjs';

suite('actor tokens, agent tasks, sign-ups, handshakes', world => {
  const actors = () => world.clerk.actorTokens;

  test('an actor token names both and is revoked once', async () => {
    const user = await world.user();
    const created = await actors().create({ userId: user.id, actor: { sub: 'user_support', someKey: 1 }, expiresInSeconds: 600, sessionMaxDurationInSeconds: 900 });
    assert.match(created.id, /^act_\w+$/);
    assert.deepEqual([created.status, created.userId], ['pending', user.id]);
    assert.deepEqual(created.actor, { sub: 'user_support', someKey: 1 });
    const { header, payload } = parts(created.token);
    assert.equal(header.kid, undefined);
    assert.deepEqual([payload.st, payload.sid, payload.iid, payload.eis], ['actor_token', created.id, world.keys.instanceId, 600]);
    assert.equal(new URL(created.url).searchParams.get('ticket'), created.token);
    assert.equal((await actors().revoke(created.id)).status, 'revoked');
    await world.refused(() => actors().revoke(created.id), { status: 400, code: 'actor_token_cannot_be_revoked_code' });
  });

  test('an actor token is refused for what is wrong with it', async () => {
    const user = await world.user();
    await world.refused(() => actors().create({ userId: user.id, actor: {} }), { status: 422, code: 'form_param_missing', param: 'actor.sub' });
    await world.refused(() => actors().create({ userId: user.id }), { status: 422, code: 'form_param_missing', param: 'actor' });
    await world.refused(() => actors().create({ userId: 'user_none', actor: { sub: 'a' } }), { status: 404, code: 'resource_not_found' });
    await world.refused(() => actors().revoke('act_none'), { status: 404, code: 'resource_not_found' });
    await world.clerk.users.banUser(user.id);
    await world.refused(() => actors().create({ userId: user.id, actor: { sub: 'a' } }), { status: 403, code: 'user_banned' });
  });

  test('an agent task is a link for one agent', { skip: world.is2 && 'this version has none' }, async () => {
    const user = await world.user();
    const task = given => ({ permissions: '*', agentName: 'tester', taskDescription: 'Look', redirectUrl: 'http://localhost:3000/', ...given });
    const one = await world.clerk.agentTasks.create(task({ onBehalfOf: { userId: user.id } }));
    const other = await world.clerk.agentTasks.create(task({ onBehalfOf: { identifier: user.emailAddresses[0].emailAddress } }));
    assert.equal(one.agentId, other.agentId);
    assert.notEqual(one.agentTaskId, other.agentTaskId);
    assert.match(one.url, /\/v1\/agents\/tasks\?ticket=/);
    const revoked = await world.clerk.agentTasks.revoke(one.agentTaskId);
    assert.deepEqual([revoked.agentTaskId, revoked.url], [one.agentTaskId, undefined]);
    await world.refused(() => world.clerk.agentTasks.revoke(one.agentTaskId), { status: 400, code: 'agent_task_cannot_be_revoked' });
    await world.refused(() => world.clerk.agentTasks.revoke('agent_task_none'), { status: 404, code: 'agent_task_not_found' });
    await world.refused(() => world.clerk.agentTasks.create(task({ onBehalfOf: { identifier: 'nobody@example.com' } })), { status: 404, code: 'agent_task_subject_not_found' });
    await world.refused(() => world.clerk.agentTasks.create(task({ onBehalfOf: { userId: user.id }, permissions: 'read' })), { status: 422, code: 'form_param_value_invalid', param: 'permissions' });
  });

  // Sign-ups and handshakes come into being through the Frontend API.
  test('a sign-up nobody began is not found', async () => {
    await world.refused(() => world.clerk.signUps.get('sua_none'), { status: 404, code: 'resource_not_found' });
    await world.refused(() => world.clerk.signUps.update({ signUpAttemptId: 'sua_none', externalId: 'a', customAction: true }), { status: 404, code: 'resource_not_found' });
  });

  test('a handshake nobody left is not found', async () => {
    await world.refused(() => world.clerk.clients.getHandshakePayload({ nonce: 'none' }), { status: 404, code: 'resource_not_found' });
  });

  test('a user has no trusted devices yet', async () => {
    const user = await world.user();
    const { status, body } = await world.raw('GET', `/v1/users/${user.id}/trusted_devices`);
    assert.deepEqual([status, body], [200, { data: [], total_count: 0 }]);
    await world.rawRefused({ status: 404, code: 'resource_not_found' }, 'DELETE', `/v1/users/${user.id}/trusted_devices/td_none`);
  });
});
