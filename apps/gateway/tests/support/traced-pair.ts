import { connect } from '@esdb-gater/client';
import { GaterError } from '@esdb-gater/types';
import { type GatewayProcess, startGatewayProcess, temporaryFolder } from './gateway-process.ts';
import { startOtlpReceiver } from './otlp-receiver.ts';
import { receivedSpans, TRACED_STORE, type TraceSpan } from './traced-call.ts';

/** Two gateways of a cluster, each of which exports its spans. */
export interface TracedPair {
  /** The node that clients connect to. It does not have the store. */
  readonly near: GatewayProcess;
  /** The node that has the store `orders`. */
  readonly far: GatewayProcess;
  readonly topicPrefix: string;
  /** All spans that the nodes have exported so far. */
  spans(): TraceSpan[];
  close(): Promise<void>;
}

const READY_MS = 30_000;

/** @param kafka the brokers; without them each node has a broker of its own */
export async function startTracedPair(kafka?: string): Promise<TracedPair> {
  const topicPrefix = `trace${process.pid}_${Date.now().toString(36)}_`;
  const folders = [temporaryFolder(), temporaryFolder()];
  const receivers = [await startOtlpReceiver(), await startOtlpReceiver()] as const;
  const gateways: GatewayProcess[] = [];
  const start = async (index: 0 | 1, nodeId: string, flags: Readonly<Record<string, string>>) => {
    const all = {
      'node-id': nodeId,
      'cluster-discovery': 'static',
      'cluster-secret': 'the secret of the traced cluster',
      'security-hmac-secret': 'the secret of the messages',
      ...(kafka === undefined ? {} : { 'kafka-brokers': kafka, 'kafka-topic-prefix': topicPrefix }),
      ...flags,
    };
    const gateway = await startGatewayProcess(
      folders[index]?.path ?? '',
      Object.entries(all).flatMap(([flag, value]) => [`--${flag}`, value]),
      {
        OTEL_EXPORTER_OTLP_ENDPOINT: receivers[index].url,
        OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
        OTEL_BSP_SCHEDULE_DELAY: '50',
        OTEL_METRICS_EXPORTER: 'none',
      },
    );
    gateways.push(gateway);
    return gateway;
  };
  const far = await start(1, 'far', { stores: JSON.stringify({ [TRACED_STORE]: { engine: 'sqlite' } }) });
  const near = await start(0, 'near', { stores: '{}', 'cluster-peers': far.url });
  await seesStore(near);
  return {
    near,
    far,
    topicPrefix,
    spans: () => [...receivedSpans('near', receivers[0]), ...receivedSpans('far', receivers[1])],
    async close() {
      await Promise.all(gateways.map((gateway) => gateway.kill9()));
      await Promise.all(receivers.map((receiver) => receiver.close()));
      for (const folder of folders) folder.remove();
    },
  };
}

/** Resolves once the node knows the worker of the other one. */
async function seesStore({ url }: GatewayProcess): Promise<void> {
  await using client = await connect(url);
  const end = Date.now() + READY_MS;
  for (;;) {
    try {
      await client.quickHealthCheck({ storeId: TRACED_STORE });
      return;
    } catch (error) {
      if (!GaterError.is(error) || Date.now() > end) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}
