import { readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import {
  type KafkaSecurity,
  kafkaUnavailable,
  type RunningKafka,
  startKafka,
} from '../../../tools/kafka/index.ts';
import { freshPrefix, Nodes, outgoing, Received } from './support/nodes.ts';

const reason = kafkaUnavailable();

describe.skipIf(reason !== undefined)(
  `with a broker that wants TLS and a login${reason === undefined ? '' : ` (${reason})`}`,
  () => {
    let kafka: RunningKafka;
    let security: KafkaSecurity;
    let ca = '';
    const nodes = new Nodes();

    beforeAll(async () => {
      kafka = await startKafka({ secure: true });
      security = kafka.security as KafkaSecurity;
      ca = readFileSync(security.caFile, 'utf8');
    }, 120_000);
    afterEach(() => nodes.closeAll());
    afterAll(() => kafka?.stop());

    describe.each(['kafkajs', 'platformatic'] as const)('by %s', (driver) => {
      test.each(['plain', 'scram-sha-256', 'scram-sha-512'] as const)(
        'messages are published and read after a login by %s',
        async (mechanism) => {
          const sasl = { mechanism, ...security.user };
          const options = { brokers: kafka.bootstrap, driver, topicPrefix: freshPrefix(), tls: { ca }, sasl };
          const node = nodes.open(options);
          const received = new Received();
          node.tail('events', received.take);
          const record = outgoing('a.b');
          await node.append('events', record);
          await received.count(1);
          expect(received.ids).toEqual([record.id]);
          await vi.waitFor(() => expect(node.health()).toEqual({ status: 'healthy' }), { timeout: 10_000 });
        },
      );

      test.each([
        [
          'a wrong password',
          { sasl: { password: 'wrong-password' } },
          /authentication failed|invalid credentials/i,
        ],
        ['no login', { sasl: undefined }, /Kafka at 127/],
        ['plain TCP', { sasl: undefined, tls: undefined }, /Kafka at 127/],
        ['an authority that did not sign', { tls: {} }, /certificate/],
      ])('with %s health says why, and no password', async (_, change, message) => {
        const sasl = { mechanism: 'scram-sha-512' as const, ...security.user };
        const given = {
          brokers: kafka.bootstrap,
          driver,
          topicPrefix: freshPrefix(),
          ...('tls' in change && change.tls === undefined
            ? {}
            : { tls: 'tls' in change ? change.tls : { ca } }),
          ...('sasl' in change && change.sasl === undefined
            ? {}
            : { sasl: { ...sasl, ...('sasl' in change ? change.sasl : {}) } }),
        };
        const node = nodes.open(given as Parameters<Nodes['open']>[0]);
        node.tail('events', () => {});
        await vi.waitFor(
          () =>
            expect(node.health()).toMatchObject({
              status: 'unhealthy',
              message: expect.stringMatching(message),
            }),
          { timeout: 20_000 },
        );
        expect(JSON.stringify(node.health())).not.toMatch(/wrong-password|change-me/);
      });

      test('a node whom the access rules keep from its topics says so in health', async () => {
        const sasl = { mechanism: 'scram-sha-256' as const, ...security.stranger };
        const topicPrefix = freshPrefix();
        const node = nodes.open({ brokers: kafka.bootstrap, driver, topicPrefix, tls: { ca }, sasl });
        node.tail('events', () => {});
        await vi.waitFor(
          () =>
            expect(node.health()).toMatchObject({
              status: 'unhealthy',
              message: expect.stringMatching(/access rules of Kafka .* the topic/),
            }),
          { timeout: 20_000 },
        );
      });
    });
  },
);
