import { spawn, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Kafka, logLevel } from 'kafkajs';
import type { KafkaSecurity } from '../../../../tools/kafka/index.ts';

/** A record as another Kafka client reads it. */
export interface OutsideRecord {
  readonly partition: number;
  readonly offset: number;
  readonly key: string | null;
  readonly value: string | null;
  readonly headers: Readonly<Record<string, string>>;
}

export const hasKcat: boolean = spawnSync('kcat', ['-V'], { stdio: 'ignore' }).status === 0;

/** Reads all records of a topic, with kcat if it is installed, else with the public client of kafkajs. */
export function readOutside(
  bootstrap: string,
  topic: string,
  security?: KafkaSecurity,
): Promise<OutsideRecord[]> {
  const canKcat = hasKcat && security === undefined;
  return canKcat ? readByKcat(bootstrap, topic) : readByKafkajs(bootstrap, topic, security);
}

/** The ids and topics of all messages in a Kafka topic, in its order. */
export async function messagesOutside(
  bootstrap: string,
  topic: string,
  security?: KafkaSecurity,
): Promise<{ readonly id: string; readonly topic: string }[]> {
  const records = await readOutside(bootstrap, topic, security);
  return records.map(({ key, headers }) => ({ id: headers['ce_id'] ?? '', topic: key ?? '' }));
}

async function readByKcat(bootstrap: string, topic: string): Promise<OutsideRecord[]> {
  const lines = (await kcat(['-C', '-b', bootstrap, '-t', topic, '-o', 'beginning', '-e', '-q', '-J'])).split(
    '\n',
  );
  return lines
    .filter((line) => line !== '')
    .map((line) => {
      const {
        partition,
        offset,
        key,
        payload,
        headers = [],
      } = JSON.parse(line) as {
        partition: number;
        offset: number;
        key: string | null;
        payload: string | null;
        headers?: string[];
      };
      const named: Record<string, string> = {};
      for (let i = 0; i + 1 < headers.length; i += 2) named[headers[i] ?? ''] = headers[i + 1] ?? '';
      return { partition, offset, key, value: payload, headers: named };
    });
}

/** Runs kcat with `input` on its standard input and returns its output. */
export function kcat(options: readonly string[], input: string | Buffer = ''): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn('kcat', options, { stdio: ['pipe', 'pipe', 'pipe'] });
    const out: Buffer[] = [];
    let complaint = '';
    child.stdout.on('data', (data: Buffer) => out.push(data));
    child.stderr.on('data', (data: Buffer) => {
      complaint += data.toString();
    });
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve(Buffer.concat(out).toString('utf8'));
      else reject(new Error(`kcat ended with ${code}: ${complaint}`));
    });
    child.stdin.end(input);
  });
}

/** The public client of kafkajs, for features that kcat lacks. */
export function outsideClient(bootstrap: string, security?: KafkaSecurity): Kafka {
  return new Kafka({
    brokers: bootstrap.split(','),
    clientId: 'outside',
    logLevel: logLevel.NOTHING,
    ...(security && {
      ssl: { ca: readFileSync(security.caFile, 'utf8') },
      sasl: { mechanism: 'scram-sha-512', ...security.user },
    }),
  });
}

/** The id of the broker that leads the first partition of a topic. */
export async function leaderOf(
  bootstrap: string,
  topic: string,
  security?: KafkaSecurity,
): Promise<number | undefined> {
  const admin = outsideClient(bootstrap, security).admin();
  await admin.connect();
  const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
  await admin.disconnect();
  return topics[0]?.partitions.find(({ partitionId }) => partitionId === 0)?.leader;
}

async function readByKafkajs(
  bootstrap: string,
  topic: string,
  security?: KafkaSecurity,
): Promise<OutsideRecord[]> {
  const kafka = outsideClient(bootstrap, security);
  const admin = kafka.admin();
  await admin.connect();
  const ends = await admin.fetchTopicOffsets(topic);
  await admin.disconnect();
  const left = new Map(
    ends.filter(({ low, high }) => low !== high).map(({ partition, high }) => [partition, Number(high)]),
  );
  const records: OutsideRecord[] = [];
  if (left.size === 0) return records;
  const consumer = kafka.consumer({ groupId: `outside-${randomUUID()}` });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  const { promise, resolve } = Promise.withResolvers<void>();
  await consumer.run({
    autoCommit: false,
    eachMessage: async ({ partition, message }) => {
      const headers: Record<string, string> = {};
      for (const [name, value] of Object.entries(message.headers ?? {})) headers[name] = String(value);
      records.push({
        partition,
        offset: Number(message.offset),
        key: message.key?.toString() ?? null,
        value: message.value?.toString() ?? null,
        headers,
      });
      if (Number(message.offset) + 1 >= (left.get(partition) ?? 0)) left.delete(partition);
      if (left.size === 0) resolve();
    },
  });
  await promise;
  await consumer.disconnect();
  return records;
}
