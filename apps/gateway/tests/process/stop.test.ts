import { connect } from '@esdb-gater/client';
import { GaterError } from '@esdb-gater/types';
import { afterEach, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { startGatewayProcess, temporaryFolder } from '../support/gateway-process.ts';

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

async function startInFolder() {
  const folder = temporaryFolder();
  cleanUps.push(folder.remove);
  const gateway = await startGatewayProcess(folder.path);
  cleanUps.push(() => gateway.kill9());
  return { gateway, folder };
}

describe('a gateway that gets SIGTERM', () => {
  test('closes its connections with 1001 and exits with 0', async () => {
    const { gateway } = await startInFolder();
    const socket = new WebSocket(gateway.url, 'esdb-gater.v1');
    await new Promise((resolve) => socket.once('open', resolve));
    const closed = new Promise<number>((resolve) => socket.once('close', resolve));
    expect(await gateway.stop()).toBe(0);
    expect(await closed).toBe(1001);
  });

  test('answers calls in flight, and keeps acknowledged events', async () => {
    const { gateway, folder } = await startInFolder();
    await using client = await connect(gateway.url, { retry: { maxAttempts: 1 } });
    const appends = Array.from({ length: 500 }, (_, n) =>
      client
        .appendEvents({ storeId: 'default', streamId: `s-${n % 50}`, events: [{ type: 't', data: n }] })
        .then(
          () => true,
          (error: unknown) => {
            expect(GaterError.is(error)).toBe(true);
            return false;
          },
        ),
    );
    await appends[0];
    expect(await gateway.stop()).toBe(0);
    const written = (await Promise.all(appends)).filter(Boolean).length;

    const again = await startGatewayProcess(folder.path);
    cleanUps.push(() => again.kill9());
    await using reader = await connect(again.url);
    const stored = await Array.fromAsync(reader.allEvents({ storeId: 'default', limit: 1_000 }));
    expect(stored.length).toBeGreaterThanOrEqual(written);
    expect(written).toBeGreaterThan(0);
  });

  test('refuses to share its data folder with a second one, in one line', async () => {
    const { folder } = await startInFolder();
    await expect(startGatewayProcess(folder.path)).rejects.toThrow(/ended with 1:\n[^\n]+$/);
  });
});
