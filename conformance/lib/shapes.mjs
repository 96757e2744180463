// What the operations of the Frontend API answer, as a table of fields and their types: `frontend-shapes.json` holds what
// is expected, whether or not the published descriptions are at hand. `UPDATE_SHAPES=1` writes it anew, to be looked at.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const file = fileURLToPath(new URL('../frontend-shapes.json', import.meta.url));
const compatibility = fileURLToPath(new URL('../../COMPATIBILITY.md', import.meta.url));

// What users write themselves is theirs.
const usersOwn = key => key.endsWith('_metadata');

const typeOf = value => (value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value);

/** What a place holds: kinds of values, how often it was seen, and how often it was an object. */
const entry = (fields, place, above) => (fields[place || '.'] ??= { kinds: new Set(), seen: 0, objects: 0, above });

const walk = (value, place, fields, resources, above) => {
  const here = entry(fields, place, above);
  here.seen += 1;
  if (Array.isArray(value)) {
    here.kinds.add('array');
    // However many there are, none of them is missing.
    for (const item of value) walk(item, `${place}[]`, fields, resources, undefined);
  } else if (value !== null && typeof value === 'object') {
    // A resource is the same wherever it stands.
    const name = value.deleted === true ? 'deleted' : typeof value.object === 'string' ? value.object : undefined;
    here.kinds.add(name ?? 'object');
    const [known, within] = name ? [(resources[name] ??= {}), ''] : [fields, place];
    const holder = name ? entry(known, '') : here;
    holder.objects += 1;
    for (const [key, inner] of Object.entries(value)) {
      const at = within === '' ? key : `${within}.${key}`;
      if (!usersOwn(key)) walk(inner, at, known, resources, holder);
      else {
        const own = entry(known, at, holder);
        own.seen += 1;
        own.kinds.add(typeOf(inner));
      }
    }
  } else here.kinds.add(typeOf(value));
};

/** The operations that are served, as `METHOD /path/{template}`. */
export const served = () => {
  const text = readFileSync(compatibility, 'utf8');
  const section = text.slice(text.indexOf('## Frontend API'));
  const rows = section.slice(0, section.indexOf('\n## ', 1)).matchAll(/\| `([A-Z]+ [^`]+)` \| served \|/g);
  return [...rows].map(([, operation]) => operation);
};

/** Gathers answers by operation. */
export class Shapes {
  #operations = served().map(operation => {
    const [method, path] = operation.split(' ');
    return { operation, method, pattern: new RegExp(`^${path.replace(/\{[^}]+\}/g, '[^/]+')}$`), plain: !path.includes('{') };
  });
  #answers = {};
  #refusals = {};
  #resources = {};

  /** Notes one answer. */
  note({ method, path, status, body }) {
    const fits = this.#operations.filter(one => one.method === method && one.pattern.test(path));
    const found = fits.find(one => one.plain) ?? fits[0];
    if (!found) return;
    if (status >= 400) (this.#refusals[found.operation] ??= new Set()).add(`${status} ${body.errors[0].code}`);
    else walk(body ?? null, '', (this.#answers[`${found.operation} ${status}`] ??= {}), this.#resources);
  }

  /** All that was noted, in an order of its own. */
  table() {
    const sorted = object => Object.fromEntries(Object.entries(object).sort(([one], [other]) => (one < other ? -1 : 1)));
    const kinds = ({ kinds: all, seen, above }) => [...all].sort().concat(above && seen < above.objects ? ['absent'] : []).join('|');
    const types = fields => sorted(Object.fromEntries(Object.entries(fields).filter(([, { seen }]) => seen > 0).map(([place, one]) => [place, kinds(one)])));
    const all = shapes => sorted(Object.fromEntries(Object.entries(shapes).map(([key, fields]) => [key, types(fields)])));
    const [answers, resources] = [all(this.#answers), all(this.#resources)];
    const refusals = sorted(Object.fromEntries(Object.entries(this.#refusals).map(([key, codes]) => [key, [...codes].sort()])));
    return { resources, answers, refusals };
  }

  /** Served operations that never succeeded. */
  unseen() {
    const answered = new Set(Object.keys(this.#answers).map(key => key.replace(/ \d+$/, '')));
    return this.#operations.map(({ operation }) => operation).filter(operation => !answered.has(operation));
  }
}

/** What is expected. */
export const expected = () => JSON.parse(readFileSync(file, 'utf8'));

/** Makes what was seen what is expected. */
export const expect = table => writeFileSync(file, `${JSON.stringify(table, null, 1)}\n`);
