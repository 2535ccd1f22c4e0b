import { expect, it } from 'vitest';
import { AsyncBuffer } from './async-buffer.ts';

it('what was put in before the end is read first, then the error once, then nothing', async () => {
  const buffer = new AsyncBuffer<number>();
  buffer.put(1);
  buffer.put(2);
  buffer.end({ error: new Error('over') });
  buffer.put(3);
  expect([await buffer.next(), await buffer.next()]).toEqual([
    { done: false, value: 1 },
    { done: false, value: 2 },
  ]);
  await expect(buffer.next()).rejects.toThrow('over');
  expect(await buffer.next()).toEqual({ done: true, value: undefined });
});

it('readers that wait are served in order, and all end', async () => {
  const buffer = new AsyncBuffer<number>();
  const reads = [buffer.next(), buffer.next(), buffer.next()];
  buffer.put(1);
  buffer.put(2);
  buffer.end();
  expect((await Promise.all(reads)).map(({ value }) => value)).toEqual([1, 2, undefined]);
});

it('ten thousand items come out in order whatever the pace', async () => {
  const buffer = new AsyncBuffer<number>();
  let written = 0;
  let read = 0;
  while (read < 10_000) {
    for (let burst = 0; burst < 700 && written < 10_000; burst++) buffer.put(written++);
    for (let burst = 0; burst < 500 && buffer.size > 0; burst++) {
      const { value } = await buffer.next();
      if (value !== read++) expect.unreachable(`${value} is out of order`);
    }
  }
  expect(buffer.size).toBe(0);
});
