import { expect, test } from 'vitest';
import type { Call } from '../access/caller.ts';
import { traceDispatcher } from './traced-dispatcher.ts';

const TRACEPARENT = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
const caller = { address: '127.0.0.1', loopback: true };

/** The call that the gateway gets to see. */
function passedOn(call: Call): unknown {
  return traceDispatcher({
    methods: [],
    idle: () => Promise.resolve(),
    dispatch: (_method, _params, passed) => passed,
  }).dispatch('getEvents', {}, call);
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
