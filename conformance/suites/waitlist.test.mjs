// The waitlist.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { suite } from '../lib/world.mjs';

const notFound = { status: 404, code: 'resource_not_found' };

suite('waitlist', world => {
  const entries = () => world.clerk.waitlistEntries;
  const waiting = (given = {}) => entries().create({ emailAddress: world.email(), ...given });
  // The older version can list and create alone.
  const path = '/v1/waitlist_entries';

  test('an entry is created once', async () => {
    const created = await waiting({ notify: false });
    assert.match(created.id, /^wle_\w+$/);
    assert.deepEqual([created.status, created.isLocked, created.invitation], ['pending', false, null]);
    const again = await waiting({ emailAddress: created.emailAddress });
    assert.equal(again.id, created.id);
    await world.refused(() => waiting({ emailAddress: 'ada' }), { status: 422, code: 'form_param_format_invalid', param: 'email_address' });
    await world.refused(() => entries().create({}), { status: 422, code: 'form_param_missing', param: 'email_address' });
    await world.refused(() => waiting({ colour: 1 }), { status: 422, code: 'form_param_unknown', param: 'colour' });
  });

  test('a list has states, an order and a search', async () => {
    const stem = world.unique('stem');
    const names = ['b', 'a', 'c'].map(name => `${stem}-${name}@example.com`);
    for (const emailAddress of names) await waiting({ emailAddress });
    const { data, totalCount } = await entries().list({ query: stem });
    assert.deepEqual(data.map(one => one.emailAddress), names.toReversed());
    assert.equal(totalCount, 3);
    const sorted = await entries().list({ query: stem, orderBy: 'email_address', limit: 2 });
    assert.deepEqual([sorted.data.map(one => one.emailAddress), sorted.totalCount], [[names[1], names[0]], 3]);
    assert.equal((await entries().list({ query: stem, status: 'invited' })).totalCount, 0);
    await world.refused(() => entries().list({ status: 'shy' }), { status: 422, code: 'form_param_value_invalid', param: 'status' });
  });

  test('fifty are put on the list at once', async () => {
    const items = Array.from({ length: 50 }, () => ({ emailAddress: world.email() }));
    const body = items.map(({ emailAddress }) => ({ email_address: emailAddress, notify: false }));
    const made = world.is2 ? (await world.raw('POST', `${path}/bulk`, { body })).body : await entries().createBulk(items);
    assert.deepEqual(made.map(one => one.emailAddress ?? one.email_address), items.map(one => one.emailAddress));
    const more = [...body, { email_address: world.email() }];
    await world.rawRefused({ status: 400, code: 'bulk_size_exceeded' }, 'POST', `${path}/bulk`, { body: more });
    await world.rawRefused({ status: 422, code: 'form_param_duplicate' }, 'POST', `${path}/bulk`, { body: [body[0], body[0]] });
    if (!world.is2) await world.refused(() => entries().createBulk([{ emailAddress: 'ada' }]), { status: 422, code: 'form_param_format_invalid' });
  });

  test('an entry is invited, rejected or deleted', async () => {
    const [one, other, last] = [await waiting(), await waiting(), await waiting()];
    if (world.is2) {
      const { body } = await world.raw('POST', `${path}/${one.id}/invite`, { body: {} });
      assert.equal(body.status, 'invited');
      await world.rawRefused({ status: 409, code: 'waitlist_entry_already_invited' }, 'DELETE', `${path}/${one.id}`);
      return;
    }
    const invited = await entries().invite(one.id);
    assert.deepEqual([invited.status, invited.invitation.status, invited.invitation.emailAddress], ['invited', 'pending', one.emailAddress]);
    await world.refused(() => entries().invite(one.id), { status: 409, code: 'waitlist_entry_already_invited' });
    assert.equal((await entries().reject(other.id)).status, 'rejected');
    await world.refused(() => entries().reject(other.id), { status: 409, code: 'waitlist_entry_already_rejected' });
    await world.refused(() => entries().delete(other.id), { status: 409, code: 'waitlist_entry_already_rejected' });
    await world.clerk.invitations.createInvitation({ emailAddress: last.emailAddress });
    await world.refused(() => entries().invite(last.id), { status: 400, code: 'duplicate_record' });
    assert.equal((await entries().invite(last.id, { ignoreExisting: true })).status, 'invited');
    const gone = await waiting();
    const deleted = await entries().delete(gone.id);
    assert.deepEqual([deleted.object, deleted.id, deleted.deleted], ['waitlist_entry', gone.id, true]);
    for (const method of ['invite', 'reject', 'delete']) await world.refused(() => entries()[method]('wle_none'), notFound);
  });
});
