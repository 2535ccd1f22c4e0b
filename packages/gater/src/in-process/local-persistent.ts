import { onAbort } from '@esdb-gater/primitives';
import {
  type GaterError,
  invalidArgument,
  type JoinedConsumer,
  type NamedSubscription,
  type RecordedEvent,
  type SaveSubscriptionParams,
  type Subscriptions,
} from '@esdb-gater/types';
import type { CallOptions } from '../gater.ts';
import { JoinedSubscription } from '../subscriptions/event-subscription.ts';

/** The persistent subscriptions that a `Gater` of this process has joined. Each can be joined once. */
export class LocalPersistent {
  readonly #subscriptions: Subscriptions;
  readonly #joined = new Map<string, { readonly consumer: JoinedConsumer; readonly end: () => void }>();
  readonly #joining = new Set<string>();

  constructor(subscriptions: Subscriptions) {
    this.#subscriptions = subscriptions;
  }

  /** @throws `invalid_argument`, reason `joined`; what `Subscriptions.join` throws */
  async join(params: SaveSubscriptionParams, { signal }: CallOptions = {}): Promise<JoinedSubscription> {
    const key = keyOf(params);
    if (this.#joined.has(key) || this.#joining.has(key)) {
      throw invalidArgument('joined', `this Gater already reads the subscription ${params.name}`);
    }
    this.#joining.add(key);
    try {
      let joined: JoinedSubscription | undefined;
      let error: GaterError | undefined;
      const consumer = await this.#subscriptions.join(params, {
        deliver: ({ eventText, attempt }) => joined?.deliver(JSON.parse(eventText) as RecordedEvent, attempt),
        ended: (reason) => {
          error = reason;
          joined?.end({ error: reason });
          this.#forget(key);
        },
      });
      if (error !== undefined) throw error;
      const at = ({ streamId, version }: RecordedEvent) => ({ streamId, eventNumber: version });
      const subscription = new JoinedSubscription({
        subscription: consumer.subscription,
        ack: async (event, options) => ({ checkpoint: await consumer.ack({ ...at(event), ...options }) }),
        nack: async (event, { action = 'retry', ...rest }) => ({
          checkpoint: await consumer.nack({ ...at(event), action, ...rest }),
        }),
        leave: async () => ({ left: this.leave(params) }),
      });
      joined = subscription;
      const stopListening = onAbort(signal, () => void this.leave(params));
      this.#joined.set(key, {
        consumer,
        end: () => {
          stopListening();
          subscription.end();
        },
      });
      return subscription;
    } finally {
      this.#joining.delete(key);
    }
  }

  leave(named: NamedSubscription): boolean {
    const joined = this.#joined.get(keyOf(named));
    if (joined === undefined) return false;
    this.#forget(keyOf(named));
    joined.consumer.leave();
    return true;
  }

  /** @throws `subscription_not_found`; `invalid_argument` (reason `not_joined`) */
  async consumer(named: NamedSubscription): Promise<JoinedConsumer> {
    const joined = this.#joined.get(keyOf(named));
    if (joined !== undefined) return joined.consumer;
    await this.#subscriptions.get(named);
    throw invalidArgument('not_joined', `this Gater has not joined the subscription ${named.name}`);
  }

  close(): void {
    for (const { consumer, end } of [...this.#joined.values()]) {
      end();
      consumer.leave();
    }
    this.#joined.clear();
  }

  #forget(key: string): void {
    const joined = this.#joined.get(key);
    this.#joined.delete(key);
    joined?.end();
  }
}

function keyOf({ storeId, name }: NamedSubscription): string {
  return `${storeId}/${name}`;
}
