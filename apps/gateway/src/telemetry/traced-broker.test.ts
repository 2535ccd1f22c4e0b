import { emit } from '@esdb-gater/telemetry';
import type { Broker, BrokerRecord, OutgoingRecord } from '@esdb-gater/types';
import { context, SpanKind, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type TracedBroker, traceBroker } from './traced-broker.ts';

const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';
const TRACEPARENT = `00-${TRACE_ID}-b7ad6b7169203331-01`;
const RECORD: OutgoingRecord = {
  id: 'm1',
  topic: 'a.b',
  message: 1,
  time: '2026-01-01T00:00:00.000Z',
  type: 'esdb_gater.message',
  source: 'esdb://default/channel/events',
};

let appended: OutgoingRecord[];
let deliver: (batch: readonly BrokerRecord[]) => void;
let broker: TracedBroker;

beforeEach(() => {
  appended = [];
  const inner: Pick<Broker, 'append' | 'tail'> = {
    append(_channel, record) {
      appended.push(record);
      return Promise.resolve({});
    },
    tail(_channel, handler) {
      deliver = handler;
      return () => {};
    },
  };
  broker = traceBroker(inner as Broker, 'kafka');
});
afterEach(() => broker.detach());

/** Takes what the broker hands over as the channels do: `reach` subscribers get each record. */
function subscribe(reach: number): string[][] {
  const batches: string[][] = [];
  broker.tail('events', (batch) => {
    batches.push(batch.map(({ id }) => id));
    for (const { topic } of batch) {
      emit('esdb_gater.channel.broadcast', { recipient_count: reach }, { channel: 'events', topic });
    }
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
  const batches = subscribe(1);
  await broker.append('events', { ...RECORD, traceparent: TRACEPARENT });
  deliver([incoming('1'), incoming('2', TRACEPARENT)]);
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
    await broker.append('events', { ...RECORD, traceparent: TRACEPARENT, tracestate: 'a=1' });
    const [span] = exporter.getFinishedSpans();
    expect(span).toMatchObject({ name: 'publish events', kind: SpanKind.PRODUCER });
    expect(span?.attributes['messaging.system']).toBe('kafka');
    const { traceparent, tracestate } = appended[0] ?? {};
    expect([traceparent, tracestate]).toEqual([`00-${TRACE_ID}-${span?.spanContext().spanId}-01`, 'a=1']);
  });

  test('an event of the feed belongs to no call: it is no span and carries no trace', async () => {
    await broker.append('events', { ...RECORD, fed: { storeId: 'default', position: 1 } });
    expect([exporter.getFinishedSpans(), appended[0]?.traceparent]).toEqual([[], undefined]);
  });

  test('each record with a trace is one span, however many it reaches, and the order stays', () => {
    const batches = subscribe(100);
    deliver([
      incoming('1'),
      incoming('2'),
      incoming('3', TRACEPARENT),
      incoming('4', TRACEPARENT),
      incoming('5'),
    ]);
    expect(batches.flat()).toEqual(['1', '2', '3', '4', '5']);
    const spans = exporter.getFinishedSpans();
    expect(spans.map(({ attributes }) => attributes['messaging.message.id'])).toEqual(['3', '4']);
    expect(spans.map(({ attributes }) => attributes['esdb_gater.recipient.count'])).toEqual([100, 100]);
    expect(spans.every(({ links }) => links[0]?.context.traceId === TRACE_ID)).toBe(true);
  });

  test('a record that reaches nobody here is no span', () => {
    subscribe(0);
    deliver([incoming('1', TRACEPARENT)]);
    expect(exporter.getFinishedSpans()).toEqual([]);
  });
});
