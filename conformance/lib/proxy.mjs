// Stands between an SDK and Vestry, changes nothing, and keeps every exchange for the judge.
import http from 'node:http';

const hopByHop = new Set(['connection', 'keep-alive', 'transfer-encoding', 'host']);

const read = stream =>
  new Promise((resolve, reject) => {
    const chunks = [];
    stream.on('data', chunk => chunks.push(chunk));
    stream.on('end', () => resolve(Buffer.concat(chunks)));
    stream.on('error', reject);
  });

const pass = headers => Object.fromEntries(Object.entries(headers).filter(([name]) => !hopByHop.has(name)));

/** `judge` sees each exchange before the SDK sees its answer. */
export const startProxy = async (target, judge) => {
  const upstream = new URL(target);
  const agent = new http.Agent({ keepAlive: true });

  const forward = (request, body) =>
    new Promise((resolve, reject) => {
      const headers = { ...pass(request.headers), host: upstream.host };
      if (body.length > 0 || request.headers['content-length'] !== undefined) headers['content-length'] = body.length;
      const { hostname, port } = upstream;
      const sent = http.request({ hostname, port, path: request.url, method: request.method, headers, agent });
      sent.on('response', async answer => resolve({ answer, body: await read(answer) }));
      sent.on('error', reject);
      sent.end(body);
    });

  const server = http.createServer(async (request, response) => {
    try {
      const { answer, body } = await forward(request, await read(request));
      judge({
        method: request.method,
        url: request.url,
        requestHeaders: request.headers,
        status: answer.statusCode,
        headers: answer.headers,
        body,
      });
      response.writeHead(answer.statusCode, pass(answer.headers));
      response.end(body);
    } catch (error) {
      response.destroy(error);
    }
  });
  await new Promise(resolve => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    stop: async () => {
      agent.destroy();
      server.closeAllConnections();
      await new Promise(resolve => server.close(resolve));
    },
  };
};
