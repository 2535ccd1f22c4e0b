import type { Gater } from '@esdb-gater/client';
import { GaterError } from '@esdb-gater/types';

/** An append that was acknowledged. */
export interface AcknowledgedAppend {
  readonly id: string;
  readonly streamId: string;
  readonly version: number;
  readonly position: number;
}

/** Writers that append without pause, each to a stream of its own. */
export interface CountedLoad {
  /** Resolves when so many more appends were acknowledged. */
  more(count: number): Promise<void>;
  /** Ends the writers, and resolves with all that was acknowledged. */
  stop(): Promise<readonly AcknowledgedAppend[]>;
}

/**
 * Starts writers over some clients in turn. What fails and is retriable is repeated with the same event id; any other error
 * ends the load with that error.
 *
 * @param name the prefix of the streams; the events have the type `counted`
 */
export function startCountedLoad(
  clients: readonly Gater[],
  storeId: string,
  name: string,
  writers: number,
): CountedLoad {
  const acknowledged: AcknowledgedAppend[] = [];
  const waiting = new Set<() => void>();
  let stopped = false;
  const write = async (writer: number): Promise<void> => {
    const streamId = `${name}-${writer}`;
    const client = clients[writer % clients.length] as Gater;
    for (let version = 0; !stopped; version += 1) {
      const id = crypto.randomUUID();
      const events = [{ id, type: 'counted', data: version }];
      const append = () =>
        client.appendEvents(
          { storeId, streamId, expectedVersion: version - 1, events },
          { timeoutMs: 5_000 },
        );
      const result = await untilDone(append);
      acknowledged.push({ id, streamId, version: result.version, position: result.position });
      for (const check of waiting) check();
    }
  };
  const running = Promise.all(Array.from({ length: writers }, (_, writer) => write(writer)));
  return {
    async more(count) {
      const enough = acknowledged.length + count;
      const reached = new Promise<void>((resolve) => {
        const check = (): void => {
          if (acknowledged.length < enough) return;
          waiting.delete(check);
          resolve();
        };
        waiting.add(check);
      });
      await Promise.race([reached, running]);
    },
    async stop() {
      stopped = true;
      await running;
      return acknowledged;
    },
  };
}

async function untilDone<Result>(call: () => Promise<Result>): Promise<Result> {
  for (;;) {
    try {
      return await call();
    } catch (error) {
      if (!GaterError.is(error) || !error.retriable) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}
