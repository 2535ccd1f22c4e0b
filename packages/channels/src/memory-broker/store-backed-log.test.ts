import { createFakeClock } from '@esdb-gater/primitives/testing';
import type {
  Broker,
  BrokerRecord,
  FedEvent,
  FeedReadOptions,
  FeedReplaySource,
  OutgoingRecord,
  StorePoint,
} from '@esdb-gater/types';
import { describe, expect, test } from 'vitest';
import type { BrokerEpoch, EpochLog } from './epoch-log.ts';
import { createMemoryBroker } from './memory-broker.ts';

/** Stores that are lists, and their feed. */
class Stores implements FeedReplaySource {
  readonly lists = new Map<string, FedEvent[]>();
  readonly ephemeralIds = new Set<string>();
  /** Where feeds go on, if not at the end. */
  readonly fed = new Map<string, StorePoint>();
  readonly unknown = new Set<string>();
  /** Part of the proofs: a store that is created again has other events. */
  life = 0;
  readonly broken = new Set<string>();
  /** The stores that were read, in order. */
  readonly asked: string[] = [];

  stores(): readonly string[] {
    return [...this.lists.keys()];
  }

  ephemeral(storeId: string): boolean {
    return this.ephemeralIds.has(storeId);
  }

  async *read(
    storeId: string,
    after: number,
    until: number,
    { matches, onReached }: FeedReadOptions = {},
  ): AsyncGenerator<readonly FedEvent[]> {
    this.asked.push(storeId);
    this.#refuse(storeId);
    for (const event of this.lists.get(storeId) ?? []) {
      if (event.position <= after || event.position > until) continue;
      if (matches?.(event.topic) === false) onReached?.(event);
      else yield [event];
    }
  }

  async pointAtTime(storeId: string, time: string): Promise<StorePoint> {
    this.#refuse(storeId);
    return (this.lists.get(storeId) ?? []).findLast((event) => event.time < time) ?? { position: 0 };
  }

  async fedTo(storeId: string): Promise<StorePoint> {
    if (this.unknown.has(storeId)) throw new Error('the checkpoint cannot be read');
    return this.fed.get(storeId) ?? this.lists.get(storeId)?.at(-1) ?? { position: 0 };
  }

  async proves(storeId: string, { position, proof }: StorePoint): Promise<boolean> {
    this.#refuse(storeId);
    const event = this.lists.get(storeId)?.find((one) => one.position === position);
    return position === 0 || (event !== undefined && (proof === undefined || proof === event.proof));
  }

  canMatch(storeId: string, pattern: string): boolean {
    return pattern.startsWith('>') || pattern.startsWith('*') || pattern.startsWith(`${storeId}.`);
  }

  commit(storeId: string): FedEvent {
    const list = this.lists.get(storeId) ?? [];
    this.lists.set(storeId, list);
    const position = list.length + 1;
    const id = `${storeId}${position}`;
    const proof = `${storeId}${position}.${this.life}`.replace('.', '-').padEnd(8, '_').slice(0, 8);
    const event = { topic: `${storeId}.s.t`, id, time: at(position), message: { position }, position, proof };
    list.push(event);
    return event;
  }

  #refuse(storeId: string): void {
    if (this.broken.has(storeId)) throw new Error('the store is away');
  }
}

const at = (second: number): string => new Date(1_700_000_000_000 + second * 1_000).toISOString();

const published = (id: string): OutgoingRecord => ({
  id,
  topic: 'by.client',
  message: id,
  time: at(0),
  type: 't',
  source: 's',
});

async function feed(
  broker: Broker,
  storeId: string,
  { proof, ...event }: FedEvent,
  wentBack = false,
): Promise<void> {
  await broker.append('events', {
    ...event,
    type: 't',
    source: 's',
    fed: {
      storeId,
      position: event.position,
      ...(proof === undefined ? {} : { proof }),
      ...(wentBack ? { wentBack } : {}),
    },
  });
}

async function ids(broker: Broker, after: string): Promise<string[]> {
  const found: BrokerRecord[] = [];
  for await (const batch of broker.read('events', after, await broker.position('events')))
    found.push(...batch);
  return found.map(({ id }) => id);
}

function opened(stores = new Stores()): {
  readonly stores: Stores;
  readonly broker: Broker;
  readonly tail: BrokerRecord[];
  readonly commit: (storeId: string) => Promise<void>;
} {
  const broker = createMemoryBroker({ replaySource: stores, history: { events: 3 } });
  const tail: BrokerRecord[] = [];
  broker.tail('events', (batch) => tail.push(...batch));
  const commit = (storeId: string): Promise<void> => feed(broker, storeId, stores.commit(storeId));
  return { stores, broker, tail, commit };
}

