import type { Clock } from '@esdb-gater/types';
import type { VerifiedGrant } from '../access/grants.ts';
import { createLiveGrants, type LiveGrants } from '../access/live-grants.ts';

/** The live server-sent streams, each of which ends with its token and with the gateway. */
export interface SseConnections {
  /** Returns what takes the stream off the list. */
  add(grant: VerifiedGrant | undefined, end: () => void): () => void;
  /** A revocation came. */
  recheckGrants(): void;
  /** Ends all. */
  close(): void;
  readonly size: number;
}

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
