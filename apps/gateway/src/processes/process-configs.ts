import { randomBytes } from 'node:crypto';
import { join, resolve } from 'node:path';
import { deepFreeze } from '../config/load-config.ts';
import type { GatewayConfig } from '../config/types.ts';
import { keptSecret, nodeIdOf, openDataDir } from '../node/data-dir.ts';
import { localSocketPath } from '../node/folder-lock.ts';
import { loadIdentity } from '../node/identity-file.ts';

/** What the processes of a gateway have in common. */
export interface ProcessConfigs {
  /** The local socket of the broker. */
  readonly brokerSocket: string;
  /** Returns the settings of a process, from 1. `port` is the one that they share. */
  of(number: number, port: number): GatewayConfig;
}

/**
 * Creates the settings of several gateway processes on one port: nodes of a cluster of their own, which share identity
 * and secret. Creates in the data folder what does not exist yet.
 *
 * @throws `unavailable` when another gateway holds the data folder or it cannot be used; as `loadIdentity`
 */
export async function createProcessConfigs(config: GatewayConfig): Promise<ProcessConfigs> {
  const dataDir = await openDataDir(config.dataDir);
  try {
    const nodeId = await nodeIdOf(dataDir, config.nodeId);
    const identityFile = resolve(config.security.identityFile ?? dataDir.file('identity.json'));
    await loadIdentity(identityFile);
    const security = {
      ...config.security,
      identityFile,
      hmacSecret: config.security.hmacSecret ?? (await keptSecret(dataDir)),
    };
    const cluster = {
      ...config.cluster,
      discovery: 'static' as const,
      peers: [],
      secret: randomBytes(32).toString('base64url'),
    };
    const { path } = dataDir;
    const { host: metricsHost, port: firstMetricsPort } = config.metrics;
    // The first process stops after the others.
    const shutdown = { graceMs: Math.floor(config.shutdown.graceMs / 2) };
    return {
      brokerSocket: localSocketPath(path, 'broker.sock'),
      of: (number, port) =>
        deepFreeze({
          ...config,
          port,
          nodeId: number === 1 ? nodeId : `${nodeId}-${number}`,
          dataDir: number === 1 ? path : join(path, 'processes', String(number)),
          security,
          cluster,
          shutdown,
          metrics: {
            host: metricsHost,
            // Port 0 is any free one for each process.
            port:
              firstMetricsPort === null || firstMetricsPort === 0
                ? firstMetricsPort
                : firstMetricsPort + number - 1,
          },
        }),
    };
  } finally {
    await dataDir.release();
  }
}
