// The published OpenAPI files as a judge. They are not part of this repository: `CLERK_OPENAPI` names a folder
// with a folder for each API and `<version>.yml` files in it, or the one of the Backend API among these;
// `../shared/spec/openapi` beside the repository is looked at otherwise.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import Ajv from 'ajv';
import addFormats from 'ajv-formats';
import { parse } from 'yaml';
import { root } from './server.mjs';

const named = process.env.CLERK_OPENAPI ?? join(root, '..', 'shared', 'spec', 'openapi');
const above = basename(named) === 'bapi' ? dirname(named) : named;
const folders = { bapi: join(above, 'bapi'), fapi: join(above, 'fapi') };
// Reading YAML takes a second a file: the runner does it once and leaves JSON for the suites' processes.
const prepared = process.env.CONFORMANCE_OPENAPI_JSON;

/** Whether the OpenAPI files are at hand. */
export const openapiPresent = Object.values(folders).every(folder => existsSync(folder));

// 2025-03-12 is an incomplete early cut, served as 2025-04-10.
const told = folder => readdirSync(folder).map(name => name.replace(/\.yml$/, '')).filter(name => name !== '2025-03-12').sort();
// Browsers send whatever version their scripts speak, and the newest answers are what is judged.
const versions = openapiPresent ? { bapi: told(folders.bapi), fapi: told(folders.fapi).slice(-1) } : { bapi: [], fapi: [] };

// OpenAPI 3.0 says `nullable` where JSON Schema says a type or an alternative.
const translate = node => {
  if (Array.isArray(node)) return node.map(translate);
  if (node === null || typeof node !== 'object') return node;
  const { nullable, example, examples, discriminator, xml, ...rest } = node;
  const schema = Object.fromEntries(Object.entries(rest).map(([key, value]) => [key, translate(value)]));
  if (nullable !== true) return schema;
  if (schema.enum && !schema.enum.includes(null)) schema.enum = [...schema.enum, null];
  const combined = ['$ref', 'allOf', 'anyOf', 'oneOf'].some(key => key in schema);
  if (typeof schema.type === 'string' && !combined) return { ...schema, type: [schema.type, 'null'] };
  return { anyOf: [schema, { type: 'null' }] };
};

const pattern = path => new RegExp(`^${path.replace(/\{[^}]+\}/g, '[^/]+')}$`);

const readYaml = (api, version) => parse(readFileSync(join(folders[api], `${version}.yml`), 'utf8'), { maxAliasCount: -1 });

/** Leaves every version as JSON in a folder. */
export const prepareOpenapi = into => {
  for (const api of Object.keys(versions)) {
    for (const version of versions[api]) writeFileSync(join(into, `${api}-${version}.json`), JSON.stringify(readYaml(api, version)));
  }
};

const load = (api, version) => {
  const document = prepared ? JSON.parse(readFileSync(join(prepared, `${api}-${version}.json`), 'utf8')) : readYaml(api, version);
  const ajv = new Ajv({ strict: false, allErrors: true });
  addFormats(ajv);
  ajv.addFormat('int64', true);
  ajv.addSchema({ $id: version, components: translate(document.components) });
  const operations = Object.entries(document.paths)
    .map(([path, methods]) => ({ path, pattern: pattern(path), methods }))
    // A fixed path wins over one with parameters.
    .sort((one, other) => one.path.split('{').length - other.path.split('{').length);
  return { document, ajv, operations, compiled: new Map() };
};

const loaded = new Map();
const description = (api, version) => {
  const known = versions[api].includes(version) ? version : versions[api].at(-1);
  const key = `${api} ${known}`;
  if (!loaded.has(key)) loaded.set(key, { ...load(api, known), version: known });
  return loaded.get(key);
};

const absolute = (schema, version) =>
  JSON.parse(JSON.stringify(schema), (key, value) => (key === '$ref' && value.startsWith('#/') ? `${version}${value}` : value));

const responseSchema = ({ document }, operation, status) => {
  let response = operation.responses?.[status];
  if (response?.$ref) response = document.components.responses[response.$ref.split('/').pop()];
  return response?.content?.['application/json']?.schema;
};

/** The faults of one answer by the description of its version; none where the description is silent. */
export const openapiJudge = ({ api = 'bapi', method, path, status, version, body, wrapped = false }) => {
  if (!openapiPresent) return [];
  const described = description(api, version);
  const bare = api === 'bapi' ? path.replace(/^\/v1(?=\/)/, '') : path;
  // A path that is named without a word about it is another one than those with parameters.
  const told = methods => methods[method.toLowerCase()] ?? (Object.keys(methods).length === 0 ? {} : undefined);
  const found = described.operations.find(one => one.pattern.test(bare) && told(one.methods));
  const operation = found?.methods[method.toLowerCase()];
  if (!operation) return [];
  const name = `${method} ${found.path}`;
  if (status < 300 && !operation.responses[status]) {
    return [{ operation: name, errors: [{ instancePath: '', keyword: 'status', message: `${status} is not described` }] }];
  }
  const schema = responseSchema(described, operation, status);
  if (!schema) return [];
  const key = `${name} ${status}`;
  if (!described.compiled.has(key)) {
    described.compiled.set(key, described.ajv.compile(absolute(translate(schema), described.version)));
  }
  const validate = described.compiled.get(key);
  const named = schema.$ref && described.document.components.schemas[schema.$ref.split('/').pop()];
  const isList = (named ?? schema).type === 'array';
  return validate(wrapped && isList ? body.data : body) ? [] : [{ operation: name, errors: validate.errors }];
};
