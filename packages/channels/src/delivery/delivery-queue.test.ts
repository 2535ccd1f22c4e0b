import { createFakeClock, type FakeClock } from '@esdb-gater/primitives/testing';
import { countReach, fc } from '@esdb-gater/property-testing';
import {
  type ChannelName,
  type ChannelPriority,
  type Delivery,
  type Logger,
  silentLogger,
} from '@esdb-gater/types';
import { describe, expect, test } from 'vitest';
import { jsonEncoder, nextTurn, TestSink } from '../../tests/support.ts';
import { createDeliveryQueue, type DeliveryQueue } from './delivery-queue.ts';
import { createFlushScheduler } from './flush-scheduler.ts';
import { createDelivery } from './shared-delivery.ts';

const CHANNELS: Readonly<Record<ChannelPriority, ChannelName>> = {
  critical: 'alerts',
  high: 'events',
  normal: 'system',
  low: 'logging',
};

const deliveryOf = (priority: ChannelPriority, message: unknown, bytes = 0): Delivery =>
  createDelivery(
    {
      method: 'message',
      params: {
        channel: CHANNELS[priority],
        topic: 'a',
        id: String(message),
        time: '',
        position: `p${String(message)}`,
        message: [message as number, 'x'.repeat(bytes)],
      },
    },
    priority,
  );

/** A message whose notice has exactly this many bytes. */
function deliveryOfBytes(priority: ChannelPriority, message: unknown, bytes: number): Delivery {
  const empty = deliveryOf(priority, message).bytes(jsonEncoder()).length;
  return deliveryOf(priority, message, bytes - empty);
}

interface Opened {
  readonly clock: FakeClock;
  readonly sink: TestSink;
  readonly queue: DeliveryQueue;
  readonly dropped: ChannelName[];
  closed: number;
  /** The first items of each write. */
  readonly written: () => unknown[][];
}

function open(
  options: { queueBytes?: number; queueMessages?: number } = {},
  logger: Logger = silentLogger,
): Opened {
  const clock = createFakeClock();
  const sink = new TestSink();
  const dropped: ChannelName[] = [];
  const scheduler = createFlushScheduler(clock);
  const opened: Opened = {
    clock,
    sink,
    dropped,
    closed: 0,
    queue: createDeliveryQueue(
      { scheduler, logger, onDropped: (channel) => dropped.push(channel) },
      { queueBytes: 4_194_304, queueMessages: 10_000, ...options, sink, onClosed: () => opened.closed++ },
    ),
    written: () =>
      sink.writes.map((batch) =>
        batch.map(({ notice }) =>
          notice.method === 'message' ? (notice.params.message as unknown[])[0] : notice.method,
        ),
      ),
  };
  return opened;
}

/** Fills the transport, and lets the queue notice it by a first message. */
function stall({ sink, queue }: Opened): void {
  sink.buffered = 100_000;
  queue.offer(deliveryOf('critical', 'first'));
}

