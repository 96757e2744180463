// Creating, reading and deleting users.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { suite } from '../lib/world.mjs';

const days = number => number * 86_400_000;

suite('users: create, get, delete', world => {
  const users = () => world.clerk.users;

  test('creates a user with everything an application can say', async () => {
    const [first, second, reserved] = [world.email(), world.email(), world.phone()];
    const createdAt = new Date(Date.now() - days(400));
    const legalAcceptedAt = new Date(Date.now() - days(300));
    const user = await users().createUser({
      externalId: world.unique('external-'),
      firstName: 'Ada',
      lastName: 'Lovelace',
      emailAddress: [first, second],
      phoneNumber: [reserved],
      username: world.unique('ada_'),
      password: 'analytical engine no. 1',
      skipPasswordChecks: true,
      skipLegalChecks: true,
      legalAcceptedAt,
      totpSecret: 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP',
      backupCodes: ['first-backup-code', 'second-backup-code'],
      createdAt,
      locale: 'en-GB',
      deleteSelfEnabled: false,
      createOrganizationEnabled: false,
      createOrganizationsLimit: 3,
      publicMetadata: { plan: 'pro', camelCase: { innerKey: [1, null, 'x'] } },
      privateMetadata: { note: 'ünïcödé ✓' },
      unsafeMetadata: { theme: 'dark' },
    });
    assert.match(user.id, /^user_\w{27}$/);
    assert.equal(user.firstName, 'Ada');
    assert.equal(user.lastName, 'Lovelace');
    assert.match(user.externalId, /^external-/);
    assert.match(user.username, /^ada_/);
    assert.deepEqual(user.emailAddresses.map(one => one.emailAddress), [first, second]);
    assert.equal(user.primaryEmailAddressId, user.emailAddresses[0].id);
    assert.ok(user.emailAddresses.every(one => one.verification?.status === 'verified' && one.verification.strategy === 'admin'));
    assert.deepEqual(user.phoneNumbers.map(one => one.phoneNumber), [reserved]);
    assert.equal(user.primaryPhoneNumberId, user.phoneNumbers[0].id);
    assert.equal(user.passwordEnabled, true);
    assert.equal(user.totpEnabled, true);
    assert.equal(user.backupCodeEnabled, true);
    assert.equal(user.twoFactorEnabled, true);
    assert.equal(user.createdAt, createdAt.getTime());
    assert.equal(user.legalAcceptedAt, legalAcceptedAt.getTime());
    assert.equal(user.deleteSelfEnabled, false);
    assert.equal(user.createOrganizationEnabled, false);
    assert.equal(user.createOrganizationsLimit, 3);
    assert.deepEqual(user.publicMetadata, { plan: 'pro', camelCase: { innerKey: [1, null, 'x'] } });
    assert.deepEqual(user.privateMetadata, { note: 'ünïcödé ✓' });
    assert.deepEqual(user.unsafeMetadata, { theme: 'dark' });
    assert.equal(user.banned, false);
    assert.equal(user.locked, false);
    assert.equal(user.hasImage, false);
    assert.match(user.imageUrl, /^https?:\/\//);
    assert.equal(user.lastSignInAt, null);
    assert.equal(user.raw.locale, 'en-GB');
    assert.deepEqual(user.raw.organization_memberships, []);

    const read = await users().getUser(user.id);
    assert.deepEqual(read.raw, user.raw);
  });

  test('creates a user with nothing but an address', async () => {
    const user = await users().createUser({ emailAddress: [world.email()], skipPasswordRequirement: true });
    for (const field of ['firstName', 'lastName', 'username', 'externalId', 'primaryPhoneNumberId', 'primaryWeb3WalletId', 'lastSignInAt', 'legalAcceptedAt']) {
      assert.equal(user[field], null, field);
    }
    assert.equal(user.passwordEnabled, false);
    assert.equal(user.twoFactorEnabled, false);
    assert.deepEqual(user.publicMetadata, {});
    assert.ok(Math.abs(user.createdAt - Date.now()) < 60_000, 'created now');
  });

  test('keeps an address in lower case', async () => {
    const email = world.email();
    const user = await users().createUser({ emailAddress: [email.toUpperCase()], skipPasswordRequirement: true });
    assert.equal(user.emailAddresses[0].emailAddress, email);
  });

  test('creates a user with a wallet, banned and locked', async () => {
    const user = await users().createUser({ emailAddress: [world.email()], skipPasswordRequirement: true, web3Wallet: ['0x52908400098527886E0F7030069857D2E4169EE7'], banned: true, locked: true });
    assert.equal(user.web3Wallets.length, 1);
    assert.equal(user.primaryWeb3WalletId, user.web3Wallets[0].id);
    assert.equal(user.banned, true);
    assert.equal(user.locked, true);
  });

  test('an address that is only reserved belongs to nobody else', async () => {
    const email = world.email();
    const user = await users().createUser({ emailAddress: [email], emailAddressIdentificationStatus: ['reserved'], skipPasswordRequirement: true });
    assert.equal(user.emailAddresses[0].raw?.reserved ?? user.raw.email_addresses[0].reserved, true);
    await world.refused(() => users().createUser({ emailAddress: [email], skipPasswordRequirement: true }), { status: 422, code: 'form_identifier_exists', param: 'email_address' });
    await world.refused(() => users().createUser({ emailAddress: [world.email()], emailAddressIdentificationStatus: ['verified', 'verified'], skipPasswordRequirement: true }), {
      status: 422, code: 'form_param_array_length_mismatch',
    });
  });

  test('refuses an identifier that is taken', async () => {
    const [email, phone, username, externalId] = [world.email(), world.phone(), world.unique('taken_'), world.unique('external-')];
    await users().createUser({ emailAddress: [email], phoneNumber: [phone], username, externalId, skipPasswordRequirement: true });
    const clash = (given, param) =>
      world.refused(() => users().createUser({ emailAddress: [world.email()], skipPasswordRequirement: true, ...given }), { status: 422, code: 'form_identifier_exists', param });
    await clash({ emailAddress: [email.toUpperCase()] }, 'email_address');
    await clash({ phoneNumber: [phone] }, 'phone_number');
    await clash({ username: username.toUpperCase() }, 'username');
    await clash({ externalId }, 'external_id');
  });

  test('refuses what is malformed', async () => {
    const refusal = (given, code, param) =>
      world.refused(() => users().createUser({ emailAddress: [world.email()], skipPasswordRequirement: true, ...given }), { status: 422, code, param });
    await refusal({ emailAddress: ['no address'] }, 'form_param_format_invalid', 'email_address');
    await refusal({ phoneNumber: ['12'] }, 'form_param_format_invalid', 'phone_number');
    await refusal({ username: 'abc' }, 'form_username_invalid_length', 'username');
    await refusal({ username: 'with space' }, 'form_username_invalid_character', 'username');
    await refusal({ password: 'short' }, 'form_password_length_too_short', 'password');
    await refusal({ password: 'x'.repeat(73), skipPasswordChecks: true }, 'form_password_size_in_bytes_exceeded', 'password');
    await refusal({ passwordHasher: 'bcrypt', passwordDigest: 'not bcrypt' }, 'form_password_digest_invalid_code', 'password_digest');
    await refusal({ passwordDigest: '5f4dcc3b5aa765d61d8327deb882cf99' }, 'form_conditional_param_missing', 'password_hasher');
    await refusal({ passwordHasher: 'rot13', passwordDigest: 'cnffjbeq' }, 'form_param_value_invalid', 'password_hasher');
    await refusal({ totpSecret: 'not base 32!' }, 'invalid_totp_secret_code');
    await refusal({ createdAt: 'yesterday' }, 'form_param_invalid_time', 'created_at');
    await refusal({ createdAt: new Date(Date.now() + days(2)) }, 'form_disallow_future_date', 'created_at');
    await refusal({ publicMetadata: { big: 'x'.repeat(9000) } }, 'form_param_exceeds_allowed_size', 'public_metadata');
    await refusal({ notAParameter: 1 }, 'form_param_unknown', 'not_a_parameter');
    await refusal({ firstName: 7 }, 'form_param_type_invalid', 'first_name');
    await refusal({ password: 'long enough for all', passwordHasher: 'md5', passwordDigest: '5f4dcc3b5aa765d61d8327deb882cf99' }, 'form_conditional_param_disallowed');
  });

  test('imports digests and verifies their passwords', async () => {
    const digests = {
      bcrypt: '$2a$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy',
      md5: '5f4dcc3b5aa765d61d8327deb882cf99',
      sha256: '5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8',
    };
    const passwords = { bcrypt: undefined, md5: 'password', sha256: 'password' };
    for (const [passwordHasher, passwordDigest] of Object.entries(digests)) {
      const user = await users().createUser({ emailAddress: [world.email()], passwordHasher, passwordDigest });
      assert.equal(user.passwordEnabled, true, passwordHasher);
      const password = passwords[passwordHasher];
      if (password) {
        assert.deepEqual(await users().verifyPassword({ userId: user.id, password }), { verified: true });
        assert.deepEqual(await users().verifyPassword({ userId: user.id, password }), { verified: true }, 'after it was hashed anew');
      }
      await world.refused(() => users().verifyPassword({ userId: user.id, password: 'wrong' }), { status: 422, code: 'incorrect_password' });
    }
  });

  test('deletes a user with all that belongs to it', async () => {
    const externalId = world.unique('external-');
    const user = await world.user({ externalId });
    const session = await world.clerk.sessions.createSession({ userId: user.id });
    const deleted = await users().deleteUser(user.id);
    assert.equal(deleted.id, user.id);
    assert.equal(deleted.deleted, true);
    assert.equal(deleted.object, 'user');
    await world.refused(() => users().getUser(user.id), { status: 404, code: 'resource_not_found' });
    await world.refused(() => users().deleteUser(user.id), { status: 404, code: 'resource_not_found' });
    await world.refused(() => users().updateUser(user.id, { firstName: 'Ghost' }), { status: 404, code: 'resource_not_found' });
    await world.refused(() => world.clerk.emailAddresses.getEmailAddress(user.primaryEmailAddressId), { status: 404, code: 'resource_not_found' });
    await world.refused(() => world.clerk.sessions.getToken(session.id), { status: 404, code: 'resource_not_found' });
    const again = await world.user({ emailAddress: [user.emailAddresses[0].emailAddress], externalId });
    assert.notEqual(again.id, user.id);
  });

  test('an id of another kind is not found', async () => {
    for (const id of ['user_none', 'sess_2aaaaaaaaaaaaaaaaaaaaaaaaaa', 'x'.repeat(300)]) {
      await world.refused(() => users().getUser(id), { status: 404, code: 'resource_not_found' });
    }
  });
});
