import { runInNewContext } from 'node:vm';
import { countReach, fc } from '@esdb-gater/property-testing';
import { describe, expect, test } from 'vitest';
import { JSON_DEPTH, nestsDeeper } from './json-depth.ts';
import { utf8Bytes } from './utf8-bytes.ts';
import { walkJson } from './walk-json.ts';

describe('walkJson', () => {
  test('a value at the bound is accepted in every message that contains it, and one level more is refused', () => {
    const nested = (levels: number): unknown => JSON.parse('['.repeat(levels) + ']'.repeat(levels));
    expect(walkJson(nested(JSON_DEPTH.value), 'x').differs).toBe(false);
    const page = JSON.stringify([{ result: { events: [{ data: nested(JSON_DEPTH.value) }] } }]);
    expect(nestsDeeper(page, JSON_DEPTH.frame)).toBe(false);
    expect(() => walkJson(nested(JSON_DEPTH.value + 1), 'x')).toThrow(
      expect.objectContaining({ code: 'invalid_argument', reason: 'json' }),
    );
  });

  test('never returns fewer bytes than the JSON has', () => {
    const reach = countReach({ longest: 200 });
    // Of units that take one to six bytes as JSON.
    const unit = fc.constantFrom('\u001f', '\ud800', 'a', 'ä', '中', '💡', '"');
    const text = fc.array(unit, { maxLength: 20 }).map((all) => all.join(''));
    const number = fc.oneof(
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.constant(-2.2250738585072014e-308),
    );
    const leaf = fc.oneof(text, number, fc.boolean(), fc.constant(null));
    const { value } = fc.letrec<{ value: unknown }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 3, withCrossShrink: true },
        leaf,
        fc.array(tie('value'), { maxLength: 6 }),
        fc.dictionary(text, tie('value'), { maxKeys: 6 }),
      ),
    }));
    fc.assert(
      fc.property(value, (one) => {
        const { bytes, differs } = walkJson(one, 'x');
        const json = utf8Bytes(JSON.stringify(one));
        reach.largest('longest', json);
        expect(differs).toBe(false);
        expect(bytes).toBeGreaterThanOrEqual(json);
        // It is not much more for texts that are costly, so that they are not measured in vain.
        expect(bytes).toBeLessThanOrEqual(6 * json + 25);
      }),
    );
    reach.check();
  });

  test.each([['\u001f'.repeat(9)], [''], [null], [false], [[]], [{}], [[[], {}]]])(
    'the bytes of %j, of the longest of its kind, are at most one for a comma too many',
    (value) => {
      const json = utf8Bytes(JSON.stringify(value));
      const commas = Array.isArray(value) && value.length > 0 ? 1 : 0;
      expect(walkJson(value, 'x').bytes).toBe(json + commas);
    },
  );

  test('tells whether the JSON differs from the value', () => {
    expect(walkJson({ a: [undefined === null, { b: null }] }, 'x').differs).toBe(false);
    expect(walkJson(Object.assign(Object.create(null), { a: 1 }), 'x').differs).toBe(false);
    expect(walkJson(runInNewContext('({ a: [1] })'), 'x').differs).toBe(false);
    for (const value of [{ a: undefined, b: 1 }, [{ a: undefined }], new Date(0), { a: [new Date(0)] }]) {
      const { bytes, differs } = walkJson(value, 'x');
      expect(differs).toBe(true);
      expect(bytes).toBeGreaterThanOrEqual(utf8Bytes(JSON.stringify(value)));
    }
    expect(walkJson({ toJSON: () => 'short' }, 'x').bytes).toBe(32);
  });

  test.each([
    [undefined, 'x'],
    [Number.NaN, 'x'],
    [{ a: Number.POSITIVE_INFINITY }, 'x.a'],
    [[1, [() => 1]], 'x[1][0]'],
    [{ a: [{ b: 1n }] }, 'x.a[0].b'],
    [{ a: Symbol('s') }, 'x.a'],
    [[undefined], 'x[0]'],
    [{ a: new Map() }, 'x.a'],
    [[/x/], 'x[0]'],
    [{ a: new (class Own {})() }, 'x.a'],
    [{ a: new Date(Number.NaN) }, 'x.a'],
    [{ a: { toJSON: () => new Set() } }, 'x.a'],
    [runInNewContext('({ a: new Date(NaN) })'), 'x.a'],
    [{ ['k'.repeat(100)]: [Number.NaN] }, `x.${'k'.repeat(64)}[0]`],
  ])('names the place of what JSON cannot carry: %o at %s', (value, path) => {
    expect(() => walkJson(value, 'x')).toThrow(
      expect.objectContaining({ code: 'invalid_argument', reason: 'json', path }),
    );
  });

  test('shows the inner end of a long path, and no more than a part of the names on it', () => {
    let value: unknown = Number.NaN;
    for (let level = 0; level < 50; level++) value = { [`${level}${'k'.repeat(1_000)}`]: value };
    try {
      walkJson(value, 'x');
      expect.unreachable();
    } catch (error) {
      const { path } = error as { readonly path: string };
      expect(path.length).toBeLessThanOrEqual(400);
      expect(path).toMatch(/^x.*\.0k+$/);
    }
    class Cycle {
      readonly toJSON = (): unknown => this;
    }
    expect(() => walkJson(new Cycle(), 'x')).toThrow(expect.objectContaining({ reason: 'json' }));
  });

  test('an object that turns into another by `toJSON` is as deep as both', () => {
    const nested = (levels: number): unknown => {
      let value: unknown = 1;
      for (let level = 0; level < levels; level++) value = [value];
      return value;
    };
    const turns = (levels: number): object => ({ toJSON: () => nested(levels) });
    expect(walkJson(turns(JSON_DEPTH.value - 1), 'x').differs).toBe(true);
    expect(() => walkJson(turns(JSON_DEPTH.value), 'x')).toThrow(expect.objectContaining({ reason: 'json' }));
  });
});
