// JWT templates and the tokens made from them.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import { frontendHost, parts, pem } from '../lib/codes.mjs';
import { suite } from '../lib/world.mjs';

const notFound = { status: 404, code: 'resource_not_found' };

suite('JWT templates', world => {
  const templates = () => world.clerk.jwtTemplates;
  const mint = async (claims, given = {}, person = {}) => {
    const name = world.unique('template-');
    await templates().create({ name, claims, ...given });
    const user = await world.user(person);
    const session = await world.clerk.sessions.createSession({ userId: user.id });
    const { jwt } = await world.clerk.sessions.getToken(session.id, name);
    return { user, session, name, jwt, ...parts(jwt) };
  };

  test('a template is created, read, changed, listed and deleted', async () => {
    const claims = { camelCase: '{{user.id}}', nested: { list: [1, 'two'] } };
    const created = await templates().create({ name: 'first', claims, lifetime: 300, allowedClockSkew: 10 });
    assert.match(created.id, /^jtmp_\w+$/);
    assert.deepEqual([created.name, created.lifetime, created.allowedClockSkew, created.customSigningKey], ['first', 300, 10, false]);
    assert.equal(created.signingAlgorithm, 'RS256');
    assert.deepEqual(created.claims, claims);
    assert.deepEqual(await templates().get(created.id), created);

    const plain = await templates().create({ name: 'second', claims: {} });
    assert.deepEqual([plain.lifetime, plain.allowedClockSkew], [60, 5]);
    const updated = await templates().update({ templateId: created.id, name: 'renamed', claims: { a: 1 }, lifetime: 120 });
    assert.deepEqual([updated.id, updated.name, updated.lifetime], [created.id, 'renamed', 120]);
    assert.deepEqual(updated.claims, { a: 1 });

    const list = await templates().list();
    assert.equal(list.totalCount, 2);
    assert.deepEqual(list.data.map(one => one.name).toSorted(), ['renamed', 'second']);
    assert.equal((await templates().list({ limit: 1 })).data.length, 1);
    const deleted = await templates().delete(plain.id);
    assert.deepEqual([deleted.object, deleted.id, deleted.deleted], ['jwt_template', plain.id, true]);
    await world.refused(() => templates().get(plain.id), notFound);
  });

  test('refuses what is reserved, taken, out of bounds or unknown', async () => {
    const refusal = (given, status, code, param) => world.refused(() => templates().create({ name: world.unique('refused-'), claims: {}, ...given }), { status, code, param });
    for (const claim of ['azp', 'exp', 'iat', 'iss', 'jti', 'nbf', 'sub', 'sid', 'v', 'pla', 'fea']) await refusal({ claims: { [claim]: 'x' } }, 400, 'jwt_template_reserved_claim');
    const { name } = await templates().create({ name: world.unique('taken-'), claims: {} });
    await refusal({ name }, 422, ['form_already_exists', 'form_identifier_exists'], 'name');
    await refusal({ name: undefined }, 422, 'form_param_missing', 'name');
    await refusal({ claims: undefined }, 422, 'form_param_missing', 'claims');
    await refusal({ lifetime: 29 }, 422, ['form_param_value_invalid', 'form_param_value_too_small'], 'lifetime');
    await refusal({ lifetime: 315_360_001 }, 422, ['form_param_value_too_large', 'form_param_value_invalid'], 'lifetime');
    await refusal({ allowedClockSkew: 301 }, 422, ['form_param_value_too_large', 'form_param_value_invalid'], 'allowed_clock_skew');
    await refusal({ customSigningKey: true }, 422, 'form_conditional_param_missing');
    await refusal({ colour: 1 }, 422, 'form_param_unknown', 'colour');
    await world.refused(() => templates().get('jtmp_none'), notFound);
    await world.refused(() => templates().update({ templateId: 'jtmp_none', name: 'x', claims: {} }), notFound);
    await world.refused(() => templates().delete('jtmp_none'), notFound);
  });

  test('a token from a template carries its claims', async () => {
    const { user, jwt, header, payload } = await mint(
      {
        aud: 'convex',
        id: '{{user.id}}',
        name: '{{user.full_name}}',
        mail: '{{user.primary_email_address}}',
        verified: '{{user.email_verified}}',
        greeting: 'Dear {{user.first_name}} {{user.username}}',
        plan: '{{user.public_metadata.billing.plan}}',
        all: '{{user.public_metadata}}',
        fallback: "{{user.username || user.external_id || 'nobody'}}",
        unknown: '{{user.shoe_size}}',
        private: '{{user.private_metadata}}',
        fixed: { number: 7, list: [true, null] },
        actor: '{{session.actor}}',
      },
      { lifetime: 600, allowedClockSkew: 20 },
      { firstName: 'Ada', lastName: 'Lovelace', publicMetadata: { billing: { plan: 'pro' } }, privateMetadata: { secret: 1 } },
    );
    assert.equal(header.cat, 'cl_B7d4PD222AAA');
    assert.deepEqual([payload.sub, payload.iss], [user.id, `https://${frontendHost(world.keys.publishableKey)}`]);
    assert.deepEqual([payload.exp - payload.iat, payload.iat - payload.nbf], [600, 20]);
    for (const claim of ['sid', 'v', 'sts', 'fva']) assert.equal(claim in payload, false, claim);
    const { aud, id, name, mail, verified, greeting, plan, all, fallback, unknown, fixed, actor } = payload;
    assert.deepEqual({ aud, id, name, mail, verified, greeting, plan, all, fallback, unknown, fixed, actor }, {
      aud: 'convex',
      id: user.id,
      name: 'Ada Lovelace',
      mail: user.emailAddresses[0].emailAddress,
      verified: true,
      greeting: 'Dear Ada null',
      plan: 'pro',
      all: { billing: { plan: 'pro' } },
      fallback: 'nobody',
      unknown: null,
      fixed: { number: 7, list: [true, null] },
      actor: null,
    });
    assert.equal(payload.private ?? null, null);
    const claims = await world.sdk.verifyToken(jwt, { jwtKey: pem((await world.clerk.jwks.getJwks()).keys[0]), audience: 'convex' });
    assert.equal(claims.sub, user.id);
  });

  test('a template may sign with a key of its own', async () => {
    const signingKey = 'a shared secret of the application';
    const { jwt, header } = await mint({ role: 'authenticated' }, { customSigningKey: true, signingAlgorithm: 'HS256', signingKey });
    assert.equal(header.alg, 'HS256');
    const [head, body, signature] = jwt.split('.');
    assert.equal(createHmac('sha256', signingKey).update(`${head}.${body}`).digest('base64url'), signature);
    const { data } = await templates().list({ limit: 100 });
    assert.ok(data.every(template => !('signingKey' in template)));
  });

  test('a token from a template lives as long as it is asked to', async () => {
    const { session, name } = await mint({});
    const { jwt } = await world.clerk.sessions.getToken(session.id, name, 120);
    const { payload } = parts(jwt);
    assert.equal(payload.exp - payload.iat, 120);
  });
});
