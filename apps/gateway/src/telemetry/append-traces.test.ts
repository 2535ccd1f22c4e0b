import { createFakeClock } from '@esdb-gater/primitives/testing';
import { expect, test } from 'vitest';
import { createAppendTraces } from './append-traces.ts';

const TRACE = { traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`, tracestate: 'x=1' };
const event = (id: string, streamId = 's', storeId = 'orders') => ({ storeId, streamId, id });

function append(traces: ReturnType<typeof createAppendTraces>, id: string, context: object = TRACE): void {
  traces.remember('appendEvents', { storeId: 'orders', streamId: 's', events: [{ id }] }, context);
}

test('the trace of an append is found by its events, of one stream or of several', () => {
  const traces = createAppendTraces(createFakeClock());
  append(traces, '1');
  const appends = [
    { streamId: 'a', events: [{ id: '2' }, { id: '3' }] },
    { streamId: 'b', events: [{ id: '2' }] },
  ];
  traces.remember('appendToStreams', { storeId: 'orders', appends }, TRACE);
  for (const one of [event('1'), event('2', 'a'), event('3', 'a'), event('2', 'b')]) {
    expect(traces.traceOf(one)).toEqual(TRACE);
  }
});

test('an event of another store or stream with the same id has no trace', () => {
  const traces = createAppendTraces(createFakeClock());
  append(traces, '1');
  expect(traces.traceOf(event('1', 'other'))).toBeUndefined();
  expect(traces.traceOf(event('1', 's', 'other'))).toBeUndefined();
});

test.each([
  ['a trace that is not sampled', { traceparent: TRACE.traceparent.replace(/01$/, '00') }],
  ['no trace', {}],
])('an append with %s is not remembered', (_, context) => {
  const traces = createAppendTraces(createFakeClock());
  append(traces, '1', context);
  expect(traces.traceOf(event('1'))).toBeUndefined();
});

test('another call is not remembered', () => {
  const traces = createAppendTraces(createFakeClock());
  traces.remember('getEvents', { storeId: 'orders', streamId: 's', events: [{ id: '1' }] }, TRACE);
  expect(traces.traceOf(event('1'))).toBeUndefined();
});

test('a trace is forgotten after a minute', () => {
  const clock = createFakeClock();
  const traces = createAppendTraces(clock);
  append(traces, '1');
  clock.advance(60_000);
  expect(traces.traceOf(event('1'))).toEqual(TRACE);
  clock.advance(1);
  expect(traces.traceOf(event('1'))).toBeUndefined();
});

test('of many events the oldest are forgotten', () => {
  const traces = createAppendTraces(createFakeClock());
  for (let id = 0; id < 20_000; id++) append(traces, String(id));
  const known = Array.from({ length: 20_000 }, (_, id) => traces.traceOf(event(String(id)))).filter(Boolean);
  expect(known.length).toBeGreaterThanOrEqual(4_096);
  expect(known.length).toBeLessThanOrEqual(8_192);
  expect(traces.traceOf(event('19999'))).toEqual(TRACE);
});
