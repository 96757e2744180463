// Validates raw answers: their transport rules, the error envelope, the JSON schema that was derived from
// the official package's types, and, where the files are at hand, the OpenAPI description of the version asked for.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import Ajv from 'ajv';
import { root } from './server.mjs';
import { openapiJudge } from './openapi.mjs';
import { contradiction } from './contradictions.mjs';

const seed = JSON.parse(readFileSync(join(root, 'crates', 'wire', 'tests', 'schema', 'resources-2.9.4.json'), 'utf8'));
const ajv = new Ajv({ strict: false, allErrors: true, allowUnionTypes: true });
ajv.addSchema(seed, 'seed');

// What a user stores has no schema of ours, even where it looks like a resource.
const usersOwn = key => key.endsWith('_metadata') || ['claims', 'actor', 'meta'].includes(key);

// Definitions whose `object` may be anything name no resource of their own.
const definitions = new Map();
for (const [name, { properties }] of Object.entries(seed.definitions)) {
  if (properties?.object?.const !== undefined) definitions.set(properties.object.const, name);
}

const validators = new Map();
const validator = name => {
  if (!validators.has(name)) validators.set(name, ajv.getSchema(`seed#/definitions/${name}`));
  return validators.get(name);
};

/** Error paths without list positions, so that one fault is one line. */
const place = path => path.replace(/\/\d+(?=\/|$)/g, '/*');

// Where one of several alternatives had to fit, only what the nearest of them lacks tells anything.
const telling = errors =>
  errors.filter(error => {
    const deeper = errors.some(other => other !== error && (other.instancePath.startsWith(`${error.instancePath}/`)
      || (other.instancePath === error.instancePath && ['required', 'additionalProperties', 'enum', 'const'].includes(other.keyword))));
    return !(deeper && (['anyOf', 'oneOf'].includes(error.keyword) || (error.keyword === 'type' && error.message === 'must be null')));
  });

const describeErrors = (judgeName, at, errors) =>
  telling(errors ?? [])
    .map(error => ({
      judge: judgeName,
      at,
      path: place(error.instancePath) + (error.params?.missingProperty ? `/${error.params.missingProperty}` : '')
        + (error.params?.additionalProperty ? `/${error.params.additionalProperty}` : ''),
      keyword: error.keyword,
      message: error.message,
    }))
    .filter(fault => !contradiction(fault));

const definitionOf = ({ object, deleted }) => (deleted === true ? 'DeletedObjectJSON' : definitions.get(object));

const seedFaults = (name, object) => {
  const validate = validator(name);
  return validate(object) ? [] : describeErrors('seed', object.object, validate.errors);
};

const walk = (value, faults) => {
  if (Array.isArray(value)) {
    for (const item of value) walk(item, faults);
  } else if (value !== null && typeof value === 'object') {
    const name = definitionOf(value);
    // A definition covers what is inside as well.
    if (name !== undefined) return void faults.push(...seedFaults(name, value));
    for (const [key, inner] of Object.entries(value)) if (!usersOwn(key)) walk(inner, faults);
  }
};

// These families speak for another service and carry neither `meta` nor a trace id.
const bare = path => /^(\/v1)?\/(api_keys|m2m_tokens|oauth_applications\/access_tokens|admin_portal_link_tokens)(\/|$)/.test(path);

const envelopeFaults = (path, headers, body) => {
  const faults = [];
  const fault = message => faults.push({ judge: 'envelope', at: path, path: '', keyword: 'envelope', message });
  if (!Array.isArray(body?.errors) || body.errors.length === 0) return fault('errors[] is missing or empty'), faults;
  for (const error of body.errors) {
    for (const field of ['code', 'message', 'long_message']) {
      if (typeof error[field] !== 'string' || error[field] === '') fault(`errors[].${field} is not a text`);
    }
    if (!bare(path) && (error.meta === null || typeof error.meta !== 'object')) fault('errors[].meta is not an object');
  }
  if (bare(path)) return faults;
  if (typeof body.clerk_trace_id !== 'string' || body.clerk_trace_id === '') fault('clerk_trace_id is missing');
  else if (headers['clerk-trace-id'] !== body.clerk_trace_id) {
    fault(`header Clerk-Trace-Id ${headers['clerk-trace-id']} is not clerk_trace_id ${body.clerk_trace_id}`);
  }
  return faults;
};

