// F33: clients behind proxies that fail, with a real gateway.
import { connect } from '@esdb-gater/client';
import { afterEach, expect, test } from 'vitest';
import { startTestGateway } from './support/in-process.ts';
import { startSilentProxy } from './support/silent-proxy.ts';

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

async function start() {
  const gateway = await startTestGateway({ stores: '{"default":{"engine":"memory"}}' });
  cleanUps.push(() => gateway.close());
  const proxy = await startSilentProxy(gateway.port);
  cleanUps.push(() => proxy.close());
  return { gateway, proxy, url: `ws://127.0.0.1:${proxy.port}/v1/ws` };
}

test.each([404, 502, 'hang'] as const)(
  'a client outlives a proxy that answers %s for a while, and its subscription misses nothing [R28] [F33]',
  async (mode) => {
    const { gateway, proxy, url } = await start();
    const client = await connect(url, { connectTimeoutMs: 1_000 });
    cleanUps.push(() => client.close());
    const messages = await client.subscribe({ channel: 'events', topic: '>' });
    const writer = await connect(gateway.url);
    cleanUps.push(() => writer.close());
    const append = (version: number) =>
      writer.appendEvents({
        storeId: 'default',
        streamId: 's',
        expectedVersion: version - 1,
        events: [{ type: 't', data: version }],
      });

    await append(0);
    proxy.mode = mode;
    proxy.cut();
    const before = proxy.connections;
    await append(1);
    // The client has tried at least three times in vain.
    await expect.poll(() => proxy.connections - before, { timeout: 30_000 }).toBeGreaterThanOrEqual(3);
    proxy.mode = 'pass';
    const answered = client.getVersion({ storeId: 'default', streamId: 's' });
    expect(await answered).toEqual({ version: 1 });
    await append(2);
    const versions: unknown[] = [];
    for await (const { message } of messages) {
      versions.push((message as { readonly version: number }).version);
      if (versions.length === 3) break;
    }
    expect(versions).toEqual([0, 1, 2]);
  },
  60_000,
);

test('a first URL that never answers does not keep a client from the second [R28] [F33]', async () => {
  const { gateway, proxy, url } = await start();
  proxy.mode = 'hang';
  const client = await connect([url, gateway.url], { connectTimeoutMs: 3_000 });
  cleanUps.push(() => client.close());
  expect(await client.getVersion({ storeId: 'default', streamId: 's' })).toEqual({ version: -1 });
  expect(proxy.connections).toBeGreaterThan(0);
});
