import { createFakeClock, type FakeClock } from '@esdb-gater/primitives/testing';
import { countReach, fc } from '@esdb-gater/property-testing';
import { describe, expect, test } from 'vitest';
import { CheckpointTracker } from './checkpoint-tracker.ts';
import { DeliveryWindow } from './delivery-window.ts';
import type { PendingEvent } from './stream-queue.ts';
import type { ConsumerOptions, WindowConsumer } from './window-consumer.ts';

const ACK_TIMEOUT_MS = 100;

interface Sent {
  readonly consumer: TestConsumer;
  readonly atMs: number;
  isRefused: boolean;
}

/** What the test knows of an event that is not settled. */
interface Known {
  readonly position: number;
  sent: Sent | undefined;
}

interface TestConsumer {
  joined: WindowConsumer;
  readonly options: ConsumerOptions;
  isThere: boolean;
  isReady: boolean;
}

/** A window whose deliveries are held against what a subscription promises. */
class Trial {
  readonly clock: FakeClock = createFakeClock();
  readonly tracker = new CheckpointTracker({ position: 0 });
  readonly window: DeliveryWindow;
  readonly consumers: TestConsumer[] = [];
  /** By stream and version. */
  readonly unsettled = new Map<string, Map<number, Known>>();
  readonly versions = new Map<string, number>();
  readonly log: string[] = [];
  readonly parked: string[] = [];
  readonly settled: string[] = [];
  position = 0;

  constructor() {
    this.window = new DeliveryWindow({
      clock: this.clock,
      onSettled: (pending) => this.#settle(pending, this.settled),
      onParked: (pending) => this.#settle(pending, this.parked),
    });
  }

  offer(streamId: string): void {
    const version = (this.versions.get(streamId) ?? -1) + 1;
    this.versions.set(streamId, version);
    this.position += 1;
    const { position } = this;
    const events = this.unsettled.get(streamId) ?? new Map<number, Known>();
    this.unsettled.set(streamId, events.set(version, { position, sent: undefined }));
    const event = { position, streamId, version, eventId: `${position}`, text: '{}', bytes: 2 };
    this.window.offer(event, this.tracker.open({ position }));
    this.window.pump();
  }

  join(more: Partial<ConsumerOptions> = {}): TestConsumer {
    const options = { maxInFlight: 10, ackTimeoutMs: ACK_TIMEOUT_MS, maxRetries: 3, ...more };
    const consumer = { options, isThere: true, isReady: true } as TestConsumer;
    consumer.joined = this.window.join(options, {
      deliver: (pending) => this.#deliver(pending, consumer),
      isReady: () => consumer.isReady,
    });
    this.consumers.push(consumer);
    this.window.pump();
    return consumer;
  }

  leave(consumer: TestConsumer, isLost = false): void {
    consumer.isThere = false;
    this.window.leave(consumer.joined, isLost);
  }

  ack(consumer: TestConsumer, streamId: string, version: number, upTo = false): string {
    return this.window.ack(consumer.joined, streamId, version, upTo);
  }

  retry(consumer: TestConsumer, streamId: string, version: number, delayMs = 0): string {
    const sent = this.unsettled.get(streamId)?.get(version)?.sent;
    if (sent?.consumer === consumer) sent.isRefused = true;
    return this.window.nack(consumer.joined, streamId, version, { action: 'retry', delayMs });
  }

  /** The highest position up to which everything is settled. */
  get expectedCheckpoint(): number {
    let lowest = this.position + 1;
    for (const events of this.unsettled.values()) {
      for (const { position } of events.values()) lowest = Math.min(lowest, position);
    }
    return lowest - 1;
  }

  get size(): number {
    let size = 0;
    for (const events of this.unsettled.values()) size += events.size;
    return size;
  }

  #deliver({ event, deliveries }: PendingEvent, consumer: TestConsumer): void {
    const { streamId, version } = event;
    expect(consumer.isThere && consumer.isReady).toBe(true);
    expect(consumer.joined.inFlight.size).toBeLessThanOrEqual(consumer.options.maxInFlight);
    const events = this.unsettled.get(streamId) as Map<number, Known>;
    for (const [earlier, known] of events) {
      if (earlier >= version) continue;
      // Everything before it is with this consumer, and neither refused nor late.
      const { sent } = known;
      expect(sent, `${streamId}/${version} came before ${earlier}`).toBeDefined();
      expect(sent?.consumer).toBe(consumer);
      expect(sent?.isRefused).toBe(false);
      expect(this.clock.monotonic() - (sent?.atMs ?? 0)).toBeLessThan(consumer.options.ackTimeoutMs);
    }
    const known = events.get(version);
    expect(known, `${streamId}/${version} was settled`).toBeDefined();
    if (known !== undefined) known.sent = { consumer, atMs: this.clock.monotonic(), isRefused: false };
    this.log.push(`${streamId}/${version}#${deliveries}`);
  }

  #settle({ event, entry }: PendingEvent, list: string[]): void {
    expect(this.unsettled.get(event.streamId)?.delete(event.version)).toBe(true);
    list.push(`${event.streamId}/${event.version}`);
    if (entry !== undefined) this.tracker.settle(entry);
    expect(this.tracker.checkpoint.position).toBe(this.expectedCheckpoint);
  }
}

