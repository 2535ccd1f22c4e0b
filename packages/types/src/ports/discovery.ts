/** A gateway node as discovery sees it. */
export interface DiscoveredNode {
  /** `ws://HOST:PORT/v1/ws` or `wss://…`. */
  readonly url: string;
  /** Known once the node has said it. */
  readonly nodeId?: string;
}

/** Finds the other nodes of a cluster. It proves nothing: nodes prove themselves when they are dialled. */
export interface Discovery {
  /** What is known now and every change, until `signal` ends it. */
  watch(options: { readonly signal: AbortSignal }): AsyncIterable<readonly DiscoveredNode[]>;
  close(): Promise<void>;
}
