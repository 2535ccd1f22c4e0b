import { readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { kafkaUnavailable, type RunningKafka, startKafka } from '../../../tools/kafka/index.ts';
import type { CertificateFiles, KafkaSecurity } from '../../../tools/kafka/secure.ts';
import { freshPrefix, Nodes, outgoing, Received } from './support/nodes.ts';

const external = (process.env['KAFKA_BROKERS'] ?? '') !== '';
const reason = external ? 'the brokers of KAFKA_BROKERS want no certificates' : kafkaUnavailable();
const WAIT = { timeout: 20_000 };

describe.skipIf(reason !== undefined)(
  `with a broker that wants a certificate of each client${reason === undefined ? '' : ` (${reason})`}`,
  () => {
    let kafka: RunningKafka;
    let security: KafkaSecurity;
    const nodes = new Nodes();

    beforeAll(async () => {
      kafka = await startKafka({ secure: 'certificates' });
      security = kafka.security as KafkaSecurity;
    }, 120_000);
    afterEach(() => nodes.closeAll());
    afterAll(() => kafka?.stop());

    const read = (file: string): string => readFileSync(file, 'utf8');

    describe.each(['kafkajs', 'platformatic'] as const)('by %s', (driver) => {
      const open = (certificate?: CertificateFiles) =>
        nodes.open({
          brokers: kafka.bootstrap,
          driver,
          topicPrefix: freshPrefix(),
          tls: {
            ca: read(security.caFile),
            ...(certificate && { cert: read(certificate.certFile), key: read(certificate.keyFile) }),
          },
        });

      test('messages are published and read by a client that shows its certificate', async () => {
        const node = open(security.certificate);
        const received = new Received();
        node.tail('events', received.take);
        const record = outgoing('a.b');
        await node.append('events', record);
        await received.count(1);
        expect(received.ids).toEqual([record.id]);
        await vi.waitFor(() => expect(node.health()).toEqual({ status: 'healthy' }), WAIT);
      });

      test('without a certificate health says that Kafka refuses the connection', async () => {
        const node = open();
        node.tail('events', () => {});
        await vi.waitFor(
          () =>
            expect(node.health()).toMatchObject({
              status: 'unhealthy',
              message: expect.stringMatching(/certificate required|certificate/i),
            }),
          WAIT,
        );
      });

      test('with the certificate of a client that may do nothing health names the access rules', async () => {
        const node = open(security.strangerCertificate);
        node.tail('events', () => {});
        await vi.waitFor(
          () =>
            expect(node.health()).toMatchObject({
              status: 'unhealthy',
              message: expect.stringMatching(/access rules of Kafka .* the topic/),
            }),
          WAIT,
        );
      });
    });
  },
);
