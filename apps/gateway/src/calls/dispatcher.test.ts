import { expect, test } from 'vitest';
import { createAuthorizer } from '../access/authorizer.ts';
import type { Call } from '../access/caller.ts';
import { loadConfig } from '../config/load-config.ts';
import { createDispatcher } from './dispatcher.ts';

const TRACEPARENT = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
const caller = { address: '127.0.0.1', loopback: true };

/** The call as its handler gets to see it. */
function passedOn(call: Call): unknown {
  let seen: unknown;
  const dispatcher = createDispatcher(
    {
      authorizer: createAuthorizer(loadConfig({ env: {} })),
      handlers: {
        quickHealthCheck(_params, passed) {
          seen = passed;
          return { workers: 1 };
        },
      },
      accepting: () => true,
    },
    { messageBytes: 1_000 },
  );
  dispatcher.dispatch('quickHealthCheck', { storeId: 'default' }, call);
  return seen;
}

test('without an SDK a valid trace context is handed on, so that a gateway without tracing breaks no trace', () => {
  const call = { caller, traceparent: TRACEPARENT, tracestate: 'a=1' };
  expect(passedOn(call)).toEqual(call);
});

test('without an SDK a hostile trace context goes no further', () => {
  for (const traceparent of ['junk', `${TRACEPARENT}\r\nx: y`, `00-${'0'.repeat(32)}-${'b'.repeat(16)}-01`]) {
    expect(passedOn({ caller, traceparent, tracestate: 'a=1' })).toEqual({ caller });
  }
  expect(passedOn({ caller, traceparent: TRACEPARENT, tracestate: 'x'.repeat(513) })).toEqual({
    caller,
    traceparent: TRACEPARENT,
  });
});

test('without an SDK and without a trace context nothing is copied', () => {
  const call = { caller };
  expect(passedOn(call)).toBe(call);
});