describe('the delivery queue', () => {
  test('Never again: priorities without effect', async () => {
    const { queue, clock, written } = open();
    for (const priority of ['low', 'normal', 'high', 'critical'] as const)
      queue.offer(deliveryOf(priority, priority));
    expect(written()).toEqual([['critical']]);
    await nextTurn();
    expect(written()).toEqual([['critical'], ['high'], ['normal']]);
    clock.advance(5);
    expect(written()).toEqual([['critical'], ['high'], ['normal'], ['low']]);
  });

  test('writes each critical message at once and separately', () => {
    const { queue, written } = open();
    queue.offer(deliveryOf('critical', 1));
    queue.offer(deliveryOf('critical', 2));
    expect(written()).toEqual([[1], [2]]);
  });

  test('writes high messages before the next callback of the event loop, together with those of the same burst', async () => {
    const { queue, written } = open();
    const order: unknown[] = [];
    setImmediate(() => order.push(written().length));
    queue.offer(deliveryOf('high', 1));
    // Messages from promise callbacks of the same turn belong to the burst.
    await Promise.resolve();
    await Promise.resolve();
    queue.offer(deliveryOf('high', 2));
    await nextTurn();
    expect(written()).toEqual([[1, 2]]);
    expect(order).toEqual([1]);
  });

  test('batches the normal messages of a turn into one write', async () => {
    const { queue, written } = open();
    for (let n = 0; n < 5; n++) {
      queue.offer(deliveryOf('normal', n));
      await new Promise<void>((resolve) => process.nextTick(resolve));
    }
    expect(written()).toEqual([]);
    await nextTurn();
    expect(written()).toEqual([[0, 1, 2, 3, 4]]);
  });

  test('gathers low messages for 5 ms and no longer', async () => {
    const { queue, clock, written } = open();
    queue.offer(deliveryOf('low', 1));
    clock.advance(4);
    await nextTurn();
    queue.offer(deliveryOf('low', 2));
    expect(written()).toEqual([]);
    clock.advance(1);
    expect(written()).toEqual([[1, 2]]);
  });

  test('does not write while the transport is full, then writes the highest priority first', async () => {
    const { queue, sink, clock, written } = open();
    sink.buffered = 100_000;
    for (const priority of ['low', 'normal', 'high', 'critical'] as const)
      queue.offer(deliveryOf(priority, priority));
    await nextTurn();
    clock.advance(5);
    expect(written()).toEqual([]);
    sink.buffered = 0;
    queue.drained();
    expect(written()).toEqual([['critical', 'high', 'normal', 'low']]);
  });

  test('keeps the order within a priority when messages start and stop waiting', async () => {
    const { queue, sink, written } = open();
    queue.offer(deliveryOf('normal', 1));
    sink.buffered = 100_000;
    queue.offer(deliveryOf('high', 'h'));
    await Promise.resolve();
    await new Promise<void>((resolve) => process.nextTick(resolve));
    queue.offer(deliveryOf('normal', 2));
    sink.buffered = 0;
    queue.drained();
    queue.offer(deliveryOf('normal', 3));
    await nextTurn();
    expect(written().flat()).toEqual(['h', 1, 2, 3]);
  });

  test('drops the oldest messages of low priority when it is full, and reports their number and last position', () => {
    const { queue, sink, dropped, written } = open({ queueMessages: 3 });
    sink.buffered = 100_000;
    queue.offer(deliveryOf('critical', 'c'));
    for (let n = 0; n < 6; n++) queue.offer(deliveryOf('low', n));
    expect(dropped).toEqual(['logging', 'logging', 'logging', 'logging']);
    sink.buffered = 0;
    queue.drained();
    expect(written()).toEqual([['c', 'dropped', 4, 5]]);
    expect(sink.notices[1]).toEqual({
      method: 'dropped',
      params: { channel: 'logging', count: 4, position: 'p3' },
    });
    expect(sink.overflows).toBe(0);
  });

  test('drops a message of low priority that finds the queue full of others', () => {
    const { queue, sink, written } = open({ queueMessages: 2 });
    sink.buffered = 100_000;
    queue.offer(deliveryOf('normal', 1));
    queue.offer(deliveryOf('normal', 2));
    // Not in the backlog before the flush: now it is.
    queue.offer(deliveryOf('low', 'lost'));
    expect(sink.overflows).toBe(0);
    sink.buffered = 0;
    queue.drained();
    expect(written().flat()).toEqual([1, 2, 'dropped']);
  });

  test('a dropped message makes room for as many bytes as it has', () => {
    const opened = open({ queueBytes: 110_000 });
    const { queue, sink, dropped, written } = opened;
    stall(opened);
    for (let n = 0; n < 50; n++) {
      queue.offer(deliveryOf('low', n, 2_000));
      // Always four of them wait, as in the beginning.
      expect(dropped).toHaveLength(Math.max(0, n - 3));
    }
    queue.offer(deliveryOf('normal', 'long', 7_000));
    expect([dropped.length, sink.overflows]).toEqual([49, 0]);
    sink.buffered = 0;
    queue.drained();
    expect(written().flat()).toEqual(['first', 'long', 'dropped', 49]);
    // Everything has been written, so there is as much room as in the beginning.
    stall(opened);
    for (let n = 0; n < 4; n++) queue.offer(deliveryOf('low', n, 2_000));
    expect(dropped).toHaveLength(49);
  });

  test('drops no more messages than a longer one needs', () => {
    const opened = open({ queueBytes: 110_000 });
    const { queue, sink, dropped } = opened;
    stall(opened);
    for (let n = 0; n < 4; n++) queue.offer(deliveryOf('low', n, 2_000));
    queue.offer(deliveryOf('normal', 'long', 3_000));
    expect([dropped.length, sink.overflows]).toEqual([1, 0]);
  });

  test('keeps the order of thousands of messages that wait, while more arrive', () => {
    const opened = open();
    const { queue, sink, written } = opened;
    sink.stalled = true;
    stall(opened);
    let next = 0;
    const offer = (count: number): void => {
      for (const end = next + count; next < end; next++) queue.offer(deliveryOf('normal', next, 20));
    };
    offer(5_000);
    for (let n = 0; n < 10; n++) {
      sink.buffered = 0;
      queue.drained();
      // A write at a time, as the transport is then full again.
      expect(written()).toHaveLength(n + 1);
      offer(100);
    }
    sink.stalled = false;
    sink.buffered = 0;
    queue.drained();
    expect(written().flat()).toEqual(['first', ...Array.from({ length: next }, (_, n) => n)]);
    expect(Math.max(...written().map(({ length }) => length))).toBeLessThanOrEqual(1_024);
  });

  test('writes at most about 64 KiB at once, and more urgent messages in between', () => {
    const opened = open();
    const { queue, sink, written } = opened;
    sink.stalled = true;
    stall(opened);
    for (let n = 0; n < 10; n++) queue.offer(deliveryOf('normal', n, 20_000));
    for (let n = 0; n < 2; n++) queue.offer(deliveryOf('low', `low ${n}`, 20_000));
    const drain = (): void => {
      sink.buffered = 0;
      queue.drained();
    };
    drain();
    queue.offer(deliveryOf('high', 'high', 20_000));
    for (let n = 0; n < 3; n++) drain();
    expect(written()).toEqual([['first', 0, 1, 2, 3], ['high', 4, 5, 6], [7, 8, 9, 'low 0'], ['low 1']]);
  });

  test('stays closed for everything that comes later', async () => {
    const opened = open();
    const { queue, sink, clock, dropped } = opened;
    for (const priority of ['high', 'normal', 'low'] as const) queue.offer(deliveryOf(priority, priority));
    queue.close();
    queue.offer(deliveryOf('critical', 1));
    queue.offer(deliveryOf('normal', 2));
    queue.shed(deliveryOf('low', 3));
    queue.overflow();
    queue.drained();
    await nextTurn();
    clock.advance(10);
    expect([sink.writes, sink.overflows, opened.closed, dropped]).toEqual([[], 0, 0, []]);
    expect(queue.takesReplayed(deliveryOf('normal', 4))).toBe(false);
    await queue.room();
  });

  test('wakes a replay that waits for room when it closes', async () => {
    const { queue } = open();
    const room = queue.room();
    queue.close();
    await room;
  });

  test('an overflow handler that fails does not reach the publisher, is logged, and the queue is closed', () => {
    const logged: unknown[] = [];
    const logger = { ...silentLogger, error: ({ err }: { err?: unknown }) => logged.push(err) };
    const opened = open({ queueMessages: 1 }, logger as Logger);
    const { queue, sink } = opened;
    sink.buffered = 100_000;
    sink.overflow = () => {
      throw new Error('the handler failed');
    };
    for (let n = 0; n < 2; n++) queue.offer(deliveryOf('normal', n));
    expect([queue.closed, opened.closed]).toEqual([true, 1]);
    expect(logged).toEqual([new Error('the handler failed')]);
  });

  test('a replay may queue 512 messages or 256 KiB, and one message of any length', () => {
    const short = open().queue;
    let count = 0;
    while (short.takesReplayed(deliveryOf('normal', count))) short.offer(deliveryOf('normal', count++));
    expect(count).toBe(512);
    const long = open().queue;
    for (count = 0; long.takesReplayed(deliveryOf('normal', count, 10_000)); count++)
      long.offer(deliveryOf('normal', count, 10_000));
    expect(count).toBe(26);
    const exact = open().queue;
    exact.offer(deliveryOfBytes('normal', 0, 262_143));
    expect(exact.takesReplayed(deliveryOf('normal', 1))).toBe(true);
    const full = open().queue;
    full.offer(deliveryOfBytes('normal', 0, 262_144));
    expect(full.takesReplayed(deliveryOf('normal', 1))).toBe(false);
    const small = open({ queueBytes: 1_000 }).queue;
    expect(small.takesReplayed(deliveryOf('normal', 1, 5_000))).toBe(true);
    small.offer(deliveryOf('normal', 1));
    expect(small.takesReplayed(deliveryOf('normal', 2, 5_000))).toBe(false);
    expect(small.takesReplayed(deliveryOf('normal', 2))).toBe(true);
  });

  test('takes no replayed messages while others wait for the transport', () => {
    const { queue, sink } = open();
    sink.buffered = 100_000;
    queue.offer(deliveryOf('critical', 1));
    // The transport has drained, but the queue has not been told.
    sink.buffered = 0;
    expect(queue.takesReplayed(deliveryOf('normal', 2))).toBe(false);
    queue.drained();
    expect(queue.takesReplayed(deliveryOf('normal', 2))).toBe(true);
  });

  test('a quarter of a small limit may be in the transport before it waits', () => {
    const { queue, sink, written } = open({ queueBytes: 4_000 });
    sink.buffered = 1_000;
    queue.offer(deliveryOf('critical', 1));
    sink.buffered = 1_001;
    queue.offer(deliveryOf('critical', 2));
    expect(written()).toEqual([[1]]);
  });

  test('a sink without an encoder is bounded by messages only', async () => {
    const clock = createFakeClock();
    const sink = { writes: 0, write: () => sink.writes++, bufferedBytes: () => 0, overflow: () => {} };
    const queue = createDeliveryQueue(
      { scheduler: createFlushScheduler(clock), logger: silentLogger, onDropped: () => {} },
      { sink: sink as never, queueBytes: 100, queueMessages: 10, onClosed: () => {} },
    );
    for (let n = 0; n < 5; n++) queue.offer(deliveryOf('normal', n, 1_000));
    expect(sink.writes).toBe(0);
    await nextTurn();
    expect(sink.writes).toBe(1);
  });

  test('the notice about dropped messages stands before those of low priority, and names each channel', () => {
    const { queue, sink, written } = open({ queueMessages: 3 });
    sink.buffered = 100_000;
    const other = createDelivery(
      {
        method: 'message',
        params: { channel: 'diagnostics', topic: 'a', id: '', time: '', position: 'q', message: ['other'] },
      },
      'low',
    );
    queue.offer(deliveryOf('normal', 'n'));
    queue.offer(other);
    for (let n = 0; n < 4; n++) queue.offer(deliveryOf('low', n));
    sink.buffered = 0;
    queue.drained();
    expect(written()).toEqual([['n', 'dropped', 'dropped', 2, 3]]);
    expect(sink.notices.filter(({ method }) => method === 'dropped').map(({ params }) => params)).toEqual([
      { channel: 'diagnostics', count: 1, position: 'q' },
      { channel: 'logging', count: 2, position: 'p1' },
    ]);
    // The next notice counts anew.
    sink.buffered = 100_000;
    for (let n = 0; n < 4; n++) queue.offer(deliveryOf('low', n));
    sink.buffered = 0;
    queue.drained();
    expect(sink.notices.at(-4)).toMatchObject({ method: 'dropped', params: { count: 1, position: 'p0' } });
  });

  test('never drops the notice that a replay has ended', () => {
    const { queue, sink, written } = open({ queueMessages: 2 });
    sink.buffered = 100_000;
    const params = { channel: 'logging', topic: 'a', position: 'p' } as const;
    queue.offer(createDelivery({ method: 'replayed', params }, 'low'));
    for (let n = 0; n < 5; n++) queue.offer(deliveryOf('low', n));
    sink.buffered = 0;
    queue.drained();
    expect(written().flat()).toEqual(['dropped', 'replayed', 4]);
  });

  test('overflows once when it is full of messages that must not be dropped, and does not write afterwards', async () => {
    const opened = open({ queueMessages: 2 });
    const { queue, sink } = opened;
    sink.buffered = 100_000;
    for (let n = 0; n < 10; n++) queue.offer(deliveryOf('normal', n));
    expect([sink.overflows, opened.closed, queue.closed]).toEqual([1, 1, true]);
    sink.buffered = 0;
    queue.drained();
    await nextTurn();
    expect(sink.writes).toEqual([]);
  });

  test('counts the bytes that the transport buffers to its limit', () => {
    const { queue, sink } = open({ queueBytes: 100_000 });
    sink.buffered = 95_000;
    queue.offer(deliveryOf('critical', 1, 4_000));
    expect(sink.overflows).toBe(0);
    queue.offer(deliveryOf('normal', 2, 4_000));
    expect(sink.overflows).toBe(1);
  });

  test('accepts more in a turn than its limit when the transport keeps up', async () => {
    const { queue, sink } = open({ queueMessages: 100 });
    for (let n = 0; n < 1_000; n++) queue.offer(deliveryOf('normal', n));
    await nextTurn();
    expect(sink.overflows).toBe(0);
    expect(sink.messages).toHaveLength(1_000);
  });

  test('accepts one message longer than its limit when it is empty', async () => {
    const { queue, sink, written } = open({ queueBytes: 1_000 });
    queue.offer(deliveryOf('normal', 1, 5_000));
    await nextTurn();
    expect(written()).toEqual([[1]]);
    expect(sink.overflows).toBe(0);
  });

  test('drops messages of low priority on demand, and notifies the connection', () => {
    const { queue, clock, dropped, written } = open();
    queue.shed(deliveryOf('low', 1));
    queue.shed(deliveryOf('low', 2));
    queue.offer(deliveryOf('low', 3));
    clock.advance(5);
    expect(written()).toEqual([['dropped', 3]]);
    expect(dropped).toEqual(['logging', 'logging']);
    // The notice needs no message, neither the first nor the next.
    queue.shed(deliveryOf('low', 4));
    clock.advance(5);
    expect(written()).toEqual([['dropped', 3], ['dropped']]);
  });

  test('a notice about dropped messages has the priority of those messages', () => {
    const { queue, sink, clock } = open();
    queue.shed(deliveryOf('low', 1));
    clock.advance(5);
    expect(sink.writes[0]?.map(({ priority }) => priority)).toEqual(['low']);
  });

  test('what was written counts no more, however often the transport was full', () => {
    const opened = open({ queueMessages: 10 });
    const { queue, sink, dropped } = opened;
    for (let round = 0; round < 30; round++) {
      stall(opened);
      for (let n = 0; n < 9; n++) queue.offer(deliveryOf('low', n));
      sink.buffered = 0;
      queue.drained();
    }
    expect([dropped, sink.overflows, sink.messages.length]).toEqual([[], 0, 300]);
  });

  test('ends a write as soon as it has 64 KiB', () => {
    const opened = open();
    const { queue, sink, written } = opened;
    stall(opened);
    sink.stalled = true;
    for (let n = 0; n < 4; n++) queue.offer(deliveryOfBytes('normal', n, 32_768));
    const first = deliveryOf('critical', 'first').bytes(jsonEncoder()).length;
    queue.offer(deliveryOfBytes('high', 'high', 32_768 - first));
    for (let n = 0; n < 3; n++) {
      sink.buffered = 0;
      queue.drained();
    }
    expect(written()).toEqual([['first', 'high', 0], [1, 2], [3]]);
  });

  test('Never again: a dying subscriber that blocks a channel for seconds', async () => {
    const opened = open();
    opened.sink.onWrite = () => {
      throw new Error('the socket is gone');
    };
    opened.queue.offer(deliveryOf('critical', 1));
    opened.queue.offer(deliveryOf('normal', 2));
    await nextTurn();
    expect([opened.queue.closed, opened.closed, opened.sink.writes.length]).toEqual([true, 1, 1]);
  });

  test('a message that comes when the sink fails is neither written nor dropped', () => {
    const opened = open({ queueMessages: 2 });
    const { queue, sink, dropped } = opened;
    for (const n of [1, 2]) queue.offer(deliveryOf('low', n));
    sink.onWrite = () => {
      throw new Error('the socket is gone');
    };
    // The queue is full, so it writes first to make room.
    queue.offer(deliveryOf('critical', 3));
    expect([sink.messages.length, dropped, sink.overflows, opened.closed]).toEqual([2, [], 0, 1]);
    queue.drained();
    expect(sink.writes).toHaveLength(1);
  });

  test('notifies replays when there is room again', async () => {
    const { queue, sink } = open({ queueMessages: 10 });
    const replayed = deliveryOf('normal', 'replayed');
    expect(queue.takesReplayed(replayed)).toBe(true);
    for (let n = 0; n < 10; n++) queue.offer(deliveryOf('normal', n));
    expect(queue.takesReplayed(replayed)).toBe(false);
    await queue.room();
    expect([queue.takesReplayed(replayed), sink.messages.length]).toEqual([true, 10]);
    sink.buffered = 100_000;
    queue.offer(deliveryOf('critical', 'c'));
    expect(queue.takesReplayed(replayed)).toBe(false);
  });

  test('passes the same array to connections with the same deliveries, and encodes once', async () => {
    const clock = createFakeClock();
    const scheduler = createFlushScheduler(clock);
    const encoder = jsonEncoder();
    const sinks = Array.from({ length: 3 }, () => new TestSink(encoder));
    const queues = sinks.map((sink) =>
      createDeliveryQueue(
        { scheduler, logger: silentLogger, onDropped: () => {} },
        { sink, queueBytes: 1e6, queueMessages: 1e4, onClosed: () => {} },
      ),
    );
    for (const n of [1, 2, 3]) {
      const delivery = deliveryOf('normal', n);
      for (const queue of queues) queue.offer(delivery);
    }
    const own = deliveryOf('normal', 4);
    queues[1]?.offer(own);
    await nextTurn();
    expect(sinks[0]?.writes[0]).toBe(sinks[2]?.writes[0]);
    expect(sinks[1]?.writes[0]).not.toBe(sinks[0]?.writes[0]);
    expect(sinks[1]?.writes[0]?.slice(0, 3)).toEqual(sinks[0]?.writes[0]);
    expect(Object.isFrozen(sinks[0]?.writes[0])).toBe(true);
    expect(encoder.encoded).toBe(4);
  });

  test('never exceeds its bounds, drops only low priority, keeps the order and overflows once', async () => {
    const priorities = ['critical', 'high', 'normal', 'low'] as const;
    const steps = fc.array(
      fc.oneof(
        {
          weight: 12,
          arbitrary: fc.record({
            kind: fc.constant('offer' as const),
            priority: fc.constantFrom(...priorities, 'low' as const, 'low' as const),
            bytes: fc.nat(300),
          }),
        },
        { weight: 2, arbitrary: fc.record({ kind: fc.constant('stall' as const) }) },
        { weight: 2, arbitrary: fc.record({ kind: fc.constant('drain' as const), stay: fc.boolean() }) },
        { weight: 2, arbitrary: fc.record({ kind: fc.constant('turn' as const) }) },
        { weight: 2, arbitrary: fc.record({ kind: fc.constant('tick' as const) }) },
      ),
      { maxLength: 150 },
    );
    const reach = countReach({ dropped: 100, overflows: 20, waited: 6 });
    await fc.assert(
      fc.asyncProperty(steps, fc.integer({ min: 1, max: 20 }), async (list, queueMessages) => {
        const queueBytes = 4_000;
        const { queue, sink, clock, dropped } = open({ queueBytes, queueMessages });
        const offered: Record<ChannelPriority, number[]> = { critical: [], high: [], normal: [], low: [] };
        let next = 0;
        for (const step of list) {
          if (step.kind === 'offer' && !queue.closed) {
            offered[step.priority].push(next);
            queue.offer(deliveryOf(step.priority, next++, step.bytes));
            const all = Object.values(offered).flat().length;
            const waiting = all - sink.messages.length - dropped.length;
            if (!queue.closed) expect(waiting).toBeLessThanOrEqual(queueMessages);
            reach.largest('waited', waiting);
            expect(sink.buffered).toBeLessThanOrEqual(queueBytes + 500);
          } else if (step.kind === 'stall') {
            sink.stalled = true;
          } else if (step.kind === 'drain') {
            sink.stalled = step.stay;
            sink.buffered = 0;
            queue.drained();
          } else if (step.kind === 'turn') {
            await nextTurn();
          } else if (step.kind === 'tick') {
            clock.advance(5);
          }
        }
        const atOverflow = sink.writes.length;
        if (!queue.closed) {
          sink.stalled = false;
          sink.buffered = 0;
          queue.drained();
          await nextTurn();
          clock.advance(5);
          queue.drained();
        }
        expect(sink.overflows).toBe(queue.closed ? 1 : 0);
        if (queue.closed) expect(sink.writes.length).toBe(atOverflow);
        const got = (priority: ChannelPriority): number[] =>
          sink.messages
            .filter(({ channel }) => channel === CHANNELS[priority])
            .map(({ message }) => (message as number[])[0] as number);
        for (const priority of priorities) {
          const numbers = got(priority);
          expect(numbers).toEqual(numbers.toSorted((one, other) => one - other));
          if (queue.closed) continue;
          if (priority !== 'low') expect(numbers).toEqual(offered[priority]);
          else expect(numbers.length + dropped.length).toBe(offered.low.length);
        }
        const told = sink.notices.reduce(
          (sum, notice) => sum + (notice.method === 'dropped' ? notice.params.count : 0),
          0,
        );
        if (!queue.closed) expect(told).toBe(dropped.length);
        reach.count('dropped', dropped.length);
        reach.count('overflows', sink.overflows);
      }),
      { numRuns: 150 },
    );
    reach.check();
  });
});
