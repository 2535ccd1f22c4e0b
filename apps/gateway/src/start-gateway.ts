import type { GatewayConfig } from './config/types.ts';
import { openPort } from './open-port.ts';
import {
  type ComposedGateway,
  type GatewayComponents,
  type ProcessComponents,
  runGateway,
} from './run-gateway.ts';

/** A running gateway with a port of its own. */
export interface RunningGateway extends ComposedGateway {
  /** The WebSocket URL. */
  readonly url: string;
  readonly port: number;
  /**
   * Reads the certificate and its key again, for new connections. When they are wrong, logs what is and keeps the old
   * ones. Returns false without TLS.
   */
  reloadCertificate(): boolean;
}

/**
 * Composes and starts a gateway.
 *
 * @throws `unavailable` when the data folder, a store's file or the port is in use
 */
export async function startGateway(
  config: GatewayConfig,
  components: GatewayComponents = {},
): Promise<RunningGateway> {
  return startGatewayProcess(config, components);
}

/** Starts a gateway that may be one of several processes. @throws as {@link startGateway} */
export async function startGatewayProcess(
  config: GatewayConfig,
  components: ProcessComponents,
): Promise<RunningGateway> {
  const { gateway, entrance, url } = await runGateway(config, components, (core, shared) =>
    openPort(core, shared, config),
  );
  const { port, reloadCertificate } = entrance;
  return { ...gateway, url: url(), port, reloadCertificate };
}
