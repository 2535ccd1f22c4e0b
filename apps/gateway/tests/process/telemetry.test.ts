import { connect, type RemoteGater, serveWorker } from '@esdb-gater/client';
import { createMemoryStore, createStoreWorker } from '@esdb-gater/event-store';
import { context, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import {
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { type GatewayProcess, startGatewayProcess, temporaryFolder } from '../support/gateway-process.ts';
import { type OtlpReceiver, type ReceivedSpan, startOtlpReceiver } from '../support/otlp-receiver.ts';
import { type RawClient, rawConnect } from '../support/raw-client.ts';

const [INTERNAL, SERVER, CLIENT, PRODUCER, CONSUMER] = [1, 2, 3, 4, 5];

const cleanUps: (() => unknown)[] = [];
async function cleanUp(): Promise<void> {
  for (const step of cleanUps.splice(0).reverse()) await step();
}

async function start(env: Readonly<Record<string, string>>, flags: string[] = []): Promise<GatewayProcess> {
  const folder = temporaryFolder();
  cleanUps.push(folder.remove);
  const gateway = await startGatewayProcess(folder.path, flags, env);
  cleanUps.push(() => gateway.kill9());
  return gateway;
}

/** Exports at once, so that tests do not wait for a timer. */
const QUICK = {
  OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
  OTEL_BSP_SCHEDULE_DELAY: '50',
  OTEL_METRIC_EXPORT_INTERVAL: '300',
};

describe('a gateway and a client that export to a collector', () => {
  const own = new InMemorySpanExporter();
  let receiver: OtlpReceiver;
  let gateway: GatewayProcess;
  let client: RemoteGater;
  let raw: RawClient;

  beforeAll(async () => {
    receiver = await startOtlpReceiver();
    cleanUps.push(() => receiver.close());
    gateway = await start({ ...QUICK, OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url }, ['--log-level', 'debug']);
    // The client's own spans, as a program has them that uses the SDK; only the calls of a test are traced.
    client = await connect(gateway.url);
    cleanUps.push(() => client.close());
    raw = await rawConnect(gateway.url);
    cleanUps.push(() => raw.close());
  });
  afterAll(cleanUp);

  beforeEach(() => {
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
    trace.setGlobalTracerProvider(
      new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter: own })] }),
    );
  });
  afterEach(() => {
    own.reset();
    trace.disable();
    context.disable();
  });

  /** The only finished span of this process with the name. */
  function ownSpan(name: string): ReadableSpan {
    const [span, ...others] = own.getFinishedSpans().filter((one) => one.name === name);
    if (span === undefined || others.length > 0) throw new Error(`not one span ${name}`);
    return span;
  }

  /** The span that the collector has, or will have. */
  function received(matches: (span: ReceivedSpan) => boolean): Promise<ReceivedSpan> {
    return vi.waitFor(
      () => {
        const found = receiver.spans.find(matches);
        if (found === undefined) throw new Error(`not among ${receiver.spans.map(({ name }) => name)}`);
        return found;
      },
      { timeout: 10_000 },
    );
  }

  const child = (kind: number, parent: { traceId: string; spanId: string }) => (span: ReceivedSpan) =>
    span.kind === kind && span.traceId === parent.traceId && span.parentSpanId === parent.spanId;

  test('one trace leads from the client through the gateway and the worker to the store', async () => {
    const stream = { storeId: 'default', streamId: 'private-stream' };
    await client.appendEvents({ ...stream, events: [{ type: 't', data: 'private-data' }] });
    const made = ownSpan('appendEvents').spanContext();
    const served = await received(child(SERVER, made));
    const called = await received(child(CLIENT, served));
    const stored = await received(child(INTERNAL, called));
    expect(served).toMatchObject({ name: 'appendEvents', attributes: { 'esdb_gater.store.id': 'default' } });
    expect(called).toMatchObject({ name: 'appendEvents', attributes: { 'rpc.method': 'appendEvents' } });
    expect(stored).toMatchObject({
      name: 'appendEvents default',
      attributes: { 'db.system.name': 'sqlite', 'db.namespace': 'default' },
    });
  });

  test('a trace of a call stands beside its duration in /metrics as OpenMetrics', async () => {
    const stream = { storeId: 'default', streamId: 'measured' };
    await client.appendEvents({ ...stream, events: [{ type: 't', data: 1 }] });
    const { traceId } = ownSpan('appendEvents').spanContext();
    const served = await received((span) => span.traceId === traceId && span.kind === SERVER);
    const answer = await fetch(new URL('/metrics', gateway.url.replace('ws', 'http')), {
      headers: { accept: 'application/openmetrics-text;version=1.0.0;q=0.6,text/plain;q=0.4' },
    });
    expect(answer.headers.get('content-type')).toMatch(/^application\/openmetrics-text; version=1.0.0/);
    const exemplars = (await answer.text())
      .split('\n')
      .filter((line) => line.includes(`# {trace_id="${traceId}",span_id="`));
    expect(exemplars.map((line) => line.slice(0, line.indexOf('{'))).sort()).toEqual([
      'esdb_gater_request_duration_seconds_bucket',
      'esdb_gater_worker_lookup_duration_seconds_bucket',
      'rpc_server_call_duration_seconds_bucket',
    ]);
    // The span that was active when the duration was measured: the served call's, or one within it.
    const spanIds = exemplars.map((line) => /span_id="([0-9a-f]{16})"/.exec(line)?.[1]);
    for (const spanId of spanIds) {
      const found = await received((span) => span.spanId === spanId);
      expect(found.traceId).toBe(served.traceId);
    }
  });

  test('a worker in another process gets the trace, and continues it', async () => {
    const store = createMemoryStore({ storeId: 'elsewhere' });
    const seen: unknown[] = [];
    const worker = createStoreWorker(store, { nodeId: 'here' });
    await using _served = await serveWorker(client.connection, {
      ...worker,
      call(method, params, callContext) {
        if (method === 'getVersion') seen.push(callContext?.traceparent);
        return worker.call(method, params, callContext);
      },
    });
    await raw.call('getVersion', { storeId: 'elsewhere', streamId: 's' });
    const atWorker = ownSpan('getVersion');
    const { traceId, spanId } = atWorker.spanContext();
    expect(seen).toEqual([`00-${traceId}-${spanId}-01`]);
    const called = await received((span) => span.spanId === atWorker.parentSpanContext?.spanId);
    expect(called).toMatchObject({ traceId, kind: CLIENT, name: 'getVersion' });
    const served = await received((span) => span.spanId === called.parentSpanId);
    expect(served).toMatchObject({ traceId, kind: SERVER, name: 'getVersion', parentSpanId: '' });
  });

  test('the feed publishes an event in the trace of its append', async () => {
    const stream = { storeId: 'default', streamId: 'fed' };
    await using fed = await client.subscribe({ channel: 'events', topic: 'default.fed.*' });
    await client.appendEvents({ ...stream, events: [{ type: 't', data: 1 }] });
    const served = await received(child(SERVER, ownSpan('appendEvents').spanContext()));
    const stored = await received(child(INTERNAL, await received(child(CLIENT, served))));
    const sent = await received(child(PRODUCER, stored));
    const delivered = await received(child(CONSUMER, sent));
    expect([sent.name, delivered.name]).toEqual(['publish events', 'process events']);
    for await (const { message, traceparent } of fed) {
      expect(message).toMatchObject({ streamId: 'fed' });
      expect(traceparent).toBe(`00-${delivered.traceId}-${delivered.spanId}-01`);
      break;
    }
  });

  test('an event that no trace has appended is fed without a span', async () => {
    const traceparent = `00-${'7'.repeat(32)}-${'8'.repeat(16)}-00`;
    await using fed = await client.subscribe({ channel: 'events', topic: 'default.unsampled.*' });
    const before = receiver.spans.filter(({ name }) => name.endsWith(' events')).length;
    const params = { storeId: 'default', streamId: 'unsampled', events: [{ type: 't', data: 1 }] };
    raw.send({ jsonrpc: '2.0', id: 'unsampled', method: 'appendEvents', params, traceparent });
    for await (const message of fed) {
      expect(message).not.toHaveProperty('traceparent');
      break;
    }
    // All spans so far are exported with later ones.
    await client.publish({ channel: 'system', topic: 'later', message: 1 });
    await received(child(SERVER, ownSpan('publish').spanContext()));
    expect(receiver.spans.filter(({ name }) => name.endsWith(' events'))).toHaveLength(before);
  });

  test('a publish is a PRODUCER span, its delivery to all one CONSUMER span below it', async () => {
    const topic = 'private.topic';
    await raw.call('subscribe', { channel: 'system', topic });
    await raw.call('subscribe', { channel: 'system', topic: 'private.*' });
    await using messages = await client.subscribe({ channel: 'system', topic });
    const { id } = await client.publish({ channel: 'system', topic, message: 'private-message' });
    for await (const message of messages) {
      expect(message.id).toBe(id);
      break;
    }
    const served = await received(child(SERVER, ownSpan('publish').spanContext()));
    const sent = await received(child(PRODUCER, served));
    expect(sent).toMatchObject({ name: 'publish system', attributes: { 'messaging.message.id': id } });
    const delivered = await received(child(CONSUMER, sent));
    expect(delivered).toMatchObject({
      name: 'process system',
      links: [{ traceId: sent.traceId, spanId: sent.spanId }],
      attributes: { 'messaging.message.id': id, 'esdb_gater.recipient.count': 2 },
    });
    expect(receiver.spans.filter(child(CONSUMER, sent))).toHaveLength(1);
  });

  test('an HTTP request has its trace in its headers', async () => {
    const traceId = 'c'.repeat(32);
    await fetch(`${gateway.http}/v1/stores/default/streams/none/events`, {
      headers: { traceparent: `00-${traceId}-${'d'.repeat(16)}-01` },
    });
    const served = await received(child(SERVER, { traceId, spanId: 'd'.repeat(16) }));
    expect(served).toMatchObject({
      name: 'getEvents',
      attributes: { 'error.type': 'stream_not_found' },
      status: { code: 2, message: 'stream_not_found' },
    });
  });

  test.each([
    ['all zero', `00-${'0'.repeat(32)}-${'b'.repeat(16)}-01`],
    ['of the forbidden version', `ff-${'a'.repeat(32)}-${'b'.repeat(16)}-01`],
    ['a line of its own', `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01\r\nx: y`],
    ['no text', { toString: 'a' }],
  ])('a hostile traceparent, %s, begins a new trace', async (what, traceparent) => {
    const storeId = `hostile-${what.replaceAll(' ', '-')}`;
    const params = { storeId, streamId: 's' };
    raw.send({ jsonrpc: '2.0', id: what, method: 'getVersion', params, traceparent, tracestate: 'v=1' });
    const served = await received(
      ({ kind, attributes }) => kind === SERVER && attributes['esdb_gater.store.id'] === storeId,
    );
    expect(served.parentSpanId).toBe('');
    expect(['0'.repeat(32), 'a'.repeat(32)]).not.toContain(served.traceId);
  });

  test('the name of an unknown method is not used as the name of a span', async () => {
    await raw.call('private-method', { storeId: 'x'.repeat(100) });
    const served = await received(({ name }) => name === '_OTHER');
    expect(served.attributes).toEqual({
      'rpc.system.name': 'jsonrpc',
      'rpc.method': '_OTHER',
      'error.type': 'not_supported',
    });
  });

  test('metrics of events, channels, stores, queues and the event loop arrive, and name this node', async () => {
    const names = () => new Set(receiver.points.map(({ metric }) => metric));
    await vi.waitFor(
      () =>
        expect([...names()]).toEqual(
          expect.arrayContaining([
            'rpc.server.call.duration',
            'esdb_gater.workers',
            'esdb_gater.worker.registrations',
            'esdb_gater.worker.lookup.duration',
            'esdb_gater.requests',
            'esdb_gater.broadcasts',
            'esdb_gater.deliveries',
            'esdb_gater.connections',
            'esdb_gater.send_queue',
            'esdb_gater.channel.subscribers',
            'esdb_gater.channel.dropped',
            'esdb_gater.event_loop.delay',
            'esdb_gater.broker.up',
          ]),
        ),
      { timeout: 10_000 },
    );
    const { nodeId } = raw.hello as { readonly nodeId: string };
    expect(receiver.resource).toMatchObject({ 'service.name': 'esdb-gater', 'service.instance.id': nodeId });
  });

  test('log lines of a call have the ids of its trace', async () => {
    const traceId = 'e'.repeat(32);
    const traceparent = `00-${traceId}-${'f'.repeat(16)}-01`;
    const params = { storeId: 'default', streamId: 's' };
    raw.send({ jsonrpc: '2.0', id: 'logged', method: 'getVersion', params, traceparent });
    const served = await received(child(SERVER, { traceId, spanId: 'f'.repeat(16) }));
    const lines = gateway.log.filter((line) => line.includes(traceId)).map((line) => JSON.parse(line));
    expect(lines).toContainEqual(
      expect.objectContaining({
        msg: 'esdb_gater.request.stop',
        trace_id: traceId,
        span_id: served.spanId,
        trace_flags: '01',
      }),
    );
  });

  test('no token, topic, stream or content is ever exported', async () => {
    const token = 'secret-token-1234567890';
    await raw.call('getVersion', { storeId: 'default', streamId: 'private-stream', token });
    await raw.call('authenticate', { token });
    await fetch(`${gateway.http}/v1/channels`, { headers: { authorization: `Bearer ${token}` } });
    await received(({ name }) => name === 'authenticate');
    const everything = receiver.bodies.map(({ bytes }) => bytes.toString()).join('\n');
    expect(everything).toContain('authenticate');
    expect(everything).not.toContain('secret-token');
    expect(everything).not.toContain('private');
  });
});

