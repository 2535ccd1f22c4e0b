import type { FeedCheckpoint, JsonValue } from '@esdb-gater/types';
import type { KafkaBroker } from '../kafka-broker.ts';
import type { KafkaLog } from './compacted-log.ts';

export interface KafkaCheckpointsOptions {
  /** The same on all nodes. @default 'esdb_gater_checkpoints' */
  readonly topic?: string;
}

/** Where feeds stand whose stores cannot keep it themselves, because remote workers serve them. */
export interface KafkaCheckpoints {
  /** The checkpoint of a store, the same on every node. `save` never moves it back. */
  of(storeUuid: string): FeedCheckpoint;
  close(): void;
}

/** Opens the compacted topic with the checkpoints of all stores. */
export function createKafkaCheckpoints(
  components: { readonly broker: Pick<KafkaBroker, 'openLog'> },
  options: KafkaCheckpointsOptions = {},
): KafkaCheckpoints {
  return new LogCheckpoints(components.broker, options.topic ?? 'esdb_gater_checkpoints');
}

class LogCheckpoints implements KafkaCheckpoints {
  readonly #log: KafkaLog;
  readonly #positions = new Map<string, number>();

  constructor(broker: Pick<KafkaBroker, 'openLog'>, topic: string) {
    this.#log = broker.openLog({ topic, onRecord: ({ key, value }) => this.#take(key, value) });
  }

  of(storeUuid: string): FeedCheckpoint {
    return {
      load: async () => {
        await this.#log.ready();
        return this.#positions.get(storeUuid) ?? 0;
      },
      save: async (position) => {
        // An earlier holder that did not notice its end may still save; the later one has been further already.
        if (position > (this.#positions.get(storeUuid) ?? 0)) await this.#log.append(storeUuid, { position });
      },
    };
  }

  close(): void {
    this.#log.close();
  }

  #take(storeUuid: string, value: JsonValue | undefined): void {
    const { position } = (value ?? {}) as { readonly position?: unknown };
    if (!Number.isSafeInteger(position)) return;
    this.#positions.set(storeUuid, Math.max(this.#positions.get(storeUuid) ?? 0, position as number));
  }
}
