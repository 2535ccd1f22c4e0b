import {
  type ChannelsOptions,
  createChannels,
  createMemoryBroker,
  createSignatureGate,
} from '@esdb-gater/channels';
import {
  createFeed,
  createFeedReplaySource,
  createStoreWorker,
  createSubscriptions,
  fedStore,
} from '@esdb-gater/event-store';
import type { AnyEvent } from '@esdb-gater/gater';
import { createGater, type LocalGater } from '@esdb-gater/gater/in-process';
import { createRegistry, type StoreCallerOptions } from '@esdb-gater/registry';
import { type Clock, type Logger, type NewEvent, silentLogger, systemClock } from '@esdb-gater/types';
import { type EmbeddedStore, type OpenedStore, openStore } from './engines.ts';

export interface EmbeddedOptions {
  /** The stores by their ids. @default `{ default: { engine: 'memory' } }` */
  readonly stores?: Readonly<Record<string, EmbeddedStore>>;
  /** The store of calls that name none. @default 'default', or the only store */
  readonly storeId?: string;
  /** The settings of the ten channels. @default those of a gateway */
  readonly channels?: ChannelsOptions['channels'];
  /** The secret that verifies signed messages; without one, `alerts` and `security` refuse every message. */
  readonly hmacSecret?: string;
  /** The topic of a fed event; see the setting `feed.topic` of the gateway. @default '{storeId}.{streamId}.{type}' */
  readonly feedTopic?: string;
  readonly retry?: StoreCallerOptions;
  /** The name of this process in `health`, and of its workers. @default 'embedded' */
  readonly nodeId?: string;
  readonly clock?: Clock;
  readonly logger?: Logger;
}

/** A `Gater` with stores, channels, subscriptions and the feed in this process. */
export type EmbeddedGater<E extends AnyEvent = NewEvent> = LocalGater<E>;

/**
 * Opens stores and composes them with channels and the feed: the interface of a gateway, without a server. It checks no
 * permissions, since whoever runs the code may do everything.
 *
 * `close`, or `await using`, ends subscriptions, feeds and channels, and then the stores that it has opened.
 *
 * @throws `invalid_argument` for wrong options, `not_supported` when the package of an engine is not installed, and what
 * an engine throws when it cannot open its store; the stores before it are closed again
 */
export async function openGater<E extends AnyEvent = NewEvent>(
  options: EmbeddedOptions = {},
): Promise<EmbeddedGater<E>> {
  const {
    clock = systemClock,
    logger = silentLogger,
    nodeId = 'embedded',
    retry,
    feedTopic,
    hmacSecret,
  } = options;
  const configs = Object.entries(options.stores ?? { default: { engine: 'memory' } as const });
  const opened: OpenedStore[] = [];
  const closeStores = async (): Promise<void> => {
    await Promise.all(opened.map((one) => one.close()));
  };
  try {
    for (const [storeId, config] of configs) opened.push(await openStore(storeId, config, { clock, logger }));

    const registry = createRegistry({ clock, logger }, { nodeId });
    for (const { store, system } of opened) {
      registry.register(
        createStoreWorker(store, { nodeId, clock, ...(system === undefined ? {} : { system }) }),
      );
    }
    const fed = opened.filter(({ isFed }) => isFed);
    const topic = feedTopic === undefined ? {} : { topicTemplate: feedTopic };
    const replayed = fed.map(({ store, isEphemeral }) => fedStore(store, isEphemeral));
    const broker = createMemoryBroker({
      replaySource: createFeedReplaySource(() => replayed, { ...topic, clock }),
      clock,
      logger,
    });
    const signatures =
      hmacSecret === undefined ? undefined : createSignatureGate({ clock }, { secret: hmacSecret });
    const channels = createChannels(
      { broker, clock, logger, ...(signatures === undefined ? {} : { signatures }) },
      options.channels === undefined ? {} : { channels: options.channels },
    );
    // After the channels tail the broker: what is fed earlier would reach nobody.
    const feeds = fed.map(({ store }) =>
      createFeed({ source: store, broker, checkpoint: store.feedCheckpoint, clock, logger }, topic),
    );
    const subscriptions = createSubscriptions({ stores: opened.map(({ store }) => store), clock, logger });
    return createGater<E>(
      { registry, channels, subscriptions, clock },
      {
        nodeId,
        storeId: storeOf(options, configs),
        ...(retry === undefined ? {} : { retry }),
        async onClose() {
          await subscriptions.close();
          await Promise.all(feeds.map((feed) => feed.close()));
          await channels.close();
          await broker.close();
          registry.close();
          await closeStores();
        },
      },
    );
  } catch (error) {
    await closeStores();
    throw error;
  }
}

/** The store of calls that name none. */
function storeOf({ storeId }: EmbeddedOptions, configs: readonly (readonly [string, unknown])[]): string {
  const [only] = configs;
  return storeId ?? (configs.length === 1 && only !== undefined ? only[0] : 'default');
}
