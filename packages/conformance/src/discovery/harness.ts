import type { DiscoveredNode, Discovery } from '@esdb-gater/types';

/** Where the nodes of one cluster find each other. */
export interface OpenedCluster {
  /** Opens the discovery of one node. Closed by the case. */
  readonly join: (node: Required<DiscoveredNode>) => Promise<Discovery>;
  /** Closes what was started for the cluster. */
  readonly close: () => Promise<void>;
}

/** What not every discovery does. Cases that need what it does not support are not run. */
export interface DiscoverySupports {
  /** Nodes are found because they announce themselves, not because someone has listed them. @default true */
  readonly announcing?: boolean;
}

/** How the suite gets the discoveries that it tests. */
export interface DiscoverySuiteOptions {
  /** The prefix of the cases' titles. */
  readonly name: string;
  /**
   * Opens a cluster without nodes.
   *
   * @param nodes all nodes that will join, for a discovery by a list
   */
  readonly open: (nodes: readonly Required<DiscoveredNode>[]) => Promise<OpenedCluster>;
  readonly supports?: DiscoverySupports;
  /** How long it may take until a node is found, or is no longer found after it has closed. @default 15 000 */
  readonly patienceMs?: number;
}

/** What a case works with. */
export interface DiscoveryTrial {
  /** The nodes that the cluster was opened for. */
  readonly nodes: readonly [Required<DiscoveredNode>, Required<DiscoveredNode>, Required<DiscoveredNode>];
  readonly join: (node: Required<DiscoveredNode>) => Promise<Discovery>;
  readonly patienceMs: number;
}

/** A case before it is bound to a discovery. */
export interface CaseSpec {
  readonly title: string;
  /** What the discovery must support. @default nothing but what every discovery does */
  readonly needs?: readonly (keyof DiscoverySupports)[];
  readonly body: (trial: DiscoveryTrial) => Promise<void>;
}
