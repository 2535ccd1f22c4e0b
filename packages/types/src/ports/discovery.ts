/** A gateway node as discovery sees it. */
export interface DiscoveredNode {
  /** `ws://HOST:PORT/v1/ws` or `wss://…`. */
  readonly url: string;
  /** Known once the node has announced it. */
  readonly nodeId?: string;
}

/** Finds the other nodes of a cluster. Not verified: nodes authenticate each other when they connect. */
export interface Discovery {
  /** Yields the known nodes and then every change, until `signal` aborts. */
  watch(options: { readonly signal: AbortSignal }): AsyncIterable<readonly DiscoveredNode[]>;
  close(): Promise<void>;
}
