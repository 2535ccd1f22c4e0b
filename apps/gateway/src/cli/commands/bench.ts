import { randomUUID } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import type { RemoteGater } from '@esdb-gater/client';
import { type ChannelName, LIMITS } from '@esdb-gater/types';
import { type CommonOptions, connectGateway, integerArgument, outputOf, type Terminal } from '../context.ts';
import { UsageError } from '../exit.ts';
import { writeList } from '../table.ts';

export interface BenchOptions extends CommonOptions {
  readonly events?: string;
  readonly writers?: string;
  readonly messages?: string;
  readonly subscribers?: string;
  readonly bytes?: string;
  readonly channel?: string;
}

/** Bounds, so that a slip of the keyboard fills no store. */
const MAX_EVENTS = 100_000;
const MAX_MESSAGES = 100_000;
const MAX_CONNECTIONS = 200;
const MAX_BYTES = 65_536;

/** How many messages wait for their delivery at a time, so that rates are measured and not queues. */
const MESSAGES_IN_FLIGHT = 64;

/** What was measured of one kind of work. */
interface Measured {
  readonly name: 'appends' | 'reads' | 'fan-out';
  readonly count: number;
  readonly seconds: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

interface Load {
  readonly events: number;
  readonly writers: number;
  readonly messages: number;
  readonly subscribers: number;
  readonly data: { readonly text: string };
  readonly channel: ChannelName;
}

/**
 * `bench`: measures appends, reads and fan-out of a running gateway as its user sees them, over connections of its own. Its
 * streams are deleted at the end, also after Ctrl-C; a store keeps their events, as it does for every deleted stream.
 */
export async function bench(options: BenchOptions, terminal: Terminal): Promise<void> {
  const load: Load = {
    events: bounded('--events', options.events, 2_000, MAX_EVENTS),
    writers: bounded('--writers', options.writers, 16, MAX_CONNECTIONS),
    messages: bounded('--messages', options.messages, 500, MAX_MESSAGES),
    subscribers: bounded('--subscribers', options.subscribers, 10, MAX_CONNECTIONS),
    data: { text: 'x'.repeat(bounded('--bytes', options.bytes, 200, MAX_BYTES)) },
    channel: (options.channel ?? 'events') as ChannelName,
  };
  const streams = Array.from({ length: load.writers }, () => `bench-${randomUUID()}`);
  await using client = await connectGateway(options, terminal);
  const results: Measured[] = [];
  const signal = terminal.interrupted;
  try {
    results.push(await appends(client, options.store, streams, load, signal));
    results.push(await reads(client, options.store, streams, load, signal));
  } finally {
    await cleanUp(options, terminal, streams);
  }
  results.push(await fanOut(client, options, terminal, load));
  await writeList(outputOf(options, terminal), results, {
    head: ['WORK', 'COUNT', 'SECONDS', 'PER SECOND', 'P50 MS', 'P99 MS', 'MAX MS'],
    row: (one) => [
      one.name,
      String(one.count),
      one.seconds.toFixed(2),
      String(Math.round(one.perSecond)),
      one.p50Ms.toFixed(2),
      one.p99Ms.toFixed(2),
      one.maxMs.toFixed(2),
    ],
    none: 'nothing was measured',
  });
}

/** Appends events one by one, each writer to a stream of its own. */
async function appends(
  client: RemoteGater,
  storeId: string,
  streams: readonly string[],
  { events, data }: Load,
  signal: AbortSignal,
): Promise<Measured> {
  return measured('appends', async (timed) => {
    let left = events;
    const write = async (streamId: string): Promise<void> => {
      while (left-- > 0) {
        await timed(() =>
          client.appendEvents({ storeId, streamId, events: [{ type: 'bench', data }] }, { signal }),
        );
      }
    };
    await Promise.all(streams.map(write));
    return events;
  });
}

/** Reads the streams page by page. The latency is that of a page. */
async function reads(
  client: RemoteGater,
  storeId: string,
  streams: readonly string[],
  { events }: Load,
  signal: AbortSignal,
): Promise<Measured> {
  return measured('reads', async (timed) => {
    let count = 0;
    const read = async (streamId: string): Promise<void> => {
      let startVersion: number | undefined = 0;
      while (startVersion !== undefined) {
        const params = { storeId, streamId, startVersion, count: LIMITS.pageCountDefault };
        const page: Awaited<ReturnType<RemoteGater['getEvents']>> = await timed(() =>
          client.getEvents(params, { signal }),
        );
        count += page.events.length;
        startVersion = page.next;
      }
    };
    // A writer that came too late for its first event has no stream.
    await Promise.all(streams.slice(0, events).map(read));
    return count;
  });
}

/** Publishes messages to subscribers with a connection each. The latency is from the publish to each delivery. */
async function fanOut(
  client: RemoteGater,
  options: BenchOptions,
  terminal: Terminal,
  { messages, subscribers, channel, data }: Load,
): Promise<Measured> {
  const topic = `bench.${randomUUID()}`;
  const signal = terminal.interrupted;
  await using stack = new AsyncDisposableStack();
  const subscriptions = await Promise.all(
    Array.from({ length: subscribers }, async () => {
      const connection = stack.use(await connectGateway(options, terminal));
      return connection.subscribe({ channel, topic }, { signal });
    }),
  );
  return measured('fan-out', async (_timed, took) => {
    const sentAt: number[] = [];
    let published = 0;
    const publish = async (): Promise<void> => {
      while (published < messages) {
        const index = published++;
        sentAt[index] = performance.now();
        await client.publish({ channel, topic, message: { index, ...data } }, { signal });
      }
    };
    const receive = async (subscription: (typeof subscriptions)[number]): Promise<void> => {
      let left = messages;
      for await (const { message } of subscription) {
        const { index } = message as { readonly index: number };
        took(performance.now() - (sentAt[index] ?? 0));
        left -= 1;
        if (left === 0) return;
      }
      signal.throwIfAborted();
    };
    await Promise.all([
      ...Array.from({ length: Math.min(MESSAGES_IN_FLIGHT, messages) }, publish),
      ...subscriptions.map(receive),
    ]);
    return messages * subscribers;
  });
}

/** Deletes the streams, over a connection that Ctrl-C does not close. */
async function cleanUp(options: BenchOptions, terminal: Terminal, streams: readonly string[]): Promise<void> {
  await using client = await connectGateway(options, terminal, new AbortController().signal);
  await Promise.all(
    streams.map(async (streamId) => {
      const { exists } = await client.streamExists({ storeId: options.store, streamId });
      if (exists) await client.deleteStream({ storeId: options.store, streamId });
    }),
  );
}

type Timed = <T>(work: () => Promise<T>) => Promise<T>;

/** Measures work: all of it, and each of its steps. */
async function measured(
  name: Measured['name'],
  work: (timed: Timed, took: (ms: number) => void) => Promise<number>,
): Promise<Measured> {
  const latencies: number[] = [];
  const took = (ms: number): void => void latencies.push(ms);
  const timed: Timed = async (step) => {
    const begin = performance.now();
    const result = await step();
    took(performance.now() - begin);
    return result;
  };
  const begin = performance.now();
  const count = await work(timed, took);
  const seconds = (performance.now() - begin) / 1_000;
  latencies.sort((a, b) => a - b);
  const quantile = (part: number): number => latencies[Math.floor((latencies.length - 1) * part)] ?? 0;
  return {
    name,
    count,
    seconds,
    perSecond: count / seconds,
    p50Ms: quantile(0.5),
    p99Ms: quantile(0.99),
    maxMs: quantile(1),
  };
}

function bounded(flag: string, text: string | undefined, fallback: number, most: number): number {
  const value = text === undefined ? fallback : integerArgument(flag, text, 1);
  if (value > most) throw new UsageError(`${flag} must be at most ${most}, got ${value}`);
  return value;
}
