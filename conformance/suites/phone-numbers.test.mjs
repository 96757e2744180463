// Phone numbers of users.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { suite } from '../lib/world.mjs';

const notFound = { status: 404, code: 'resource_not_found' };

suite('phone numbers', world => {
  const numbers = () => world.clerk.phoneNumbers;
  const read = id => world.clerk.users.getUser(id);

  test('a number is created unverified', async () => {
    const user = await world.user();
    const phoneNumber = world.phone();
    const created = await numbers().createPhoneNumber({ userId: user.id, phoneNumber });
    assert.match(created.id, /^idn_\w+$/);
    assert.equal(created.phoneNumber, phoneNumber);
    assert.deepEqual([created.reservedForSecondFactor, created.defaultSecondFactor], [false, false]);
    assert.notEqual(created.verification?.status, 'verified');
    assert.deepEqual(await numbers().getPhoneNumber(created.id), created);
  });

  test('a number is created verified, primary and for the second factor', async () => {
    const user = await world.user();
    const created = await numbers().createPhoneNumber({ userId: user.id, phoneNumber: world.phone(), verified: true, primary: true, reservedForSecondFactor: true });
    assert.deepEqual([created.verification.status, created.verification.strategy], ['verified', 'admin']);
    assert.deepEqual([created.reservedForSecondFactor, created.defaultSecondFactor], [true, true]);
    const owner = await read(user.id);
    assert.equal(owner.primaryPhoneNumberId, created.id);
    assert.equal(owner.twoFactorEnabled, true);
    const second = await numbers().createPhoneNumber({ userId: user.id, phoneNumber: world.phone(), verified: true, reservedForSecondFactor: true });
    assert.deepEqual([second.reservedForSecondFactor, second.defaultSecondFactor], [true, false]);
  });

  test('a number is verified, made primary and reserved later', async () => {
    const user = await world.user();
    const created = await numbers().createPhoneNumber({ userId: user.id, phoneNumber: world.phone() });
    await world.refused(() => numbers().updatePhoneNumber(created.id, { reservedForSecondFactor: true }), { status: 400, code: 'identification_update_second_factor_unverified' });
    await numbers().updatePhoneNumber(created.id, { verified: true });
    await numbers().updatePhoneNumber(created.id, { primary: true });
    const reserved = await numbers().updatePhoneNumber(created.id, { reservedForSecondFactor: true });
    assert.equal(reserved.reservedForSecondFactor, true);
    assert.equal((await read(user.id)).primaryPhoneNumberId, created.id);
  });

  test('deleting the second factor turns it off', async () => {
    const user = await world.user();
    const created = await numbers().createPhoneNumber({ userId: user.id, phoneNumber: world.phone(), verified: true, reservedForSecondFactor: true });
    const deleted = await numbers().deletePhoneNumber(created.id);
    assert.deepEqual([deleted.object, deleted.id, deleted.deleted], ['phone_number', created.id, true]);
    const owner = await read(user.id);
    assert.deepEqual([owner.twoFactorEnabled, owner.primaryPhoneNumberId, owner.phoneNumbers], [false, null, []]);
    await world.refused(() => numbers().getPhoneNumber(created.id), notFound);
  });

  test('refuses what is taken, malformed or unknown', async () => {
    const [user, other] = [await world.user(), await world.user({ phoneNumber: [world.phone()] })];
    const refusal = (given, code, param, status = 422) => world.refused(() => numbers().createPhoneNumber({ userId: user.id, phoneNumber: world.phone(), ...given }), { status, code, param });
    await refusal({ phoneNumber: other.phoneNumbers[0].phoneNumber }, 'form_identifier_exists', 'phone_number');
    await refusal({ phoneNumber: '555' }, 'form_param_format_invalid', 'phone_number');
    await refusal({ phoneNumber: undefined }, 'form_param_missing', 'phone_number');
    await refusal({ userId: undefined }, 'form_param_missing', 'user_id');
    await refusal({ colour: 'red' }, 'form_param_unknown', 'colour');
    await refusal({ reservedForSecondFactor: true }, 'identification_create_second_factor_unverified', undefined, 400);
    await world.refused(() => numbers().createPhoneNumber({ userId: 'user_none', phoneNumber: world.phone() }), notFound);
    await world.refused(() => numbers().getPhoneNumber('idn_none'), notFound);
    await world.refused(() => numbers().updatePhoneNumber('idn_none', { verified: true }), notFound);
    await world.refused(() => numbers().deletePhoneNumber('idn_none'), notFound);
    await world.refused(() => numbers().getPhoneNumber(user.primaryEmailAddressId), notFound);
  });

  test('a code is sent and attempted', async () => {
    const user = await world.user();
    const created = await numbers().createPhoneNumber({ userId: user.id, phoneNumber: '+12015550142' });
    const path = `/v1/phone_numbers/${created.id}`;
    const prepared = await world.raw('POST', `${path}/prepare_verification`, { body: { strategy: 'phone_code' } });
    assert.deepEqual([prepared.status, prepared.body.status, prepared.body.strategy], [200, 'unverified', 'phone_code']);
    const right = await world.raw('POST', `${path}/attempt_verification`, { body: { verification_id: prepared.body.id, code: '424242' } });
    assert.deepEqual([right.status, right.body.status], [200, 'verified']);
    assert.equal((await numbers().getPhoneNumber(created.id)).verification.status, 'verified');
    assert.equal(prepared.body.channel, 'sms');
  });

  test('the default second factor stays while it is one', async () => {
    const user = await world.user();
    const create = () => numbers().createPhoneNumber({ userId: user.id, phoneNumber: world.phone(), verified: true, reservedForSecondFactor: true });
    const [first, second] = [await create(), await create()];
    const refused = { status: 422, code: 'form_disable_default_second_factor_not_allowed' };
    await world.refused(() => numbers().updatePhoneNumber(first.id, { reservedForSecondFactor: false }), refused);
    await numbers().deletePhoneNumber(first.id);
    assert.equal((await numbers().getPhoneNumber(second.id)).defaultSecondFactor, true);
    assert.equal((await read(user.id)).twoFactorEnabled, true);
  });

  test('one number replaces all, and is no second factor', async () => {
    const user = await world.user();
    await numbers().createPhoneNumber({ userId: user.id, phoneNumber: world.phone(), verified: true, reservedForSecondFactor: true });
    const replaced = await world.raw('PUT', `/v1/users/${user.id}/phone_number`, { body: { phone_number: world.phone() } });
    assert.deepEqual([replaced.status, replaced.body.reserved_for_second_factor], [200, false]);
    const owner = await read(user.id);
    assert.deepEqual([owner.twoFactorEnabled, owner.primaryPhoneNumberId], [false, replaced.body.id]);
    assert.deepEqual(owner.phoneNumbers.map(one => one.id), [replaced.body.id]);
  });
});
