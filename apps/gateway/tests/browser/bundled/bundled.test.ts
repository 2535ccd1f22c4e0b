import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { createToken, Identity } from '@esdb-gater/security';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestGateway } from '../../support/in-process.ts';
import { describeInChromium, startChromium } from '../chromium.ts';
import { BUNDLERS } from './bundlers.ts';
import { startFileServer } from './file-server.ts';

/** What the page of the application may load before it connects: the client, without schemas and without Ed25519. */
const GZIP_BYTES = 28_000;

const root = Identity.generate();

describeInChromium('an application that imports the client', () => {
  let browser: Browser;
  let folder: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'esdb-gater-bundled-'));
    browser = await startChromium();
  });
  afterAll(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test.each(BUNDLERS)('and is bundled with $name works with a gateway', async ({ name, bundle }) => {
    const output = join(folder, name);
    await bundle(output);
    const server = await startFileServer(output);
    await using gateway = await startTestGateway({
      stores: '{"default":{"engine":"memory"}}',
      'security-capabilities': 'required',
      'security-trusted-issuers': root.did,
      'http-allowed-origins': server.origin,
    });
    const page = await browser.newPage();
    const complaints: string[] = [];
    const scripts: string[] = [];
    page.on('pageerror', ({ message }) => complaints.push(message));
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
    });
    page.on('request', (request) => {
      if (request.resourceType() === 'script') scripts.push(new URL(request.url()).pathname);
    });
    try {
      await page.goto(server.origin);
      await page.waitForFunction('globalThis.app !== undefined');
      const loadedAtOnce = scripts.map((path) => readFileSync(join(output, path)));
      const audience = (await page.evaluate('app.did')) as string;
      const token = createToken({ issuer: root, audience, att: [{ with: '*', can: '*' }] });
      const outcome = await page.evaluate(
        `app.run(${JSON.stringify(gateway.url)}, ${JSON.stringify(token)})`,
      );
      expect(outcome).toEqual({
        audience,
        version: 0,
        read: ['Ada'],
        received: ['Ada'],
        acknowledged: 'Ada',
      });
      expect(complaints).toEqual([]);
      expect(loadedAtOnce.reduce((sum, file) => sum + gzipSync(file).length, 0)).toBeLessThan(GZIP_BYTES);
      // The code of persistent subscriptions is loaded on demand.
      expect(scripts.length).toBeGreaterThan(loadedAtOnce.length);
    } finally {
      await page.close();
      await server.close();
    }
  });
});
