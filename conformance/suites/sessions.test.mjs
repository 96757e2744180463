// Sessions and the clients that hold them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { suite } from '../lib/world.mjs';

const notFound = { status: 404, code: 'resource_not_found' };
const day = 86_400_000;

suite('sessions and clients', world => {
  const sessions = () => world.clerk.sessions;
  const begin = async () => {
    const user = await world.user();
    return { user, session: await sessions().createSession({ userId: user.id }) };
  };

  test('a session is created and read', async () => {
    const { user, session } = await begin();
    assert.match(session.id, /^sess_\w{27}$/);
    assert.equal(session.userId, user.id);
    assert.equal(session.status, 'active');
    assert.match(session.clientId, /^client_\w+$/);
    assert.ok(Math.abs(session.expireAt - session.createdAt - 7 * day) < 60_000, 'seven days');
    assert.ok(session.abandonAt >= session.expireAt);
    assert.equal(session.actor ?? null, null);
    assert.equal(session.lastActiveOrganizationId ?? null, null);
    assert.deepEqual(await sessions().getSession(session.id), session);
  });

  test('sessions are listed by user, client and status', async () => {
    const { user, session } = await begin();
    const second = await sessions().createSession({ userId: user.id });
    const ids = async filter => (await sessions().getSessionList(filter)).data.map(one => one.id);
    const list = await sessions().getSessionList({ userId: user.id });
    assert.equal(list.totalCount, 2);
    assert.deepEqual(list.data.map(one => one.id).toSorted(), [session.id, second.id].toSorted());
    assert.deepEqual(await ids({ clientId: session.clientId }), [session.id]);
    assert.equal((await ids({ userId: user.id, limit: 1 })).length, 1);
    await sessions().revokeSession(second.id);
    assert.deepEqual(await ids({ userId: user.id, status: 'active' }), [session.id]);
    assert.deepEqual(await ids({ userId: user.id, status: 'revoked' }), [second.id]);
    assert.deepEqual(await sessions().getSessionList({ userId: 'user_none' }), { data: [], totalCount: 0 });
    await world.refused(() => sessions().getSessionList({ userId: user.id, status: 'asleep' }), { status: 422, code: 'form_param_value_invalid', param: 'status' });
    await world.refused(() => sessions().getSessionList({ userId: user.id, limit: 501 }), { status: 422, code: 'form_param_value_too_large', param: 'limit' });
    const { body } = await world.raw('GET', `/v1/sessions?user_id=${user.id}&status=active`);
    assert.deepEqual(body.map(one => one.id), [session.id], 'a bare list unless paginated=true');
  });

  test('a session is revoked for good', async () => {
    const { session } = await begin();
    assert.equal((await sessions().revokeSession(session.id)).status, 'revoked');
    assert.equal((await sessions().getSession(session.id)).status, 'revoked');
    const minted = await sessions().getToken(session.id).then(() => 200, error => error.status);
    assert.ok([401, 404].includes(minted), `a token of a revoked session: ${minted}`);
    await world.refused(() => sessions().revokeSession('sess_none'), notFound);
  });

  test('a session is verified by its token', async () => {
    const { user, session } = await begin();
    const other = await begin();
    const { jwt } = await sessions().getToken(session.id);
    const verified = await sessions().verifySession(session.id, jwt);
    assert.deepEqual([verified.id, verified.userId], [session.id, user.id]);
    const { jwt: foreign } = await sessions().getToken(other.session.id);
    for (const token of ['garbage', `${jwt}x`, foreign]) {
      const error = await sessions().verifySession(session.id, token).then(() => assert.fail('a wrong token was taken'), thrown => thrown);
      assert.ok([400, 401, 404].includes(error.status), `${error.status} ${error.errors?.[0]?.code}`);
    }
  });

  test('refuses what is unknown', async () => {
    await world.refused(() => sessions().getSession('sess_none'), notFound);
    await world.refused(() => sessions().createSession({ userId: 'user_none' }), notFound);
    await world.refused(() => sessions().createSession({}), { status: 422, code: 'form_param_missing', param: 'user_id' });
    await world.refused(() => sessions().createSession({ userId: 'user_none', colour: 1 }), { status: 422, code: 'form_param_unknown', param: 'colour' });
    await world.refused(() => sessions().getToken('sess_none'), notFound);
  });

  test('a refresh needs a refresh token of the session', async () => {
    const { session } = await begin();
    const { jwt } = await sessions().getToken(session.id);
    const attempt = given => () =>
      sessions().refreshSession(session.id, { expired_token: jwt, refresh_token: 'nothing', request_origin: 'http://app.local', format: 'token', ...given });
    await world.refused(attempt({ request_origin: 'no origin' }), { status: 401, code: 'refresh_request_origin_invalid' });
    await world.refused(attempt({ expired_token: 'garbage' }), { status: 401, code: 'expired_session_token_invalid' });
    await world.refused(attempt({ expired_token: jwt.slice(0, -4) + 'AAAA' }), { status: 401, code: 'expired_session_token_invalid' });
    await world.refused(attempt({}), { status: 401, code: 'expired_session_token_missing_azp' });
    await world.refused(attempt({ format: 'cookie', suffixed_cookies: true }), { status: 401, code: 'expired_session_token_missing_azp' });
  });

  test('a client holds its sessions', async () => {
    const { session } = await begin();
    const client = await world.clerk.clients.getClient(session.clientId);
    assert.equal(client.id, session.clientId);
    assert.deepEqual(client.sessionIds, [session.id]);
    assert.deepEqual(client.sessions.map(one => one.id), [session.id]);
    assert.equal(client.lastActiveSessionId, session.id);
    await world.refused(() => world.clerk.clients.getClient('client_none'), notFound);
  });

  test('clients are listed', async () => {
    const { session } = await begin();
    const list = await world.clerk.clients.getClientList({ limit: 500 });
    assert.ok(list.data.some(client => client.id === session.clientId));
    assert.ok(list.totalCount >= list.data.length);
  });

  test('a client is verified by its cookie only', async () => {
    const { session } = await begin();
    const { jwt } = await sessions().getToken(session.id);
    for (const token of ['garbage', jwt]) {
      const error = await world.clerk.clients.verifyClient(token).then(() => assert.fail('a wrong token was taken'), thrown => thrown);
      assert.ok([400, 401, 404].includes(error.status), `${error.status} ${error.errors?.[0]?.code}`);
    }
  });
});
