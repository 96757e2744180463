// Allowlist, blocklist, redirect URLs, and what an instance lets in.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { suite } from '../lib/world.mjs';

const notFound = { status: 404, code: 'resource_not_found' };
const duplicate = { status: 400, code: 'duplicate_record' };

suite('allowlist, blocklist, redirect URLs', world => {
  const allowed = () => world.clerk.allowlistIdentifiers;
  const blocked = () => world.clerk.blocklistIdentifiers;
  const urls = () => world.clerk.redirectUrls;

  test('identifiers are put on the allowlist and taken off', async () => {
    const email = await allowed().createAllowlistIdentifier({ identifier: 'Ada@Example.com', notify: false });
    assert.match(email.id, /^alid_\w+$/);
    assert.deepEqual([email.identifier, email.identifierType, email.instanceId, email.invitationId], ['ada@example.com', 'email_address', world.keys.instanceId, undefined]);
    const others = ['*@example.com', '*@*.example.com', '+12025550123', '0x52908400098527886E0F7030069857D2E4169EE7'];
    const types = [];
    for (const identifier of others) types.push((await allowed().createAllowlistIdentifier({ identifier, notify: false })).identifierType);
    assert.deepEqual(types, ['email_address', 'email_address', 'phone_number', 'web3_wallet']);

    const { data, totalCount } = await allowed().getAllowlistIdentifierList();
    assert.deepEqual([data.length, totalCount, data.at(-1).id], [5, 5, email.id]);
    const page = await allowed().getAllowlistIdentifierList({ limit: 2, offset: 3 });
    assert.deepEqual([page.data.length, page.totalCount], [2, 5]);
    const bare = await world.raw('GET', '/v1/allowlist_identifiers');
    assert.equal(bare.body.length, 5);

    const deleted = await allowed().deleteAllowlistIdentifier(email.id);
    assert.deepEqual([deleted.object, deleted.id, deleted.deleted], ['allowlist_identifier', email.id, true]);
    assert.equal((await allowed().getAllowlistIdentifierList()).totalCount, 4);
    await world.refused(() => allowed().deleteAllowlistIdentifier(email.id), notFound);
  });

  test('the allowlist refuses what is no identifier, or there already', async () => {
    const refused = (given, status, code) => world.refused(() => allowed().createAllowlistIdentifier(given), { status, code, param: code === 'duplicate_record' ? undefined : 'identifier' });
    await refused({ notify: false }, 422, 'form_param_missing');
    for (const identifier of ['', 'example.com', '*@', 'ada@', '+1', '0x12']) await refused({ identifier, notify: false }, 422, 'form_param_format_invalid');
    await allowed().createAllowlistIdentifier({ identifier: 'twice@example.com', notify: false });
    await refused({ identifier: 'Twice@example.com', notify: false }, 400, 'duplicate_record');
    await world.refused(() => allowed().createAllowlistIdentifier({ identifier: 'x@example.com', colour: 1 }), { status: 422, code: 'form_param_unknown', param: 'colour' });
    await world.refused(() => allowed().deleteAllowlistIdentifier('alid_none'), notFound);
  });

  test('identifiers are put on the blocklist and taken off', async () => {
    const made = await blocked().createBlocklistIdentifier({ identifier: '*@Evil.example' });
    assert.match(made.id, /^blid_\w+$/);
    assert.deepEqual([made.identifier, made.identifierType, made.instanceId], ['*@evil.example', 'email_address', world.keys.instanceId]);
    await blocked().createBlocklistIdentifier({ identifier: '+12025550123' });
    const { data, totalCount } = await blocked().getBlocklistIdentifierList();
    assert.deepEqual([data.map(one => one.identifier), totalCount], [['+12025550123', '*@evil.example'], 2]);
    const page = await blocked().getBlocklistIdentifierList({ limit: 1 });
    assert.deepEqual([page.data.length, page.totalCount], [1, 2]);
    await world.refused(() => blocked().createBlocklistIdentifier({ identifier: '*@evil.example' }), duplicate);
    await world.refused(() => blocked().createBlocklistIdentifier({ identifier: 'evil' }), { status: 422, code: 'form_param_format_invalid', param: 'identifier' });
    await world.refused(() => blocked().createBlocklistIdentifier({}), { status: 422, code: 'form_param_missing', param: 'identifier' });
    const deleted = await blocked().deleteBlocklistIdentifier(made.id);
    assert.deepEqual([deleted.object, deleted.id, deleted.deleted], ['blocklist_identifier', made.id, true]);
    await world.refused(() => blocked().deleteBlocklistIdentifier(made.id), notFound);
  });

  test('whoever is kept out is told so', async () => {
    const user = await world.user();
    await blocked().createBlocklistIdentifier({ identifier: '*@kept-out.example' });
    await world.clerk.instance.updateRestrictions({ blocklist: true });
    const out = { status: 403, code: 'not_allowed_access' };
    const emailAddress = 'ada@kept-out.example';
    const error = await world.refused(() => world.user({ emailAddress: [emailAddress] }), out);
    assert.deepEqual(error.errors[0].meta.identifiers ?? [emailAddress], [emailAddress]);
    await world.refused(() => world.clerk.emailAddresses.createEmailAddress({ userId: user.id, emailAddress }), out);
    await world.clerk.instance.updateRestrictions({ blocklist: false, blockEmailSubaddresses: true, blockDisposableEmailDomains: true });
    await world.user({ emailAddress: [emailAddress] });
    await world.refused(() => world.user({ emailAddress: ['ada+a@example.com'] }), out);
    await world.refused(() => world.user({ emailAddress: ['ada@mailinator.com'] }), out);
    await world.clerk.instance.updateRestrictions({ allowlist: true, blockEmailSubaddresses: false, blockDisposableEmailDomains: false });
    await world.refused(() => world.user({ emailAddress: ['nobody@nowhere.example'] }), out);
    await world.clerk.instance.updateRestrictions({ allowlist: false });
    await world.user({ emailAddress: ['nobody@nowhere.example'] });
  });

  test('a redirect URL is created, read, listed and deleted', async () => {
    const url = 'https://example.com/oauth-callback';
    const made = await urls().createRedirectUrl({ url });
    assert.match(made.id, /^ru_\w+$/);
    assert.equal(made.url, url);
    assert.deepEqual(await urls().getRedirectUrl(made.id), made);
    for (const one of ['my-app://oauth-callback', 'http://localhost:3000/callback']) await urls().createRedirectUrl({ url: one });
    const { data, totalCount } = await urls().getRedirectUrlList();
    assert.deepEqual([data.length, totalCount, data.at(-1).id], [3, 3, made.id]);
    const deleted = await urls().deleteRedirectUrl(made.id);
    assert.deepEqual([deleted.object, deleted.id, deleted.deleted], ['redirect_url', made.id, true]);
    await world.refused(() => urls().getRedirectUrl(made.id), notFound);
    await world.refused(() => urls().deleteRedirectUrl(made.id), notFound);
  });

  test('a redirect URL that goes nowhere good, or is there already, is refused', async () => {
    const refused = (url, status, code) => world.refused(() => urls().createRedirectUrl({ url }), { status, code, param: 'url' });
    await refused(undefined, 422, 'form_param_missing');
    for (const url of ['', 'example.com', '/callback', 'javascript:alert(1)', 'data:text/html,x', 'https://a@evil.example/']) await refused(url, 422, 'form_param_format_invalid');
    await refused('http://example.com/callback', 422, 'insecure_url');
    await urls().createRedirectUrl({ url: 'https://example.com/twice' });
    await refused('https://EXAMPLE.com/twice', 400, 'duplicate_record');
  });
});