describe('the channel `events` over stores that are fed', () => {
  test('replays fed events from the stores, however far back', async () => {
    const { broker, commit } = opened();
    for (let n = 0; n < 50; n++) await commit('a');
    const { position, lost } = await broker.resolve('events', 'earliest');
    expect(lost).toBeUndefined();
    expect(await ids(broker, position)).toEqual(Array.from({ length: 50 }, (_, n) => `a${n + 1}`));
  });

  test('replays events and published messages in the order of their arrival', async () => {
    const { broker, tail, commit } = opened();
    const start = await broker.position('events');
    await commit('a');
    await broker.append('events', published('x'));
    await commit('b');
    await commit('a');
    await broker.append('events', published('y'));
    await commit('b');
    expect(tail.map(({ id }) => id)).toEqual(['a1', 'x', 'b1', 'a2', 'y', 'b2']);
    const replayed = await ids(broker, (await broker.resolve('events', { position: start })).position);
    expect(replayed.filter((id) => !id.startsWith('b'))).toEqual(['a1', 'x', 'a2', 'y']);
    expect(replayed.indexOf('b1')).toBeLessThan(replayed.indexOf('y'));
    expect(replayed.toSorted()).toEqual(['a1', 'a2', 'b1', 'b2', 'x', 'y']);
  });

  test('every record has a position from which exactly the later records follow', async () => {
    const { broker, tail, commit } = opened();
    await commit('a');
    await broker.append('events', published('x'));
    await commit('b');
    await commit('a');
    const all = tail.map(({ id }) => id);
    for (const [n, { position }] of tail.entries()) {
      const resolved = await broker.resolve('events', { position });
      expect(resolved.lost).toBeUndefined();
      expect((await ids(broker, resolved.position)).toSorted()).toEqual(all.slice(n + 1).toSorted());
    }
  });

  test('every replayed record has a position from which exactly the later records follow', async () => {
    const { broker, commit } = opened();
    for (const storeId of ['a', 'b', 'a', 'c', 'b']) await commit(storeId);
    await broker.append('events', published('x'));
    await commit('c');
    const { position } = await broker.resolve('events', 'earliest');
    const records: BrokerRecord[] = [];
    for await (const batch of broker.read('events', position, await broker.position('events'))) {
      records.push(...batch);
    }
    expect(records).toHaveLength(7);
    for (const [n, record] of records.entries()) {
      const rest = await ids(
        broker,
        (await broker.resolve('events', { position: record.position })).position,
      );
      expect(rest).toEqual(records.slice(n + 1).map(({ id }) => id));
    }
  });

  test('a position stays valid after a restart, and reports that published messages are lost', async () => {
    const first = opened();
    await first.commit('a');
    const position = await first.broker.position('events');
    await first.broker.append('events', published('x'));
    await first.commit('a');
    const second = opened(first.stores);
    await second.commit('a');
    const resolved = await second.broker.resolve('events', { position });
    expect(resolved.lost).toBe(true);
    expect(await ids(second.broker, resolved.position)).toEqual(['a2', 'a3']);
  });

  test('reports messages that left the history as lost, and replays the events', async () => {
    const { broker, commit } = opened();
    await commit('a');
    const position = await broker.position('events');
    for (const id of ['1', '2', '3', '4', '5']) await broker.append('events', published(id));
    await commit('a');
    const resolved = await broker.resolve('events', { position });
    expect(resolved.lost).toBe(true);
    expect(await ids(broker, resolved.position)).toEqual(['3', '4', '5', 'a2']);
  });

  test('begins after a restart where the stores are, not at their beginnings', async () => {
    const stores = new Stores();
    for (let n = 0; n < 5; n++) stores.commit('a');
    const { broker, commit } = opened(stores);
    expect(broker.tailPosition('events')).toBeUndefined();
    const position = await broker.position('events');
    expect(broker.tailPosition('events')).toBe(position);
    await commit('a');
    const resolved = await broker.resolve('events', { position });
    expect(await ids(broker, resolved.position)).toEqual(['a6']);
  });

  test('delivers events that the feed had not published before the restart, and does not move positions back', async () => {
    const stores = new Stores();
    const unpublished = Array.from({ length: 4 }, () => stores.commit('a'));
    const { broker, tail } = opened(stores);
    const before = await broker.position('events');
    for (const event of unpublished) await feed(broker, 'a', event);
    expect(tail.map(({ id }) => id)).toEqual(['a1', 'a2', 'a3', 'a4']);
    expect(await broker.position('events')).toBe(before);
    const { position } = await broker.resolve('events', { position: tail[1]?.position ?? '' });
    expect(await ids(broker, position)).toEqual(['a3', 'a4']);
  });

  test('ends the part of a store in memory with its process', async () => {
    const first = opened();
    first.stores.ephemeralIds.add('m');
    for (let n = 0; n < 3; n++) await first.commit('m');
    await first.commit('a');
    const position = await first.broker.position('events');
    first.stores.lists.delete('m');
    first.stores.life += 1;
    for (let n = 0; n < 5; n++) first.stores.commit('m');
    const second = opened(first.stores);
    const resolved = await second.broker.resolve('events', { position });
    expect(resolved.lost).toBe(true);
    expect(await ids(second.broker, resolved.position)).toEqual(['m1', 'm2', 'm3', 'm4', 'm5']);
  });

  test('sets `lost` and starts again when a store has fewer events than the position names', async () => {
    const first = opened();
    for (let n = 0; n < 5; n++) await first.commit('a');
    const position = await first.broker.position('events');
    first.stores.lists.clear();
    first.stores.commit('a');
    const second = opened(first.stores);
    const resolved = await second.broker.resolve('events', { position });
    expect(resolved.lost).toBe(true);
    expect(await ids(second.broker, resolved.position)).toEqual(['a1']);
  });

  test('resolves a time in every store', async () => {
    const { broker, commit } = opened();
    for (let n = 0; n < 4; n++) for (const storeId of ['a', 'b']) await commit(storeId);
    const { position } = await broker.resolve('events', { time: at(3) });
    expect((await ids(broker, position)).toSorted()).toEqual(['a3', 'a4', 'b3', 'b4']);
  });

  test('does not read an event twice when a time orders events and messages differently', async () => {
    const { stores, broker, commit } = opened();
    await commit('a');
    await broker.append('events', { ...published('x'), time: at(100) });
    for (let n = 0; n < 3; n++) await commit('a');
    const { position } = await broker.resolve('events', { time: at(3) });
    expect(stores.lists.get('a')).toHaveLength(4);
    expect((await ids(broker, position)).toSorted()).toEqual(['a3', 'a4', 'x']);
  });

  test('follows a store that was begun anew', async () => {
    const { stores, broker, commit } = opened();
    for (let n = 0; n < 5; n++) await commit('a');
    stores.lists.set('a', []);
    stores.life += 1;
    await feed(broker, 'a', stores.commit('a'), true);
    const position = await broker.position('events');
    await commit('a');
    const resolved = await broker.resolve('events', { position });
    expect(await ids(broker, resolved.position)).toEqual(['a2']);
  });

  test('does not wait for ever for a store that is away', async () => {
    const stores = new Stores();
    stores.commit('a');
    stores.unknown.add('a');
    const { broker } = opened(stores);
    expect(await broker.position('events')).not.toContain('~');
    expect(broker.tailPosition('events')).toBeDefined();
  });

  test('refuses a position with a store named twice, or a number beyond any position', async () => {
    const { broker } = opened();
    const position = await broker.position('events');
    for (const bad of [
      `${position}~a.1~a.2`,
      `${position}~a.9999999999999999`,
      `${position}~a.01`,
      `${position}~`,
    ]) {
      await expect(broker.resolve('events', { position: bad })).rejects.toMatchObject({
        reason: 'position_malformed',
      });
    }
  });

  test('reports exactly when no record is between two positions', async () => {
    const { broker, tail, commit } = opened();
    await commit('a');
    await commit('b');
    const until = await broker.position('events');
    expect(tail.map(({ position }) => broker.caughtUp('events', position, until))).toEqual([false, true]);
  });

  test('keeps its position in a store that cannot be read, and continues in all others [R11]', async () => {
    const { stores, broker, commit } = opened();
    const start = await broker.position('events');
    for (const storeId of ['a', 'b', 'a', 'b']) await commit(storeId);
    stores.broken.add('a');
    const until = await broker.position('events');
    const given: string[] = [];
    const reached: string[] = [];
    const options = { onReached: (position: string) => void reached.push(position) };
    for await (const batch of broker.read('events', start, until, options)) {
      given.push(...batch.map(({ id }) => id));
    }
    expect(given).toEqual(['b1', 'b2']);
    expect(broker.caughtUp('events', reached.at(-1) ?? '', until)).toBe(false);
    expect(broker.caughtUp('events', reached.at(-1) ?? '', until, 'b.>')).toBe(true);
    expect(broker.health()).toMatchObject({
      status: 'degraded',
      message: expect.stringContaining('a (the store is away)'),
    });
  });

  test('a store that failed is not asked again by the replays of the next half second [R11]', async () => {
    const clock = createFakeClock();
    const stores = new Stores();
    const broker = createMemoryBroker({ clock, replaySource: stores });
    const start = await broker.position('events');
    for (const storeId of ['a', 'b']) await feed(broker, storeId, stores.commit(storeId));
    stores.broken.add('a');
    expect(await ids(broker, start)).toEqual(['b1']);
    stores.broken.clear();
    clock.advance(499);
    expect(await ids(broker, start)).toEqual(['b1']);
    expect(stores.asked).toEqual(['a', 'b', 'b']);
    clock.advance(1);
    expect(await ids(broker, start)).toEqual(['a1', 'b1']);
  });

  test('a replay that matches few events reports how far it has looked, and goes on from there', async () => {
    const { stores, broker, commit } = opened();
    const start = await broker.position('events');
    for (let n = 0; n < 4; n++) await commit('a');
    const until = await broker.position('events');
    const reached: string[] = [];
    const options = { topic: '*.other.t', onReached: (position: string) => void reached.push(position) };
    expect(await Array.fromAsync(broker.read('events', start, until, options))).toEqual([]);
    const rest = await Promise.all(reached.map((position) => ids(broker, position)));
    expect(rest).toEqual([['a2', 'a3', 'a4'], ['a3', 'a4'], ['a4'], [], []]);
    expect(stores.asked[0]).toBe('a');
  });

  test('finds out only when a store is back whether it has the event of a position [R12]', async () => {
    const clock = createFakeClock();
    const first = opened();
    for (let n = 0; n < 3; n++) await first.commit('a');
    const position = await first.broker.position('events');
    const { stores } = first;
    stores.lists.delete('a');
    stores.life += 1;
    for (let n = 0; n < 5; n++) stores.commit('a');
    stores.broken.add('a');
    const broker = createMemoryBroker({ replaySource: stores, clock });
    const resolved = await broker.resolve('events', { position });
    stores.broken.delete('a');
    clock.advance(1_000);
    expect(await ids(broker, resolved.position)).toEqual(['a1', 'a2', 'a3', 'a4', 'a5']);
  });

  test('resolves a time in a store when that is back [R11]', async () => {
    const clock = createFakeClock();
    const stores = new Stores();
    const broker = createMemoryBroker({ replaySource: stores, clock });
    for (let n = 0; n < 4; n++) stores.commit('a');
    stores.broken.add('a');
    const { position } = await broker.resolve('events', { time: at(3) });
    stores.broken.delete('a');
    clock.advance(1_000);
    expect(await ids(broker, position)).toEqual(['a3', 'a4']);
  });

  test('reads a position of a release without proofs, unless the store does not reach so far [R12]', async () => {
    const { broker, commit } = opened();
    for (let n = 0; n < 3; n++) await commit('a');
    const head = (await broker.position('events')).split('~')[0];
    const old = await broker.resolve('events', { position: `${head}~a.2` });
    expect(old.lost).toBeUndefined();
    expect(await ids(broker, old.position)).toEqual(['a3']);
    expect((await broker.resolve('events', { position: `${head}~a.7` })).lost).toBe(true);
  });

  test('sets `lost` after a restart only when a client may have published meanwhile [R12]', async () => {
    const lives = new Map<string, BrokerEpoch>();
    const epochs = (): EpochLog => ({
      earlier: [...lives.values()],
      save: async (epoch) => void lives.set(epoch.epoch, epoch),
    });
    const stores = new Stores();
    stores.commit('a');
    const begin = (): Broker => createMemoryBroker({ replaySource: stores, epochs: epochs() });
    const lost = async (broker: Broker, position: string) =>
      (await broker.resolve('events', { position })).lost === true;

    const quiet = begin();
    const first = await quiet.position('events');
    await quiet.close();
    const killed = begin();
    expect(await lost(killed, first)).toBe(false);
    const second = await killed.position('events');
    // No `close`: the process is killed, and no client had published.
    const busy = begin();
    expect([await lost(busy, first), await lost(busy, second)]).toEqual([false, false]);
    const third = await busy.position('events');
    const { position: fourth = '' } = await busy.append('events', published('x'));
    await busy.close();
    const killedBusy = begin();
    expect([await lost(killedBusy, third), await lost(killedBusy, fourth)]).toEqual([true, false]);
    const { position: fifth = '' } = await killedBusy.append('events', published('y'));
    // Killed after a client had published: how much is not known.
    const last = begin();
    expect([await lost(last, fourth), await lost(last, fifth)]).toEqual([true, true]);
    const time = { time: new Date(Date.now() - 60_000).toISOString() };
    expect((await last.resolve('events', time)).lost).toBe(true);
  });
});
