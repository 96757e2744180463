// Session tokens: minted here, verified by the SDK with and without the network.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { frontendHost, parts, pem } from '../lib/codes.mjs';
import { suite } from '../lib/world.mjs';

suite('session tokens', world => {
  const sessions = () => world.clerk.sessions;
  const begin = async given => {
    const user = await world.user(given);
    const session = await sessions().createSession({ userId: user.id });
    return { user, session, jwt: (await sessions().getToken(session.id)).jwt };
  };
  const key = async () => (await world.clerk.jwks.getJwks()).keys[0];

  test('the key set holds the signing key', async () => {
    const jwks = await world.clerk.jwks.getJwks();
    assert.equal(jwks.object, undefined);
    assert.ok(jwks.keys.length > 0);
    for (const jwk of jwks.keys) {
      assert.deepEqual([jwk.use, jwk.kty, jwk.alg, jwk.e], ['sig', 'RSA', 'RS256', 'AQAB']);
      assert.equal(Buffer.from(jwk.n, 'base64url').length, 256);
      assert.equal(jwk.d, undefined);
    }
    assert.equal(jwks.keys[0].kid, world.keys.instanceId);
  });

  test('a token says what claims version 2 says', async () => {
    const { user, session, jwt } = await begin();
    const { header, payload } = parts(jwt);
    assert.deepEqual([header.alg, header.typ, header.cat], ['RS256', 'JWT', 'cl_B7d4PD111AAA']);
    assert.equal(header.kid, (await key()).kid);
    assert.deepEqual([payload.sub, payload.sid, payload.v, payload.sts], [user.id, session.id, 2, 'active']);
    assert.equal(payload.iss, `https://${frontendHost(world.keys.publishableKey)}`);
    assert.equal(payload.exp - payload.iat, 60);
    assert.equal(payload.iat - payload.nbf, 10);
    assert.ok(Math.abs(payload.iat - Date.now() / 1000) < 30);
    assert.ok(payload.jti.length >= 16);
    assert.equal(payload.fva.length, 2);
    assert.ok(payload.fva.every(Number.isInteger));
    for (const claim of ['o', 'org_id', 'org_role', 'org_slug', 'org_permissions', 'act', 'azp']) assert.equal(claim in payload, false, claim);
    const { jwt: next } = await sessions().getToken(session.id);
    assert.notEqual(parts(next).payload.jti, payload.jti);
  });

  test('a token lives as long as it is asked to', async () => {
    const { session } = await begin();
    const { jwt } = await sessions().getToken(session.id, '', 600);
    const { payload } = parts(jwt);
    assert.equal(payload.exp - payload.iat, 600);
    await world.refused(() => sessions().getToken(session.id, '', 29), { status: 422, code: ['form_param_value_invalid', 'form_param_value_too_small'], param: 'expires_in_seconds' });
    await world.refused(() => sessions().getToken(session.id, '', 315_360_001), { status: 422, code: ['form_param_value_too_large', 'form_param_value_invalid'], param: 'expires_in_seconds' });
    await world.refused(() => sessions().getToken(session.id, 'no-such-template'), { status: 404, code: 'resource_not_found' });
  });

  test('a token verifies without the network', async () => {
    const { user, session, jwt } = await begin();
    const claims = await world.sdk.verifyToken(jwt, { jwtKey: pem(await key()) });
    assert.deepEqual([claims.sub, claims.sid], [user.id, session.id]);
    world.calls['verifyToken (jwtKey)'] = { succeeded: 1, refused: {} };
  });

  test('a token verifies by the key set', async () => {
    const { user, jwt } = await begin();
    const { secretKey, apiUrl } = world.keys;
    const claims = await world.sdk.verifyToken(jwt, { secretKey, apiUrl, skipJwksCache: true });
    assert.equal(claims.sub, user.id);
    const error = await world.sdk.verifyToken(jwt, { secretKey: 'sk_test_wrong', apiUrl, skipJwksCache: true }).then(() => assert.fail('a wrong key loads keys'), thrown => thrown);
    assert.equal(error.reason, 'secret-key-invalid');
    world.calls['verifyToken (JWKS)'] = { succeeded: 1, refused: { 'secret-key-invalid': 1 } };
  });

  test('a forged or foreign token does not verify', async () => {
    const { jwt } = await begin();
    const jwtKey = pem(await key());
    const [head, body, signature] = jwt.split('.');
    const forged = Buffer.from(JSON.stringify({ ...parts(jwt).payload, sub: 'user_other' })).toString('base64url');
    for (const token of [`${head}.${forged}.${signature}`, `${head}.${body}.${signature.slice(0, -6)}AAAAAA`]) {
      const error = await world.sdk.verifyToken(token, { jwtKey }).then(() => assert.fail('a forged token verified'), thrown => thrown);
      assert.equal(error.reason, 'token-invalid-signature');
    }
  });

  test('a request with a bearer token is authenticated', async () => {
    const { user, session, jwt } = await begin();
    const request = token => new Request('http://app.local/api', { headers: token ? { authorization: `Bearer ${token}` } : {} });
    const state = await world.clerk.authenticateRequest(request(jwt));
    assert.equal(state.status, 'signed-in');
    const auth = state.toAuth();
    assert.deepEqual([auth.userId, auth.sessionId, auth.sessionStatus, auth.orgId ?? null], [user.id, session.id, 'active', null]);
    assert.equal(await auth.getToken(), jwt);
    assert.equal(auth.has({ role: 'org:admin' }), false);
    const templated = await auth.getToken({ expiresInSeconds: 120 });
    assert.equal(parts(templated).payload.sub, user.id);

    const locally = await world.clerk.authenticateRequest(request(jwt), { jwtKey: pem(await key()) });
    assert.equal(locally.status, 'signed-in');
    for (const token of [undefined, `${jwt.slice(0, -6)}AAAAAA`, 'garbage']) {
      const refused = await world.clerk.authenticateRequest(request(token));
      assert.notEqual(refused.status, 'signed-in');
      assert.equal(refused.toAuth()?.userId ?? null, null);
    }
  });
});
