import { fc } from '@esdb-gater/property-testing';
import { describe, expect, test } from 'vitest';
import { parseTraceparent, validTraceContext } from './trace-context.ts';

const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';
const SPAN_ID = 'b7ad6b7169203331';
const VALID = `00-${TRACE_ID}-${SPAN_ID}-01`;

describe('validTraceContext', () => {
  test('passes a valid pair on as it is', () => {
    const carrier = { traceparent: VALID, tracestate: 'congo=t61rcWkgMzE,rojo=00f067aa0ba902b7' };
    expect(validTraceContext(carrier)).toEqual(carrier);
  });

  test.each([
    ['nothing', undefined],
    ['no string', 7],
    ['an object', { toString: () => VALID }],
    ['the empty string', ''],
    ['one character too few', VALID.slice(0, -1)],
    ['one too many', `${VALID}0`],
    ['version 00 with more parts', `${VALID}-00`],
    ['upper case', VALID.toUpperCase()],
    ['upper case in the flags', `00-${TRACE_ID}-${SPAN_ID}-0A`],
    ['a trace id all zero', `00-${'0'.repeat(32)}-${SPAN_ID}-01`],
    ['a parent id all zero', `00-${TRACE_ID}-${'0'.repeat(16)}-01`],
    ['version ff', `ff${VALID.slice(2)}`],
    ['a version that is not hexadecimal', `0g${VALID.slice(2)}`],
    ['other separators', VALID.replaceAll('-', '_')],
    ['a line break at the end', `${VALID.slice(0, -1)}\n`],
    ['white space before', ` ${VALID.slice(0, -1)}`],
    ['digits of another script', VALID.replace('01', '٠١')],
    ['a megabyte', VALID.padEnd(1_000_000, '0')],
  ])('a traceparent that is %s drops both', (_, traceparent) => {
    expect(validTraceContext({ traceparent, tracestate: 'a=b' })).toEqual({});
  });

  test('a later version is passed on as version 00 with the parts that are known', () => {
    expect(validTraceContext({ traceparent: `cc${VALID.slice(2)}-what-comes` })).toEqual({
      traceparent: VALID,
    });
    expect(validTraceContext({ traceparent: `cc${VALID.slice(2)}.what` })).toEqual({});
  });

  test.each([
    ['empty', ''],
    ['over 512 characters', `a=${'b'.repeat(511)}`],
    ['no string', ['a=b']],
    ['with a line break', 'a=b\r\nx: y'],
    ['with other than ASCII', 'a=ü'],
  ])('a tracestate that is %s drops itself only', (_, tracestate) => {
    expect(validTraceContext({ traceparent: VALID, tracestate })).toEqual({ traceparent: VALID });
  });

  test('no value at all throws or gets through unchecked', () => {
    fc.assert(
      fc.property(fc.anything(), fc.anything(), (traceparent, tracestate) => {
        const { traceparent: out } = validTraceContext({ traceparent, tracestate });
        if (out !== undefined) expect(out).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/);
      }),
    );
  });
});

describe('parseTraceparent', () => {
  test('reads the fields, also those of a later version', () => {
    const fields = { traceId: TRACE_ID, parentId: SPAN_ID, flags: 1 };
    expect(parseTraceparent(VALID)).toEqual(fields);
    expect(parseTraceparent(`01${VALID.slice(2)}-more`)).toEqual(fields);
  });

  test('returns an empty object for malformed members', () => {
    expect(parseTraceparent(undefined)).toBeUndefined();
    expect(parseTraceparent(`ff${VALID.slice(2)}`)).toBeUndefined();
  });
});