const parsed = (body, fault) => {
  try {
    const value = JSON.parse(body);
    if (value === null) fault('a literal null makes the SDK throw');
    return value;
  } catch (error) {
    fault(`the body is not JSON: ${error.message}`);
    return undefined;
  }
};

const transportFaults = ({ status, headers, body }, fault) => {
  if (status === 204 || status === 304) {
    if (body.length > 0) fault('an empty answer has a body');
    return undefined;
  }
  if (headers['content-type'] !== 'application/json') {
    fault(`content type ${headers['content-type']} is not application/json`);
  }
  if (status >= 300 && status < 400) fault('the Backend API never redirects');
  const retryAfter = headers['retry-after'];
  if (retryAfter !== undefined && !/^\d+$/.test(retryAfter)) fault(`Retry-After ${retryAfter} is not whole seconds`);
  if ((status === 429 || status === 503) && retryAfter === undefined) fault('Retry-After is missing');
  return parsed(body.toString('utf8'), fault);
};

/** Every rule an answer of the Frontend API breaks, each as one line. */
export const frontendJudge = ({ method, path, status, headers, text, body }) => {
  const faults = [];
  const fault = message => faults.push({ judge: 'transport', at: path, path: '', keyword: 'transport', message });
  if (text !== '' && headers['content-type'] !== 'application/json') fault(`content type ${headers['content-type']}`);
  if (headers['cache-control'] !== 'no-store') fault(`cache-control ${headers['cache-control']}`);
  if (status >= 500 && status !== 501) fault('a fault of the server');
  if (status === 429 && !/^\d+$/.test(headers['retry-after'] ?? '')) fault('Retry-After is missing');
  if (status >= 400) faults.push(...envelopeFaults(path, headers, body));
  for (const { operation, errors } of openapiJudge({ api: 'fapi', method, path, status, body })) {
    faults.push(...describeErrors('openapi', operation, errors));
  }
  return faults.map(({ judge: who, at, path: place, keyword, message }) => `${method} ${path} → ${status}: ${who} ${at} ${place} ${keyword}: ${message}`);
};

/** Every rule an answer breaks, each as one line. */
export const judge = exchange => {
  const url = new URL(exchange.url, 'http://vestry');
  const version = exchange.requestHeaders['clerk-api-version'] ?? url.searchParams.get('__clerk_api_version') ?? undefined;
  const faults = [];
  const fault = message => faults.push({ judge: 'transport', at: url.pathname, path: '', keyword: 'transport', message });

  const body = transportFaults(exchange, fault);
  if (body !== undefined && body !== null) {
    if (exchange.status >= 400) faults.push(...envelopeFaults(url.pathname, exchange.headers, body));
    else walk(body, faults);
    // The files describe the bare list only, not the wrapped one that `paginated=true` asks for.
    const wrapped = url.searchParams.get('paginated') === 'true' && Array.isArray(body.data);
    if (wrapped && !Number.isInteger(body.total_count)) fault('total_count is not a number');
    const described = openapiJudge({ method: exchange.method, path: url.pathname, status: exchange.status, version, body, wrapped });
    for (const { operation, errors } of described) faults.push(...describeErrors('openapi', operation, errors));
  }
  const line = `${exchange.method} ${exchange.url} → ${exchange.status}`;
  return faults.map(({ judge: who, at, path, keyword, message }) => `${line}: ${who} ${at} ${path} ${keyword}: ${message}`);
};
