import type { Broker, BrokerRecord, OutgoingRecord } from '@esdb-gater/types';
import { context, SpanKind, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { appendTraced, deliverTraced } from './tracing.ts';

const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';
const PARENT_ID = 'b7ad6b7169203331';
const TRACEPARENT = `00-${TRACE_ID}-${PARENT_ID}-01`;
const RECORD: OutgoingRecord = {
  id: 'm1',
  topic: 'a.b',
  message: 1,
  time: '2026-01-01T00:00:00.000Z',
  type: 'esdb_gater.message',
  source: 'esdb://default/channel/events',
};

let appended: OutgoingRecord[];

beforeEach(() => {
  appended = [];
});

function append(record: OutgoingRecord): ReturnType<Broker['append']> {
  const broker: Pick<Broker, 'append'> = {
    append(_channel, given) {
      appended.push(given);
      return Promise.resolve({});
    },
  };
  return appendTraced({ broker, system: 'kafka' }, 'events', record, {});
}

/** Delivers a batch to `reach` subscribers; returns the ids, grouped as they were delivered. */
function deliver(batch: readonly BrokerRecord[], reach: number): string[][] {
  const batches: string[][] = [];
  deliverTraced('kafka', 'events', batch, (part) => {
    batches.push(part.map(({ id }) => id));
    return part.length * reach;
  });
  return batches;
}

const incoming = (id: string, traceparent?: string): BrokerRecord => ({
  id,
  topic: 'a.b',
  message: 1,
  time: RECORD.time,
  position: id,
  ...(traceparent === undefined ? {} : { traceparent }),
});

test('without an SDK records and batches pass as they are', async () => {
  await append({ ...RECORD, traceparent: TRACEPARENT });
  const batches = deliver([incoming('1'), incoming('2', TRACEPARENT)], 1);
  expect([appended[0]?.traceparent, batches]).toEqual([TRACEPARENT, [['1', '2']]]);
});

describe('with an SDK', () => {
  const exporter = new InMemorySpanExporter();

  beforeEach(() => {
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
    trace.setGlobalTracerProvider(
      new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] }),
    );
  });
  afterEach(() => {
    exporter.reset();
    trace.disable();
    context.disable();
  });

  test('a record leaves with the trace of its PRODUCER span, for the headers of Kafka', async () => {
    await append({ ...RECORD, traceparent: TRACEPARENT, tracestate: 'a=1' });
    const [span] = exporter.getFinishedSpans();
    expect(span).toMatchObject({ name: 'publish events', kind: SpanKind.PRODUCER });
    expect(span?.attributes['messaging.system']).toBe('kafka');
    const { traceparent, tracestate } = appended[0] ?? {};
    expect([traceparent, tracestate]).toEqual([`00-${TRACE_ID}-${span?.spanContext().spanId}-01`, 'a=1']);
  });

  test('each record with a trace is one span, however many it reaches, and the order stays', () => {
    const batch = [
      incoming('1'),
      incoming('2'),
      incoming('3', TRACEPARENT),
      incoming('4', TRACEPARENT),
      incoming('5'),
    ];
    expect(deliver(batch, 100).flat()).toEqual(['1', '2', '3', '4', '5']);
    const spans = exporter.getFinishedSpans();
    expect(spans.map(({ attributes }) => attributes['messaging.message.id'])).toEqual(['3', '4']);
    expect(spans.map(({ attributes }) => attributes['esdb_gater.recipient.count'])).toEqual([100, 100]);
    expect(spans.every(({ links }) => links[0]?.context.traceId === TRACE_ID)).toBe(true);
    expect(spans.map(({ parentSpanContext }) => parentSpanContext?.spanId)).toEqual([PARENT_ID, PARENT_ID]);
  });

  test('a record is passed on with the trace of its delivery, and nothing else of it changes', () => {
    const passed: BrokerRecord[] = [];
    deliverTraced('kafka', 'events', [incoming('1', TRACEPARENT), incoming('2')], (part) =>
      passed.push(...part),
    );
    const spanId = exporter.getFinishedSpans()[0]?.spanContext().spanId;
    expect(passed).toEqual([incoming('1', `00-${TRACE_ID}-${spanId}-01`), incoming('2')]);
  });

  test('a record that without receivers here has no span', () => {
    deliver([incoming('1', TRACEPARENT)], 0);
    expect(exporter.getFinishedSpans()).toEqual([]);
  });
});
