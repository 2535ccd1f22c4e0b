import { describe, expect, test } from 'vitest';
import { Contacts } from './contacts.ts';

const NONE = (): boolean => false;
const make = () => new Contacts(1_000, () => 0.5);

describe('contacts', () => {
  test('take turns, and are tried less and less often', () => {
    const contacts = make();
    contacts.discovered([{ url: 'ws://a' }, { url: 'ws://b', nodeId: 'b' }], 0);
    expect(contacts.next(0, NONE)).toEqual({ url: 'ws://a' });
    expect(contacts.next(0, NONE)).toEqual({ url: 'ws://b', nodeId: 'b' });
    expect(contacts.next(999, NONE)).toBeUndefined();
    const tries: number[] = [];
    for (let now = 1_000; now <= 30_000; now += 500) {
      if (contacts.next(now, (url) => url !== 'ws://a') !== undefined) tries.push(now);
    }
    expect(tries).toEqual([1_000, 3_000, 7_000, 12_000, 17_000, 22_000, 27_000]);
  });

  test('that are reached are passed over, by URL or by node id', () => {
    const contacts = make();
    contacts.discovered([{ url: 'ws://a' }], 0);
    contacts.identify('ws://a', 'a');
    expect(contacts.next(0, (_, nodeId) => nodeId === 'a')).toBeUndefined();
    expect(contacts.next(0, (url) => url === 'ws://a')).toBeUndefined();
    expect(contacts.next(0, NONE)).toEqual({ url: 'ws://a', nodeId: 'a' });
  });

  test('that discovery no longer lists are dropped, former members are not', () => {
    const contacts = make();
    contacts.discovered([{ url: 'ws://a' }], 0);
    contacts.remember('ws://b', 'b', 0);
    contacts.discovered([], 0);
    expect(contacts.next(1_000, NONE)).toEqual({ url: 'ws://b', nodeId: 'b' });
    contacts.forget('ws://b');
    expect(contacts.next(100_000, NONE)).toBeUndefined();
  });

  test('of former members are bounded, and the oldest is dropped', () => {
    const contacts = make();
    for (let index = 0; index < 1_100; index++) contacts.remember(`ws://n${index}`, `n${index}`, 0);
    const urls = new Set<string>();
    for (let next = contacts.next(2_000, NONE); next !== undefined; next = contacts.next(2_000, NONE))
      urls.add(next.url);
    expect(urls.size).toBe(1_024);
    expect([urls.has('ws://n0'), urls.has('ws://n1099')]).toEqual([false, true]);
  });
});
