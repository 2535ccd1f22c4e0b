import type { RemoteGater } from '@esdb-gater/client';
import type { HealthResult } from '@esdb-gater/protocol';
import type { ChannelInfo } from '@esdb-gater/types';
import { computed, effect, signal } from '@preact/signals';
import { epoch, gater, sessionState } from '../session/session.ts';
import { newestPosition } from './newest-position.ts';
import { addSample, noSamples, type Samples } from './samples.ts';

const EVERY_MS = 2_000;
/** The charts show this much of the past. */
export const KEEP_SECONDS = 300;

/** The series of the overview, in the order of `rates`. */
export const RATES = ['appends', 'publishes', 'deliveries'] as const;

const healthSignal = signal<HealthResult | undefined>();
const channelsSignal = signal<readonly ChannelInfo[] | undefined>();
const errorSignal = signal<unknown>();
const ratesSignal = signal<Samples>(noSamples(RATES.length));
const channelRatesSignal = signal<ReadonlyMap<string, Samples>>(new Map());

/** The newest answer of `health`. */
export const health = computed(() => healthSignal.value);
/** The newest answer of `channelInfo`. */
export const channels = computed(() => channelsSignal.value);
/** Why the newest look at the gateway failed. */
export const monitorError = computed(() => errorSignal.value);
/** Appends, publishes and deliveries per second, since the page was opened. */
export const rates = computed(() => ratesSignal.value);
/** Published and delivered messages per second, by channel. */
export const channelRates = computed(() => channelRatesSignal.value);

/** Watches the gateway for as long as the page is open and visible. Returns a function that ends this. */
export function startMonitor(): () => void {
  let ended = new AbortController();
  const stop = effect(() => {
    const client = gater.value;
    void epoch.value;
    ended.abort();
    ended = new AbortController();
    if (client !== undefined && sessionState.value.kind === 'connected') void watch(client, ended.signal);
  });
  return () => {
    stop();
    ended.abort();
  };
}

async function watch(client: RemoteGater, signal: AbortSignal): Promise<void> {
  const appends = new AppendCounter(client, signal);
  while (!signal.aborted) {
    if (!document.hidden) {
      try {
        await sample(client, appends, signal);
        errorSignal.value = undefined;
      } catch (error) {
        if (signal.aborted) return;
        errorSignal.value = error;
      }
    }
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
  }
}

async function sample(client: RemoteGater, appends: AppendCounter, signal: AbortSignal): Promise<void> {
  const [health, { channels }] = await Promise.all([
    client.health({}, { signal }),
    client.channelInfo({}, { signal }),
  ]);
  const appendsPerSecond = await appends.perSecond(Object.keys(health.stores));
  if (signal.aborted) return;
  healthSignal.value = health;
  channelsSignal.value = channels;
  const time = Date.now() / 1_000;
  const sum = (of: (one: ChannelInfo) => number): number => channels.reduce((all, one) => all + of(one), 0);
  ratesSignal.value = addSample(
    ratesSignal.value,
    time,
    [appendsPerSecond, sum((one) => one.publishedPerSecond), sum((one) => one.deliveredPerSecond)],
    KEEP_SECONDS,
  );
  channelRatesSignal.value = new Map(
    channels.map((one) => [
      one.name,
      addSample(
        channelRatesSignal.value.get(one.name) ?? noSamples(2),
        time,
        [one.publishedPerSecond, one.deliveredPerSecond],
        KEEP_SECONDS,
      ),
    ]),
  );
}

/** Counts appended events by the newest position of each store. */
class AppendCounter {
  readonly #client: RemoteGater;
  readonly #signal: AbortSignal;
  readonly #last = new Map<string, { readonly position: number; readonly at: number }>();

  constructor(client: RemoteGater, signal: AbortSignal) {
    this.#client = client;
    this.#signal = signal;
  }

  /** Returns appended events per second; null while it is not known, or when the token does not allow to look. */
  async perSecond(storeIds: readonly string[]): Promise<number | null> {
    const counts = await Promise.all(storeIds.map((storeId) => this.#ofStore(storeId)));
    const known = counts.filter((one) => one !== null);
    return known.length === 0 ? null : known.reduce((all, one) => all + one, 0);
  }

  async #ofStore(storeId: string): Promise<number | null> {
    try {
      const position = await newestPosition(this.#client, storeId, this.#signal);
      const at = performance.now();
      const before = this.#last.get(storeId);
      this.#last.set(storeId, { position, at });
      if (before === undefined) return null;
      return (Math.max(0, position - before.position) * 1_000) / (at - before.at);
    } catch {
      this.#last.delete(storeId);
      return null;
    }
  }
}
