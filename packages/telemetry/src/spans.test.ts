import { type TraceContext, validTraceContext } from '@esdb-gater/primitives';
import { GaterError } from '@esdb-gater/types';
import { context, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { activeTraceFields } from './log-fields.ts';
import { isTracing, withDeliverySpan, withSpan } from './spans.ts';

const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';
const PARENT = { traceparent: `00-${TRACE_ID}-b7ad6b7169203331-01`, tracestate: 'a=1' };
const call = { kind: 'server', method: 'getEvents', storeId: 'default' } as const;

const delivered = { kind: 'consumer', channel: 'events' } as const;

describe('without an SDK', () => {
  test('nothing is traced, a message is still delivered, and a log line has no ids', () => {
    let handed = 0;
    withDeliverySpan(delivered, PARENT, () => ++handed);
    expect([isTracing(), handed, activeTraceFields()]).toEqual([false, 1, {}]);
  });

  test('there is no span, and the context of the parent is passed on', async () => {
    await withSpan(call, { parent: PARENT }, async (carrier, span) => {
      expect(carrier).toEqual(PARENT);
      expect(span).toBeUndefined();
    });
  });

  test('a hostile parent is not passed on', async () => {
    const parent = { traceparent: 'junk\r\n', tracestate: 'a=1' };
    expect(await withSpan(call, { parent }, async (carrier) => carrier)).toEqual({});
  });
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

  test('a call served is a SERVER span under its remote parent, and its ids are sent on', async () => {
    const carrier = await withSpan(call, { parent: PARENT }, async (own) => own);
    const [span] = exporter.getFinishedSpans();
    expect(span).toMatchObject({ name: 'getEvents', kind: SpanKind.SERVER });
    expect(span?.attributes).toEqual({
      'rpc.system.name': 'jsonrpc',
      'rpc.method': 'getEvents',
      'esdb_gater.store.id': 'default',
    });
    expect(span?.parentSpanContext?.spanId).toBe('b7ad6b7169203331');
    const { spanId, traceId } = span?.spanContext() ?? {};
    expect(traceId).toBe(TRACE_ID);
    expect(carrier).toEqual({ traceparent: `00-${TRACE_ID}-${spanId}-01`, tracestate: 'a=1' });
  });

  test('a call made inside is a CLIENT span under the active one', async () => {
    await withSpan(call, {}, () => withSpan({ kind: 'client', method: 'getEvents' }, {}, async () => {}));
    const [client, server] = exporter.getFinishedSpans();
    expect(client?.kind).toBe(SpanKind.CLIENT);
    expect(client?.parentSpanContext?.spanId).toBe(server?.spanContext().spanId);
  });

  test('a publish is a PRODUCER span, and handling its message a CONSUMER span linked to it', async () => {
    const publish = { kind: 'producer', channel: 'events', messageId: 'm1' } as const;
    const message: TraceContext = await withSpan(publish, {}, async (carrier) => carrier);
    const links = [message, { traceparent: 'junk' }];
    await withSpan({ kind: 'consumer', channel: 'events', system: 'kafka' }, { links }, async () => {});
    const [producer, consumer] = exporter.getFinishedSpans();
    expect(producer).toMatchObject({ name: 'publish events', kind: SpanKind.PRODUCER });
    expect(producer?.attributes).toMatchObject({
      'messaging.destination.name': 'events',
      'messaging.operation.type': 'send',
      'messaging.message.id': 'm1',
    });
    expect(consumer).toMatchObject({ name: 'process events', kind: SpanKind.CONSUMER });
    expect(consumer?.links.map((link) => link.context.spanId)).toEqual([producer?.spanContext().spanId]);
    expect(consumer?.attributes['messaging.system']).toBe('kafka');
  });

  test('an error ends the span as an error with its code, never with its message', async () => {
    const error = new GaterError('unauthorized', 'a secret');
    await expect(withSpan(call, {}, () => Promise.reject(error))).rejects.toBe(error);
    const [span] = exporter.getFinishedSpans();
    expect(span?.status).toEqual({ code: SpanStatusCode.ERROR, message: 'unauthorized' });
    expect(span?.attributes['error.type']).toBe('unauthorized');
    expect(span?.events).toEqual([]);
  });

  test('a function that throws before it has a promise ends the span, too', async () => {
    const run = (): Promise<void> => {
      throw new TypeError('at once');
    };
    await expect(withSpan(call, {}, run)).rejects.toThrow('at once');
    expect(exporter.getFinishedSpans()).toHaveLength(1);
  });

  test('a call served starts a new trace when its parent is malformed, whichever span is active', async () => {
    const hostile = { traceparent: `00-${'0'.repeat(32)}-${'b'.repeat(16)}-01`, tracestate: 'a=1' };
    await withSpan({ kind: 'client', method: 'outer' }, {}, () =>
      withSpan(call, { parent: hostile }, async () => {}),
    );
    const [server, outer] = exporter.getFinishedSpans();
    expect(server?.parentSpanContext).toBeUndefined();
    expect(server?.spanContext().traceId).not.toBe(outer?.spanContext().traceId);
    expect(server?.spanContext().traceState).toBeUndefined();
  });

  test('a call of a store is an INTERNAL span under the conventions for databases', async () => {
    const subject = { kind: 'store', method: 'getEvents', storeId: 'default', system: 'sqlite' } as const;
    await withSpan(subject, { parent: PARENT }, async () => {});
    const [span] = exporter.getFinishedSpans();
    expect(span).toMatchObject({ name: 'getEvents default', kind: SpanKind.INTERNAL });
    expect(span?.attributes).toEqual({
      'db.system.name': 'sqlite',
      'db.operation.name': 'getEvents',
      'db.namespace': 'default',
    });
  });

  test('a delivered message is one span of the trace of its publish, linked to it, with the number of receivers', () => {
    const carriers: unknown[] = [];
    withDeliverySpan(delivered, PARENT, (carrier) => {
      carriers.push(carrier.traceparent);
      return 7;
    });
    const spans = exporter.getFinishedSpans();
    expect(spans).toHaveLength(1);
    const { traceId, spanId } = spans[0]?.spanContext() ?? {};
    expect(traceId).toBe(TRACE_ID);
    expect(spans[0]?.parentSpanContext?.spanId).toBe(PARENT.traceparent.slice(36, 52));
    expect(carriers).toEqual([`00-${TRACE_ID}-${spanId}-01`]);
    expect(spans[0]?.links.map((link) => link.context.traceId)).toEqual([TRACE_ID]);
    expect(spans[0]?.attributes['esdb_gater.recipient.count']).toBe(7);
  });

  test.each([
    ['reaches nobody', PARENT, 0],
    ['was not sampled', { traceparent: PARENT.traceparent.replace(/01$/, '00') }, 1],
    ['has no trace', {}, 1],
    ['has a hostile one', { traceparent: 'junk' }, 1],
  ])('a message that %s has no span', (_, publish, recipients) => {
    const handed: unknown[] = [];
    withDeliverySpan(delivered, publish, (carrier) => {
      handed.push(carrier);
      return recipients;
    });
    expect(handed).toHaveLength(1);
    if (recipients > 0) expect(handed).toEqual([validTraceContext(publish)]);
    expect(exporter.getFinishedSpans()).toEqual([]);
  });

  test('a log line inside a span has its ids', async () => {
    const fields = await withSpan(call, { parent: PARENT }, async () => activeTraceFields());
    const spanId = exporter.getFinishedSpans()[0]?.spanContext().spanId;
    expect(fields).toEqual({ trace_id: TRACE_ID, span_id: spanId, trace_flags: '01' });
    expect(activeTraceFields()).toEqual({});
  });
});
