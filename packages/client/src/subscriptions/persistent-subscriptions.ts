import { onAbort } from '@esdb-gater/primitives';
import type { SaveSubscriptionParams, SubscriptionEvent } from '@esdb-gater/protocol';
import { GaterError, invalidArgument, type RecordedEvent } from '@esdb-gater/types';
import type { Connection } from '../connection/connection.ts';
import type { CallMethod, CallOptions } from '../gater.ts';
import { JoinedSubscription } from './event-subscription.ts';

interface Joined {
  readonly params: SaveSubscriptionParams;
  readonly options: CallOptions;
  readonly subscription: JoinedSubscription;
  /** Removes the listener of the signal that was passed to `join`. */
  stopListening: () => void;
}

const keyOf = ({ storeId, name }: { readonly storeId: string; readonly name: string }): string =>
  `${storeId}/${name}`;

/** The persistent subscriptions that this client has joined. Each can be joined once. */
export class PersistentSubscriptions {
  readonly #call: CallMethod;
  readonly #joined = new Map<string, Joined>();
  /** Events that arrived before the answer to `saveSubscription` was handled. */
  readonly #early = new Map<string, SubscriptionEvent[]>();
  readonly #stop: () => void;
  #connectedBefore = true;

  constructor(connection: Connection, call: CallMethod) {
    this.#call = call;
    this.#stop = connection.listen({
      connected: () => this.#rejoin(),
      disconnected: () => {
        this.#connectedBefore = true;
        for (const { subscription } of this.#joined.values()) subscription.disconnected();
      },
      failed: (error) => {
        this.#endAll({ error });
      },
      notification: (method, params) => {
        if (method !== 'event') return false;
        this.#deliver(params as SubscriptionEvent);
        return true;
      },
    });
  }

  /** @throws `invalid_argument`, reason `joined`, when this client already reads it; the error of the gateway */
  async join(params: SaveSubscriptionParams, options: CallOptions = {}): Promise<JoinedSubscription> {
    const key = keyOf(params);
    const { signal } = options;
    if (this.#joined.has(key) || this.#early.has(key)) {
      throw invalidArgument('joined', `this client already reads the subscription ${params.name}`);
    }
    this.#early.set(key, []);
    try {
      const { subscription } = await this.#call('saveSubscription', params, options);
      const named = { storeId: params.storeId, name: params.name };
      const at = (event: RecordedEvent) => ({
        ...named,
        streamId: event.streamId,
        eventNumber: event.version,
      });
      const token = options.token === undefined ? {} : { token: options.token };
      const joined = new JoinedSubscription({
        subscription,
        ack: (event, ackOptions) => this.#call('ackEvent', { ...at(event), ...ackOptions }, token),
        nack: (event, { action = 'retry', ...rest }) =>
          this.#call('nackEvent', { ...at(event), action, ...rest }, token),
        leave: () => this.#leave(key),
      });
      const entry: Joined = { params, options: token, subscription: joined, stopListening: () => {} };
      this.#joined.set(key, entry);
      for (const { event, attempt } of this.#early.get(key) ?? []) joined.deliver(event, attempt);
      entry.stopListening = onAbort(signal, () => void this.#leave(key).catch(() => {}));
      return joined;
    } finally {
      this.#early.delete(key);
    }
  }

  close(): void {
    this.#stop();
    this.#endAll();
  }

  #endAll(failure?: { readonly error: unknown }): void {
    for (const { subscription, stopListening } of this.#joined.values()) {
      stopListening();
      subscription.end(failure);
    }
    this.#joined.clear();
  }

  async #leave(key: string): Promise<{ readonly left: boolean }> {
    const joined = this.#joined.get(key);
    if (joined === undefined) return { left: false };
    this.#joined.delete(key);
    joined.stopListening();
    joined.subscription.end();
    const { storeId, name } = joined.params;
    return this.#call('leaveSubscription', { storeId, name }, joined.options);
  }

  #deliver(delivered: SubscriptionEvent): void {
    const key = keyOf(delivered);
    const joined = this.#joined.get(key);
    if (joined !== undefined) joined.subscription.deliver(delivered.event, delivered.attempt);
    else this.#early.get(key)?.push(delivered);
  }

  /** Joins all subscriptions again. One that cannot be joined ends with the error. */
  #rejoin(): void {
    if (!this.#connectedBefore) return;
    this.#connectedBefore = false;
    for (const [key, { params, options, subscription, stopListening }] of this.#joined) {
      this.#call('saveSubscription', params, options).catch((error: unknown) => {
        if (this.#joined.get(key)?.subscription !== subscription) return;
        // After another lost connection it is joined again.
        if (GaterError.is(error) && error.retriable) return;
        this.#joined.delete(key);
        stopListening();
        subscription.end({ error });
      });
    }
  }
}
