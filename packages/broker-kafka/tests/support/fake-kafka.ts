import type {
  ClusterMetadata,
  Driver,
  DriverConnection,
  DriverRecord,
  OffsetOutcome,
  OffsetQuery,
  ProduceBatch,
  ProduceOutcome,
} from '../../src/client/driver.ts';

/** The outcome of one batch of a produce request. */
export type Fate = 'written' | 'answer lost' | 'connection lost' | 'not leader' | 'too large';

export interface FakeKafkaOptions {
  readonly topic: string;
  readonly partitions: number;
  /** Decides for one batch; `answer lost` and `connection lost` end the whole request. */
  readonly fate?: (batch: ProduceBatch) => Fate;
  /** Milliseconds that an answer takes, and who waits for them. */
  readonly wait?: () => Promise<void>;
  readonly reachable?: () => boolean;
  /** Answers a request for offsets. */
  readonly listOffsets?: (queries: readonly OffsetQuery[]) => readonly OffsetOutcome[];
}

/** A cluster of one broker in memory, as far as publishing and looking up offsets need it. */
export class FakeKafka implements Driver {
  readonly name = 'kafkajs';
  /** The records of each partition. */
  readonly logs: DriverRecord[][];
  requests = 0;
  /** The most batches of one partition that were ever in flight together. */
  mostTogether = 0;
  readonly #options: FakeKafkaOptions;
  readonly #underWay = new Map<number, number>();

  constructor(options: FakeKafkaOptions) {
    this.#options = options;
    this.logs = Array.from({ length: options.partitions }, () => []);
  }

  async connect(): Promise<DriverConnection> {
    if (this.#options.reachable?.() === false) throw new Error('connect ECONNREFUSED');
    let open = true;
    return {
      isOpen: () => open,
      metadata: async () => this.#metadata(),
      createTopics: async () => [],
      listOffsets: async (queries) => this.#options.listOffsets?.(queries) ?? [],
      produce: (batches) => this.#produce(batches),
      fetch: async () => [],
      close: () => {
        open = false;
      },
    };
  }

  #metadata(): ClusterMetadata {
    if (this.#options.reachable?.() === false) throw new Error('connection reset');
    const partitions = this.logs.map((_, partition) => ({ partition, leader: 1 }));
    return {
      brokers: [{ nodeId: 1, host: 'fake', port: 9092 }],
      topics: [{ topic: this.#options.topic, error: 0, partitions }],
    };
  }

  async #produce(batches: readonly ProduceBatch[]): Promise<readonly ProduceOutcome[]> {
    this.requests += 1;
    for (const { partition } of batches) this.#count(partition, 1);
    let lost = false;
    const outcomes = batches.map((batch): ProduceOutcome => {
      const fate = this.#options.fate?.(batch) ?? 'written';
      const log = this.logs[batch.partition] ?? [];
      const baseOffset = log.length;
      if (fate === 'written' || fate === 'answer lost') log.push(...batch.records);
      lost ||= fate === 'answer lost' || fate === 'connection lost';
      const error = fate === 'not leader' ? 6 : fate === 'too large' ? 10 : 0;
      return { topic: batch.topic, partition: batch.partition, error, baseOffset };
    });
    await this.#options.wait?.();
    for (const { partition } of batches) this.#count(partition, -1);
    if (lost) throw new Error('the connection was lost');
    return outcomes;
  }

  #count(partition: number, difference: number): void {
    const count = (this.#underWay.get(partition) ?? 0) + difference;
    this.#underWay.set(partition, count);
    this.mostTogether = Math.max(this.mostTogether, count);
  }
}
