import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { CHAIN_START, chainHash } from './hash-chain.ts';
import { createMemoryStore } from './memory-store.ts';

test('the hash of an event can be computed again from what a reader sees', async () => {
  const store = createMemoryStore({ storeId: 's' });
  const data = { b: 1.5e3, a: ['ü', null], __proto__: 'x', ['\ud800']: 1e21 };
  await store.appendEvents({
    storeId: 's',
    streamId: 'a',
    events: [{ type: 't', data, tags: ['y', 'x'], metadata: { m: 1 } }],
  });
  const { events } = await store.readAll({ storeId: 's' });
  const event = events[0] as NonNullable<(typeof events)[0]>;
  const canonical =
    `{"data":{"a":["ü",null],"b":1500,"\\ud800":1e+21},"epochUs":${event.epochUs},"id":"${event.id}",` +
    `"metadata":{"m":1},"position":1,"streamId":"a","tags":["y","x"],"timestamp":"${event.timestamp}",` +
    `"type":"t","version":0}`;
  const before = CHAIN_START;
  const expected = createHash('sha256').update(`esdb-gater-chain/1\n${before}\n${canonical}`).digest('hex');
  const { storeId: _, timestamp: __, ...core } = event;
  expect(chainHash(before, JSON.stringify(core).slice(1, -1), event.epochUs)).toBe(expected);
});
