import { silentLogger } from '@esdb-gater/types';
import { expect, test } from 'vitest';
import { FakeKafka } from '../../tests/support/fake-kafka.ts';
import { Simulation } from '../../tests/support/simulation.ts';
import { Cluster } from '../client/cluster.ts';
import { Connections } from '../client/connections.ts';
import { KAFKA_ERROR } from '../client/driver.ts';
import { Offsets } from './offsets.ts';

const TOPIC = 'esdb_channel_system';

/** Offsets of three partitions at 10, 20 and 30; `errorOf` fails a query. */
async function setUp(errorOf: (partition: number, request: number) => number) {
  const simulation = new Simulation(1);
  const { clock } = simulation.node('node');
  let requests = 0;
  const kafka = new FakeKafka({
    topic: TOPIC,
    partitions: 3,
    listOffsets: (queries) => {
      requests += 1;
      return queries.map(({ topic, partition }) => {
        const error = errorOf(partition, requests);
        return { topic, partition, error, offset: error === 0 ? 10 * (partition + 1) : -1 };
      });
    },
  });
  const connections = new Connections(kafka, 'test', clock);
  const settings = { bootstrap: [{ host: 'fake', port: 9092 }], replicationFactor: undefined };
  const cluster = new Cluster({ connections, clock, logger: silentLogger }, settings);
  cluster.track([{ topic: TOPIC, partitions: 3, settings: {} }]);
  await simulation.run(10);
  const offsets = new Offsets({ connections, cluster, clock });
  return { simulation, offsets, requests: () => requests };
}

test('a partition that fails is left out, and the others of its response are not', async () => {
  const { simulation, offsets } = await setUp((partition) =>
    partition === 0 ? KAFKA_ERROR.unknownTopicOrPartition : 0,
  );
  const found = offsets.latest(TOPIC, [0, 1, 2]);
  await simulation.run(1_000);
  expect([...(await found)]).toEqual([
    [1, 20],
    [2, 30],
  ]);
});

test('a broker that does not know yet that it leads a partition is asked again, for that partition', async () => {
  const asked: number[] = [];
  const { simulation, offsets, requests } = await setUp((partition, request) => {
    asked.push(partition);
    return partition === 1 && request === 1 ? KAFKA_ERROR.notLeaderOrFollower : 0;
  });
  const found = offsets.latest(TOPIC, [0, 1, 2]);
  await simulation.run(1_000);
  expect(new Map(await found)).toEqual(
    new Map([
      [0, 10],
      [1, 20],
      [2, 30],
    ]),
  );
  expect(requests()).toBe(2);
  expect(asked).toEqual([0, 1, 2, 1]);
});

test('a broker that does not lead a partition is asked twice at most', async () => {
  const { simulation, offsets, requests } = await setUp(() => KAFKA_ERROR.notLeaderOrFollower);
  const found = offsets.earliest(TOPIC, [0, 1]);
  await simulation.run(1_000);
  expect((await found).size).toBe(0);
  expect(requests()).toBe(2);
});
