import { GaterError } from '@esdb-gater/types';
import { context, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { withSpan } from './spans.ts';
import type { TraceCarrier } from './trace-context.ts';

const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';
const PARENT = { traceparent: `00-${TRACE_ID}-b7ad6b7169203331-01`, tracestate: 'a=1' };
const call = { kind: 'server', method: 'getEvents', storeId: 'default' } as const;

describe('without an SDK', () => {
  test('there is no span, and the parent is passed on', async () => {
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

  test('a call served is a SERVER span under its remote parent, and its own ids are sent on', async () => {
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
    const message: TraceCarrier = await withSpan(publish, {}, async (carrier) => carrier);
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
});
