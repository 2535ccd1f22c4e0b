import { isIPv6 } from 'node:net';
import { type Clock, GaterError } from '@esdb-gater/types';

export interface SenderLimits {
  /** The size of a sender's burst. */
  readonly burst: number;
  /** The interval after which one more is allowed. */
  readonly everyMs: number;
  /** The most senders to remember; beyond it the one seen first is forgotten. */
  readonly maxSenders: number;
}

/** Limits how often each sender may do something. */
export interface SenderLimiter {
  /** @throws `rate_limited` with `retryAfterMs` */
  take(sender: string): void;
}

interface Bucket {
  tokens: number;
  atMs: number;
}

/** Creates a token bucket per sender, on the monotonic clock. */
export function createSenderLimiter(clock: Clock, limits: SenderLimits): SenderLimiter {
  const { burst, everyMs, maxSenders } = limits;
  const buckets = new Map<string, Bucket>();
  return {
    take(sender) {
      const nowMs = clock.monotonic();
      const bucket = buckets.get(sender) ?? { tokens: burst, atMs: nowMs };
      bucket.tokens = Math.min(burst, bucket.tokens + (nowMs - bucket.atMs) / everyMs);
      bucket.atMs = nowMs;
      if (bucket.tokens < 1) {
        const retryAfterMs = Math.ceil((1 - bucket.tokens) * everyMs);
        throw new GaterError('rate_limited', `too many revocations by unknown issuers from ${sender}`, {
          details: { retryAfterMs },
        });
      }
      bucket.tokens -= 1;
      buckets.set(sender, bucket);
      if (buckets.size <= maxSenders) return;
      for (const first of buckets.keys()) {
        buckets.delete(first);
        return;
      }
    },
  };
}

/** Returns the sender of an address: for IPv4 the address, for IPv6 its /64 network, which may belong to one host. */
export function senderOf(address: string): string {
  if (!isIPv6(address)) return address;
  const url = URL.parse(`http://[${address.split('%', 1)[0]}]/`);
  if (url === null) return address;
  const [head = '', tail = ''] = url.hostname.slice(1, -1).split('::');
  const groups = head.split(':').filter((group) => group !== '');
  if (groups.length < 4 && url.hostname.includes('::')) {
    const rest = tail.split(':').filter((group) => group !== '');
    while (groups.length + rest.length < 8) groups.push('0');
    groups.push(...rest);
  }
  return `${groups.slice(0, 4).join(':')}::/64`;
}
