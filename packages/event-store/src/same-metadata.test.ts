import { expect, test } from 'vitest';
import { sameMetadata } from './same-metadata.ts';

const cloudEvent = { specversion: '1.0', source: '/shop', id: 'x-1' };
const same = (one: object, other: object): boolean =>
  sameMetadata(JSON.stringify(one), JSON.stringify(other)) &&
  sameMetadata(JSON.stringify(other), JSON.stringify(one));

test('a CloudEvent with other extension attributes is the same one [R30]', () => {
  const repeats = [{ traceparent: '00-a' }, { traceparent: '00-b', tracestate: 'x' }, { time: 'later' }, {}];
  for (const extensions of repeats) {
    expect(same({ cloudevent: cloudEvent }, { cloudevent: { ...cloudEvent, ...extensions } })).toBe(true);
  }
});

test('another source, another id and other metadata beside it are not', () => {
  expect(same({ cloudevent: cloudEvent }, { cloudevent: { ...cloudEvent, source: '/bar' } })).toBe(false);
  expect(same({ cloudevent: cloudEvent }, { cloudevent: { ...cloudEvent, id: 'x-2' } })).toBe(false);
  expect(same({ cloudevent: cloudEvent, a: 1 }, { cloudevent: { ...cloudEvent, x: 1 }, a: 2 })).toBe(false);
  expect(same({ cloudevent: cloudEvent }, {})).toBe(false);
  expect(same({ cloudevent: { a: 1 } }, { cloudevent: { a: 2 } })).toBe(false);
  expect(same({ cloudevent: 'a' }, { cloudevent: 'b' })).toBe(false);
});

test('other metadata is compared as a whole, whatever the order of its members', () => {
  expect(same({ a: 1, b: [2] }, { b: [2], a: 1 })).toBe(true);
  expect(same({ a: 1 }, { a: 2 })).toBe(false);
  expect(sameMetadata('{"__proto__":1}', '{}')).toBe(false);
});
