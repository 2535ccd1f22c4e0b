import { type CallMethod, type CallOptions, JoinedSubscription } from '@esdb-gater/gater';
import { onAbort, retryUntilAborted } from '@esdb-gater/primitives';
import type { SaveSubscriptionParams, SubscriptionEnded, SubscriptionEvent } from '@esdb-gater/protocol';
import { calculateDelay } from '@esdb-gater/retry';
import { GaterError, invalidArgument, type RecordedEvent } from '@esdb-gater/types';
import type { Connection } from '../connection/connection.ts';
import type { ConnectionSettings } from '../connection/options.ts';

interface Joined {
  readonly params: SaveSubscriptionParams;
  readonly options: CallOptions;
  readonly subscription: JoinedSubscription;
  /** Removes the listener of the signal that was passed to `join`. */
  stopListening: () => void;
  /** Ends the attempts to join again. */
  joining: AbortController | undefined;
}

const keyOf = ({ storeId, name }: { readonly storeId: string; readonly name: string }): string =>
  `${storeId}/${name}`;

/** The persistent subscriptions that this client has joined. Each can be joined once. */
export class PersistentSubscriptions {
  readonly #call: CallMethod;
  readonly #settings: Pick<ConnectionSettings, 'clock' | 'random' | 'policy'>;
  readonly #joined = new Map<string, Joined>();
  /** Events that arrived before the answer to `saveSubscription` was handled. */
  readonly #early = new Map<string, SubscriptionEvent[]>();
  readonly #stop: () => void;
  #isConnected: boolean;

  constructor(
    connection: Connection,
    call: CallMethod,
    settings: Pick<ConnectionSettings, 'clock' | 'random' | 'policy'>,
  ) {
    this.#call = call;
    this.#settings = settings;
    this.#isConnected = connection.connected;
    this.#stop = connection.listen({
      connected: () => this.#connected(),
      disconnected: () => this.#disconnected(),
      failed: (error) => {
        this.#endAll({ error });
      },
      notification: (method, params) => {
        if (method === 'event') this.#deliver(params as SubscriptionEvent);
        else if (method === 'subscriptionEnded') this.#ended(params as SubscriptionEnded);
        else return false;
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
      const entry: Joined = {
        params,
        options: token,
        subscription: joined,
        stopListening: () => {},
        joining: undefined,
      };
      this.#joined.set(key, entry);
      for (const { event, attempt } of this.#early.get(key) ?? []) joined.deliver(event, attempt);
      entry.stopListening = onAbort(signal, () => void this.#leave(key).catch(() => {}));
      // The connection may have broken since the answer arrived.
      if (!this.#isConnected) joined.disconnected();
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
    for (const key of [...this.#joined.keys()]) this.#end(key, failure);
  }

  #end(key: string, failure?: { readonly error: unknown }): void {
    const joined = this.#joined.get(key);
    if (joined === undefined) return;
    this.#joined.delete(key);
    joined.stopListening();
    joined.joining?.abort();
    joined.subscription.end(failure);
  }

  async #leave(key: string): Promise<{ readonly left: boolean }> {
    const joined = this.#joined.get(key);
    if (joined === undefined) return { left: false };
    this.#end(key);
    const { storeId, name } = joined.params;
    return this.#call('leaveSubscription', { storeId, name }, joined.options);
  }

  #deliver(delivered: SubscriptionEvent): void {
    const key = keyOf(delivered);
    const joined = this.#joined.get(key);
    if (joined !== undefined) joined.subscription.deliver(delivered.event, delivered.attempt);
    else this.#early.get(key)?.push(delivered);
  }

  #ended({ code, message, ...named }: SubscriptionEnded): void {
    const key = keyOf(named);
    const joined = this.#joined.get(key);
    const error = GaterError.fromData(message, { code });
    if (joined === undefined) return;
    joined.subscription.disconnected();
    if (error.retriable) this.#rejoin(key, joined);
    else this.#end(key, { error });
  }

  #connected(): void {
    if (this.#isConnected) return;
    this.#isConnected = true;
    for (const [key, joined] of this.#joined) this.#rejoin(key, joined);
  }

  #disconnected(): void {
    this.#isConnected = false;
    for (const joined of this.#joined.values()) {
      joined.joining?.abort();
      joined.subscription.disconnected();
    }
  }

  /** Joins a subscription again, until it works or another connection is needed. Ends one that cannot be joined. */
  #rejoin(key: string, joined: Joined): void {
    const { clock, random, policy } = this.#settings;
    const { params, options, subscription } = joined;
    joined.joining?.abort();
    const joining = new AbortController();
    joined.joining = joining;
    const { signal } = joining;
    const joinedAgain = retryUntilAborted(
      () => this.#call('saveSubscription', params, { ...options, signal }),
      {
        clock,
        signal,
        backoff: (failures) => calculateDelay(failures, policy, random),
        onFailure: (error) => {
          if (!mayBeJoinedLater(error)) throw error;
        },
      },
    );
    joinedAgain.then(
      (result) => {
        if (result !== undefined && !signal.aborted) subscription.rejoined();
      },
      (error: unknown) => {
        if (!signal.aborted) this.#end(key, { error });
      },
    );
  }
}

/** A store that only workers serve is unknown to a gateway that has just started. */
function mayBeJoinedLater(error: unknown): boolean {
  if (!GaterError.is(error)) return false;
  return error.retriable || error.code === 'store_not_found' || error.code === 'retries_exhausted';
}
