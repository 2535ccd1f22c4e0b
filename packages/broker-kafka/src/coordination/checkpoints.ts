import { FEED_START, isFurther, parseFeedPosition } from '@esdb-gater/primitives';
import type { FeedCheckpoint, FeedPosition, JsonValue } from '@esdb-gater/types';
import type { KafkaLog, LogOpener } from './compacted-log.ts';

export interface KafkaCheckpointsOptions {
  /** The same on all nodes. @default 'esdb_gater_checkpoints' */
  readonly topic?: string;
}

/** Stores the feed checkpoints of stores that are served by remote workers and cannot store them themselves. */
export interface KafkaCheckpoints {
  /** Returns the checkpoint of a store, the same on every node. `save` never moves it back. */
  of(storeUuid: string): FeedCheckpoint;
  close(): void;
}

/** Opens the compacted topic with the checkpoints of all stores. */
export function createKafkaCheckpoints(
  components: { readonly broker: LogOpener },
  options: KafkaCheckpointsOptions = {},
): KafkaCheckpoints {
  return new LogCheckpoints(components.broker, options.topic ?? 'esdb_gater_checkpoints');
}

class LogCheckpoints implements KafkaCheckpoints {
  readonly #log: KafkaLog;
  readonly #positions = new Map<string, FeedPosition>();

  constructor(broker: LogOpener, topic: string) {
    this.#log = broker.openLog({ topic, onRecord: ({ key, value }) => this.#apply(key, value) });
  }

  of(storeUuid: string): FeedCheckpoint {
    return {
      load: async () => {
        await this.#log.ready();
        return this.#saved(storeUuid);
      },
      save: async (position) => {
        // A node that has not noticed the end of its lease may still save, after the next holder got further.
        if (isFurther(position, this.#saved(storeUuid))) {
          await this.#log.append(storeUuid, position as unknown as JsonValue);
        }
      },
    };
  }

  close(): void {
    this.#log.close();
  }

  #apply(storeUuid: string, value: JsonValue | undefined): void {
    const position = parseFeedPosition(value);
    if (isFurther(position, this.#saved(storeUuid))) this.#positions.set(storeUuid, position);
  }

  #saved(storeUuid: string): FeedPosition {
    return this.#positions.get(storeUuid) ?? FEED_START;
  }
}