describe('the delivery window', () => {
  test('events go out in the order of their positions', () => {
    const trial = new Trial();
    for (const stream of ['a', 'b', 'a', 'c', 'b']) trial.offer(stream);
    trial.join();
    expect(trial.log).toEqual(['a/0#1', 'b/0#1', 'a/1#1', 'c/0#1', 'b/1#1']);
  });

  test('an event that is refused holds back its stream until its delay ends', async () => {
    const trial = new Trial();
    const consumer = trial.join();
    trial.offer('a');
    trial.retry(consumer, 'a', 0, 50);
    trial.offer('a');
    trial.offer('b');
    expect(trial.log).toEqual(['a/0#1', 'b/0#1']);
    expect(trial.window.isHeld).toBe(false);
    trial.ack(consumer, 'b', 0);
    expect(trial.window.isHeld).toBe(true);
    trial.clock.advance(49);
    expect(trial.log).toHaveLength(2);
    trial.clock.advance(1);
    expect(trial.log.slice(2)).toEqual(['a/0#2', 'a/1#1']);
  });

  test('a late stream goes to a consumer that answers, and the late one gets new streams last', () => {
    const trial = new Trial();
    const late = trial.join();
    trial.offer('a');
    trial.offer('a');
    const other = trial.join();
    trial.clock.advance(ACK_TIMEOUT_MS);
    expect(trial.log).toEqual(['a/0#1', 'a/1#1', 'a/0#2', 'a/1#2']);
    expect(trial.ack(late, 'a', 0)).toBe('late');
    trial.offer('b');
    expect([late.joined.inFlight.size, other.joined.inFlight.size]).toEqual([0, 3]);
    expect(trial.ack(other, 'a', 1, true)).toBe('settled');
    expect(trial.ack(other, 'a', 1)).toBe('unknown');
    expect(trial.settled).toEqual(['a/0', 'a/1']);
  });

  test('only the event that failed counts as failed, not those that were taken back with it', () => {
    const trial = new Trial();
    const consumer = trial.join({ maxRetries: 1 });
    for (let n = 0; n < 3; n++) trial.offer('a');
    for (let n = 0; n < 2; n++) trial.clock.advance(ACK_TIMEOUT_MS);
    expect(trial.parked).toEqual(['a/0']);
    expect(trial.ack(consumer, 'a', 2, true)).toBe('settled');
    expect(trial.settled).toEqual(['a/1', 'a/2']);
  });

  test('a consumer that keeps leaving by accident does not get the same event for ever', () => {
    const trial = new Trial();
    trial.offer('a');
    trial.offer('a');
    for (let n = 0; n < 4; n++) trial.leave(trial.join(), true);
    expect(trial.parked).toEqual(['a/0']);
    for (let n = 0; n < 9; n++) trial.leave(trial.join());
    expect(trial.parked).toEqual(['a/0']);
  });

  test('replayed events take turns with the others, however little room there is', () => {
    const trial = new Trial();
    const consumer = trial.join({ maxInFlight: 1 });
    trial.unsettled.set('r', new Map());
    for (let version = 0; version < 3; version++) {
      trial.unsettled.get('r')?.set(version, { position: 100 + version, sent: undefined });
      const event = { position: -10 + version, streamId: 'r', version, eventId: 'r', text: '', bytes: 0 };
      trial.window.offerReplay(event, 4);
    }
    for (const stream of ['a', 'b', 'c']) trial.offer(stream);
    trial.window.pump();
    for (const name of ['r/0', 'a/0', 'r/1', 'b/0', 'r/2', 'c/0']) {
      expect(trial.log.at(-1)?.split('#')[0]).toBe(name);
      trial.ack(consumer, name.slice(0, 1), Number(name.slice(2)));
    }
    expect(trial.log.filter((name) => name.startsWith('r'))).toEqual(['r/0#5', 'r/1#5', 'r/2#5']);
  });

  test('nothing is left behind: neither timers nor events', () => {
    const trial = new Trial();
    const consumer = trial.join();
    trial.offer('a');
    trial.ack(consumer, 'a', 0);
    trial.clock.advance(ACK_TIMEOUT_MS);
    expect([trial.clock.timers, trial.window.size, trial.window.bytes]).toEqual([0, 0, 0]);
    trial.offer('a');
    trial.window.close();
    expect([trial.clock.timers, trial.window.size]).toEqual([0, 0]);
  });
});

