import { randomUUID } from 'node:crypto';
import { createRequire } from 'node:module';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { outsideClient } from '../../../packages/broker-kafka/tests/support/outside.ts';
import { messageOf, topicOf } from './messages.ts';

type Kafka = ReturnType<typeof outsideClient>;
type Consumer = ReturnType<Kafka['consumer']>;
type Producer = ReturnType<Kafka['producer']>;
type ProducerOptions = NonNullable<Parameters<Kafka['producer']>[0]>;

/** The very kafkajs that the broker's driver uses. */
const require = createRequire(
  join(import.meta.dirname, '..', '..', '..', 'packages', 'broker-kafka', 'package.json'),
);
const { Kafka, logLevel, Partitioners } = require('kafkajs') as {
  readonly Kafka: new (options: object) => Kafka;
  readonly logLevel: { readonly NOTHING: number };
  readonly Partitioners: { readonly DefaultPartitioner: NonNullable<ProducerOptions['createPartitioner']> };
};

interface SocketPlace {
  readonly host: string;
  readonly port: number;
  readonly onConnect: () => void;
}

/** kafkajs by its public clients, without Nagle's delay, which it would have by default. */
function bareClient(bootstrap: string): Kafka {
  return new Kafka({
    brokers: bootstrap.split(','),
    clientId: 'bench-bare',
    logLevel: logLevel.NOTHING,
    socketFactory: ({ host, port, onConnect }: SocketPlace) =>
      connect({ host, port, noDelay: true }, onConnect),
  });
}

/** Creates a topic, unless it exists. */
export async function createTopic(bootstrap: string, topic: string, partitions: number): Promise<void> {
  const admin = bareClient(bootstrap).admin();
  await admin.connect();
  await admin.createTopics({ waitForLeaders: true, topics: [{ topic, numPartitions: partitions }] });
  await admin.disconnect();
}

/** Records in a topic, by the offsets of its partitions. */
export async function countRecords(bootstrap: string, topic: string): Promise<number> {
  const admin = bareClient(bootstrap).admin();
  await admin.connect();
  const offsets = await admin.fetchTopicOffsets(topic);
  await admin.disconnect();
  return offsets.reduce((sum, { low, high }) => sum + Number(high) - Number(low), 0);
}

export async function openProducer(bootstrap: string): Promise<Producer> {
  const producer = bareClient(bootstrap).producer({ createPartitioner: Partitioners.DefaultPartitioner });
  await producer.connect();
  return producer;
}

/** Reads a topic from its beginning and passes on the number of each message, batch by batch. */
export async function consume(
  bootstrap: string,
  topic: string,
  take: (sequence: number) => void,
  fail: (error: unknown) => void,
): Promise<Consumer> {
  const consumer = bareClient(bootstrap).consumer({ groupId: `bench-${randomUUID()}` });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await consumer.run({
    autoCommit: false,
    eachBatch: async ({ batch }) => {
      try {
        for (const { value } of batch.messages) {
          take((JSON.parse(value?.toString() ?? '') as { readonly seq: number }).seq);
        }
      } catch (error) {
        fail(error);
      }
    },
  });
  return consumer;
}

/** The record that a gateway would write: the key, the value and the headers of CloudEvents. */
export function recordOf(run: string, sequence: number) {
  const topic = topicOf(sequence);
  const time = new Date().toISOString();
  return {
    key: topic,
    value: JSON.stringify(messageOf(sequence)),
    headers: {
      ce_specversion: '1.0',
      ce_id: `${run}-${sequence}`,
      ce_source: 'esdb://default/channel/system',
      ce_type: 'esdb_gater.message',
      ce_subject: topic,
      ce_time: time,
      'content-type': 'application/json',
      // The channel for Centrifugo's consumer; other readers ignore it.
      'centrifugo-channels': topic,
    },
  };
}
