// What the SDK can ask for and Vestry does not do yet is said plainly. `unserved.json` lists it and may only shrink;
// its other list, `refused_only`, holds methods whose success needs what only the Frontend API brings about.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { suite } from '../lib/world.mjs';

const unserved = JSON.parse(readFileSync(new URL('../unserved.json', import.meta.url), 'utf8')).answers_501;

suite('not served yet', world => {
  test('answers 501 and says so', async () => {
    const wrong = [];
    for (const [name, parameters] of Object.entries(unserved)) {
      const [property, method] = name.split('.');
      const call = world.clerk[property]?.[method];
      if (!call) continue;
      const given = name === 'organizations.updateOrganizationLogo' ? [parameters[0], { file: new Blob(['x']) }] : parameters;
      const outcome = await call(...given).then(
        value => `succeeded: ${JSON.stringify(value)?.slice(0, 100)}`,
        error => `${error.status} ${error.errors?.[0]?.code ?? error.message}`,
      );
      // An instance's key may not mint machine tokens, which is said first.
      const allowed = name === 'm2m.createToken' ? ['501 not_supported_by_server', '401 machine_secret_key_invalid'] : ['501 not_supported_by_server'];
      if (!allowed.includes(outcome)) wrong.push(`${name}: ${outcome}`);
    }
    assert.deepEqual(wrong, []);
  });
});
