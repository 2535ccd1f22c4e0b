import { createFakeClock } from '@esdb-gater/primitives/testing';
import { expect, test } from 'vitest';
import { createSenderLimiter, senderOf } from './sender-limiter.ts';

test('a sender may send a burst and then one per interval, without effect on others [R3]', () => {
  const clock = createFakeClock();
  const limiter = createSenderLimiter(clock, { burst: 3, everyMs: 1_000, maxSenders: 10 });
  const allowed = (sender: string): boolean => {
    try {
      limiter.take(sender);
      return true;
    } catch {
      return false;
    }
  };
  expect([1, 2, 3, 4].map(() => allowed('a'))).toEqual([true, true, true, false]);
  expect(() => limiter.take('a')).toThrow(
    expect.objectContaining({ code: 'rate_limited', details: { retryAfterMs: 1_000 } }),
  );
  expect(allowed('b')).toBe(true);
  clock.advance(1_000);
  expect([allowed('a'), allowed('a')]).toEqual([true, false]);
});

test('an IPv6 sender is its network, an IPv4 sender its address', () => {
  expect(senderOf('192.0.2.1')).toBe('192.0.2.1');
  expect(senderOf('2001:db8:1:2:3:4:5:6')).toBe('2001:db8:1:2::/64');
  expect(senderOf('2001:db8::1')).toBe('2001:db8:0:0::/64');
  expect(senderOf('2001:db8:1:2::9')).toBe(senderOf('2001:db8:1:2:ffff::'));
  expect(senderOf('fe80::1%eth0')).toBe('fe80:0:0:0::/64');
  expect(senderOf('::1')).toBe('0:0:0:0::/64');
  expect(senderOf('unknown')).toBe('unknown');
});
