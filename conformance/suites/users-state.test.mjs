// Banning and locking users, and what hangs on them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { suite } from '../lib/world.mjs';

const nobody = 'user_2aaaaaaaaaaaaaaaaaaaaaaaaaa';
const notFound = { status: 404, code: 'resource_not_found' };

suite('users: state and belongings', world => {
  const users = () => world.clerk.users;

  test('a banned user has no session left', async () => {
    const user = await world.user();
    const session = await world.clerk.sessions.createSession({ userId: user.id });
    assert.equal((await users().banUser(user.id)).banned, true);
    assert.equal((await world.clerk.sessions.getSession(session.id)).status, 'revoked');
    assert.equal((await users().banUser(user.id)).banned, true, 'twice is once');
    assert.equal((await users().unbanUser(user.id)).banned, false);
    assert.equal((await world.clerk.sessions.getSession(session.id)).status, 'revoked', 'a session does not come back');
    await world.refused(() => users().banUser(nobody), notFound);
    await world.refused(() => users().unbanUser(nobody), notFound);
  });

  test('many users are banned at once', async () => {
    const people = [await world.user(), await world.user()];
    const ids = people.map(user => user.id);
    for (const [path, banned] of [['ban', true], ['unban', false]]) {
      const { status, body } = await world.raw('POST', `/v1/users/${path}`, { body: { user_ids: ids } });
      assert.equal(status, 200);
      assert.deepEqual(body.map(user => user.id).toSorted(), ids.toSorted());
      assert.ok(body.every(user => user.banned === banned));
    }
    await world.rawRefused({ status: 422, code: 'form_param_missing', param: 'user_ids' }, 'POST', '/v1/users/ban', { body: {} });
    await world.rawRefused({ status: 422, code: 'form_param_type_invalid', param: 'user_ids' }, 'POST', '/v1/users/ban', { body: { user_ids: ids[0] } });
  });

  test('a locked user keeps its sessions', async () => {
    const user = await world.user();
    const session = await world.clerk.sessions.createSession({ userId: user.id });
    const locked = await users().lockUser(user.id);
    assert.equal(locked.locked, true);
    assert.ok(locked.raw.lockout_expires_in_seconds > 0);
    assert.equal((await world.clerk.sessions.getSession(session.id)).status, 'active');
    const unlocked = await users().unlockUser(user.id);
    assert.deepEqual([unlocked.locked, unlocked.raw.lockout_expires_in_seconds], [false, null]);
    await world.refused(() => users().lockUser(nobody), notFound);
    await world.refused(() => users().unlockUser(nobody), notFound);
  });

  test('a user of no organization has empty lists', async () => {
    const user = await world.user();
    assert.deepEqual(await users().getOrganizationMembershipList({ userId: user.id, limit: 5 }), { data: [], totalCount: 0 });
    assert.deepEqual(await users().getOrganizationInvitationList({ userId: user.id, status: 'pending' }), { data: [], totalCount: 0 });
    await world.refused(() => users().getOrganizationInvitationList({ userId: user.id, status: 'lost' }), { status: 422, code: 'form_param_value_invalid', param: 'status' });
    await world.refused(() => users().getOrganizationMembershipList({ userId: nobody }), notFound);
    await world.refused(() => users().getOrganizationInvitationList({ userId: nobody }), notFound);
  });

  test('a user without an account elsewhere has no access token', async () => {
    const user = await world.user();
    for (const provider of ['google', 'oauth_google']) {
      assert.deepEqual(await users().getUserOauthAccessToken(user.id, provider), { data: [], totalCount: 0 });
    }
    await world.refused(() => users().getUserOauthAccessToken(user.id, 'custom_nowhere'), { status: 404, code: ['oauth_token_provider_not_enabled', 'resource_not_found'] });
    await world.refused(() => users().getUserOauthAccessToken(nobody, 'google'), notFound);
  });

  test('what a user does not have cannot be deleted', async () => {
    const user = await world.user();
    await world.refused(() => users().deleteUserPasskey({ userId: user.id, passkeyIdentificationId: 'idn_none' }), { status: 404, code: ['resource_not_found', 'passkey_not_registered'] });
    await world.refused(() => users().deleteUserExternalAccount({ userId: user.id, externalAccountId: 'eac_none' }), { status: 404, code: ['resource_not_found', 'external_account_not_found'] });
    // An identification of another kind is none of these.
    await world.refused(() => users().deleteUserPasskey({ userId: user.id, passkeyIdentificationId: user.primaryEmailAddressId }), { status: 404, code: ['resource_not_found', 'passkey_not_registered'] });
    await world.refused(() => users().deleteUserPasskey({ userId: nobody, passkeyIdentificationId: 'idn_none' }), { status: 404, code: ['resource_not_found', 'passkey_not_registered'] });
  });

  test('a wallet is deleted', async () => {
    const user = await world.user({ web3Wallet: ['0x8617E340B3D01FA5F11F306F4090FD50E238070D'] });
    const other = await world.user();
    const [wallet] = user.web3Wallets;
    const path = (userId, id) => `/v1/users/${userId}/web3_wallets/${id}`;
    await world.rawRefused(notFound, 'DELETE', path(user.id, 'idn_none'));
    await world.rawRefused(notFound, 'DELETE', path(other.id, wallet.id));
    // The newest SDK has no method for it.
    if (typeof users().deleteUserWeb3Wallet === 'function') {
      await world.refused(() => users().deleteUserWeb3Wallet({ userId: user.id, web3WalletIdentificationId: 'idn_none' }), notFound);
      const deleted = await users().deleteUserWeb3Wallet({ userId: user.id, web3WalletIdentificationId: wallet.id });
      assert.deepEqual([deleted.id, deleted.deleted], [wallet.id, true]);
    } else {
      assert.equal((await world.raw('DELETE', path(user.id, wallet.id))).body.deleted, true);
    }
    assert.deepEqual((await users().getUser(user.id)).web3Wallets, []);
  });
});
