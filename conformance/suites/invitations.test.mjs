// Invitations to the application.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parts } from '../lib/codes.mjs';
import { suite } from '../lib/world.mjs';

const notFound = { status: 404, code: 'resource_not_found' };
const day = 24 * 3600 * 1000;

suite('invitations', world => {
  const invitations = () => world.clerk.invitations;
  const invited = (given = {}) => invitations().createInvitation({ emailAddress: world.email(), ...given });
  // The older version has no method for it.
  const bulk = async items => (world.is2 ? (await world.raw('POST', '/v1/invitations/bulk', { body: items.map(snake) })).body : invitations().createInvitationBulk(items));
  const snake = ({ emailAddress, ignoreExisting, ...rest }) => ({ email_address: emailAddress, ignore_existing: ignoreExisting, ...rest });
  const address = one => one.emailAddress ?? one.email_address;

  test('an invitation is a ticket', async () => {
    const emailAddress = world.email();
    const created = await invited({ emailAddress, publicMetadata: { plan: 'pro' }, redirectUrl: 'https://example.com/welcome', notify: false });
    assert.match(created.id, /^inv_\w+$/);
    assert.deepEqual([created.emailAddress, created.status, created.revoked], [emailAddress, 'pending', false]);
    assert.deepEqual(created.publicMetadata, { plan: 'pro' });
    assert.equal(created.raw?.expires_at ?? created.createdAt + 30 * day, created.createdAt + 30 * day);
    const url = new URL(created.url);
    assert.equal(url.pathname, '/v1/tickets/accept');
    const { header, payload } = parts(url.searchParams.get('ticket'));
    assert.equal(header.kid, undefined);
    const { st, sid, iid, rurl, eis } = payload;
    assert.deepEqual({ st, sid, iid, rurl, eis }, { st: 'invitation', sid: created.id, iid: world.keys.instanceId, rurl: 'https://example.com/welcome', eis: 2_592_000 });
    const short = await invited({ expiresInDays: 1, templateSlug: 'waitlist_invitation' });
    assert.equal(parts(new URL(short.url).searchParams.get('ticket')).payload.eis, 86_400);
  });

  test('refuses who is invited, who is a user, and what is wrong', async () => {
    const { emailAddress } = await invited();
    await world.refused(() => invited({ emailAddress }), { status: 400, code: 'duplicate_record' });
    assert.equal((await invited({ emailAddress, ignoreExisting: true })).status, 'pending');
    const user = await world.user();
    const taken = user.emailAddresses[0].emailAddress;
    await world.refused(() => invited({ emailAddress: taken }), { status: 422, code: 'form_identifier_exists', param: 'email_address' });
    assert.equal((await invited({ emailAddress: taken, ignoreExisting: true })).emailAddress, taken);
    const refusal = (given, code, param) => world.refused(() => invited(given), { status: 422, code, param });
    await refusal({ emailAddress: 'ada' }, 'form_param_format_invalid', 'email_address');
    await refusal({ emailAddress: undefined }, 'form_param_missing', 'email_address');
    await refusal({ redirectUrl: 'javascript:alert(1)' }, 'form_param_format_invalid', 'redirect_url');
    await refusal({ expiresInDays: 0 }, 'form_param_value_invalid', 'expires_in_days');
    await refusal({ expiresInDays: 366 }, ['form_param_value_too_large', 'form_param_value_invalid'], 'expires_in_days');
    await refusal({ templateSlug: 'newsletter' }, 'form_param_value_invalid', 'template_slug');
    await refusal({ colour: 1 }, 'form_param_unknown', 'colour');
  });

  test('ten are invited at once, or none', async () => {
    const items = Array.from({ length: 10 }, () => ({ emailAddress: world.email() }));
    const made = await bulk(items);
    assert.deepEqual(made.map(address), items.map(address));
    const { totalCount } = await invitations().getInvitationList();
    const again = [{ email_address: world.email() }, { email_address: address(items[0]) }];
    await world.rawRefused({ status: 400, code: 'duplicate_record' }, 'POST', '/v1/invitations/bulk', { body: again });
    const eleven = Array.from({ length: 11 }, () => ({ email_address: world.email() }));
    await world.rawRefused({ status: 400, code: 'bulk_size_exceeded' }, 'POST', '/v1/invitations/bulk', { body: eleven });
    if (!world.is2) await world.refused(() => invitations().createInvitationBulk([{ emailAddress: address(items[0]) }]), { status: 400, code: 'duplicate_record' });
    assert.equal((await invitations().getInvitationList()).totalCount, totalCount);
  });

  test('a list has states, an order and a search', async () => {
    const stem = world.unique('stem');
    const names = ['b', 'a', 'c'].map(name => `${stem}-${name}@example.com`);
    for (const emailAddress of names) await invited({ emailAddress });
    const listed = async given => (await invitations().getInvitationList({ query: stem, ...given })).data.map(one => one.emailAddress);
    assert.deepEqual(await listed({}), names.toReversed());
    const { data, totalCount } = await invitations().getInvitationList({ query: stem, limit: 1, offset: 1 });
    assert.deepEqual([data.length, data[0].emailAddress, totalCount], [1, names[1], 3]);
    await invitations().revokeInvitation(data[0].id);
    assert.deepEqual(await listed({ status: 'revoked' }), [names[1]]);
    assert.deepEqual(await listed({ status: 'pending' }), [names[2], names[0]]);
    assert.deepEqual(await listed({ status: 'accepted' }), []);
    if (!world.is2) assert.deepEqual(await listed({ orderBy: 'email_address' }), [names[0], names[2]]);
    if (!world.is2) assert.deepEqual(await listed({ orderBy: '-expires_at' }), [names[2], names[0]]);
    await world.refused(() => invitations().getInvitationList({ status: 'shy' }), { status: 422, code: 'form_param_value_invalid', param: 'status' });
    const bare = await world.raw('GET', `/v1/invitations?query=${stem}`);
    assert.equal(bare.body.length, 2);
  });

  test('an invitation is revoked once and deleted once', async () => {
    const { id } = await invited();
    const revoked = await invitations().revokeInvitation(id);
    assert.deepEqual([revoked.id, revoked.status, revoked.revoked], [id, 'revoked', true]);
    await world.refused(() => invitations().revokeInvitation(id), { status: 400, code: 'invitation_already_revoked' });
    await world.refused(() => invitations().revokeInvitation('inv_none'), notFound);
    if (world.is2) return;
    const deleted = await invitations().deleteInvitation(id);
    assert.deepEqual([deleted.object, deleted.id, deleted.deleted], ['invitation', id, true]);
    await world.refused(() => invitations().deleteInvitation(id), notFound);
  });
});
