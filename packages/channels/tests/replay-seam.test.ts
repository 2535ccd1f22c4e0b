import { countReach, fc } from '@esdb-gater/property-testing';
import { describe, expect, test } from 'vitest';
import { createChannels } from '../src/index.ts';
import { nextTurn, TestSink, until } from './support.ts';

/** The actions between two turns of the event loop. */
const step = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constant('publish' as const), count: fc.integer({ min: 1, max: 40 }) }),
  },
  { weight: 2, arbitrary: fc.constant({ kind: 'turn' as const }) },
  { weight: 2, arbitrary: fc.constant({ kind: 'microtask' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'stall' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'drain' as const }) },
);

describe('the change from a replay to live messages', () => {
  test('delivers every message exactly once and in order, whatever is published meanwhile', async () => {
    const reach = countReach({ replayed: 3_000, live: 1_500, meanwhile: 2_500, steps: 36 });
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('events' as const, 'system' as const, 'alerts' as const),
        fc.nat(600),
        fc.nat(1_000),
        fc.array(step, { maxLength: 40 }),
        async (channel, before, resumeAt, steps) => {
          const settings = { history: 5_000, requireSignature: false };
          const channels = createChannels({}, { channels: { [channel]: settings } });
          let next = 0;
          const publish = async (): Promise<string> => {
            const { position } = await channels.publish({ channel, topic: `t.${next % 3}`, message: next++ });
            return position ?? '';
          };
          const positions: string[] = [];
          for (let n = 0; n < before; n++) positions.push(await publish());
          const seen = before === 0 ? -1 : resumeAt % before;
          const sink = new TestSink();
          const subscriber = channels.connect({ sink });
          const from = seen === -1 ? 'earliest' : { position: positions[seen] ?? '' };
          const subscribing = subscriber.subscribe({ channel, topic: 't.*', from });
          for (const { kind, ...rest } of steps) {
            if (kind === 'publish') {
              const { count } = rest as { count: number };
              await Promise.all(Array.from({ length: count }, publish));
            } else if (kind === 'turn') await nextTurn();
            else if (kind === 'microtask') await Promise.resolve();
            else {
              sink.stalled = kind === 'stall';
              sink.buffered = 0;
              subscriber.drained();
            }
          }
          reach.count('meanwhile', next - before);
          reach.largest('steps', steps.length);
          await subscribing;
          sink.stalled = false;
          await until(() => {
            sink.buffered = 0;
            subscriber.drained();
            return sink.notices.some(({ method }) => method === 'replayed');
          });
          await publish();
          await nextTurn();
          const expected = Array.from({ length: next - seen - 1 }, (_, n) => seen + 1 + n);
          expect(sink.values).toEqual(expected);
          // All that was replayed comes before the notice, all that is live after it.
          const end = sink.notices.findIndex(({ method }) => method === 'replayed');
          reach.count('replayed', end);
          reach.count('live', sink.notices.length - end - 1);
          expect(
            sink.notices.every(
              ({ params }, at) => !('message' in params) || 'replayFor' in params === at < end,
            ),
          ).toBe(true);
          expect(sink.overflows).toBe(0);
          await channels.close();
        },
      ),
      { numRuns: 60 },
    );
    reach.check();
  });
});
