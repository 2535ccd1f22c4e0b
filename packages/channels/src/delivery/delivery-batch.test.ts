import { countReach, fc } from '@esdb-gater/property-testing';
import type { Delivery, NoticeEncoder } from '@esdb-gater/types';
import { describe, expect, test } from 'vitest';
import { concatBytes, createBatchRoot } from './delivery-batch.ts';
import { createDelivery } from './shared-delivery.ts';

const deliveryOf = (position: string): Delivery =>
  createDelivery({ method: 'replayed', params: { channel: 'system', topic: 'a', position } }, 'normal');

function encoderOf(suffix = ''): NoticeEncoder & { count: number } {
  const encoder = {
    count: 0,
    encode: ({ params }: { params: { position: string } }) => {
      encoder.count++;
      return new TextEncoder().encode(params.position + suffix);
    },
  };
  return encoder;
}

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

describe('a delivery', () => {
  test('is encoded once per encoder', () => {
    const [one, other, third] = [encoderOf('1'), encoderOf('2'), encoderOf('3')];
    const delivery = deliveryOf('p');
    for (let n = 0; n < 3; n++) {
      expect([one, other, third].map((encoder) => text(delivery.bytes(encoder)))).toEqual(['p1', 'p2', 'p3']);
    }
    expect([one.count, other.count, third.count]).toEqual([1, 1, 1]);
    expect(delivery.bytes(one)).toBe(delivery.bytes(one));
  });
});

describe('concatBytes', () => {
  test('joins a batch once per encoder', () => {
    const [one, other] = [encoderOf(), encoderOf('!')];
    const batch = ['a', 'b', 'c'].map(deliveryOf);
    expect(text(concatBytes(batch, one))).toBe('abc');
    expect(text(concatBytes(batch, other))).toBe('a!b!c!');
    expect(concatBytes(batch, one)).toBe(concatBytes(batch, one));
    expect(one.count).toBe(3);
  });

  test('does not copy a batch of one', () => {
    const encoder = encoderOf();
    const delivery = deliveryOf('a');
    expect(concatBytes([delivery], encoder)).toBe(delivery.bytes(encoder));
  });

  test('an empty path is an empty batch', () => {
    expect(concatBytes([], encoderOf())).toHaveLength(0);
  });
});

describe('shared paths', () => {
  test('give every receiver its deliveries, and receivers with the same deliveries the same array', () => {
    const reach = countReach({ shared: 6 });
    // Often all receivers, so that some share their whole path.
    const receivers = fc.oneof(fc.constant([0, 1, 2, 3]), fc.subarray([0, 1, 2, 3]));
    fc.assert(
      fc.property(fc.array(receivers, { maxLength: 10 }), (receiversOfEach) => {
        const root = createBatchRoot();
        const nodes = Array.from({ length: 4 }, () => root as ReturnType<typeof root.with>);
        const expected: Delivery[][] = [[], [], [], []];
        for (const [n, receivers] of receiversOfEach.entries()) {
          const delivery = deliveryOf(String(n));
          for (const receiver of receivers) {
            nodes[receiver] = (nodes[receiver] ?? root).with(delivery);
            expected[receiver]?.push(delivery);
          }
        }
        expect(nodes.map((node) => node.batch())).toEqual(expected);
        if (receiversOfEach.every((receivers) => receivers.includes(0) === receivers.includes(1))) {
          if (receiversOfEach.length > 0) reach.count('shared');
          expect(nodes[0]?.batch()).toBe(nodes[1]?.batch());
        }
      }),
    );
    reach.check();
  });

  test('are released after the turn', () => {
    const root = createBatchRoot();
    const delivery = deliveryOf('a');
    const before = root.with(delivery);
    expect(root.with(delivery)).toBe(before);
    root.forget();
    expect(root.with(delivery)).not.toBe(before);
  });
});
