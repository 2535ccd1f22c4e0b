import { connect, serveWorker } from '@esdb-gater/client';
import { createMemoryStore, createStoreWorker } from '@esdb-gater/event-store';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expositionFaults } from '../support/exposition.ts';
import { startTestGateway, type TestGateway } from '../support/in-process.ts';
import { type RawClient, rawConnect } from '../support/raw-client.ts';

const MADE_UP = 2_000;

let gateway: TestGateway;
let client: RawClient;
beforeAll(async () => {
  gateway = await startTestGateway();
  client = await rawConnect(gateway.url);
});
afterAll(async () => {
  await client.close();
  await gateway.close();
});

async function series(): Promise<ReadonlyMap<string, number>> {
  const text = await (await fetch(`${gateway.http}/metrics`)).text();
  expect(expositionFaults(text)).toEqual([]);
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => [
      line.slice(0, line.lastIndexOf(' ')),
      Number(line.slice(line.lastIndexOf(' ') + 1)),
    ]),
  );
}

const read = (storeId: string): object => ({ storeId, streamId: 's' });
const requests = (storeId: string, result: string): string =>
  `esdb_gater_requests_total{store_id="${storeId}",request_type="getVersion",result="${result}"}`;

describe('T38: label values chosen by callers', () => {
  test('2 000 made-up stores share one label value, and the real ones are still counted', async () => {
    await client.call('getVersion', read('default'));
    await client.call('getVersion', read('made-up'));
    const before = await series();
    for (let from = 0; from < MADE_UP; from += 100) {
      const calls = Array.from({ length: 100 }, (_, i) =>
        client.call('getVersion', read(`made-up-${from + i}`)),
      );
      await Promise.all(calls);
    }
    await client.call('getVersion', read('default'));
    const after = await series();
    expect(after.get(requests('default', 'ok'))).toBe(2);
    expect(after.get(requests('other', 'store_not_found'))).toBe(MADE_UP + 1);
    // The garbage collector may have done a kind of work for the first time, and that is all.
    const ofGateway = (names: Iterable<string>): string[] =>
      [...names].filter((name) => !/^(process|nodejs)_/.test(name));
    expect(ofGateway(after.keys())).toEqual(ofGateway(before.keys()));
  });

  test('a store that a worker serves afterwards is counted under its own name', async () => {
    const worker = createStoreWorker(createMemoryStore({ storeId: 'served' }), { nodeId: 'here' });
    await using host = await connect(gateway.url);
    await using _served = await serveWorker(host.connection, worker);
    await client.call('getVersion', read('served'));
    const after = await series();
    expect(after.get(requests('served', 'ok'))).toBe(1);
    expect(after.get('esdb_gater_workers{store_id="served",state="live"}')).toBe(1);
  });

  test('made-up methods, channels and topics are not in labels', async () => {
    await client.call('madeUpMethod', read('default'));
    await client.call('publish', { channel: 'madeUpChannel', topic: 'a', message: 1 });
    await client.call('publish', { channel: 'events', topic: 'madeUpTopic', message: 1 });
    await fetch(`${gateway.http}/v1/madeUpRoute`);
    await fetch(`${gateway.http}/v1/stores/madeUpStore/streams/madeUpStream/events`);
    expect([...(await series()).keys()].filter((name) => /madeUp/i.test(name))).toEqual([]);
  });
});
