// Listing, filtering, ordering and counting users.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { suite } from '../lib/world.mjs';

const day = 86_400_000;
const start = Date.now() - 100 * day;

suite('users: list and count', world => {
  const users = () => world.clerk.users;
  const people = [];
  const ids = list => list.data.map(user => user.id);
  const of = (...positions) => positions.map(position => people[position].id);

  before(async () => {
    const names = [['Grace', 'Hopper'], ['Alan', 'Turing'], ['Edsger', 'Dijkstra'], ['Barbara', 'Liskov'], ['Donald', 'Knuth']];
    for (const [position, [firstName, lastName]] of names.entries()) {
      people.push(await users().createUser({
        firstName,
        lastName,
        username: `${firstName}_${lastName}`.toLowerCase(),
        emailAddress: [`${firstName}.${lastName}@example.com`.toLowerCase(), `${lastName}@work.example`.toLowerCase()],
        phoneNumber: [`+1202555010${position}`],
        externalId: `person-${position}`,
        web3Wallet: [`0x${String(position).repeat(40)}`],
        createdAt: new Date(start + position * day),
        skipPasswordRequirement: true,
      }));
    }
    people[4] = await users().banUser(people[4].id);
  });

  test('lists the newest first, with the total', async () => {
    const list = await users().getUserList();
    assert.deepEqual(ids(list), of(4, 3, 2, 1, 0));
    assert.equal(list.totalCount, 5);
    assert.deepEqual(list.data[0].raw, (await users().getUser(people[4].id)).raw);
  });

  test('pages', async () => {
    assert.deepEqual(ids(await users().getUserList({ limit: 2 })), of(4, 3));
    assert.deepEqual(ids(await users().getUserList({ limit: 2, offset: 2 })), of(2, 1));
    assert.deepEqual(ids(await users().getUserList({ limit: 2, offset: 4 })), of(0));
    const beyond = await users().getUserList({ limit: 2, offset: 50 });
    assert.deepEqual(ids(beyond), []);
    assert.equal(beyond.totalCount, 5);
    const after = await world.raw('GET', `/v1/users?limit=2&order_by=-created_at&starting_after=${people[3].id}`);
    assert.deepEqual(after.body.map(user => user.id), of(2, 1));
  });

  test('orders by every field, both ways', async () => {
    const order = { created_at: [0, 1, 2, 3, 4], first_name: [1, 3, 4, 2, 0], last_name: [2, 0, 4, 3, 1], username: [1, 3, 4, 2, 0], phone_number: [0, 1, 2, 3, 4], email_address: [1, 3, 4, 2, 0], web3wallet: [0, 1, 2, 3, 4] };
    for (const [field, positions] of Object.entries(order)) {
      assert.deepEqual(ids(await users().getUserList({ orderBy: field })), of(...positions), field);
      assert.deepEqual(ids(await users().getUserList({ orderBy: `+${field}` })), of(...positions), `+${field}`);
      assert.deepEqual(ids(await users().getUserList({ orderBy: `-${field}` })), of(...positions.toReversed()), `-${field}`);
    }
    for (const field of ['updated_at', 'last_active_at', 'last_sign_in_at']) {
      assert.deepEqual(ids(await users().getUserList({ orderBy: `-${field}` })).toSorted(), of(0, 1, 2, 3, 4).toSorted(), field);
    }
    // A plus that was not encoded arrives as a space and means the same.
    const { body } = await world.raw('GET', '/v1/users?order_by=+created_at');
    assert.deepEqual(body.map(user => user.id), of(0, 1, 2, 3, 4));
  });

  test('filters by each identifier', async () => {
    const filters = [
      [{ emailAddress: ['ALAN.turing@example.com', 'liskov@work.example', 'nobody@example.com'] }, [3, 1]],
      [{ phoneNumber: ['+12025550100'] }, [0]],
      [{ username: ['edsger_dijkstra', 'Donald_Knuth'] }, [4, 2]],
      [{ web3Wallet: [`0x${'3'.repeat(40)}`] }, [3]],
      [{ userId: [] }, [4, 3, 2, 1, 0]],
      [{ userId: of(0, 2) }, [2, 0]],
      [{ userId: of(0, 2).map(id => `+${id}`) }, [2, 0]],
      [{ userId: of(0, 2).map(id => `-${id}`) }, [4, 3, 1]],
      [{ externalId: ['person-1', '+person-3'] }, [3, 1]],
      [{ externalId: ['-person-1'] }, [4, 3, 2, 0]],
      [{ emailAddress: ['nobody@example.com'] }, []],
      [{ emailAddress: ['alan.turing@example.com'], username: ['alan_turing'] }, [1]],
      [{ emailAddress: ['alan.turing@example.com'], username: ['grace_hopper'] }, []],
    ];
    for (const [filter, positions] of filters) {
      const list = await users().getUserList(filter);
      assert.deepEqual(ids(list), of(...positions), JSON.stringify(filter));
      assert.equal(list.totalCount, positions.length, JSON.stringify(filter));
      assert.equal(await users().getCount(filter), positions.length, JSON.stringify(filter));
    }
    assert.deepEqual(ids(await users().getUserList({ organizationId: ['org_2aaaaaaaaaaaaaaaaaaaaaaaaaa'] })), []);
  });

  test('searches', async () => {
    const searches = { HOPPER: [0], 'alan tur': [1], '555010': [4, 3, 2, 1, 0], '@work': [4, 3, 2, 1, 0], skov: [3], 'zzz-nobody': [], '%': [], _tur: [1] };
    for (const [query, positions] of Object.entries(searches)) {
      const list = await users().getUserList({ query });
      assert.deepEqual(ids(list), of(...positions), query);
      assert.equal(list.totalCount, positions.length, query);
    }
    assert.deepEqual(ids(await users().getUserList({ query: people[2].id })), of(2), 'by id');
    const kinds = [[{ emailAddressQuery: 'DIJKSTRA@' }, [2]], [{ phoneNumberQuery: '5550103' }, [3]], [{ usernameQuery: 'grace' }, [0]], [{ nameQuery: 'donald k' }, [4]], [{ nameQuery: 'example.com' }, []]];
    for (const [query, positions] of kinds) assert.deepEqual(ids(await users().getUserList(query)), of(...positions), JSON.stringify(query));
  });

  test('searches in any order and for several texts at once', async () => {
    const cases = [
      [{ query: 'work.example', orderBy: 'first_name' }, [1, 3, 4, 2, 0]],
      [{ query: 'work.example', orderBy: '-last_name' }, [1, 3, 4, 0, 2]],
      [{ query: 'work.example', orderBy: '+created_at', limit: 2, offset: 1 }, [1, 2], 5],
      [{ query: '5550100', orderBy: 'username' }, [0]],
      [{ query: 'al', usernameQuery: 'turing' }, [1]],
      [{ query: 'a', emailAddressQuery: 'work', nameQuery: 'ar' }, [3]],
      [{ usernameQuery: 'grace', phoneNumberQuery: '55' }, [0]],
      [{ usernameQuery: 'grace', phoneNumberQuery: '5550104' }, []],
      [{ query: 'turing', emailAddress: ['turing@work.example'], externalId: ['person-1'] }, [1]],
      [{ query: 'work', banned: true }, [4]],
      [{ query: 'work', createdAtBefore: start + day + 1, orderBy: '-email_address' }, [0, 1]],
    ];
    for (const [filter, positions, total = positions.length] of cases) {
      const list = await users().getUserList(filter);
      assert.deepEqual(ids(list), of(...positions), JSON.stringify(filter));
      assert.equal(list.totalCount, total, JSON.stringify(filter));
    }
  });

  test('filters by ranges, exact at their ends', async () => {
    const at = start + 2 * day;
    const ranges = [
      [{ createdAtBefore: at }, [1, 0]],
      [{ createdAtAfter: at }, [4, 3]],
      [{ createdAtAfter: at - 1, createdAtBefore: at + 1 }, [2]],
      [{ lastActiveAtBefore: Date.now() + day }, []],
      [{ lastSignInAtBefore: Date.now() + day }, []],
    ];
    for (const [filter, positions] of ranges) {
      const list = await users().getUserList(filter);
      assert.deepEqual(ids(list), of(...positions), JSON.stringify(filter));
      assert.equal(list.totalCount, positions.length, JSON.stringify(filter));
    }
    const unbanned = await world.raw('GET', '/v1/users/count?banned=false');
    assert.equal(unbanned.body.total_count, 4);
    // A plus that was not encoded arrives as a space here as well.
    const plus = await world.raw('GET', `/v1/users?user_id=+${people[1].id}`);
    assert.deepEqual(plus.body.map(user => user.id), of(1));
    await world.rawRefused({ status: 422, code: 'form_conditional_param_missing', param: 'provider_user_id' }, 'GET', '/v1/users?provider=google');
    await world.rawRefused({ status: 422, code: 'form_conditional_param_missing', param: 'provider' }, 'GET', '/v1/users?provider_user_id=1');
    await world.rawRefused({ status: 422, code: 'form_conditional_param_disallowed', param: 'starting_after' }, 'GET', `/v1/users?offset=1&starting_after=${people[3].id}`);
    await world.rawRefused({ status: 422, code: 'form_resource_not_found', param: 'starting_after' }, 'GET', '/v1/users?starting_after=user_none');
    const upwards = await world.raw('GET', `/v1/users?order_by=created_at&starting_after=${people[3].id}`);
    assert.deepEqual(upwards.body.map(user => user.id), of(4));
  });

  test('filters by state and time', async () => {
    assert.deepEqual(ids(await users().getUserList({ banned: true })), of(4));
    const unbanned = await world.raw('GET', '/v1/users?banned=false');
    assert.deepEqual(unbanned.body.map(user => user.id), of(3, 2, 1, 0));
    assert.deepEqual(ids(await users().getUserList({ createdAtBefore: start + 2 * day - 1 })), of(1, 0));
    assert.deepEqual(ids(await users().getUserList({ createdAtAfter: start + 2 * day + 1 })), of(4, 3));
    assert.deepEqual(ids(await users().getUserList({ lastSignInAtAfter: start })), []);
    assert.deepEqual(ids(await users().getUserList({ lastActiveAtAfter: Date.now() + day })), []);
    assert.deepEqual(ids(await users().getUserList({ last_active_at_since: Date.now() + day })), []);
    assert.deepEqual(ids(await users().getUserList({ provider: 'oauth_google', providerUserId: ['nobody'] })), []);
  });

  test('refuses what it does not know', async () => {
    const refusal = (given, code, param) => world.refused(() => users().getUserList(given), { status: 422, code, param });
    await refusal({ limit: 501 }, 'form_param_value_too_large', 'limit');
    await refusal({ limit: 'ten' }, 'form_param_value_invalid', 'limit');
    await refusal({ limit: 10.5 }, 'form_param_value_invalid', 'limit');
    await refusal({ offset: -1 }, 'form_param_value_invalid', 'offset');
    await refusal({ orderBy: 'password' }, 'form_param_value_invalid', 'order_by');
    await refusal({ createdAtBefore: 'yesterday' }, ['form_param_invalid_date', 'form_param_type_invalid', 'form_param_value_invalid'], 'created_at_before');
    await refusal({ userId: Array.from({ length: 101 }, (_, position) => `user_${position}`) }, 'form_param_array_size_exceeded', 'user_id');
    await refusal({ shoeSize: 44 }, 'form_param_unknown', 'shoe_size');
    await world.rawRefused({ status: 422, code: 'form_param_value_invalid', param: 'limit' }, 'GET', '/v1/users?limit=0');
    await world.rawRefused({ status: 422, code: 'form_param_duplicate', param: 'limit' }, 'GET', '/v1/users?limit=1&limit=2');
    await world.refused(() => users().getCount({ shoeSize: 44 }), { status: 422, code: 'form_param_unknown', param: 'shoe_size' });
    const cursor = await world.raw('GET', `/v1/users?order_by=username&starting_after=${people[3].id}`);
    assert.equal(cursor.status, 422);
  });

  test('counts', async () => {
    assert.equal(await users().getCount(), 5);
    assert.equal(await users().getCount({ query: 'turing' }), 1);
    const { body } = await world.raw('GET', '/v1/users/count');
    assert.deepEqual(body, { object: 'total_count', total_count: 5 });
    const extra = await world.user();
    assert.equal(await users().getCount(), 6);
    await users().deleteUser(extra.id);
    assert.equal(await users().getCount(), 5);
  });
});
