import { describe, expect, test } from 'vitest';
import { createProgress } from './progress.ts';

function screen(isTTY: boolean) {
  const written: string[] = [];
  return { written, isTTY, columns: 60, write: (text: string) => written.push(text) };
}

describe('the progress of an import', () => {
  test('is a bar with share, count and rate on a terminal', () => {
    const to = screen(true);
    let time = 0;
    const progress = createProgress(to, () => time);
    time = 2_000;
    progress.update(50, 100, 400);
    expect(to.written[0]).toContain('50 %');
    expect(to.written[0]).toContain('400 events, 200/s');
    progress.end();
    expect(to.written.at(-1)).toBe('\r\u001b[K');
  });

  test('is drawn at most ten times a second', () => {
    const to = screen(true);
    const progress = createProgress(to, () => 5);
    for (let done = 0; done < 100; done += 1) progress.update(done, 100, done);
    expect(to.written).toHaveLength(1);
  });

  test('counts only where the size is not known', () => {
    const to = screen(true);
    createProgress(to, () => 0).update(50, undefined, 7);
    expect(to.written[0]).toContain('7 events');
    expect(to.written[0]).not.toContain('%');
  });

  test('writes nothing into a log', () => {
    const to = screen(false);
    const progress = createProgress(to, () => 0);
    progress.update(1, 2, 3);
    progress.end();
    expect(to.written).toEqual([]);
  });
});
