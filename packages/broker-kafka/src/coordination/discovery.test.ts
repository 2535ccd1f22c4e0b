import type { DiscoveredNode, Discovery, JsonValue } from '@esdb-gater/types';
import { expect, test } from 'vitest';
import { Simulation } from '../../tests/support/simulation.ts';
import { createKafkaDiscovery } from './discovery.ts';

const REFRESH_MS = 60_000;
const DAY_MS = 86_400_000;

function open(simulation: Simulation, nodeId: string): Discovery {
  const node = { nodeId, url: `ws://${nodeId}:4590/v1/ws` };
  return createKafkaDiscovery(simulation.node(nodeId), { node });
}

/** Returns the node ids that a discovery knows at this moment. */
async function found(discovery: Discovery): Promise<(string | undefined)[]> {
  const { signal } = new AbortController();
  const { value } = await discovery.watch({ signal })[Symbol.asyncIterator]().next();
  return (value as readonly DiscoveredNode[]).map(({ nodeId }) => nodeId);
}

/** Writes a record as any Kafka client could. */
function write(simulation: Simulation, key: string, value?: JsonValue): void {
  const log = simulation.node('other').broker.openLog({ topic: 't', onRecord: () => {} });
  void log.append(key, value);
}

test('a node that no longer writes its record is dropped', async () => {
  const simulation = new Simulation(1);
  const self = open(simulation, 'self');
  write(simulation, 'dead', { url: 'ws://dead:4590/v1/ws' });
  open(simulation, 'other');
  await simulation.run(2 * REFRESH_MS);
  expect((await found(self)).sort()).toEqual(['dead', 'other']);
  await simulation.run(3 * REFRESH_MS);
  expect(await found(self)).toEqual(['other']);
});

test('a node that starts drops those whose records are old, and deletes those of a day ago', async () => {
  const simulation = new Simulation(1);
  write(simulation, 'dead', { url: 'ws://dead:4590/v1/ws' });
  await simulation.run(DAY_MS + 1_000);
  write(simulation, 'gone', { url: 'ws://gone:4590/v1/ws' });
  await simulation.run(10 * REFRESH_MS);
  const self = open(simulation, 'self');
  await simulation.run(1_000);
  expect(await found(self)).toEqual([]);
  const deleted = simulation.log.filter(({ value }) => value === undefined).map(({ key }) => key);
  expect(deleted).toEqual(['dead']);
});

test('a node that is cut off from Kafka keeps what it has found', async () => {
  const simulation = new Simulation(1);
  const [self] = [open(simulation, 'self'), open(simulation, 'other')];
  await simulation.run(1_000);
  simulation.cut('self');
  await simulation.run(10 * REFRESH_MS);
  expect(await found(self)).toEqual(['other']);
});

test.each([null, 1, 'ws://a', [], {}, { url: 1 }, { url: 'http://a' }, { url: `ws://${'a'.repeat(600)}` }])(
  '%j is not taken for a node',
  async (value) => {
    const simulation = new Simulation(1);
    const self = open(simulation, 'self');
    write(simulation, 'odd', value as JsonValue);
    write(simulation, 'odd\nname', { url: 'ws://a' });
    await simulation.run(1_000);
    expect(await found(self)).toEqual([]);
  },
);

test('its own record is deleted when a node closes', async () => {
  const simulation = new Simulation(1);
  const self = open(simulation, 'self');
  await simulation.run(1_000);
  void self.close();
  await simulation.run(1_000);
  expect(simulation.log.at(-1)).toMatchObject({ key: 'self' });
  expect(simulation.log.at(-1)).not.toHaveProperty('value');
});
