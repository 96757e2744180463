// Changing users: fields, metadata, passwords, second factors, images.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { png, totp, wrongTotp } from '../lib/codes.mjs';
import { suite } from '../lib/world.mjs';

const secret = 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP';
const nobody = 'user_2aaaaaaaaaaaaaaaaaaaaaaaaaa';
const notFound = { status: 404, code: 'resource_not_found' };

suite('users: update', world => {
  const users = () => world.clerk.users;

  test('changes what is given and nothing else', async () => {
    const user = await world.user({ firstName: 'Before', lastName: 'Same', publicMetadata: { kept: true } });
    const second = await world.clerk.emailAddresses.createEmailAddress({ userId: user.id, emailAddress: world.email(), verified: true });
    const createdAt = new Date(Date.now() - 86_400_000);
    const updated = await users().updateUser(user.id, {
      firstName: 'After',
      username: world.unique('after_'),
      externalId: world.unique('external-'),
      primaryEmailAddressID: second.id,
      notifyPrimaryEmailAddressChanged: true,
      createdAt,
      skipLegalChecks: true,
      legalAcceptedAt: createdAt,
      deleteSelfEnabled: false,
      createOrganizationEnabled: false,
      createOrganizationsLimit: 2,
      locale: 'de-DE',
    });
    assert.equal(updated.firstName, 'After');
    assert.equal(updated.lastName, 'Same');
    assert.match(updated.username, /^after_/);
    assert.equal(updated.primaryEmailAddressId, second.id);
    assert.equal(updated.createdAt, createdAt.getTime());
    assert.equal(updated.legalAcceptedAt, createdAt.getTime());
    assert.equal(updated.deleteSelfEnabled, false);
    assert.equal(updated.createOrganizationEnabled, false);
    assert.equal(updated.createOrganizationsLimit, 2);
    assert.equal(updated.raw.locale, 'de-DE');
    assert.deepEqual(updated.publicMetadata, { kept: true });
    assert.ok(updated.updatedAt >= user.updatedAt);
    assert.deepEqual((await users().getUser(user.id)).raw, updated.raw);
  });

  test('removes what is null', async () => {
    const user = await world.user({ firstName: 'Named', username: world.unique('named_'), externalId: world.unique('external-') });
    const updated = await users().updateUser(user.id, { firstName: null, username: null, externalId: null });
    assert.deepEqual([updated.firstName, updated.username, updated.externalId], [null, null, null]);
  });

  test('an empty change changes nothing', async () => {
    const user = await world.user();
    assert.equal((await users().updateUser(user.id, {})).id, user.id);
  });

  test('refuses what clashes, is foreign or unverified', async () => {
    const [user, other] = [await world.user({ username: world.unique('first_') }), await world.user({ username: world.unique('second_') })];
    const unverified = await world.clerk.emailAddresses.createEmailAddress({ userId: user.id, emailAddress: world.email() });
    const refusal = (given, code, param, status = 422) => world.refused(() => users().updateUser(user.id, given), { status, code, param });
    await refusal({ username: other.username }, 'form_identifier_exists', 'username');
    await refusal({ primaryEmailAddressID: unverified.id }, 'form_verification_needed', 'primary_email_address_id');
    await refusal({ primaryEmailAddressID: other.primaryEmailAddressId }, 'resource_not_found', undefined, 404);
    await refusal({ signOutOfOtherSessions: true }, ['form_conditional_param_missing', 'form_conditional_param_disallowed']);
    await refusal({ notAParameter: true }, 'form_param_unknown', 'not_a_parameter');
    await world.refused(() => users().updateUser(nobody, { firstName: 'Nobody' }), notFound);
  });

  test('metadata given to updateUser replaces', async () => {
    const user = await world.user({ publicMetadata: { old: 1 }, privateMetadata: { kept: 1 } });
    const updated = await users().updateUser(user.id, { firstName: 'New', publicMetadata: { fresh: { innerKey: 1 } } });
    assert.deepEqual(updated.publicMetadata, { fresh: { innerKey: 1 } });
    assert.deepEqual(updated.privateMetadata, { kept: 1 });
    assert.equal(updated.firstName, 'New');
  });

  test('since 2026-05-12 a user is updated without its metadata', async () => {
    const user = await world.user();
    const body = { public_metadata: { a: 1 } };
    await world.rawRefused({ status: 422, code: 'form_param_unknown', param: 'public_metadata' }, 'PATCH', `/v1/users/${user.id}`, { body, version: '2026-05-12' });
    for (const version of ['2021-02-05', '2024-10-01', '2025-04-10', '2025-11-10']) {
      const { body: updated } = await world.raw('PATCH', `/v1/users/${user.id}`, { body, version });
      assert.deepEqual(updated.public_metadata, { a: 1 }, version);
    }
  });

  test('metadata merges', async () => {
    const user = await world.user({ publicMetadata: { keep: 1, deep: { a: 1, b: [1, 2] }, gone: 1 }, unsafeMetadata: { theme: 'dark' } });
    const merged = await users().updateUserMetadata(user.id, {
      publicMetadata: { deep: { b: [3], c: { d: null, e: 1 } }, gone: null, added: 'x' },
      privateMetadata: { first: true },
      unsafeMetadata: {},
    });
    assert.deepEqual(merged.publicMetadata, { keep: 1, deep: { a: 1, b: [3], c: { e: 1 } }, added: 'x' });
    assert.deepEqual(merged.privateMetadata, { first: true });
    assert.deepEqual(merged.unsafeMetadata, { theme: 'dark' });
    await world.refused(() => users().updateUserMetadata(user.id, { privateMetadata: { big: 'x'.repeat(9000) } }), { status: 422, code: 'form_param_exceeds_allowed_size', param: 'private_metadata' });
    await world.refused(() => users().updateUserMetadata(user.id, { publicMetadata: 'text' }), { status: 422, code: 'form_param_value_invalid', param: 'public_metadata' });
    await world.refused(() => users().updateUserMetadata(user.id, { publicMetadata: [1] }), { status: 422, code: 'form_param_value_invalid', param: 'public_metadata' });
    await world.refused(() => users().updateUserMetadata(nobody, { publicMetadata: {} }), notFound);
    assert.deepEqual((await users().getUser(user.id)).publicMetadata, merged.publicMetadata);
  });

  test('metadata is replaced', async () => {
    const user = await world.user({ publicMetadata: { old: 1 }, privateMetadata: { kept: 1 } });
    if (world.is2) {
      const { body } = await world.raw('PUT', `/v1/users/${user.id}/metadata`, { body: { public_metadata: { fresh: 1 } } });
      assert.deepEqual([body.public_metadata, body.private_metadata], [{ fresh: 1 }, { kept: 1 }]);
      return;
    }
    const replaced = await users().replaceUserMetadata(user.id, { publicMetadata: { fresh: 1 } });
    assert.deepEqual([replaced.publicMetadata, replaced.privateMetadata], [{ fresh: 1 }, { kept: 1 }]);
    await world.refused(() => users().replaceUserMetadata(nobody, { publicMetadata: {} }), notFound);
    await world.refused(() => users().replaceUserMetadata(user.id, { publicMetadata: { big: 'x'.repeat(9000) } }), { status: 422, code: 'form_param_exceeds_allowed_size', param: 'public_metadata' });
  });

  test('passwords are set, verified and removed', async () => {
    const user = await users().createUser({ emailAddress: [world.email()], skipPasswordRequirement: true });
    await world.refused(() => users().verifyPassword({ userId: user.id, password: 'anything' }), { status: 400, code: 'no_password_set' });
    const updated = await users().updateUser(user.id, { password: 'a fine long password', skipPasswordChecks: true });
    assert.equal(updated.passwordEnabled, true);
    assert.deepEqual(await users().verifyPassword({ userId: user.id, password: 'a fine long password' }), { verified: true });
    await world.refused(() => users().verifyPassword({ userId: user.id, password: 'a fine long passw0rd' }), { status: 422, code: 'incorrect_password' });
    await world.refused(() => users().verifyPassword({ userId: nobody, password: 'x' }), notFound);
    await world.refused(() => users().updateUser(user.id, { password: 'short' }), { status: 422, code: 'form_password_length_too_short', param: 'password' });

    const removed = world.is2 ? (await world.raw('POST', `/v1/users/${user.id}/remove_password`)).body.password_enabled : (await users().removePassword(user.id)).passwordEnabled;
    assert.equal(removed, false);
    if (!world.is2) {
      assert.equal((await users().removePassword(user.id, { signOutOfOtherSessions: true })).passwordEnabled, false, 'nothing left to remove');
      await world.refused(() => users().removePassword(nobody), notFound);
    }
    await world.refused(() => users().verifyPassword({ userId: user.id, password: 'a fine long password' }), { status: 400, code: 'no_password_set' });
  });

  test('a new password signs out of the other sessions when asked to', async () => {
    const user = await world.user();
    const session = await world.clerk.sessions.createSession({ userId: user.id });
    await users().updateUser(user.id, { password: 'another long password', skipPasswordChecks: true });
    assert.equal((await world.clerk.sessions.getSession(session.id)).status, 'active');
    await users().updateUser(user.id, { password: 'a third long password', skipPasswordChecks: true, signOutOfOtherSessions: true });
    assert.equal((await world.clerk.sessions.getSession(session.id)).status, 'revoked');
  });

  test('a password is marked as compromised and cleared', async () => {
    const user = await world.user();
    const session = await world.clerk.sessions.createSession({ userId: user.id });
    if (world.is2) {
      assert.equal((await world.raw('POST', `/v1/users/${user.id}/password/set_compromised`, { body: { revoke_all_sessions: true } })).status, 200);
      assert.equal((await world.raw('POST', `/v1/users/${user.id}/password/unset_compromised`)).status, 200);
    } else {
      assert.equal((await users().setPasswordCompromised(user.id, { revokeAllSessions: true })).id, user.id);
      assert.equal((await users().unsetPasswordCompromised(user.id)).id, user.id);
      await world.refused(() => users().setPasswordCompromised(nobody), notFound);
      await world.refused(() => users().unsetPasswordCompromised(nobody), notFound);
    }
    assert.equal((await world.clerk.sessions.getSession(session.id)).status, 'revoked');
  });

  test('second factors are verified', async () => {
    const user = await world.user({ totpSecret: secret, backupCodes: ['spare-one-12345', 'spare-two-12345'] });
    const verify = code => users().verifyTOTP({ userId: user.id, code });
    await world.refused(() => verify(wrongTotp(secret)), { status: 422, code: 'totp_incorrect_code' });
    await world.refused(() => verify('12345'), { status: 422, code: 'totp_invalid_length' });
    assert.deepEqual(await verify(totp(secret)), { verified: true, code_type: 'totp' });
    assert.deepEqual(await verify('spare-one-12345'), { verified: true, code_type: 'backup_code' });
    await world.refused(() => verify('spare-one-12345'), { status: 422, code: ['totp_invalid_length', 'totp_incorrect_code'] });
    const plain = await world.user();
    await world.refused(() => users().verifyTOTP({ userId: plain.id, code: '123456' }), { status: 400, code: 'totp_disabled' });
    await world.refused(() => users().verifyTOTP({ userId: nobody, code: '123456' }), notFound);
  });

  test('a code is taken once, however many ask at a time', async () => {
    const user = await world.user({ totpSecret: secret, backupCodes: ['spare-one-12345', '$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW'] });
    for (const code of [totp(secret), 'spare-one-12345', 'U*U']) {
      const answers = await Promise.all(Array.from({ length: 8 }, () => world.raw('POST', `/v1/users/${user.id}/verify_totp`, { body: { code } })));
      assert.deepEqual(answers.map(answer => answer.status).toSorted(), [200, ...Array(7).fill(422)], code);
    }
    const used = await users().getUser(user.id);
    assert.deepEqual([used.totpEnabled, used.backupCodeEnabled], [true, false], 'no code is left');
    assert.ok(used.raw.mfa_enabled_at >= user.createdAt);
    assert.equal(used.raw.mfa_disabled_at, null);
    await users().disableUserMFA(user.id);
    const { mfa_enabled_at: enabled, mfa_disabled_at: disabled } = (await users().getUser(user.id)).raw;
    assert.ok(disabled > enabled, 'both times are kept');
    await world.rawRefused({ status: 400, code: 'totp_disabled' }, 'POST', `/v1/users/${user.id}/verify_totp`, { body: { code: totp(secret) } });
  });

  test('second factors are set by an update and taken away', async () => {
    const user = await world.user();
    const armed = () => users().updateUser(user.id, { totpSecret: secret, backupCodes: ['spare-one-12345'] });
    const state = ({ totpEnabled, backupCodeEnabled, twoFactorEnabled }) => [totpEnabled, backupCodeEnabled, twoFactorEnabled];
    assert.deepEqual(state(await armed()), [true, true, true]);

    assert.deepEqual(await users().deleteUserBackupCodes(user.id), { user_id: user.id });
    assert.deepEqual(state(await users().getUser(user.id)), [true, false, true]);
    await armed();
    assert.deepEqual(await users().deleteUserTOTP(user.id), { user_id: user.id });
    assert.equal((await users().getUser(user.id)).totpEnabled, false);
    await armed();
    await world.clerk.phoneNumbers.createPhoneNumber({ userId: user.id, phoneNumber: world.phone(), verified: true, reservedForSecondFactor: true });
    assert.deepEqual(await users().disableUserMFA(user.id), { user_id: user.id });
    const disarmed = await users().getUser(user.id);
    assert.deepEqual(state(disarmed), [false, false, false]);
    assert.equal(disarmed.phoneNumbers[0].reservedForSecondFactor, false);

    await world.refused(() => users().disableUserMFA(nobody), notFound);
    await world.refused(() => users().deleteUserTOTP(nobody), notFound);
    await world.refused(() => users().deleteUserBackupCodes(nobody), notFound);
  });

  test('a profile image is uploaded, served and deleted', async () => {
    const user = await world.user();
    const uploaded = await users().updateUserProfileImage(user.id, { file: new Blob([png(40, 20)], { type: 'image/png' }) });
    assert.equal(uploaded.hasImage, true);
    assert.notEqual(uploaded.imageUrl, user.imageUrl);
    const served = await fetch(uploaded.imageUrl);
    assert.equal(served.status, 200);
    assert.match(served.headers.get('content-type'), /^image\//);
    assert.ok((await served.arrayBuffer()).byteLength > 0);
    const small = await fetch(`${uploaded.imageUrl}${uploaded.imageUrl.includes('?') ? '&' : '?'}width=10&height=10&fit=crop`);
    assert.equal(small.status, 200);

    const wide = await users().updateUserProfileImage(user.id, { file: new Blob([png(4000, 1000)], { type: 'image/png' }) });
    assert.equal((await fetch(wide.imageUrl)).status, 200);
    assert.equal((await fetch(uploaded.imageUrl)).status, 404, 'the one before is gone');
    const doomed = await world.user();
    const shown = await users().updateUserProfileImage(doomed.id, { file: new Blob([png()], { type: 'image/png' }) });
    await users().deleteUser(doomed.id);
    assert.equal((await fetch(shown.imageUrl)).status, 404, 'gone with its user');

    const deleted = await users().deleteUserProfileImage(user.id);
    assert.equal(deleted.hasImage, false);
    assert.match(deleted.imageUrl, /^https?:\/\//);
    assert.equal((await fetch(deleted.imageUrl)).status, 200, 'the generated image');
  });

  test('refuses what is no profile image', async () => {
    const user = await world.user();
    await world.refused(() => users().updateUserProfileImage(user.id, { file: new Blob(['no image at all'], { type: 'image/png' }) }), { status: 400, code: 'request_body_invalid' });
    await world.refused(() => users().updateUserProfileImage(user.id, { file: new Blob([Buffer.alloc(10 * 1024 * 1024 + 1)], { type: 'image/png' }) }), { status: 413, code: 'image_too_large' });
    await world.refused(() => users().updateUserProfileImage(nobody, { file: new Blob([png()], { type: 'image/png' }) }), notFound);
    await world.refused(() => users().deleteUserProfileImage(nobody), notFound);
    const form = new FormData();
    form.set('something', 'else');
    const { status, body } = await world.raw('POST', `/v1/users/${user.id}/profile_image`, { body: form });
    assert.deepEqual([status, body.errors[0].code], [400, 'form_param_missing']);
  });

  test('an address or a number is replaced', async () => {
    const user = await world.user({ phoneNumber: [world.phone()] });
    const [email, phone] = [world.email(), world.phone()];
    if (world.is2) {
      assert.equal((await world.raw('PUT', `/v1/users/${user.id}/email_address`, { body: { email_address: email } })).body.email_address, email);
      assert.equal((await world.raw('PUT', `/v1/users/${user.id}/phone_number`, { body: { phone_number: phone } })).body.phone_number, phone);
    } else {
      assert.equal((await users().replaceUserEmailAddress(user.id, { emailAddress: email })).emailAddress, email);
      assert.equal((await users().replaceUserPhoneNumber(user.id, { phoneNumber: phone })).phoneNumber, phone);
      await world.refused(() => users().replaceUserEmailAddress(nobody, { emailAddress: world.email() }), notFound);
      await world.refused(() => users().replaceUserPhoneNumber(nobody, { phoneNumber: world.phone() }), notFound);
      const other = await world.user();
      await world.refused(() => users().replaceUserEmailAddress(user.id, { emailAddress: other.emailAddresses[0].emailAddress }), { status: 422, code: 'form_identifier_exists', param: 'email_address' });
    }
    const replaced = await users().getUser(user.id);
    assert.deepEqual([replaced.emailAddresses.map(one => one.emailAddress), replaced.phoneNumbers.map(one => one.phoneNumber)], [[email], [phone]]);
    assert.equal(replaced.primaryEmailAddressId, replaced.emailAddresses[0].id);
  });
});
