// A gateway process of a supervisor, which starts it, tells it everything by messages, and outlives it.
import { retryUntilAborted, WatchedValue } from '@esdb-gater/primitives';
import { type DiscoveredNode, type Discovery, GaterError, systemClock } from '@esdb-gater/types';
import type { GatewayConfig } from '../config/types.ts';
import { createLogOutput, type LogOutput, unblock } from '../node/log-output.ts';
import { type RunningGateway, startGatewayProcess } from '../start-gateway.ts';
import type { ToProcess, ToSupervisor } from './process-messages.ts';

/** How long the end waits for the reader of the log. */
const FLUSH_MS = 1_000;

/** How long the start waits for the stores of the first process. */
const STORES_WITHIN_MS = 5_000;

/** How often it looks for them. */
const STORES_PAUSE_MS = 20;

process.umask(0o077);
// A terminal and a service manager signal all processes; this one is stopped by its supervisor, in order.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
process.stderr.on('error', () => undefined);
unblock(process.stdout);

const logOutput: LogOutput = createLogOutput(process.stdout, systemClock);
const peers = new WatchedValue<readonly DiscoveredNode[]>([]);
let starting: Promise<RunningGateway> | undefined;
let stopping: Promise<void> | undefined;

process.on('message', (message: ToProcess) => {
  switch (message.kind) {
    case 'start':
      void start(message);
      break;
    case 'peers':
      peers.value = message.urls.map((url) => ({ url }));
      break;
    case 'reloadCertificate':
      void starting?.then((gateway) => gateway.reloadCertificate());
      break;
    case 'stop':
      void stop();
  }
});
// The supervisor is gone.
process.on('disconnect', () => void stop());

async function start({
  number,
  config: given,
  brokerSocket,
}: Extract<ToProcess, { readonly kind: 'start' }>): Promise<void> {
  const config = withSafeNames(given);
  let peerUrl = '';
  try {
    starting = startGatewayProcess(config, {
      logOutput,
      siblings: {
        number,
        brokerSocket,
        discovery: discovery(),
        onPeerUrl: (url) => {
          peerUrl = url;
        },
      },
    });
    const gateway = await starting;
    const { url, port, nodeId, did, metricsUrl } = gateway;
    const where = { url, port, peerUrl, nodeId, did, ...(metricsUrl === undefined ? {} : { metricsUrl }) };
    tell({ kind: 'listening', ...where });
    if (number > 1) await storesServed(gateway, config);
    tell({ kind: 'ready' });
  } catch (thrown) {
    const error = GaterError.from(thrown);
    tell({ kind: 'failed', message: error.message, data: error.toData() }, () => process.exit(1));
  }
}

/** Waits a bounded time until the stores of the first process are reached. */
async function storesServed(gateway: RunningGateway, { stores }: GatewayConfig): Promise<void> {
  const storeIds = Object.keys(stores).filter((storeId) => stores[storeId]?.engine !== 'remote');
  const signal = AbortSignal.timeout(STORES_WITHIN_MS);
  const look = () => Promise.all(storeIds.map((storeId) => gateway.gater.quickHealthCheck({ storeId })));
  await retryUntilAborted(look, { clock: systemClock, signal, backoff: () => STORES_PAUSE_MS });
}

function discovery(): Discovery {
  return { watch: ({ signal }) => peers.watch(signal), close: async () => peers.close() };
}

/** Returns the settings with stores without a prototype, as their names come from outside. */
function withSafeNames(config: GatewayConfig): GatewayConfig {
  return { ...config, stores: Object.assign(Object.create(null), config.stores) };
}

function stop(): Promise<void> {
  stopping ??= (async () => {
    await starting?.then((gateway) => gateway.close()).catch(() => undefined);
    await logOutput.flush(FLUSH_MS);
    process.exit(0);
  })();
  return stopping;
}

function tell(message: ToSupervisor, then: () => void = () => undefined): void {
  if (process.connected) process.send?.(message, then);
}
