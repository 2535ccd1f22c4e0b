import type { BrokerRecord, ChannelName, OutgoingRecord } from '@esdb-gater/types';
import {
  createKafkaBroker,
  type KafkaBroker,
  type KafkaBrokerComponents,
  type KafkaBrokerOptions,
} from '../../src/index.ts';

let prefixes = 0;

/** A topic prefix that no other test uses. */
export function freshPrefix(): string {
  prefixes += 1;
  return `t${process.pid}_${Date.now().toString(36)}_${prefixes}_`;
}

/** The records that a tail has delivered, and a way to wait for more. */
export class Received {
  readonly records: BrokerRecord[] = [];
  readonly #waiters = new Set<() => void>();

  readonly take = (batch: readonly BrokerRecord[]): void => {
    this.records.push(...batch);
    for (const waiter of this.#waiters) waiter();
  };

  get ids(): string[] {
    return this.records.map(({ id }) => id);
  }

  /** Resolves once `enough` holds; the time limit of the test ends it otherwise. */
  async until(enough: (records: readonly BrokerRecord[]) => boolean): Promise<void> {
    while (!enough(this.records)) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#waiters.add(resolve);
      await promise;
      this.#waiters.delete(resolve);
    }
  }

  count(least: number): Promise<void> {
    return this.until((records) => records.length >= least);
  }
}

/** Opens nodes and closes them all at the end of a test. */
export class Nodes {
  readonly #open: KafkaBroker[] = [];

  open(options: KafkaBrokerOptions, components: KafkaBrokerComponents = {}): KafkaBroker {
    const broker = createKafkaBroker(components, { partitions: 4, ...options });
    this.#open.push(broker);
    return broker;
  }

  async closeAll(): Promise<void> {
    await Promise.all(this.#open.splice(0).map((broker) => broker.close()));
  }
}

/** A message as channels make it. */
export function outgoing(
  id: string,
  topic: string = 'a.b',
  channel: ChannelName = 'system',
  rest: Partial<OutgoingRecord> = {},
): OutgoingRecord {
  return {
    id,
    topic,
    message: { id },
    time: new Date().toISOString(),
    type: 'esdb_gater.message',
    source: `esdb://default/channel/${channel}`,
    ...rest,
  };
}

/** Reads everything between two positions. */
export async function readAll(
  broker: KafkaBroker,
  channel: ChannelName,
  after: string,
  until: string,
): Promise<BrokerRecord[]> {
  return (await Array.fromAsync(broker.read(channel, after, until))).flat();
}
