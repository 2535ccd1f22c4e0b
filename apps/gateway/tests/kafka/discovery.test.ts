import { connect, type RemoteGater } from '@esdb-gater/client';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { outsideClient } from '../../../../packages/broker-kafka/tests/support/outside.ts';
import { kafkaUnavailable, type RunningKafka, startKafka } from '../../../../tools/kafka/index.ts';
import type { GatewayProcess } from '../support/gateway-process.ts';
import { Gateways } from './support/gateways.ts';

const reason = kafkaUnavailable();
const WAIT = { timeout: 30_000, interval: 25 };
const CLUSTER = ['--cluster-discovery', 'kafka', '--cluster-secret', 'the secret of the Kafka cluster'];
const TOPIC = 'esdb_gater_nodes';

describe.skipIf(reason !== undefined)(
  `gateways that find each other in a Kafka topic${reason === undefined ? '' : ` (${reason})`}`,
  () => {
    let kafka: RunningKafka;
    let a: GatewayProcess;
    let b: GatewayProcess;
    const gateways = new Gateways(() => kafka.bootstrap);
    const clients: RemoteGater[] = [];

    async function clientOf(node: GatewayProcess): Promise<RemoteGater> {
      const client = await connect(node.url);
      clients.push(client);
      return client;
    }

    async function agree(nodes: readonly GatewayProcess[], ...names: string[]): Promise<void> {
      for (const node of nodes) {
        const client = await clientOf(node);
        await vi.waitFor(async () => {
          const info = await client.clusterInfo();
          expect(info.nodes.map(({ nodeId, status }) => `${nodeId} ${status}`).toSorted()).toEqual(
            names.map((name) => `${name} alive`),
          );
        }, WAIT);
      }
    }

    beforeAll(async () => {
      kafka = await startKafka();
      [a, b] = await Promise.all([
        gateways.start('a', { orders: { engine: 'memory' } }, CLUSTER),
        gateways.start('b', {}, [...CLUSTER, '--kafka-driver', 'platformatic']),
      ]);
    }, 180_000);
    afterAll(async () => {
      await Promise.all(clients.map((client) => client.close()));
      await gateways.close();
      await kafka?.stop();
    });

    test('a store of one is served by the other', async () => {
      await agree([a, b], 'a', 'b');
      const atB = await clientOf(b);
      await vi.waitFor(() => atB.quickHealthCheck({ storeId: 'orders' }), WAIT);
      const events = [{ type: 'placed', data: { n: 1 } }];
      expect(await atB.appendEvents({ storeId: 'orders', streamId: 's', events })).toMatchObject({
        position: 1,
      });
    });

    test('one that starts later, and one that starts again at another port, are found', async () => {
      const c = await gateways.start('c', {}, CLUSTER);
      await agree([a, b, c], 'a', 'b', 'c');
      await b.kill9();
      await agree([a, c], 'a', 'c');
      b = await gateways.start('b', {}, CLUSTER);
      await agree([a, b, c], 'a', 'b', 'c');
      expect(await c.stop()).toBe(0);
      await agree([a, b], 'a', 'b');
    });

    test('a record of a node without the secret brings it nothing', async () => {
      const stranger = await gateways.start('stranger', {}, [
        ...CLUSTER.slice(0, 2),
        '--cluster-secret',
        'a guess',
      ]);
      const producer = outsideClient(kafka.bootstrap).producer();
      await producer.connect();
      for (const value of ['not JSON', '{"url":7}', JSON.stringify({ url: stranger.url })]) {
        await producer.send({ topic: TOPIC, messages: [{ key: 'stranger', value }] });
      }
      await producer.disconnect();
      const d = await gateways.start('d', {}, CLUSTER);
      // It has read the topic to its end, the records of the stranger included.
      await agree([a, b, d], 'a', 'b', 'd');
      await agree([stranger], 'stranger');
    });
  },
);
