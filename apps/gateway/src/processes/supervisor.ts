import { createServer } from 'node:net';
import { sleep } from '@esdb-gater/primitives';
import { calculateDelay } from '@esdb-gater/retry';
import { type Clock, GaterError, type Logger } from '@esdb-gater/types';
import type { GatewayConfig } from '../config/types.ts';
import type { LogOutput } from '../node/log-output.ts';
import { type GatewayProcess, startGatewayProcess } from './gateway-process.ts';
import { createProcessConfigs, type ProcessConfigs } from './process-configs.ts';
import type { ListeningProcess } from './process-messages.ts';

export interface SupervisorComponents {
  /** Receives the log lines of the processes. */
  readonly logOutput: LogOutput;
  readonly logger: Logger;
  readonly clock: Clock;
}

/** Several gateway processes on one port. */
export interface Supervisor {
  /** The first process. */
  readonly first: ListeningProcess;
  /** Lets all processes read the certificate again. Returns false without TLS. */
  reloadCertificate(): boolean;
  /** Stops all processes gracefully, the first one last. Resolves within `shutdown.graceMs` and a moment. */
  close(): Promise<void>;
}

/** How soon a process that ended is started again. */
const RESTART = { baseDelayMs: 100, maxDelayMs: 10_000 };

/** A process that ran for so long has not failed to start. */
const STABLE_MS = 60_000;

/** What a process may take longer than its graceful stop before it is killed. */
const KILL_AFTER_MS = 250;

/**
 * Starts `config.processes` gateway processes, and starts each again when it ends.
 *
 * @throws the error of the first process that cannot start, after all others were stopped
 */
export async function startSupervisor(
  config: GatewayConfig,
  components: SupervisorComponents,
): Promise<Supervisor> {
  await demandFreePort(config);
  const group = new ProcessGroup(config, await createProcessConfigs(config), components);
  try {
    return await group.start();
  } catch (error) {
    await group.close();
    throw error;
  }
}

class ProcessGroup {
  readonly #config: GatewayConfig;
  readonly #configs: ProcessConfigs;
  readonly #components: SupervisorComponents;
  readonly #processes = new Map<number, GatewayProcess>();
  readonly #stopping = new AbortController();
  /** The port that the first process was given. */
  #port: number;
  #closed: Promise<void> | undefined;
  readonly #killAll = (): void => {
    for (const gateway of this.#processes.values()) gateway.kill();
  };

  constructor(config: GatewayConfig, configs: ProcessConfigs, components: SupervisorComponents) {
    this.#config = config;
    this.#configs = configs;
    this.#components = components;
    this.#port = config.port;
    process.on('exit', this.#killAll);
  }

  async start(): Promise<Supervisor> {
    const gateway = this.#launch(1);
    await gateway.ready;
    const first = gateway.listening;
    if (first === undefined)
      throw new GaterError('internal', 'the first process did not say where it listens');
    this.#port = first.port;
    const numbers = Array.from({ length: this.#config.processes - 1 }, (_, index) => index + 2);
    await Promise.all(numbers.map((number) => this.#launch(number).ready));
    for (const launched of this.#processes.values()) void this.#keep(launched);
    return {
      first,
      reloadCertificate: () => {
        if (this.#config.tls.certFile === null) return false;
        for (const running of this.#processes.values()) running.send({ kind: 'reloadCertificate' });
        return true;
      },
      close: () => this.close(),
    };
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#stopping.abort();
    const timeoutMs = this.#config.shutdown.graceMs / 2 + KILL_AFTER_MS;
    const others = [...this.#processes.values()].filter(({ number }) => number !== 1);
    // The stores and the broker go last: the others need them until their last call is answered.
    await Promise.all(others.map((gateway) => gateway.stop(timeoutMs)));
    await this.#processes.get(1)?.stop(timeoutMs);
    process.off('exit', this.#killAll);
  }

  #launch(number: number): GatewayProcess {
    const { logOutput, logger, clock } = this.#components;
    const gateway = startGatewayProcess({
      start: {
        kind: 'start',
        number,
        config: this.#configs.of(number, this.#port),
        brokerSocket: this.#configs.brokerSocket,
      },
      onLog: (line) => logOutput.write(`${line}\n`),
      onListening: () => this.#tellPeers(),
      clock,
    });
    this.#processes.set(number, gateway);
    logger.info({ process: number, pid: gateway.pid }, 'started a gateway process');
    return gateway;
  }

  /** Tells every process where the others are. */
  #tellPeers(): void {
    const processes = [...this.#processes.values()];
    for (const gateway of processes) {
      const urls = processes.flatMap((other) =>
        other === gateway || other.listening === undefined ? [] : [other.listening.peerUrl],
      );
      gateway.send({ kind: 'peers', urls });
    }
  }

  /** Starts a process again whenever it ends. */
  async #keep(first: GatewayProcess): Promise<void> {
    const { clock, logger } = this.#components;
    const { signal: stopping } = this.#stopping;
    let gateway = first;
    for (let failures = 0; ; failures += 1) {
      const startedAt = clock.monotonic();
      gateway.ready.catch((error: unknown) => {
        if (!stopping.aborted)
          logger.error({ err: error, process: gateway.number }, 'a gateway process failed to start');
      });
      const { code, signal } = await gateway.ended;
      if (stopping.aborted) return;
      if (clock.monotonic() - startedAt > STABLE_MS) failures = 0;
      const delayMs = Math.round(calculateDelay(failures, RESTART));
      logger.warn(
        { process: gateway.number, code, signal, delayMs },
        'a gateway process ended; it is started again',
      );
      await sleep(delayMs, clock, stopping).catch(() => undefined);
      if (stopping.aborted) return;
      gateway = this.#launch(gateway.number);
    }
  }
}

/**
 * Fails when the port is in use: another gateway with several processes would otherwise share it.
 *
 * @throws `unavailable`
 */
async function demandFreePort({ host, port }: GatewayConfig): Promise<void> {
  if (port === 0) return;
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const what = error.code === 'EADDRINUSE' ? 'is in use' : `cannot be bound (${error.code})`;
      reject(new GaterError('unavailable', `port: ${host}:${port} ${what}`, { cause: error }));
    });
    server.listen({ host, port }, () => server.close(() => resolve()));
  });
}
