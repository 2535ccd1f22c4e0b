import { describe, expect, test } from 'vitest';
import { GenerationMap, GenerationSet } from './generation-map.ts';

describe('a map of generations', () => {
  test('keeps used entries, drops unused ones, and stays bounded', () => {
    const map = new GenerationMap<string, number>(10);
    map.set('used', 0);
    map.set('unused', 0);
    for (let i = 0; i < 100; i++) {
      map.set(`x${i}`, i);
      expect(map.get('used')).toBe(0);
    }
    expect(map.get('unused')).toBeUndefined();
    expect([map.get('x99'), map.get('x95'), map.get('x0')]).toEqual([99, 95, undefined]);
    const known = Array.from({ length: 100 }, (_, i) => i).filter(
      (i) => map.peekYoung(`x${i}`) !== undefined,
    );
    expect(known.length).toBeLessThanOrEqual(10);
  });

  test('holds the last `size` entries exactly, and at most twice as many', () => {
    const map = new GenerationMap<number, number>(3);
    for (let i = 0; i < 6; i++) map.set(i, i);
    const held = (): number[] =>
      Array.from({ length: 20 }, (_, i) => i).filter(
        (i) => (map.peekYoung(i) ?? map.peekOld(i)) !== undefined,
      );
    expect(held()).toEqual([0, 1, 2, 3, 4, 5]);
    map.set(6, 6);
    expect(held()).toEqual([3, 4, 5, 6]);
    // A use moves an entry to the young generation, where it counts.
    expect([map.get(3), map.peekYoung(3), map.get(6)]).toEqual([3, 3, 6]);
    expect(map.get(4)).toBe(4);
    map.set(7, 7);
    expect(held()).toEqual([3, 4, 6, 7]);
  });

  test('`rotate` starts a new generation and keeps one former generation', () => {
    const map = new GenerationMap<string, number>(Number.POSITIVE_INFINITY);
    map.set('a', 1);
    map.rotate();
    map.set('a', 2);
    expect([map.peekYoung('a'), map.peekOld('a')]).toEqual([2, 1]);
    map.rotate();
    expect([map.peekYoung('a'), map.peekOld('a')]).toEqual([undefined, 2]);
    map.rotate();
    expect(map.get('a')).toBeUndefined();
  });

  test('a key that is not there takes no place', () => {
    const map = new GenerationMap<string, number>(2);
    map.set('a', 1);
    map.set('b', 2);
    for (let n = 0; n < 10; n++) expect(map.get(`x${n}`)).toBeUndefined();
    expect([map.get('a'), map.get('b')]).toEqual([1, 2]);
  });

  test('a peek does not count as a use', () => {
    const map = new GenerationMap<string, number>(Number.POSITIVE_INFINITY);
    map.set('a', 1);
    map.rotate();
    expect(map.peekOld('a')).toBe(1);
    map.rotate();
    expect(map.get('a')).toBeUndefined();
  });

  test('forgets everything when it is cleared', () => {
    const map = new GenerationMap<number, string>(2);
    for (let i = 0; i < 3; i++) map.set(i, 'x');
    map.clear();
    expect([0, 1, 2].map((i) => map.get(i))).toEqual([undefined, undefined, undefined]);
  });
});

describe('a set of generations', () => {
  test('a key is known until `size` others have been added, and memory stays bounded', () => {
    const recent = new GenerationSet<string>(10);
    expect(recent.add('a')).toBe(true);
    expect(recent.add('a')).toBe(false);
    for (let i = 0; i < 9; i++) recent.add(`x${i}`);
    expect(recent.add('a')).toBe(false);
    for (let i = 0; i < 30; i++) recent.add(`y${i}`);
    expect(recent.add('a')).toBe(true);
    // The last ten are known, and at most twice as many.
    const last = new GenerationSet<number>(3);
    for (let i = 0; i < 6; i++) last.add(i);
    expect([0, 3, 5].map((i) => last.add(i))).toEqual([false, false, false]);
    const all = new GenerationSet<number>(3);
    for (let i = 0; i < 7; i++) all.add(i);
    expect([0, 1, 2].map((i) => all.add(i))).toEqual([true, true, true]);
  });

  test('a set of size 0 does not remember keys', () => {
    const recent = new GenerationSet<string>(0);
    recent.add('a');
    expect(recent.add('a')).toBe(true);
  });

  test('`rotate` starts a new generation', () => {
    const recent = new GenerationSet<string>(Number.POSITIVE_INFINITY);
    recent.add('a');
    recent.rotate();
    expect(recent.add('a')).toBe(false);
    recent.rotate();
    recent.rotate();
    expect(recent.add('a')).toBe(true);
  });
});
