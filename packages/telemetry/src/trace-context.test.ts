import { fc } from '@esdb-gater/property-testing';
import { ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { describe, expect, test } from 'vitest';
import { extractTraceContext, injectTraceContext, parseTraceContext } from './trace-context.ts';

const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';
const SPAN_ID = 'b7ad6b7169203331';
const VALID = `00-${TRACE_ID}-${SPAN_ID}-01`;

describe('extract and inject', () => {
  test('an extracted context is injected unchanged', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: 1n, max: 2n ** 128n - 1n }),
        fc.bigInt({ min: 1n, max: 2n ** 64n - 1n }),
        fc.nat(255),
        (traceId, spanId, flags) => {
          const hex = (value: bigint | number, length: number): string =>
            value.toString(16).padStart(length, '0');
          const traceparent = `00-${hex(traceId, 32)}-${hex(spanId, 16)}-${hex(flags, 2)}`;
          const carrier = { traceparent, tracestate: 'a=1,b=2' };
          expect(injectTraceContext(extractTraceContext(carrier))).toEqual(carrier);
        },
      ),
    );
  });

  test('an extracted parent is remote and has the same ids', () => {
    expect(parseTraceContext({ traceparent: VALID })).toEqual({
      traceId: TRACE_ID,
      spanId: SPAN_ID,
      traceFlags: 1,
      isRemote: true,
    });
  });

  test('a carrier without a valid parent leaves the context as it is', () => {
    const own = extractTraceContext({ traceparent: VALID });
    expect(extractTraceContext({ traceparent: 'junk' }, own)).toBe(own);
  });

  test('a context without a span, or with an invalid one, gives an empty carrier', () => {
    expect(injectTraceContext(ROOT_CONTEXT)).toEqual({});
    const invalid = { traceId: '0'.repeat(32), spanId: SPAN_ID, traceFlags: 1 };
    expect(injectTraceContext(trace.setSpanContext(ROOT_CONTEXT, invalid))).toEqual({});
  });
});
