import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import {
  type KafkaSecurity,
  kafkaUnavailable,
  type RunningKafka,
  startKafka,
} from '../../../../tools/kafka/index.ts';
import type { CertificateFiles } from '../../../../tools/kafka/secure.ts';
import { Gateways, messagesOf, publish, readiness, subscribe } from './support/gateways.ts';

const external = (process.env['KAFKA_BROKERS'] ?? '') !== '';
const reason = external ? 'the brokers of KAFKA_BROKERS want no certificates' : kafkaUnavailable();
const WAIT = { timeout: 30_000, interval: 100 };

describe.skipIf(reason !== undefined)(
  `gateways with a Kafka that wants a certificate of each client${reason === undefined ? '' : ` (${reason})`}`,
  () => {
    let kafka: RunningKafka;
    let security: KafkaSecurity;
    const opened: Gateways[] = [];

    beforeAll(async () => {
      kafka = await startKafka({ secure: 'certificates' });
      security = kafka.security as KafkaSecurity;
    }, 180_000);
    afterEach(() => Promise.all(opened.splice(0).map((gateways) => gateways.close())));
    afterAll(() => kafka?.stop());

    function createGateways(): Gateways {
      const gateways = new Gateways(() => kafka.bootstrap);
      opened.push(gateways);
      return gateways;
    }

    describe.each(['kafkajs', 'platformatic'])('by %s', (driver) => {
      const flags = (certificate?: CertificateFiles): string[] => [
        ...['--kafka-driver', driver, '--kafka-ssl-enabled', '--kafka-ssl-ca-file', security.caFile],
        ...(certificate === undefined
          ? []
          : ['--kafka-ssl-cert-file', certificate.certFile, '--kafka-ssl-key-file', certificate.keyFile]),
      ];

      test('what one gateway publishes with its certificate the subscribers of another are told of', async () => {
        const gateways = createGateways();
        const [one, two] = await Promise.all([
          gateways.start('one', {}, flags(security.certificate)),
          gateways.start('two', {}, flags(security.certificate)),
        ]);
        for (const gateway of [one, two]) {
          await vi.waitFor(async () => expect(await readiness(gateway)).toMatchObject({ status: 200 }), WAIT);
        }
        const subscriber = await gateways.connect(two);
        await subscribe(subscriber, 'system', 'certified.>');
        const id = await publish(await gateways.connect(one), 'system', 'certified.first', { n: 1 });
        await vi.waitFor(
          () =>
            expect(messagesOf(subscriber)).toMatchObject([
              { id, topic: 'certified.first', message: { n: 1 } },
            ]),
          WAIT,
        );
      });

      test.each([
        ['without a certificate', () => undefined, /certificate/i],
        [
          'with that of a client that may do nothing',
          () => security.strangerCertificate,
          /access rules of Kafka/,
        ],
      ])('%s a gateway is not ready and says why', async (_, certificate, why) => {
        const gateways = createGateways();
        const gateway = await gateways.start('refused', {}, flags(certificate()));
        await vi.waitFor(
          async () =>
            expect(await readiness(gateway)).toMatchObject({
              status: 503,
              dependencies: { broker: expect.stringMatching(why) },
            }),
          WAIT,
        );
        const client = await gateways.connect(gateway);
        const { error } = await client.call('publish', { channel: 'system', topic: 'a', message: 1 });
        expect(error?.data.code).toBe('unavailable');
      });
    });
  },
);