describe('OTEL_* variables', () => {
  afterEach(cleanUp);

  test('a graceful stop exports the pending data, by default as protobuf', async () => {
    const receiver = await startOtlpReceiver();
    cleanUps.push(() => receiver.close());
    const gateway = await start({
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
      OTEL_BSP_SCHEDULE_DELAY: '600000',
      OTEL_METRIC_EXPORT_INTERVAL: '600000',
      OTEL_SERVICE_NAME: 'another-name',
    });
    await fetch(`${gateway.http}/v1/channels`);
    expect(receiver.bodies).toEqual([]);
    expect(await gateway.stop()).toBe(0);
    for (const path of ['/v1/traces', '/v1/metrics']) {
      const body = receiver.bodies.find((one) => one.path === path);
      expect(body?.type).toBe('application/x-protobuf');
      expect(body?.bytes.toString('latin1')).toContain('another-name');
    }
  });

  test('an unreachable collector neither stops the gateway nor delays its stop', async () => {
    const gateway = await start({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' });
    expect((await fetch(`${gateway.http}/v1/channels`)).status).toBe(200);
    expect(await gateway.stop()).toBe(0);
    expect(gateway.log.some((line) => line.includes('"msg":"stopped"'))).toBe(true);
    expect(gateway.log.filter((line) => line.includes('grace period ended'))).toEqual([]);
  });

  test.each([
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'no url at all' }],
    [{ OTEL_TRACES_EXPORTER: 'pigeon', OTEL_METRICS_EXPORTER: 'pigeon', OTEL_LOG_LEVEL: 'LOUD' }],
    [
      {
        OTEL_METRICS_EXPORTER: 'otlp',
        OTEL_EXPORTER_OTLP_PROTOCOL: 'smoke',
        OTEL_METRIC_EXPORT_INTERVAL: '-1',
        OTEL_TRACES_SAMPLER: 'dice',
        OTEL_BSP_MAX_QUEUE_SIZE: 'x',
        OTEL_RESOURCE_ATTRIBUTES: '%%%=,=',
      },
    ],
    [{ OTEL_CONFIG_FILE: '/nowhere/otel.yaml' }],
  ])('a wrong value does not stop the gateway: %o', async (env) => {
    const gateway = await start(env);
    expect((await fetch(`${gateway.http}/v1/channels`)).status).toBe(200);
    // Whatever the SDK logs, standard output contains only JSON lines.
    expect(await gateway.stop()).toBe(0);
  });
});
