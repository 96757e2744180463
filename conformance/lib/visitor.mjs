// A browser without scripts: it keeps cookies as hosts set them, and goes where it is sent.
import { request } from 'node:http';

const within = (host, domain) => host === domain || host.endsWith(`.${domain}`);

export class Visitor {
  #cookies = [];

  /** `hosts` says for names where they are really served, as `http://127.0.0.1:…`. */
  constructor(hosts = {}) {
    this.hosts = hosts;
  }

  /** What a host would be told. */
  cookies(url) {
    const { hostname, protocol } = new URL(url);
    const sent = this.#cookies.filter(({ host, domain, secure }) => (domain ? within(hostname, domain) : host === hostname) && (!secure || protocol === 'https:'));
    return Object.fromEntries(sent.map(({ name, value }) => [name, value]));
  }

  /** Keeps a cookie that a script on the page sets. */
  keep(url, line) {
    const { hostname } = new URL(url);
    const [pair, ...rest] = line.split(';').map(part => part.trim());
    const [name, value] = [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)];
    const said = Object.fromEntries(rest.map(part => part.split('=')).map(([key, text = '']) => [key.toLowerCase(), text]));
    const domain = said.domain?.replace(/^\./, '');
    if (domain && !within(hostname, domain)) return;
    this.#cookies = this.#cookies.filter(other => other.name !== name || other.host !== (domain ?? hostname));
    const over = said['max-age'] !== undefined ? Number(said['max-age']) <= 0 : said.expires !== undefined && new Date(said.expires) <= new Date();
    if (!over) this.#cookies.push({ name, value, host: domain ?? hostname, domain, secure: 'secure' in said });
  }

  /** One request, and nothing after it. */
  ask(url, { method = 'GET', headers = {}, body } = {}) {
    const { hostname, host, protocol, pathname, search } = new URL(url);
    const real = new URL(this.hosts[hostname] ?? `http://${host}`);
    const cookie = Object.entries(this.cookies(url)).map(([name, value]) => `${name}=${value}`).join('; ');
    const options = {
      method, host: real.hostname, port: real.port, path: pathname + search,
      headers: { host, ...(protocol === 'https:' ? { 'x-forwarded-proto': 'https', 'x-forwarded-host': host } : {}), ...(cookie ? { cookie } : {}), ...headers },
    };
    return new Promise((accept, reject) => {
      const asked = request(options, answer => {
        const parts = [];
        answer.on('data', part => parts.push(part));
        answer.on('end', () => {
          for (const line of answer.headers['set-cookie'] ?? []) this.keep(url, line);
          accept({ url, status: answer.statusCode, headers: answer.headers, text: Buffer.concat(parts).toString() });
        });
      });
      asked.on('error', reject);
      asked.end(body);
    });
  }

  /** Loads a page; `trail` is all that was asked on the way to it. */
  async load(url) {
    const trail = [];
    for (let hops = 0; hops < 10; hops += 1) {
      const answer = await this.ask(url, { headers: { accept: 'text/html', 'sec-fetch-dest': 'document' } });
      trail.push(answer);
      if (![301, 302, 303, 307, 308].includes(answer.status)) return { ...answer, trail };
      url = new URL(answer.headers.location, url).href;
    }
    throw new Error(`sent around: ${trail.map(({ url, status }) => `${status} ${url}`).join(' ')}`);
  }

  /** Submits a form to the Frontend API, as a script of the page at `origin` does. */
  async submit(url, fields, origin) {
    const headers = { 'content-type': 'application/x-www-form-urlencoded', origin };
    const answer = await this.ask(url, { method: 'POST', headers, body: new URLSearchParams(fields).toString() });
    return { ...answer, body: answer.text ? JSON.parse(answer.text) : undefined };
  }
}
