// The example app as somebody starts it: React in front, Express behind, each a process of its own.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { end, firstLine, freePort, root } from '../lib/server.mjs';

const react = join(root, 'examples', 'react');
const vite = join(dirname(createRequire(join(react, 'package.json')).resolve('vite/package.json')), 'bin', 'vite.js');

/** Answers as soon as something answers there. */
const reached = async (url, child) => {
  for (let tries = 0; tries < 300; tries += 1) {
    if (await fetch(url).then(({ ok }) => ok, () => false)) return;
    if (child.exitCode !== null) throw new Error(`what should answer at ${url} ended with ${child.exitCode}`);
    await new Promise(done => setTimeout(done, 100));
  }
  throw new Error(`nothing answers at ${url}`);
};

/** `kind` is `dev` for Vite's development server, `preview` for a build that is served. */
export const startExample = async (vestry, kind) => {
  const [apiPort, port] = [await freePort(), await freePort()];
  const folder = mkdtempSync(join(tmpdir(), 'vestry-react-'));
  const env = {
    ...process.env,
    PORT: String(apiPort),
    CLERK_API_URL: vestry.apiUrl,
    CLERK_PUBLISHABLE_KEY: vestry.publishableKey,
    CLERK_SECRET_KEY: vestry.secretKey,
    VITE_CLERK_PUBLISHABLE_KEY: vestry.publishableKey,
  };
  const express = spawn(process.execPath, [join(root, 'examples', 'express', 'app.mjs')], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const children = [express];
  const stop = async () => {
    await Promise.all(children.map(child => end(child)));
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await firstLine(express, 'the back end');
    express.stdout.resume();
    const built = kind === 'preview' ? ['--outDir', join(folder, 'dist')] : [];
    if (kind === 'preview') {
      const done = spawnSync(process.execPath, [vite, 'build', '--emptyOutDir', ...built], { cwd: react, env, encoding: 'utf8' });
      if (done.status !== 0) throw new Error(`the app is not built\n${done.stdout}${done.stderr}`);
    }
    const words = [vite, ...(kind === 'preview' ? ['preview'] : []), '--port', String(port), '--strictPort', ...built];
    const front = spawn(process.execPath, words, { cwd: react, env, stdio: ['ignore', 'ignore', 'inherit'] });
    children.push(front);
    const url = `http://localhost:${port}/`;
    await reached(url, front);
    return { url, stop };
  } catch (error) {
    await stop();
    throw error;
  }
};
