import { connect } from '@esdb-gater/client';
import { GaterError, type RecordedEvent } from '@esdb-gater/types';
import { afterEach, describe, expect, test } from 'vitest';
import { freePorts } from '../../../../tools/kafka/index.ts';
import { type GatewayProcess, startGatewayProcess, temporaryFolder } from '../support/gateway-process.ts';

const WRITERS = 100;
const ROUNDS = process.env['ESDB_GATER_FAULTS'] === undefined ? 2 : 20;
const APPENDS_BEFORE_KILL = 500;

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

describe('a gateway that is killed with -9 while 100 writers append', () => {
  test('has every acknowledged event once, and subscribers that reconnect receive all of them [F1]', {
    timeout: 300_000,
  }, async () => {
    const folder = temporaryFolder();
    cleanUps.push(folder.remove);
    const [port = 0] = await freePorts(1);
    let gateway = await start(folder.path, String(port));

    const acknowledged = new Set<string>();
    const seen = new Map<string, number>();
    await using watcher = await connect(gateway.url, { retry: { baseDelayMs: 20, maxDelayMs: 200 } });
    const subscription = await watcher.subscribe({ channel: 'events', topic: 'default.>' });
    const consumed = (async () => {
      for await (const { id } of subscription) seen.set(id, (seen.get(id) ?? 0) + 1);
    })();

    for (let round = 0; round < ROUNDS; round += 1) {
      await appendUntilKilled(gateway, acknowledged, round);
      gateway = await start(folder.path, String(port));
    }

    const stored = new Map<string, number>();
    const positions: number[] = [];
    const versions = new Map<string, number>();
    await using reader = await connect(gateway.url);
    for await (const event of reader.allEvents({ storeId: 'default', limit: 1_000 })) {
      stored.set(event.id, (stored.get(event.id) ?? 0) + 1);
      positions.push(event.position);
      expect(event.version).toBe((versions.get(event.streamId) ?? -1) + 1);
      versions.set(event.streamId, event.version);
    }
    expect([...acknowledged].filter((id) => stored.get(id) !== 1)).toEqual([]);
    expect([...stored.values()].every((count) => count === 1)).toBe(true);
    expect(positions).toEqual(positions.map((_, index) => index + 1));

    // A last event after which everything before it must have come.
    const { position } = await reader.appendEvents({
      storeId: 'default',
      streamId: 'last',
      events: [{ type: 'last', data: null, id: LAST_ID }],
    });
    expect(position).toBe(positions.length + 1);
    await expect.poll(() => seen.has(LAST_ID), { timeout: 20_000 }).toBe(true);
    expect([...stored.keys()].filter((id) => !seen.has(id))).toEqual([]);
    await subscription.unsubscribe();
    await consumed;
  });
});

const LAST_ID = '018f5e2c-0000-7000-8000-0000000000ff';

async function start(dataDir: string, port: string): Promise<GatewayProcess> {
  const gateway = await startGatewayProcess(dataDir, ['--port', port]);
  cleanUps.push(() => gateway.stop());
  return gateway;
}

/** Lets the writers append and kills the gateway in the middle; every answer that came is remembered. */
async function appendUntilKilled(
  gateway: GatewayProcess,
  acknowledged: Set<string>,
  round: number,
): Promise<void> {
  const client = await connect(gateway.url, { retry: { maxAttempts: 1 } });
  const target = acknowledged.size + APPENDS_BEFORE_KILL + Math.floor(Math.random() * APPENDS_BEFORE_KILL);
  let killed: Promise<void> | undefined;
  const write = async (writer: number): Promise<void> => {
    for (let n = 0; killed === undefined; n += 1) {
      const id = crypto.randomUUID();
      const events: Partial<RecordedEvent>[] = [{ type: 'written', data: { round, writer, n }, id }];
      try {
        await client.appendEvents(
          { storeId: 'default', streamId: `writer-${writer}`, events: events as never },
          { timeoutMs: 5_000 },
        );
        acknowledged.add(id);
      } catch (error) {
        if (killed === undefined) throw error;
        expect(GaterError.is(error)).toBe(true);
      }
      if (acknowledged.size >= target) killed ??= gateway.kill9();
    }
  };
  const writers = Array.from({ length: WRITERS }, (_, writer) => write(writer));
  // The client is closed with its calls unanswered, so that none of them is made again on the next gateway.
  while (killed === undefined)
    await Promise.race([...writers, new Promise((resolve) => setImmediate(resolve))]);
  await killed;
  await client[Symbol.asyncDispose]();
  await Promise.all(writers);
}
