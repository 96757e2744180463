// E-mail addresses of users.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { suite } from '../lib/world.mjs';

const notFound = { status: 404, code: 'resource_not_found' };

suite('e-mail addresses', world => {
  const addresses = () => world.clerk.emailAddresses;
  const read = id => world.clerk.users.getUser(id);

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
    await world.rawRefused({ status: 400, code: 'verification_already_verified' }, 'POST', `${path}/prepare_verification`, { body: { strategy: 'email_code' } });
    await world.rawRefused(notFound, 'POST', '/v1/email_addresses/idn_none/prepare_verification', { body: { strategy: 'email_code' } });
  });
});
