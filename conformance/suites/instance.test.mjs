// The instance and its settings, and instances of those who have no account.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { recorded } from '../lib/recorder.mjs';
import { clientOf, suite } from '../lib/world.mjs';

const plain = object => JSON.parse(JSON.stringify(object));

suite('instance', world => {
  const instance = () => world.clerk.instance;

  test('what is changed is there at once', async () => {
    const nothing = await instance().update({ testMode: true, hibp: false, supportEmail: 'help@example.com' });
    assert.ok(nothing === undefined || nothing === '', '204 has no body, which 2.9.4 reads as an empty text');
    await instance().update({ allowedOrigins: ['https://app.example.com', 'chrome-extension://abcdefgh'], clerkJsVersion: '6' });
    assert.deepEqual((await instance().get()).allowedOrigins, ['https://app.example.com', 'chrome-extension://abcdefgh']);
    await instance().update({ allowedOrigins: [], developmentOrigin: 'http://localhost:3000', urlBasedSessionSyncing: true });
    assert.equal((await instance().get()).allowedOrigins, null);
    await instance().update({ enhancedEmailDeliverability: false, cookielessDev: true });
  });

  test('refuses what is no setting', async () => {
    await world.refused(() => instance().update({ allowedOrigins: ['example.com'] }), { status: 422, code: 'form_invalid_origin', param: 'allowed_origins' });
    await world.refused(() => instance().update({ supportEmail: 'nobody' }), { status: 422, code: 'form_param_format_invalid', param: 'support_email' });
    await world.refused(() => instance().update({ testMode: 'yes' }), { status: 422, code: 'form_param_type_invalid', param: 'test_mode' });
    await world.refused(() => instance().update({ colour: 1 }), { status: 422, code: 'form_param_unknown', param: 'colour' });
  });

  test('restrictions are switched one by one', async () => {
    const names = ['allowlist', 'blocklist', 'blockEmailSubaddresses', 'blockDisposableEmailDomains', 'ignoreDotsForGmailAddresses'];
    const expected = Object.fromEntries(names.map(name => [name, false]));
    for (const value of [true, false]) {
      for (const name of names) {
        expected[name] = value;
        const answer = plain(await instance().updateRestrictions({ [name]: value }));
        assert.deepEqual(Object.fromEntries(names.map(known => [known, answer[known]])), expected);
      }
    }
  });

  test('refuses restrictions that make no sense', async () => {
    const spared = { allowlist_blocklist_disabled_on_sign_in: true };
    await world.rawRefused({ status: 422, code: 'disabled_instance_restriction', param: 'allowlist_blocklist_disabled_on_sign_in' }, 'PATCH', '/v1/instance/restrictions', { body: spared });
    await world.refused(() => instance().updateRestrictions({ allowlist: 1 }), { status: 422, code: 'form_param_type_invalid', param: 'allowlist' });
  });

  test('organizations have settings', async () => {
    const changed = await instance().updateOrganizationSettings({
      enabled: true,
      maxAllowedMemberships: 7,
      adminDeleteEnabled: false,
      domainsEnabled: true,
      domainsEnrollmentModes: ['automatic_invitation', 'automatic_suggestion'],
    });
    assert.deepEqual([changed.enabled, changed.maxAllowedMemberships, changed.adminDeleteEnabled, changed.domainsEnabled], [true, 7, false, true]);
    assert.deepEqual(changed.domainsEnrollmentModes, ['automatic_invitation', 'automatic_suggestion']);
    assert.deepEqual([changed.creatorRole, changed.domainsDefaultRole], ['org:admin', 'org:member']);
    if (!world.is2) assert.deepEqual(plain(await instance().getOrganizationSettings()), plain(changed));
    await instance().updateOrganizationSettings({ enabled: false, domainsEnabled: false });
  });

  test('refuses settings of organizations that cannot be', async () => {
    const update = params => () => instance().updateOrganizationSettings(params);
    await world.refused(update({ domainsEnabled: true, domainsEnrollmentModes: ['by_post'] }), { status: 422, code: 'form_param_value_invalid', param: 'domains_enrollment_modes' });
    await world.refused(update({ domainsEnabled: false, domainsEnrollmentModes: ['automatic_invitation'] }), { status: 403, code: 'organization_domains_not_enabled' });
    await world.refused(update({ creatorRoleId: 'role_none' }), { status: 404, code: 'resource_not_found' });
    await world.refused(update({ maxAllowedMemberships: -1 }), { status: 422, code: 'form_param_value_invalid', param: 'max_allowed_memberships' });
  });

  test('who has no keys gets some', async () => {
    const { publishableKey: _, secretKey: __, ...nobody } = world.keys;
    const stranger = recorded(clientOf(world.sdk, nobody), world.calls);
    const params = { requestHeaders: new Headers({ 'user-agent': 'next dev' }), source: 'nextjs' };
    const made = await stranger.__experimental_accountlessApplications.createAccountlessApplication(params);
    assert.match(made.publishableKey, /^pk_test_/);
    assert.match(made.secretKey, /^sk_test_/);
    assert.match(made.claimUrl, /\/apps\/claim\?token=\w{70}$/);
    assert.ok(new URL(made.apiKeysUrl));

    const owner = recorded(clientOf(world.sdk, { ...world.keys, ...plain(made) }), world.calls);
    assert.equal((await owner.instance.get()).environmentType, 'development');
    assert.equal((await owner.users.getUserList()).totalCount, 0);
    const completed = await owner.__experimental_accountlessApplications.completeAccountlessApplicationOnboarding(params);
    assert.deepEqual(plain(completed), plain(made));
  });

  test('refuses to complete what is an ordinary application', async () => {
    const complete = () => world.clerk.__experimental_accountlessApplications.completeAccountlessApplicationOnboarding();
    await world.refused(complete, { status: 404, code: 'resource_not_found' });
    const nobody = recorded(clientOf(world.sdk, { ...world.keys, secretKey: undefined }), world.calls);
    const anonymous = () => nobody.__experimental_accountlessApplications.completeAccountlessApplicationOnboarding();
    await world.refused(anonymous, { status: 401, code: 'authorization_header_format_invalid' });
  });

  // No SDK calls these.
  const families = [
    ['/v1/instance/communication', { blocked_country_codes: ['DE', 'FR'] }],
    ['/v1/instance/protect', { rules_enabled: true, specter_enabled: true }],
    ['/v1/instance/oauth_application_settings', { dynamic_oauth_client_registration: true, default_scopes: ['profile'], oauth_jwt_access_tokens: true }],
    ['/v1/instance/organization_settings', { slug_disabled: true }],
  ];
  for (const version of ['2021-02-05', '2024-10-01', '2025-04-10', '2025-11-10', '2026-05-12']) {
    test(`the other settings are kept in version ${version}`, async () => {
      for (const [path, body] of families) {
        const changed = await world.raw('PATCH', path, { body, version });
        assert.equal(changed.status, 200, path);
        for (const [name, value] of Object.entries(body)) assert.deepEqual(changed.body[name], value);
        assert.deepEqual((await world.raw('GET', path, { version })).body, changed.body);
      }
      const beta = { from_email_address: 'hello', progressive_sign_up: true, test_mode: true, restricted_to_allowlist: false };
      const { status, body } = await world.raw('PATCH', '/v1/beta_features/instance_settings', { body: beta, version });
      assert.deepEqual([status, body.from_email_address, body.id], [200, 'hello', world.keys.instanceId]);
      const restrictions = await world.raw('PATCH', '/v1/instance/restrictions', { body: { blocklist: true }, version });
      assert.deepEqual([restrictions.status, restrictions.body.blocklist], [200, true]);
    });
  }
});
