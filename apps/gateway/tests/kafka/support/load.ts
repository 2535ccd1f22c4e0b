import { setTimeout as sleep } from 'node:timers/promises';
import type { RawClient } from '../../support/raw-client.ts';

const EVERY_MS = 10;
const TOPICS = 5;

/** Publishes numbered messages on `system`, each at its time, independently of the results of earlier ones. */
export interface Load {
  readonly acknowledged: readonly { readonly id: string; readonly topic: string }[];
  readonly refused: readonly { readonly id: string; readonly code: string }[];
  /** The longest that a publish waited for its answer. */
  readonly longestMs: number;
  /** Resolves when so many more have been acknowledged. */
  more(count: number): Promise<void>;
  /** Resolves when every publish has its answer. */
  stop(): Promise<void>;
}

/**
 * Publishes 100 messages a second, over five topics. Ids are in the order of the calls.
 *
 * @param name the prefix of ids and topics, for several publishers, since order is kept per publisher
 */
export function startLoad(client: RawClient, name: string = ''): Load {
  const acknowledged: { id: string; topic: string }[] = [];
  const refused: { id: string; code: string }[] = [];
  const pending = new Set<Promise<void>>();
  let longestMs = 0;
  let number = 0;
  const timer = setInterval(() => {
    const id = `${name}n${String(number).padStart(7, '0')}`;
    const topic = `load.${name}${number % TOPICS}`;
    number += 1;
    const began = performance.now();
    const sent = client.call('publish', { channel: 'system', topic, message: number, id }).then(
      ({ error }) => {
        longestMs = Math.max(longestMs, performance.now() - began);
        if (error === undefined) acknowledged.push({ id, topic });
        else refused.push({ id, code: error.data.code });
      },
      (cause: unknown) => {
        refused.push({ id, code: String(cause) });
      },
    );
    pending.add(sent);
    void sent.finally(() => pending.delete(sent));
  }, EVERY_MS);
  return {
    acknowledged,
    refused,
    get longestMs() {
      return longestMs;
    },
    async more(count) {
      const enough = acknowledged.length + count;
      while (acknowledged.length < enough) await sleep(20);
    },
    async stop() {
      clearInterval(timer);
      await Promise.all(pending);
    },
  };
}
