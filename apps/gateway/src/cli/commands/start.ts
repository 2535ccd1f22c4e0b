import { onAbort } from '@esdb-gater/primitives';
import { systemClock } from '@esdb-gater/types';
import { loadConfig } from '../../config/load-config.ts';
import type { GatewayConfig } from '../../config/types.ts';
import { createLog } from '../../node/log.ts';
import { createLogOutput, type LogOutput, unblock } from '../../node/log-output.ts';
import { startSupervisor } from '../../processes/supervisor.ts';
import { type RunningGateway, startGateway } from '../../start-gateway.ts';
import type { Terminal } from '../context.ts';
import { EXIT } from '../exit.ts';
import { plain } from '../output.ts';

/** A gateway that was started, in one process or in several. */
type StartedGateway = Pick<RunningGateway, 'url' | 'nodeId' | 'did' | 'reloadCertificate' | 'close'>;

export interface StartOptions {
  /** The file of `--config`. */
  readonly config?: string;
  /** Logs JSON lines also at a terminal. */
  readonly json?: boolean;
}

/** How long the end waits for the reader of the log. */
const FLUSH_MS = 1_000;

/** Runs the gateway until SIGTERM or SIGINT, then stops it gracefully. A second signal ends the process at once. */
export async function start(
  options: StartOptions,
  flags: Readonly<Record<string, string | boolean>>,
  terminal: Terminal,
): Promise<number> {
  // Keys, secrets and everybody's events: whatever the gateway writes is for its owner only.
  process.umask(0o077);
  const warn = (message: string): void => void terminal.stderr.write(`${plain(message)}\n`);
  const { config: file } = options;
  const config = loadConfig({ ...(file === undefined ? {} : { file }), env: terminal.env, flags, warn });
  const forPeople = terminal.stdout.isTTY === true && options.json !== true;
  const logOutput = await openLogOutput(terminal, forPeople);
  const gateway = await startGateways(config, logOutput);
  if (forPeople) terminal.stdout.write(welcome(gateway, config));
  const { promise: hungUp, resolve: hangUp } = Promise.withResolvers<void>();
  const onHangUp = (): void => {
    // At a terminal the signal says that the terminal has gone. Elsewhere it asks for new certificates, if there are any.
    if (terminal.stdout.isTTY === true || !gateway.reloadCertificate()) hangUp();
  };
  process.on('SIGHUP', onHangUp);
  await Promise.race([hungUp, new Promise((resolve) => onAbort(terminal.interrupted, resolve))]);
  await gateway.close();
  await logOutput.flush(FLUSH_MS);
  return EXIT.ok;
}

/** Starts the gateway of the settings, in this process or in several others. */
async function startGateways(config: GatewayConfig, logOutput: LogOutput): Promise<StartedGateway> {
  if (config.processes === 1) return startGateway(config, { logOutput });
  const clock = systemClock;
  const { logger, listening, close: closeLog } = createLog(config, { output: logOutput, clock });
  const supervisor = await startSupervisor(config, { logOutput, logger, clock });
  const { url, nodeId, did, metricsUrl } = supervisor.first;
  listening({ url, nodeId, did, ...(metricsUrl === undefined ? {} : { metricsUrl }) });
  return {
    url,
    nodeId,
    did,
    reloadCertificate: supervisor.reloadCertificate,
    async close() {
      await supervisor.close();
      logger.info({ nodeId }, 'stopped');
      closeLog();
    },
  };
}

async function openLogOutput({ stdout }: Terminal, forPeople: boolean): Promise<LogOutput> {
  unblock(stdout);
  if (!forPeople) return createLogOutput(stdout, systemClock);
  const { prettyFactory } = await import('pino-pretty');
  const pretty = prettyFactory({ colorize: true, translateTime: 'SYS:HH:MM:ss', ignore: 'pid,hostname' });
  return createLogOutput(stdout, systemClock, { format: pretty });
}

/** Describes a gateway that is ready to a person at a terminal. */
function welcome({ url, nodeId, did }: StartedGateway, config: GatewayConfig): string {
  const http = url.replace(/^ws/, 'http').replace(/\/v1\/ws$/, '');
  const stores = Object.entries(config.stores).map(([id, { engine }]) => `${id} (${engine})`);
  const { capabilities } = config.security;
  const access = {
    disabled: 'tokens are disabled: every caller may do everything',
    optional: 'no token is required on this machine; a token that is presented is enforced',
    required: 'a capability token is required; see `esdb-gater token create --help`',
  }[capabilities];
  const target = url === 'ws://127.0.0.1:4590/v1/ws' ? '' : ` --url ${url}`;
  return plainLines([
    '',
    `  esdb-gater is ready (node ${nodeId})`,
    '',
    `  WebSocket  ${url}`,
    `  HTTP       ${http}`,
    `  dashboard  ${http}/ in a browser`,
    `  stores     ${stores.length === 0 ? 'none' : stores.join(', ')}, in ${config.dataDir}`,
    ...(config.processes === 1 ? [] : [`  processes  ${config.processes}, on one port`]),
    `  channels   ${config.kafka.brokers === null ? (config.processes === 1 ? 'in this process' : 'in the first process') : `over Kafka at ${config.kafka.brokers.join(', ')}`}`,
    `  identity   ${did}`,
    `  access     ${access}`,
    '',
    '  Try in another terminal:',
    `    npm exec -- esdb-gater subscribe events '>'${target}`,
    `    npm exec -- esdb-gater append hello-1 --type greeted --data '{"text":"Hello"}'${target}`,
    '',
    '  Ctrl-C stops it.',
    '',
  ]);
}

function plainLines(lines: readonly string[]): string {
  return `${lines.map(plain).join('\n')}\n`;
}
