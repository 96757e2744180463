// E-mail addresses of users.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { suite } from '../lib/world.mjs';

const notFound = { status: 404, code: 'resource_not_found' };

suite('e-mail addresses', world => {
  const addresses = () => world.clerk.emailAddresses;
  const read = id => world.clerk.users.getUser(id);
  /** An address to which a code is under way. */
  const coded = async (user, emailAddress = world.unique('coded') + '+clerk_test@example.com') => {
    const { id } = await addresses().createEmailAddress({ userId: user.id, emailAddress });
    const { body } = await world.raw('POST', `/v1/email_addresses/${id}/prepare_verification`);
    return { id, verification: body.id };
  };

  test('an address is created unverified', async () => {
    const user = await world.user();
    const email = world.email();
    const created = await addresses().createEmailAddress({ userId: user.id, emailAddress: email.toUpperCase() });
    assert.match(created.id, /^idn_\w+$/);
    assert.equal(created.emailAddress, email);
    assert.notEqual(created.verification?.status, 'verified');
    assert.deepEqual(created.linkedTo, []);
    assert.deepEqual(await addresses().getEmailAddress(created.id), created);
    assert.equal((await read(user.id)).primaryEmailAddressId, user.primaryEmailAddressId);
  });

  test('an address is created verified and primary', async () => {
    const user = await world.user();
    const created = await addresses().createEmailAddress({ userId: user.id, emailAddress: world.email(), verified: true, primary: true });
    assert.deepEqual([created.verification.status, created.verification.strategy], ['verified', 'admin']);
    assert.equal((await read(user.id)).primaryEmailAddressId, created.id);
  });

  test('an address is verified and made primary later', async () => {
    const user = await world.user();
    const created = await addresses().createEmailAddress({ userId: user.id, emailAddress: world.email() });
    await world.refused(() => addresses().updateEmailAddress(created.id, { primary: true }), { status: 422, code: 'form_verification_needed' });
    const verified = await addresses().updateEmailAddress(created.id, { verified: true });
    assert.equal(verified.verification.status, 'verified');
    await addresses().updateEmailAddress(created.id, { primary: true });
    assert.equal((await read(user.id)).primaryEmailAddressId, created.id);
  });

  test('deleting the primary address makes another one primary', async () => {
    const user = await world.user();
    const second = await addresses().createEmailAddress({ userId: user.id, emailAddress: world.email(), verified: true });
    const deleted = await addresses().deleteEmailAddress(user.primaryEmailAddressId);
    assert.deepEqual([deleted.object, deleted.id, deleted.deleted], ['email_address', user.primaryEmailAddressId, true]);
    const left = await read(user.id);
    assert.equal(left.primaryEmailAddressId, second.id);
    assert.deepEqual(left.emailAddresses.map(one => one.id), [second.id]);
    await world.refused(() => addresses().getEmailAddress(user.primaryEmailAddressId), notFound);
  });

  test('two users may claim an address until one verifies it', async () => {
    const [first, second] = [await world.user(), await world.user()];
    const emailAddress = world.email();
    const one = await addresses().createEmailAddress({ userId: first.id, emailAddress });
    const other = await addresses().createEmailAddress({ userId: second.id, emailAddress });
    await addresses().updateEmailAddress(one.id, { verified: true });
    await world.refused(() => addresses().updateEmailAddress(other.id, { verified: true }), { status: 422, code: ['form_identifier_exists', 'identification_claimed'] });
  });

  test('refuses what is taken, malformed or unknown', async () => {
    const [user, other] = [await world.user(), await world.user()];
    const refusal = (given, code, param) => world.refused(() => addresses().createEmailAddress({ userId: user.id, emailAddress: world.email(), ...given }), { status: 422, code, param });
    await refusal({ emailAddress: other.emailAddresses[0].emailAddress }, 'form_identifier_exists', 'email_address');
    await refusal({ emailAddress: 'no address' }, 'form_param_format_invalid', 'email_address');
    await refusal({ emailAddress: undefined }, 'form_param_missing', 'email_address');
    await refusal({ userId: undefined }, 'form_param_missing', 'user_id');
    await refusal({ colour: 'red' }, 'form_param_unknown', 'colour');
    await refusal({ verified: 'yes' }, 'form_param_type_invalid', 'verified');
    await world.refused(() => addresses().createEmailAddress({ userId: 'user_none', emailAddress: world.email() }), notFound);
    await world.refused(() => addresses().getEmailAddress('idn_none'), notFound);
    await world.refused(() => addresses().updateEmailAddress('idn_none', { verified: true }), notFound);
    await world.refused(() => addresses().deleteEmailAddress('idn_none'), notFound);
  });

  test('a phone number is no e-mail address', async () => {
    const user = await world.user({ phoneNumber: [world.phone()] });
    await world.refused(() => addresses().getEmailAddress(user.primaryPhoneNumberId), notFound);
  });

  test('a code is sent and attempted', async () => {
    const user = await world.user();
    const created = await addresses().createEmailAddress({ userId: user.id, emailAddress: world.unique('coded') + '+clerk_test@example.com' });
    const path = `/v1/email_addresses/${created.id}`;
    const prepared = await world.raw('POST', `${path}/prepare_verification`, { body: { strategy: 'email_code' } });
    assert.equal(prepared.status, 200);
    assert.deepEqual([prepared.body.status, prepared.body.strategy], ['unverified', 'email_code']);
    const attempt = code => world.raw('POST', `${path}/attempt_verification`, { body: { verification_id: prepared.body.id, code } });
    const wrong = await attempt('111111');
    assert.deepEqual([wrong.status, ['unverified', 'failed'].includes(wrong.body.status)], [200, true]);
    const right = await attempt('424242');
    assert.deepEqual([right.status, right.body.status], [200, 'verified']);
    assert.equal((await addresses().getEmailAddress(created.id)).verification.status, 'verified');
    const { verification_id, code } = { verification_id: prepared.body.id, code: '424242' };
    await world.rawRefused({ status: 400, code: 'verification_already_verified' }, 'POST', `${path}/attempt_verification`, { body: { verification_id, code } });
    await world.rawRefused({ status: 429, code: 'verification_code_too_many_requests' }, 'POST', `${path}/prepare_verification`);
    await world.rawRefused(notFound, 'POST', '/v1/email_addresses/idn_none/prepare_verification');
  });

  test('otp_03: the third wrong code is the last, and codes have six digits', async () => {
    const user = await world.user();
    const created = await addresses().createEmailAddress({ userId: user.id, emailAddress: world.unique('guessed') + '+clerk_test@example.com' });
    const path = `/v1/email_addresses/${created.id}`;
    await world.rawRefused({ status: 400, code: 'verification_not_sent' }, 'POST', `${path}/attempt_verification`, { body: { verification_id: 'ver_none', code: '424242' } });
    const { body: prepared } = await world.raw('POST', `${path}/prepare_verification`);
    const attempt = code => world.raw('POST', `${path}/attempt_verification`, { body: { verification_id: prepared.id, code } });
    for (const code of ['42424', '4242424', ' 424242', '４２４２４２', 424242, ['424242']]) assert.equal((await attempt(code)).status, 422);
    await world.rawRefused(notFound, 'POST', `${path}/attempt_verification`, { body: { verification_id: 'ver_none', code: '424242' } });
    for (const [attempts, status] of [[1, 'unverified'], [2, 'unverified'], [3, 'failed']]) {
      const { body } = await attempt('111111');
      assert.deepEqual([body.attempts, body.status], [attempts, status]);
    }
    assert.equal((await attempt('424242')).body.status, 'failed');
    assert.notEqual((await addresses().getEmailAddress(created.id)).verification?.status, 'verified');
  });

  test('otp_05: a code is good for its own address alone', async () => {
    const user = await world.user();
    const [one, other] = [await coded(user), await coded(user)];
    await world.raw('POST', `/v1/email_addresses/${other.id}/prepare_verification`);
    await world.rawRefused(notFound, 'POST', `/v1/email_addresses/${other.id}/attempt_verification`, { body: { verification_id: one.verification, code: '424242' } });
  });

  test('of many attempts at once one wins', async () => {
    const user = await world.user();
    const one = await coded(user);
    const attempts = Array.from({ length: 16 }, () => world.raw('POST', `/v1/email_addresses/${one.id}/attempt_verification`, { body: { verification_id: one.verification, code: '424242' } }));
    const answers = (await Promise.all(attempts)).map(answer => answer.status === 200 ? answer.body.status : answer.body.errors[0].code);
    assert.equal(answers.filter(answer => answer === 'verified').length, 1);
    assert.equal(answers.filter(answer => answer === 'verification_already_verified').length, 15);
  });

  test('otp_20: of two who prove an address the first gets it', async () => {
    const emailAddress = world.unique('shared') + '+clerk_test@example.com';
    const [one, other] = [await coded(await world.user(), emailAddress), await coded(await world.user(), emailAddress)];
    const attempt = ({ id, verification }) => world.raw('POST', `/v1/email_addresses/${id}/attempt_verification`, { body: { verification_id: verification, code: '424242' } });
    assert.equal((await attempt(one)).body.status, 'verified');
    const refused = await attempt(other);
    assert.deepEqual([refused.status, refused.body.errors[0].code], [400, 'identification_claimed']);
  });

  test('a verified address takes codes too, and stays as it is', async () => {
    const emailAddress = world.unique('known') + '+clerk_test@example.com';
    const user = await world.user({ emailAddress: [emailAddress] });
    const path = `/v1/email_addresses/${user.primaryEmailAddressId}`;
    const { body: prepared } = await world.raw('POST', `${path}/prepare_verification`);
    const { body } = await world.raw('POST', `${path}/attempt_verification`, { body: { verification_id: prepared.id, code: '424242' } });
    assert.equal(body.status, 'verified');
    assert.equal((await addresses().getEmailAddress(user.primaryEmailAddressId)).verification.strategy, 'admin');
  });

  test('the last required address stays', async () => {
    const user = await world.user();
    const refused = { status: 400, code: 'last_required_identification_deletion_failed' };
    await world.refused(() => addresses().deleteEmailAddress(user.primaryEmailAddressId), refused);
  });

  test('one address replaces all', async () => {
    const user = await world.user();
    await addresses().createEmailAddress({ userId: user.id, emailAddress: world.email() });
    const path = `/v1/users/${user.id}/email_address`;
    const emailAddress = world.email();
    const replaced = await world.raw('PUT', path, { body: { email_address: emailAddress, notify_primary_email_address_changed: true } });
    assert.deepEqual([replaced.status, replaced.body.email_address, replaced.body.verification.strategy], [200, emailAddress, 'admin']);
    const owner = await read(user.id);
    assert.equal(owner.primaryEmailAddressId, replaced.body.id);
    assert.deepEqual(owner.emailAddresses.map(one => one.id), [replaced.body.id]);
    const again = await world.raw('PUT', path, { body: { email_address: emailAddress, identification_status: 'reserved' } });
    assert.deepEqual([again.status, again.body.reserved, again.body.verification], [200, true, null]);
    await world.rawRefused({ status: 422, code: 'form_param_value_invalid', param: 'identification_status' }, 'PUT', path, { body: { email_address: emailAddress, identification_status: 'odd' } });
    const taken = (await world.user()).emailAddresses[0].emailAddress;
    await world.rawRefused({ status: 422, code: 'form_identifier_exists', param: 'email_address' }, 'PUT', path, { body: { email_address: taken } });
    assert.deepEqual((await read(user.id)).emailAddresses.map(one => one.id), [again.body.id]);
  });
});
