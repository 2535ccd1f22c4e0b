import type { Clock } from '@esdb-gater/types';
import type { VerifiedGrant } from '../access/grants.ts';
import { createLiveGrants, type LiveGrants } from '../access/live-grants.ts';

/** The open server-sent streams. Each ends with its token and with the gateway. */
export interface SseConnections {
  /** Adds a stream. Returns a function that removes it. */
  add(grant: VerifiedGrant | undefined, end: () => void): () => void;
  /** Checks all tokens again after a revocation. */
  recheckGrants(): void;
  /** Ends all streams. */
  close(): void;
  readonly size: number;
}

/** Creates an empty list. */
export function createSseConnections(clock: Clock): SseConnections {
  const live = new Map<LiveGrants, () => void>();
  return {
    add(grant, end) {
      const grants = createLiveGrants(clock, end);
      live.set(grants, end);
      if (grant !== undefined) grants.replace(grant);
      return () => {
        grants.close();
        live.delete(grants);
      };
    },
    recheckGrants() {
      for (const grants of live.keys()) grants.recheck();
    },
    close() {
      for (const end of live.values()) end();
    },
    get size() {
      return live.size;
    },
  };
}
