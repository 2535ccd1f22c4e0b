import { invalidOption, WatchedValue } from '@esdb-gater/primitives';
import type { DiscoveredNode, Discovery } from '@esdb-gater/types';
import { isNodeUrl } from './node-record.ts';

export interface StaticDiscoveryOptions {
  /** The URLs of the nodes, `ws://HOST:PORT/v1/ws` or `wss://…`. This node's own may be among them. */
  readonly peers: readonly string[];
}

/**
 * Finds nodes by a fixed list.
 *
 * @throws `invalid_argument` (reason `peers`) for what is not a URL of a node
 */
export function createStaticDiscovery({ peers }: StaticDiscoveryOptions): Discovery {
  for (const url of peers) {
    if (!isNodeUrl(url))
      throw invalidOption('peers', url, 'a list of ws:// or wss:// URLs', { reason: 'peers' });
  }
  return new StaticDiscovery([...new Set(peers)].map((url) => Object.freeze({ url })));
}

class StaticDiscovery implements Discovery {
  readonly #nodes: WatchedValue<readonly DiscoveredNode[]>;

  constructor(nodes: readonly DiscoveredNode[]) {
    this.#nodes = new WatchedValue(Object.freeze(nodes));
  }

  watch({ signal }: { readonly signal: AbortSignal }): AsyncIterable<readonly DiscoveredNode[]> {
    return this.#nodes.watch(signal);
  }

  async close(): Promise<void> {
    this.#nodes.close();
  }
}
