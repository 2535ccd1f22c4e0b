import assert from 'node:assert/strict';
import { waitUntil } from '@esdb-gater/primitives';
import type {
  EventStore,
  GaterError,
  JoinedConsumer,
  NewEvent,
  RecordedEvent,
  SaveSubscriptionParams,
  Subscription,
  SubscriptionDelivery,
  Subscriptions,
} from '@esdb-gater/types';
import { append, newEvent } from '../store/harness.ts';

/** A store, and the persistent subscriptions of a process over it. */
export interface OpenedSubscriptions {
  readonly store: EventStore;
  readonly subscriptions: Subscriptions;
}

/** How the suite gets the subscriptions that it tests. */
export interface SubscriptionSuiteOptions {
  /** The prefix of the cases' titles. */
  readonly name: string;
  /** Opens a store without events, and subscriptions over it. The suite closes both. */
  readonly open: () => Promise<OpenedSubscriptions>;
  /** Opens the same data again; `opened` is closed already. Without it nothing outlives the store. */
  readonly reopen?: (opened: OpenedSubscriptions) => Promise<OpenedSubscriptions>;
}

/** What a case works with. */
export interface SubscriptionTrial {
  opened: OpenedSubscriptions;
  /** Ends the process's subscriptions and store, and opens them again. */
  readonly reopen: (() => Promise<OpenedSubscriptions>) | undefined;
}

export interface SubscriptionCase {
  readonly title: string;
  readonly needs?: readonly 'durability'[];
  readonly body: (trial: SubscriptionTrial) => Promise<void>;
}

/** How long a case waits for what must come. */
const PATIENCE_MS = 10_000;

/** How long a case waits for what must not come. */
const QUIET_MS = 60;

export interface Delivered {
  readonly event: RecordedEvent;
  readonly attempt: number;
}

/** A consumer that keeps what it gets. */
export class TestConsumer {
  readonly all: Delivered[] = [];
  /** Acknowledges everything at once. */
  autoAck = false;
  ready = true;
  onDelivered: (event: RecordedEvent) => void = () => {};
  error: GaterError | undefined;
  joined: JoinedConsumer | undefined;
  readonly #listeners = new Set<() => void>();

  /** How it joins. */
  async join(subscriptions: Subscriptions, params: SaveSubscriptionParams): Promise<this> {
    this.joined = await subscriptions.join(params, {
      isReady: () => this.ready,
      deliver: (delivery) => this.#deliver(delivery),
      ended: (error) => {
        this.error = error;
        this.#changed();
      },
    });
    return this;
  }

  /** `streamId/version` of everything, in order. */
  get names(): string[] {
    return this.all.map(({ event }) => nameOf(event));
  }

  /** Waits until it has got so many events, and returns them. */
  async got(count: number): Promise<Delivered[]> {
    await this.until(() => this.all.length >= count, `${count} events`);
    return this.all;
  }

  async until(holds: () => boolean, what = 'what was expected'): Promise<void> {
    const onChange = (listener: () => void): (() => void) => {
      this.#listeners.add(listener);
      return () => void this.#listeners.delete(listener);
    };
    const came = await waitUntil(holds, onChange, { timeoutMs: PATIENCE_MS });
    assert.ok(came, `waited in vain for ${what}, got ${this.names.slice(0, 50).join(' ')}`);
  }

  /** Waits a while, and asserts that no further event has come. */
  async gotNoMore(): Promise<void> {
    const { length } = this.all;
    await pause(QUIET_MS);
    assert.deepEqual(this.names.slice(length), []);
  }

  ack(event: RecordedEvent, upTo = false): Promise<number> {
    return this.#joined.ack({ streamId: event.streamId, eventNumber: event.version, upTo });
  }

  nack(
    event: RecordedEvent,
    action: 'retry' | 'park' | 'skip',
    more: { readonly delayMs?: number; readonly reason?: string } = {},
  ): Promise<number> {
    return this.#joined.nack({ streamId: event.streamId, eventNumber: event.version, action, ...more });
  }

  get #joined(): JoinedConsumer {
    assert.ok(this.joined !== undefined, 'the consumer has not joined');
    return this.joined;
  }

  #deliver({ eventText, attempt }: SubscriptionDelivery): void {
    const event = JSON.parse(eventText) as RecordedEvent;
    this.all.push({ event, attempt });
    this.onDelivered(event);
    if (this.autoAck) void this.ack(event);
    this.#changed();
  }

  #changed(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}

export const nameOf = ({ streamId, version }: RecordedEvent): string => `${streamId}/${version}`;

/** Parameters of a subscription to everything. */
export function all(store: EventStore, more: Partial<SaveSubscriptionParams> = {}): SaveSubscriptionParams {
  return { storeId: store.storeId, name: 'sub', type: 'stream', selector: '$all', ...more };
}

/** Joins a consumer to a subscription to everything, or as the parameters say. */
export function join(
  { store, subscriptions }: OpenedSubscriptions,
  more: Partial<SaveSubscriptionParams> = {},
  consumer: TestConsumer = new TestConsumer(),
): Promise<TestConsumer> {
  return consumer.join(subscriptions, all(store, more));
}

/** Appends events, one per name `stream` in turn, such as `a b a`. */
export async function write(store: EventStore, streams: string, more: Partial<NewEvent> = {}): Promise<void> {
  for (const streamId of streams.split(' ')) await append(store, streamId, [newEvent('happened', more)]);
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Asks again and again until it holds. */
export async function eventually(holds: () => Promise<boolean>, what: string): Promise<void> {
  for (const end = performance.now() + PATIENCE_MS; !(await holds()); await pause(5)) {
    assert.ok(performance.now() < end, `waited in vain for ${what}`);
  }
}

/** The subscription as the list has it. */
export async function listed({ store, subscriptions }: OpenedSubscriptions): Promise<Subscription> {
  const [found] = await subscriptions.list(store.storeId);
  assert.ok(found !== undefined, 'the subscription must be listed');
  return found;
}
