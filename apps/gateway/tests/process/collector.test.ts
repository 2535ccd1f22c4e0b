import { afterEach, describe, expect, test, vi } from 'vitest';
import {
  collectorUnavailable,
  type RunningCollector,
  startCollector,
} from '../../../../tools/collector/index.ts';
import { freePorts } from '../../../../tools/kafka/index.ts';
import { startGatewayProcess, temporaryFolder } from '../support/gateway-process.ts';
import { type OtlpReceiver, startOtlpReceiver } from '../support/otlp-receiver.ts';
import { rawConnect } from '../support/raw-client.ts';

const reason = collectorUnavailable();
const WAIT = { timeout: 20_000, interval: 50 };
const [INTERNAL, SERVER, CLIENT] = [1, 2, 3];

describe.skipIf(reason !== undefined)(
  `a gateway that exports to a real OpenTelemetry Collector${reason === undefined ? '' : ` (${reason})`}`,
  () => {
    const cleanUps: (() => unknown)[] = [];
    afterEach(async () => {
      for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
    });

    async function start(protocol: string) {
      const [http = 0, grpc = 0] = await freePorts(2);
      const receiver = await startOtlpReceiver();
      cleanUps.push(() => receiver.close());
      const ports = { http, grpc };
      const collector = await startCollector(ports, receiver.url);
      cleanUps.push(() => collector.stop());
      const folder = temporaryFolder();
      cleanUps.push(folder.remove);
      const gateway = await startGatewayProcess(folder.path, [], {
        OTEL_EXPORTER_OTLP_PROTOCOL: protocol,
        OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${protocol === 'grpc' ? grpc : http}`,
        OTEL_BSP_SCHEDULE_DELAY: '50',
        OTEL_METRIC_EXPORT_INTERVAL: '300',
      });
      cleanUps.push(() => gateway.kill9());
      const client = await rawConnect(gateway.url);
      cleanUps.push(() => client.close());
      return { receiver, ports, collector, gateway, client };
    }

    test.each(['http/protobuf', 'http/json', 'grpc'])(
      'its traces and metrics are understood there (%s)',
      async (protocol) => {
        const { receiver, collector, gateway, client } = await start(protocol);
        const traceId = 'a'.repeat(32);
        client.send({
          jsonrpc: '2.0',
          id: 'traced',
          method: 'appendEvents',
          params: { storeId: 'default', streamId: 's', events: [{ type: 't', data: 1 }] },
          traceparent: `00-${traceId}-${'b'.repeat(16)}-01`,
        });
        const [served, called, stored] = await vi.waitFor(() => chainOf(receiver, traceId), WAIT);
        expect(served).toMatchObject({ kind: SERVER, name: 'appendEvents', parentSpanId: 'b'.repeat(16) });
        expect(called).toMatchObject({ kind: CLIENT, attributes: { 'rpc.method': 'appendEvents' } });
        expect(stored).toMatchObject({ kind: INTERNAL, attributes: { 'db.system.name': 'sqlite' } });
        await vi.waitFor(
          () =>
            expect(receiver.points.map(({ metric }) => metric)).toEqual(
              expect.arrayContaining(['rpc.server.call.duration', 'esdb_gater.connections']),
            ),
          WAIT,
        );
        expect(receiver.resource).toMatchObject({ 'service.name': 'esdb-gater' });
        expect(complaints(collector)).toEqual([]);
        expect(await gateway.stop()).toBe(0);
      },
    );

    test('the gateway outlives the Collector, and exports to the next one', async () => {
      const { receiver, ports, collector, client } = await start('http/protobuf');
      await vi.waitFor(() => expect(receiver.points.length).toBeGreaterThan(0), WAIT);
      await collector.stop();
      expect((await client.call('getVersion', { storeId: 'default', streamId: 's' })).error).toBeUndefined();
      const next = await startCollector(ports, receiver.url);
      cleanUps.push(() => next.stop());
      const before = receiver.points.length;
      await vi.waitFor(() => expect(receiver.points.length).toBeGreaterThan(before), WAIT);
    });
  },
);

/** The spans of a trace from the one that began here, each the parent of the next. */
function chainOf({ spans }: OtlpReceiver, traceId: string) {
  const trace = spans.filter((span) => span.traceId === traceId);
  const served = trace.find(({ kind }) => kind === SERVER);
  const called = trace.find(({ parentSpanId }) => parentSpanId === served?.spanId);
  const stored = trace.find(({ parentSpanId }) => parentSpanId === called?.spanId);
  if (stored === undefined) throw new Error(`only ${trace.length} spans are here`);
  return [served, called, stored];
}

/** The complaints of the Collector about received data. */
function complaints({ log }: RunningCollector): string[] {
  return log.filter((line) => /\t(warn|error)\t/.test(line));
}
