import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GaterError } from '@esdb-gater/types';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startTestGateway } from './support/in-process.ts';
import { rawConnect } from './support/raw-client.ts';

let dataDir: string;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'esdb-gater-stop-'));
});
afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

describe('a graceful stop', () => {
  test('answers calls in flight, closes with 1001 and keeps all acknowledged events', async () => {
    const gateway = await startTestGateway({}, { dataDir });
    const client = await rawConnect(gateway.url);
    const acknowledged: number[] = [];
    const refused: string[] = [];
    const appends = Array.from({ length: 300 }, async (_, n) => {
      const answer = await client.call('appendEvents', {
        storeId: 'default',
        streamId: `s-${n}`,
        events: [{ type: 't', data: n }],
      });
      if (answer.error === undefined) acknowledged.push(n);
      else refused.push(answer.error.data.code);
    });
    await client.call('health');
    const stopped = gateway.close();
    await Promise.allSettled(appends);
    expect((await client.closed).code).toBe(1001);
    await stopped;
    expect(acknowledged.length + refused.length).toBe(300);
    expect(refused.every((code) => code === 'unavailable')).toBe(true);

    const again = await startTestGateway({}, { dataDir });
    const reader = await rawConnect(again.url);
    for (const n of acknowledged) {
      expect((await reader.call('getVersion', { storeId: 'default', streamId: `s-${n}` })).result).toEqual({
        version: 0,
      });
    }
    await reader.close();
    await again.close();
  });

  test('refuses new work with unavailable while work in flight ends, and is not ready', async () => {
    const gateway = await startTestGateway({ stores: '{"afar":{"engine":"remote"}}' }, { dataDir });
    const worker = await rawConnect(gateway.url);
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    const { promise: asked, resolve: ask } = Promise.withResolvers<void>();
    worker.serve(async ({ method }) => {
      if (method !== 'getVersion') return { events: [], lastPosition: 0 };
      ask();
      await released;
      return { version: 7 };
    });
    await worker.call('registerWorker', { storeId: 'afar' });
    const client = await rawConnect(gateway.url);
    const slow = client.call('getVersion', { storeId: 'afar', streamId: 'a' });
    await asked;
    const stopped = gateway.close();
    expect((await client.call('health')).error?.data).toMatchObject({ code: 'unavailable', retriable: true });
    expect((await fetch(`${gateway.http}/readyz`)).status).toBe(503);
    expect((await fetch(`${gateway.http}/livez`)).status).toBe(200);
    release();
    expect((await slow).result).toEqual({ version: 7 });
    await stopped;
  });

  test('does not wait longer than shutdown.graceMs for calls that never end', async () => {
    const gateway = await startTestGateway(
      { stores: '{"afar":{"engine":"remote"}}', 'shutdown-grace-ms': '300' },
      { dataDir },
    );
    const worker = await rawConnect(gateway.url);
    worker.serve(() => new Promise(() => undefined));
    await worker.call('registerWorker', { storeId: 'afar' });
    const client = await rawConnect(gateway.url);
    client.call('getVersion', { storeId: 'afar', streamId: 'a' }).catch(() => undefined);
    await client.call('channelInfo');
    const start = performance.now();
    await gateway.close();
    // The setting itself is a time; without it the calls would have 5 s, half of the default.
    expect(performance.now() - start).toBeLessThan(4_000);
  });
});

describe('the data folder', () => {
  test('belongs to one gateway at a time', async () => {
    await using gateway = await startTestGateway({}, { dataDir });
    await expect(startTestGateway({}, { dataDir })).rejects.toThrow('in use by another gateway');
    expect(gateway.url).toMatch(/^ws:/);
  });

  test('keeps node and identity, and a failed start releases it', async () => {
    const first = await startTestGateway({}, { dataDir });
    await expect(
      startTestGateway({ port: String(first.port) }, { dataDir: join(dataDir, 'other') }),
    ).rejects.toSatisfy((error) => GaterError.is(error) && error.message.includes('is in use'));
    await first.close();
    const other = await startTestGateway({}, { dataDir: join(dataDir, 'other') });
    await other.close();
    const second = await startTestGateway({}, { dataDir });
    expect([second.nodeId, second.did]).toEqual([first.nodeId, first.did]);
    await second.close();
  });
});

test('a setting that cannot be applied stops the start with its key', async () => {
  const flags = {
    'kafka-brokers': '127.0.0.1:9',
    'kafka-ssl-enabled': 'true',
    'kafka-ssl-ca-file': join(dataDir, 'missing.pem'),
    'security-hmac-secret': 's',
  };
  await expect(startTestGateway(flags, { dataDir })).rejects.toMatchObject({
    code: 'invalid_argument',
    message: expect.stringContaining('`kafka.ssl.caFile` must be a file that can be read'),
  });
});
