// The Frontend API without any script in front of it: every operation that is served, its answers and refusals judged by
// the published description where it is at hand, and by the table of `frontend-shapes.json` everywhere.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { png, totp } from '../lib/codes.mjs';
import { frontendJudge } from '../lib/judge.mjs';
import { startVestry } from '../lib/server.mjs';
import { Shapes, expect, expected } from '../lib/shapes.mjs';
import { Visitor } from '../lib/visitor.mjs';
import { save } from '../lib/world.mjs';

const origin = 'http://localhost:3000';
const password = 'correct horse battery';
const secret = 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP';
const on = { enabled: true };
const settings = {
  attributes: {
    email_address: { first_factors: ['email_code', 'email_link'] },
    phone_number: { ...on, used_for_first_factor: true, used_for_second_factor: true, second_factors: ['phone_code'] },
    username: { ...on, used_for_first_factor: true },
    password: { required: false },
    authenticator_app: { ...on, used_for_second_factor: true },
    backup_code: { ...on, used_for_second_factor: true },
  },
  session: { single_session: false },
};

describe('the Frontend API, operation by operation', () => {
  const shapes = new Shapes();
  let server, faults = [], count = 0;

  before(async () => {
    server = await startVestry();
    await server.configure(settings);
  });
  after(async () => {
    save('frontend', 'frontend', {}, []);
    await server?.stop();
  });
  afterEach(() => {
    const found = faults;
    faults = [];
    assert.deepEqual(found, [], 'answers that break a rule');
  });

  const backend = async (method, path, body) => {
    const headers = { authorization: `Bearer ${server.secretKey}`, 'content-type': 'application/json' };
    const answer = await fetch(server.apiUrl + path, { method, headers, body: body && JSON.stringify(body) });
    const parsed = await answer.json();
    assert.ok(answer.ok, JSON.stringify(parsed));
    return parsed;
  };
  const address = () => `person${(count += 1)}+clerk_test@example.com`;
  const number = () => `+120155501${String((count += 1)).padStart(2, '0')}`;
  const person = (more = {}) => backend('POST', '/v1/users', { email_address: [address()], password, skip_password_checks: true, ...more });

  /** A page with the token of a developer's browser. */
  class Page {
    visitor = new Visitor();

    async load() {
      this.token = (await this.post('/v1/dev_browser')).body.token;
      return this;
    }

    /** Asks for `path` as scripts do; what it is refused with is `code`, if it shall be refused. */
    async ask(method, path, fields = {}, { code, raw, version = '2026-05-12' } = {}) {
      const url = new URL(path, server.frontendApiUrl);
      url.searchParams.set('__clerk_api_version', version);
      if (this.token) url.searchParams.set('__clerk_db_jwt', this.token);
      if (!['GET', 'POST'].includes(method)) url.searchParams.set('_method', method);
      const form = raw ?? { type: 'application/x-www-form-urlencoded', bytes: new URLSearchParams(fields).toString() };
      const headers = { origin, ...(method === 'GET' ? {} : { 'content-type': form.type }) };
      const options = { method: method === 'GET' ? 'GET' : 'POST', headers, body: method === 'GET' ? undefined : form.bytes };
      const answer = await this.visitor.ask(url.href, options);
      const body = answer.text === '' ? undefined : JSON.parse(answer.text);
      const exchange = { ...answer, method, path: url.pathname, body };
      faults.push(...frontendJudge(exchange));
      shapes.note(exchange);
      const said = body?.errors?.[0]?.code;
      assert.equal(said, code, `${method} ${path}: ${answer.status} ${answer.text.slice(0, 400)}`);
      return exchange;
    }

    get(path, more) { return this.ask('GET', path, {}, more); }
    post(path, fields, more) { return this.ask('POST', path, fields, more); }
    async response(method, path, fields) { return (await this.ask(method, path, fields)).body.response; }

    async signIn(user) {
      const { response } = (await this.post('/v1/client/sign_ins', { identifier: user.email_addresses[0].email_address, password })).body;
      return response.created_session_id;
    }
  }
  const page = () => new Page().load();

  test('what anybody may ask', async () => {
    const nobody = new Page();
    for (const path of ['/v1/environment', '/v1/health', '/v1/proxy-health', '/.well-known/jwks.json']) await nobody.get(path);
    await nobody.ask('PATCH', '/v1/environment');
    await nobody.get('/v1/client', { code: 'dev_browser_unauthenticated' });
    await nobody.get('/v1/me', { code: 'dev_browser_unauthenticated' });
    await nobody.post('/v1/waitlist', { email_address: address() }, { code: 'feature_not_enabled' });
    await nobody.post('/v1/waitlist', {}, { code: 'form_param_missing' });
    await nobody.get('/v1/tickets/accept?ticket=nonsense', { code: 'ticket_invalid_code' });
    await nobody.get('/v1/verify?token=nonsense', { code: 'verification_link_token_invalid' });
    const { token } = await backend('POST', '/v1/sign_in_tokens', { user_id: (await person()).id });
    assert.equal((await nobody.get(`/v1/tickets/accept?ticket=${token}`)).status, 303);
  });

  test('clients', async () => {
    const here = await page();
    for (const method of ['GET', 'PUT', 'POST']) assert.equal((await here.ask(method, '/v1/client')).body.response.object, 'client');
    await here.signIn(await person());
    await here.get('/v1/client');
    await here.ask('DELETE', '/v1/client/sessions');
    await here.ask('DELETE', '/v1/client');
    await here.get('/v1/me', { code: 'authentication_invalid' });
  });

  test('sign-ins by password, code, link and ticket', async () => {
    const user = await person({ phone_number: [number()], first_name: 'Ada' });
    const identifier = user.email_addresses[0].email_address;
    const begun = async (fields) => {
      const here = await page();
      return { here, signIn: await here.response('POST', '/v1/client/sign_ins', fields) };
    };
    const { here, signIn } = await begun({ identifier });
    const path = `/v1/client/sign_ins/${signIn.id}`;
    await here.get(path);
    await here.post('/v1/client/sign_ins', { identifier: 'nobody@example.com' }, { code: 'form_identifier_not_found' });
    await here.post('/v1/client/sign_ins', { strategy: 'nonsense' }, { code: 'form_param_value_invalid' });
    await here.get('/v1/client/sign_ins/sia_none', { code: 'resource_not_found' });
    for (const step of ['prepare_first_factor', 'attempt_first_factor', 'prepare_second_factor', 'attempt_second_factor']) {
      await here.post(`${path}/${step}`, {}, { code: 'form_param_missing' });
    }
    await here.post(`${path}/reset_password`, { password }, { code: 'bad_request' });
    await here.post(`${path}/attempt_first_factor`, { strategy: 'password', password: 'wrong' }, { code: 'form_password_incorrect' });
    const link = signIn.supported_first_factors.find(factor => factor.strategy === 'email_link');
    await here.post(`${path}/prepare_first_factor`, { strategy: 'email_link', email_address_id: link.email_address_id, redirect_url: `${origin}/sign-in` });
    for (const strategy of ['email_code', 'phone_code']) {
      await here.post(`${path}/prepare_first_factor`, { strategy });
      await here.post(`${path}/attempt_first_factor`, { strategy, code: '000000' }, { code: 'form_code_incorrect' });
    }
    await here.post(`${path}/attempt_first_factor`, { strategy: 'phone_code', code: '424242' });
    await here.get(path);
    await here.post(`${path}/attempt_first_factor`, { strategy: 'phone_code', code: '424242' }, { code: 'verification_already_verified' });
    await here.post('/v1/client/sign_ins', { identifier, password }, { code: 'identifier_already_signed_in' });
    const { token } = await backend('POST', '/v1/sign_in_tokens', { user_id: user.id });
    await begun({ strategy: 'ticket', ticket: token });
    await begun({ identifier, strategy: 'email_code' });

    const forgot = await begun({ identifier, strategy: 'reset_password_email_code' });
    const way = `/v1/client/sign_ins/${forgot.signIn.id}`;
    await forgot.here.post(`${way}/attempt_first_factor`, { strategy: 'reset_password_email_code', code: '424242' });
    await forgot.here.post(`${way}/reset_password`, { password: 'short' }, { code: 'form_password_length_too_short' });
    await forgot.here.post(`${way}/reset_password`, { password: 'two red foxes dance' });
  });

  test('second factors', async () => {
    const user = await person({ phone_number: [number()], totp_secret: secret, backup_codes: ['aaaa1111'] });
    await backend('PATCH', `/v1/phone_numbers/${user.phone_numbers[0].id}`, { reserved_for_second_factor: true });
    const fields = { identifier: user.email_addresses[0].email_address, password };
    for (const [strategy, code] of [['phone_code', '424242'], ['totp', totp(secret)], ['backup_code', 'aaaa1111']]) {
      const here = await page();
      const { id } = await here.response('POST', '/v1/client/sign_ins', fields);
      const path = `/v1/client/sign_ins/${id}`;
      if (strategy === 'phone_code') await here.post(`${path}/prepare_second_factor`, { strategy });
      await here.post(`${path}/prepare_second_factor`, { strategy: 'totp' }, { code: 'strategy_for_user_invalid' });
      await here.post(`${path}/attempt_second_factor`, { strategy, code: '000000' }, { code: 'form_code_incorrect' });
      await here.post(`${path}/attempt_second_factor`, { strategy, code });
    }
  });

  test('sign-ups', async () => {
    const here = await page();
    const taken = (await person()).email_addresses[0].email_address;
    await here.post('/v1/client/sign_ups', { email_address: taken }, { code: 'form_identifier_exists' });
    await here.post('/v1/client/sign_ups', { email_address: address(), password: 'short' }, { code: 'form_password_length_too_short' });
    const begun = await here.response('POST', '/v1/client/sign_ups', { email_address: address(), first_name: 'Ada', unsafe_metadata: '{"a":1}' });
    const path = `/v1/client/sign_ups/${begun.id}`;
    await here.get(path);
    await here.get('/v1/client/sign_ups/sua_none', { code: 'resource_not_found' });
    await here.ask('PATCH', path, { phone_number: number(), username: 'countess' });
    await here.ask('PATCH', path, { email_address: 'nonsense' }, { code: 'form_param_format_invalid' });
    for (const strategy of ['email_code', 'phone_code']) {
      await here.post(`${path}/attempt_verification`, { strategy, code: '424242' }, { code: 'verification_not_sent' });
      await here.post(`${path}/prepare_verification`, { strategy });
      await here.post(`${path}/attempt_verification`, { strategy, code: '000000' }, { code: 'form_code_incorrect' });
      await here.post(`${path}/attempt_verification`, { strategy, code: '424242' });
    }
    await here.get(path);
    await here.post(`${path}/prepare_verification`, { strategy: 'nonsense' }, { code: 'verification_strategy_invalid' });
    await here.ask('PATCH', path, { first_name: 'Eve' }, { code: 'sign_up_cannot_be_updated' });
    assert.equal((await here.get('/v1/client')).body.response.sessions.length, 1);
  });

  test('sessions and their tokens', async () => {
    const [here, there] = [await page(), await page()];
    const [ada, eve] = [await person(), await person()];
    const first = await here.signIn(ada);
    const second = await here.signIn(eve);
    const elsewhere = await there.signIn(ada);
    await backend('POST', '/v1/jwt_templates', { name: 'mine', claims: {} });
    const path = `/v1/client/sessions/${first}`;
    await here.get(path);
    await here.post(`${path}/touch`, { intent: 'select_session', active_organization_id: '' });
    await here.post(`${path}/tokens`, { organization_id: '' });
    await here.post(`${path}/tokens/mine`);
    await here.post(`${path}/tokens/none`, {}, { code: 'resource_not_found' });
    await here.get('/v1/me/sessions/active');
    await here.post(`/v1/me/sessions/${elsewhere}/revoke`);
    await here.post('/v1/me/sessions/sess_none/revoke', {}, { code: 'resource_not_found' });
    await there.post(`/v1/client/sessions/${elsewhere}/tokens`, {}, { code: 'authentication_invalid' });
    for (const step of ['end', 'remove']) await here.post(`/v1/client/sessions/sess_none/${step}`, {}, { code: 'resource_not_found' });
    // Scripts look after their client when they hear this.
    for (const step of ['touch', 'tokens', 'tokens/mine']) await here.post(`/v1/client/sessions/sess_none/${step}`, {}, { code: 'authentication_invalid' });
    await here.get('/v1/client/sessions/sess_none', { code: 'resource_not_found' });
    await here.post(`${path}/end`);
    await here.post(`/v1/client/sessions/${second}/remove`);
    assert.equal((await here.post(`${path}/remove`)).body.response.status, 'ended', 'it is over already');
  });

  test('one\'s own profile', async () => {
    const here = await page();
    await here.signIn(await person());
    await here.get('/v1/me');
    await here.ask('PATCH', '/v1/me', { first_name: 'Augusta', username: 'lovelace' });
    await here.ask('PATCH', '/v1/me', { username: 'a' }, { code: 'form_username_invalid_length' });
    await here.ask('PATCH', '/v1/me/metadata', { unsafe_metadata: '{"a":{"b":1}}' });
    await here.ask('PATCH', '/v1/me/metadata', { unsafe_metadata: '[]' }, { code: 'form_param_value_invalid' });
    const image = { type: 'application/octet-stream', bytes: `data:image/png;base64,${png().toString('base64')}` };
    await here.post('/v1/me/profile_image', {}, { raw: image });
    await here.post('/v1/me/profile_image', {}, { raw: { ...image, bytes: 'nonsense' }, code: 'request_body_invalid' });
    await here.ask('DELETE', '/v1/me/profile_image');
    await here.ask('DELETE', '/v1/me/profile_image', {}, { code: 'image_not_found' });
    await here.post('/v1/me/change_password', { new_password: 'x', current_password: password }, { code: 'form_password_length_too_short' });
    await here.post('/v1/me/change_password', { new_password: 'two red foxes dance', current_password: 'wrong' }, { code: 'form_password_validation_failed' });
    await here.post('/v1/me/change_password', { new_password: 'two red foxes dance', current_password: password });
    await here.post('/v1/me/remove_password', { current_password: 'wrong' }, { code: 'form_password_validation_failed' });
    await here.post('/v1/me/remove_password', { current_password: 'two red foxes dance' });
    for (const list of ['memberships', 'invitations', 'suggestions']) await here.get(`/v1/me/organization_${list}`);
    await here.ask('DELETE', '/v1/me');
    await here.get('/v1/me', { code: 'authentication_invalid' });
  });

  for (const [kind, strategy, name, value, id] of [
    ['email_addresses', 'email_code', 'email_address', address, 'idn_none'],
    ['phone_numbers', 'phone_code', 'phone_number', number, 'idn_none'],
  ]) {
    test(`one's own ${kind.replace('_', ' ')}`, async () => {
      const here = await page();
      await here.signIn(await person({ phone_number: [number()] }));
      const list = `/v1/me/${kind}`;
      await here.get(list);
      await here.post(list, { [name]: 'nonsense' }, { code: 'form_param_format_invalid' });
      const added = await here.response('POST', list, { [name]: value() });
      const path = `${list}/${added.id}`;
      await here.get(path);
      await here.post(`${path}/attempt_verification`, { code: '424242' }, { code: 'verification_not_sent' });
      await here.post(`${path}/prepare_verification`, { strategy });
      await here.post(`${path}/prepare_verification`, { strategy }, { code: 'verification_code_too_many_requests' });
      await here.post(`${path}/attempt_verification`, { code: '000000' }, { code: 'form_code_incorrect' });
      await here.post(`${path}/attempt_verification`, { code: '424242' });
      await here.get(list);
      if (kind === 'phone_numbers') {
        await here.ask('PATCH', path, { reserved_for_second_factor: 'true', default_second_factor: 'true' });
        await here.ask('PATCH', path, { reserved_for_second_factor: 'perhaps' }, { code: 'form_param_value_invalid' });
      }
      await here.ask('DELETE', path);
      for (const method of ['GET', 'DELETE']) await here.ask(method, `${list}/${id}`, {}, { code: 'resource_not_found' });
      for (const step of ['prepare', 'attempt']) {
        await here.post(`${list}/${id}/${step}_verification`, { strategy, code: '424242' }, { code: 'resource_not_found' });
      }
    });
  }

  test('browsers that are sent on', async () => {
    const here = await page();
    await here.signIn(await person());
    for (const path of ['handshake', 'touch']) {
      const sent = await here.get(`/v1/client/${path}?redirect_url=${encodeURIComponent(origin)}/&format=nonce`);
      assert.equal(sent.status, 307);
      await here.get(`/v1/client/${path}?redirect_url=https://evil.example/`, { code: 'invalid_redirect_url' });
      await here.get(`/v1/client/${path}`, { code: 'form_param_missing' });
    }
  });

  test('a link that is followed, and the waitlist', async () => {
    const user = await person({ email_address: ['linked@example.com'] });
    const here = await page();
    const begun = await here.response('POST', '/v1/client/sign_ins', { identifier: user.email_addresses[0].email_address, strategy: 'email_link', redirect_url: `${origin}/sign-in` });
    const inbox = await fetch(`${server.apiUrl}/dev/inbox?to=linked@example.com&wait=10s`).then(answer => answer.json());
    const [, token] = JSON.stringify(inbox).match(/\/v1\/verify\?token=([\w-]+)/);
    const followed = await here.get(`/v1/verify?token=${token}`);
    assert.equal(followed.status, 303);
    assert.match(followed.headers.location, /__clerk_status=verified/);
    assert.equal((await here.get(`/v1/client/sign_ins/${begun.id}`)).body.response.status, 'complete');

    await server.configure({ ...settings, sign_up: { mode: 'waitlist' } });
    const email_address = address();
    await here.post('/v1/waitlist', { email_address });
    await here.post('/v1/waitlist', { email_address });
    await here.post('/v1/waitlist', { email_address: 'nonsense' }, { code: 'form_param_format_invalid' });
    await (await page()).post('/v1/client/sign_ups', { email_address }, { code: 'sign_up_restricted_waitlist' });
  });

  test('every operation was answered, with the fields that it has', () => {
    assert.deepEqual(shapes.unseen(), []);
    if (process.env.UPDATE_SHAPES) expect(shapes.table());
    assert.deepEqual(shapes.table(), expected());
  });
});