const stream = fc.constantFrom('a', 'b', 'c');
const index = fc.nat({ max: 3 });
const version = fc.nat({ max: 12 });
/** Mostly one of the events that the consumer has; null for any event, which it may not have. */
const held = fc.option(fc.nat(3), { freq: 4 });

/** What happens to a window. Names are drawn from small pools, so that most of it hits something. */
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('offer' as const), stream }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('join' as const), maxInFlight: fc.integer({ min: 1, max: 4 }) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('leave' as const), index, isLost: fc.boolean() }) },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('ack' as const),
      index,
      held,
      stream,
      version,
      upTo: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('retry' as const),
      index,
      held,
      stream,
      version,
      delayMs: fc.constantFrom(0, 0, 30, 150),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constantFrom('park' as const, 'skip' as const),
      index,
      held,
      stream,
      version,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.constantFrom(1, 40, 100) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('ready' as const), index, isReady: fc.boolean() }) },
);

/** The event that a step is about: one that the consumer has, or any. */
function wantedOf(
  step: {
    readonly kind: string;
    readonly held?: number | null;
    readonly stream?: string;
    readonly version?: number;
  },
  consumer: TestConsumer | undefined,
): { readonly streamId: string; readonly version: number } {
  const { held = null, stream: streamId = '', version: any = 0 } = step;
  const events = [...(consumer?.joined.inFlight ?? [])];
  if (held === null || events.length === 0) return { streamId, version: any };
  return (events[held % events.length] as (typeof events)[number]).event;
}

test('whatever happens, streams stay in order, the checkpoint passes only what is settled, and nothing is lost', () => {
  const reach = countReach({ settled: 800, parked: 70, left: 70, largest: 20 });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const trial = new Trial();
      let before = 0;
      for (const one of steps) {
        const there = trial.consumers.filter(({ isThere }) => isThere);
        const consumer = 'index' in one ? there[one.index] : undefined;
        const { streamId, version: wanted } = wantedOf(one, consumer);
        if (one.kind === 'offer') trial.offer(one.stream);
        else if (one.kind === 'join' && there.length < 3) trial.join({ maxInFlight: one.maxInFlight });
        else if (one.kind === 'pass') trial.clock.advance(one.ms);
        else if (consumer !== undefined) {
          if (one.kind === 'leave') {
            if (consumer.joined.inFlight.size > 0) reach.count('left');
            trial.leave(consumer, one.isLost);
          } else if (one.kind === 'ack') trial.ack(consumer, streamId, wanted, one.upTo);
          else if (one.kind === 'retry') trial.retry(consumer, streamId, wanted, one.delayMs);
          else if (one.kind === 'ready') {
            consumer.isReady = one.isReady;
            trial.window.drained(consumer.joined);
          } else if (one.kind === 'park' || one.kind === 'skip') {
            trial.window.nack(consumer.joined, streamId, wanted, { action: one.kind });
          }
        }
        expect(trial.tracker.checkpoint.position).toBe(trial.expectedCheckpoint);
        expect(trial.tracker.checkpoint.position).toBeGreaterThanOrEqual(before);
        before = trial.tracker.checkpoint.position;
        expect(trial.window.size).toBe(trial.size);
        reach.largest('largest', trial.size);
      }
      reach.count('settled', trial.settled.length);
      // In the end a consumer that acknowledges everything gets all that is left.
      for (const consumer of trial.consumers) if (consumer.isThere) trial.leave(consumer);
      const last = trial.join({ maxInFlight: 2 });
      for (let turn = 0; turn < 1_000 && trial.window.size > 0; turn++) {
        for (const { event } of [...last.joined.inFlight]) trial.ack(last, event.streamId, event.version);
        trial.clock.advance(10);
      }
      reach.count('parked', trial.parked.length);
      expect(trial.settled.length + trial.parked.length).toBe(trial.position);
      expect(trial.tracker.checkpoint.position).toBe(trial.position);
    }),
    { numRuns: 300 },
  );
  reach.check();
});
