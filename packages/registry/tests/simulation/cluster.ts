import { nextTurn } from '@esdb-gater/primitives';
import type { AnnouncedWorker, Logger } from '@esdb-gater/types';
import { createMembership } from '../../src/membership/membership.ts';
import { createStaticDiscovery } from '../../src/membership/static-discovery.ts';
import { type Endpoint, Network, type NetworkOptions, type Passes } from './network.ts';
import { Scheduler } from './scheduler.ts';

const EPOCH_MS = Date.UTC(2026, 0, 1);

export const FAILURE_TIMEOUT_MS = 3_000;

export interface ClusterOptions extends Partial<NetworkOptions> {
  readonly seed: number;
  /** How many of the first nodes every node is told of. @default 3 */
  readonly seeds?: number;
  /** Runs after each step of the simulated time. */
  readonly afterStep?: () => void;
}

export interface StartOptions {
  readonly clockOffsetMs?: number;
  readonly incarnation?: number;
  readonly url?: string;
  readonly logger?: Logger;
}

/** A seeded generator of numbers in 0 (inclusive) to 1: mulberry32. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}

/** A cluster in one process, whose time and network are simulated. The same seed makes the same run. */
export class SimulatedCluster {
  readonly scheduler = new Scheduler();
  readonly random: () => number;
  readonly network: Network;
  readonly nodes = new Map<string, Endpoint>();
  readonly #options: ClusterOptions;
  readonly #diedAtMs = new Map<string, number>();

  constructor(options: ClusterOptions) {
    this.#options = options;
    this.random = seededRandom(options.seed);
    const { delayMs = [1, 20], loss = 0 } = options;
    this.network = new Network(this.scheduler, this.random, { delayMs, loss });
  }

  get nowMs(): number {
    return this.scheduler.nowMs;
  }

  /** The nodes whose processes run. */
  get live(): Endpoint[] {
    return [...this.nodes.values()].filter(({ pausedUntilMs }) => pausedUntilMs <= this.nowMs);
  }

  start(nodeId: string, options: StartOptions = {}): Endpoint {
    const { clockOffsetMs = 0, url = urlOf(nodeId), logger } = options;
    const seeds = Array.from({ length: this.#options.seeds ?? 3 }, (_, index) => urlOf(nameOf(index)));
    const random = seededRandom(Math.floor(this.random() * 0x1_0000_0000));
    const pausedUntilMs = (): number => endpoint.pausedUntilMs;
    const clock = this.scheduler.clock(EPOCH_MS, clockOffsetMs, pausedUntilMs);
    const membership = createMembership(
      {
        discovery: createStaticDiscovery({ peers: seeds }),
        links: this.network.links(url),
        clock,
        random,
        ...(logger === undefined ? {} : { logger }),
      },
      {
        nodeId,
        incarnation: options.incarnation ?? Math.floor(clock.now()),
        url,
        failureTimeoutMs: FAILURE_TIMEOUT_MS,
      },
    );
    const endpoint: Endpoint = { nodeId, url, membership, pausedUntilMs: 0, messages: 0, bytes: 0 };
    this.nodes.set(url, endpoint);
    this.#diedAtMs.delete(url);
    this.network.attach(endpoint);
    return endpoint;
  }

  /** Starts nodes one shortly after the other. */
  async startMany(count: number, everyMs = 5): Promise<void> {
    for (let index = 0; index < count; index++) {
      this.start(nameOf(index));
      await this.run(everyMs);
    }
  }

  node(index: number): Endpoint {
    const found = this.nodes.get(urlOf(nameOf(index)));
    if (found === undefined) throw new TypeError(`node ${index} was not started`);
    return found;
  }

  /** The process ends without a word. */
  crash(node: Endpoint): void {
    node.pausedUntilMs = Number.POSITIVE_INFINITY;
    this.#diedAtMs.set(node.url, this.nowMs);
    node.membership.close();
  }

  partition(passes: Passes): void {
    this.network.passes = passes;
  }

  heal(): void {
    this.network.passes = () => true;
  }

  /** Lets time pass. Promises settle every 100 ms of it. */
  async run(ms: number): Promise<void> {
    const endMs = this.nowMs + ms;
    while (this.nowMs < endMs) {
      await nextTurn();
      this.scheduler.runUntil(Math.min(endMs, this.nowMs + 100));
      await nextTurn();
      this.#options.afterStep?.();
    }
  }

  /** The process stops for a while, as by SIGSTOP. */
  pause(node: Endpoint, ms: number): void {
    node.pausedUntilMs = this.nowMs + ms;
  }

  /** Lets time pass until `holds`, in steps of 100 ms. Returns how long that took; throws after `limitMs`. */
  async until(holds: () => boolean, limitMs: number, what: string): Promise<number> {
    const startMs = this.nowMs;
    while (!holds()) {
      if (this.nowMs - startMs >= limitMs) throw new Error(`not within ${limitMs} ms: ${what}`);
      await this.run(100);
    }
    return this.nowMs - startMs;
  }

  /** True when every live node has exactly the live nodes as members, by their present processes. */
  agrees(nodes: readonly Endpoint[] = this.live): boolean {
    const expected = new Set(nodes.map(({ url, membership }) => `${membership.self.incarnation} ${url}`));
    return nodes.every(({ membership }) => {
      const members = membership.members();
      return (
        members.length === expected.size &&
        members.every(({ incarnation, url }) => expected.has(`${incarnation} ${url}`))
      );
    });
  }

  /** Returns the pairs of a node and a member that is dead for longer than allowed. */
  ghosts(nodes: readonly Endpoint[] = this.live): string[] {
    const dead = new Set<string>();
    for (const [url, diedAtMs] of this.#diedAtMs) {
      if (this.nowMs - diedAtMs > FAILURE_TIMEOUT_MS) dead.add(url);
    }
    if (dead.size === 0) return [];
    return nodes.flatMap(({ nodeId, membership }) =>
      membership
        .members()
        .flatMap((member) => (dead.has(member.url) ? [`${nodeId} has ${member.nodeId}`] : [])),
    );
  }

  close(): void {
    for (const { membership } of this.nodes.values()) membership.close();
  }
}

export function nameOf(index: number): string {
  return `node-${String(index).padStart(4, '0')}`;
}

export function urlOf(nodeId: string): string {
  return `ws://${nodeId}:4590/v1/ws`;
}

export function workerOf(storeId: string, workerId: string): AnnouncedWorker {
  return {
    storeId,
    storeUuid: '0198c0de-0000-7000-8000-000000000001',
    workerId,
    incarnation: 1,
    registeredAt: EPOCH_MS,
    methods: [
      'appendEvents',
      'getEvents',
      'getVersion',
      'streamExists',
      'getStreams',
      'readAll',
      'quickHealthCheck',
    ],
  };
}
