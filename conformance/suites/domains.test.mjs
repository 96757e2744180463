// Domains, proxy checks, the interstitial.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { test } from 'node:test';
import { suite } from '../lib/world.mjs';
import { frontendHost } from '../lib/codes.mjs';

/** A proxy whose Frontend API says this of itself. */
const proxy = async answer => {
  const asked = [];
  const server = createServer((request, response) => {
    asked.push(request);
    response.setHeader('content-type', 'application/json').end(JSON.stringify(answer));
  });
  await new Promise(done => server.listen(0, '127.0.0.1', done));
  return { url: `http://127.0.0.1:${server.address().port}/__clerk`, asked, stop: () => new Promise(done => server.close(done)) };
};

suite('domains, proxy checks, interstitial', world => {
  const domains = () => world.clerk.domains;
  const primary = async () => (await domains().list()).data.find(domain => !domain.isSatellite);

  test('an instance has a primary domain', async () => {
    const { data, totalCount } = await domains().list();
    assert.equal(data.length, totalCount);
    const domain = await primary();
    assert.match(domain.id, /^dmn_\w+$/);
    assert.equal(domain.frontendApiUrl, `https://${frontendHost(world.keys.publishableKey)}`);
    await world.refused(() => domains().delete(domain.id), { status: 403, code: 'operation_not_allowed_on_primary_domain' });
    await world.refused(() => domains().update({ domainId: domain.id, name: 'localhost:3000' }), { status: 400, code: 'domain_update_forbidden' });
  });

  test('a satellite comes and goes', async () => {
    const added = await domains().add({ name: 'localhost:3001', is_satellite: true });
    assert.deepEqual([added.name, added.isSatellite, added.accountsPortalUrl], ['localhost:3001', true, null]);
    assert.equal((await domains().update({ domainId: added.id, name: 'localhost:3002' })).name, 'localhost:3002');
    await world.refused(() => domains().add({ name: 'localhost:3002', is_satellite: true }), { status: 422, code: 'home_url_taken', param: 'name' });
    await world.refused(() => domains().update({ domainId: added.id, proxy_url: 'https://example.com/__clerk' }), { status: 400, code: 'domain_update_forbidden' });
    const deleted = await domains().delete(added.id);
    assert.deepEqual([deleted.id, deleted.deleted], [added.id, true]);
    await world.refused(() => domains().deleteDomain(added.id), { status: 404, code: 'resource_not_found' });
    const other = await domains().add({ name: 'localhost:3003', is_satellite: true });
    assert.equal((await domains().deleteDomain(other.id)).deleted, true);
    await world.refused(() => domains().update({ domainId: added.id, name: 'a' }), { status: 404, code: 'resource_not_found' });
    await world.refused(() => domains().add({ name: 'a.example.com', is_satellite: false }), { status: 422, code: 'primary_domain_already_exists', param: 'is_satellite' });
    await world.refused(() => domains().add({ name: 'https://a.example.com', is_satellite: true }), { status: 422, code: 'form_param_format_invalid', param: 'name' });
  });

  test('the domain of a development instance is not changed', async () => {
    await world.refused(() => world.clerk.betaFeatures.changeDomain({ homeUrl: 'https://www.example.com' }), { status: 400, code: 'request_invalid_for_environment' });
  });

  test('a proxy is checked', async () => {
    const { id: domainId } = await primary();
    const well = await proxy({ status: 'healthy', x_forwarded_for: '127.0.0.1' });
    const ill = await proxy({ status: 'unhealthy', message: 'no' });
    try {
      const checked = await world.clerk.proxyChecks.verify({ domainId, proxyUrl: well.url });
      assert.deepEqual([checked.domainId, checked.proxyUrl, checked.successful], [domainId, well.url, true]);
      const [request] = well.asked;
      assert.equal(new URL(request.url, well.url).pathname, '/__clerk/v1/proxy-health');
      assert.equal(request.headers.authorization, undefined);
      assert.equal((await world.clerk.proxyChecks.verify({ domainId, proxyUrl: ill.url })).successful, false);
    } finally {
      await Promise.all([well.stop(), ill.stop()]);
    }
    const again = await world.clerk.proxyChecks.verify({ domainId, proxyUrl: well.url });
    assert.equal(again.successful, false);
    await world.refused(() => world.clerk.proxyChecks.verify({ domainId: 'dmn_none', proxyUrl: well.url }), { status: 404, code: 'resource_not_found' });
    await world.refused(() => world.clerk.proxyChecks.verify({ domainId, proxyUrl: 'nowhere' }), { status: 422, code: 'form_param_format_invalid', param: 'proxy_url' });
  });

  test('the interstitial is a page', async () => {
    // Not JSON, so the judge has no say in it.
    const page = await fetch(`${world.server.apiUrl}/v1/public/interstitial?publishable_key=${world.keys.publishableKey}`);
    assert.deepEqual([page.status, page.headers.get('content-type')], [200, 'text/html; charset=utf-8']);
    assert.match(await page.text(), /data-publishable-key="pk_test_/);
    await world.rawRefused({ status: 400, code: 'malformed_publishable_key' }, 'GET', '/v1/public/interstitial?publishable_key=pk_test_x', { key: null });
    await world.rawRefused({ status: 400, code: 'missing_query_parameter' }, 'GET', '/v1/public/interstitial', { key: null });
  });
});
