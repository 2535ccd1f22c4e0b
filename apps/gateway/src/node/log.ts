import { type Clock, type Logger, silentLogger } from '@esdb-gater/types';
import { pino } from 'pino';
import type { GatewayConfig } from '../config/types.ts';
import { gatherWarnings } from './gather-warnings.ts';
import type { LogOutput } from './log-output.ts';

/** Members that are always redacted. */
const REDACTED = ['token', 'authorization', 'secret', 'hmacSecret', 'proof', 'url.password'].flatMap(
  (name) => [name, `*.${name}`],
);

/** The log of a gateway. */
export interface GatewayLog {
  readonly logger: Logger;
  /** Writes the collected warnings. */
  close(): void;
  /** Logs that the gateway listens, at every log level: other programs wait for this line. */
  listening(fields: {
    readonly url: string;
    readonly nodeId: string;
    readonly did: string;
    readonly metricsUrl?: string;
  }): void;
}

export interface LogComponents {
  readonly clock: Pick<Clock, 'setTimer'>;
  /** Replaces `output`. */
  readonly logger?: Logger | undefined;
  readonly output: LogOutput;
  /** Returns the members that are added to each line, such as the trace id. */
  readonly fields?: (() => object) | undefined;
}

/** Creates the log, which writes JSON lines to `output` or passes everything to `logger`. */
export function createLog(
  config: GatewayConfig,
  { logger, output, clock, fields }: LogComponents,
): GatewayLog {
  if (logger !== undefined) {
    return { logger, listening: (fields) => logger.info(fields, 'listening'), close: () => undefined };
  }
  const options = {
    base: null,
    redact: { paths: REDACTED, censor: '[redacted]' },
    // pino adds the members of the line to the object that it gets.
    ...(fields === undefined ? {} : { mixin: () => ({ ...fields() }) }),
  };
  const line = pino({ ...options, level: 'info' }, output);
  const all = pino({ ...options, level: config.log.level }, output);
  const gathered = gatherWarnings(all, clock);
  return {
    // So that who logs a lot at this level can tell that it is discarded.
    logger: all.isLevelEnabled('debug') ? gathered.logger : { ...gathered.logger, debug: silentLogger.debug },
    close: gathered.flush,
    listening: (fields) => line.info(fields, 'listening'),
  };
}

/** Failures of the gateway or its workers. All other errors are the caller's, and would fill the log. */
const GATEWAY_FAILURES: ReadonlySet<unknown> = new Set([
  'timeout',
  'unavailable',
  'overloaded',
  'no_workers',
  'retries_exhausted',
  'internal',
]);

/** Wraps `logger` for telemetry events: a failed request is a warning only when the gateway is at fault. */
export function telemetryLogger(logger: Logger): Logger {
  return {
    debug:
      logger.debug === silentLogger.debug
        ? silentLogger.debug
        : (fields, message) => logger.debug(fields, message),
    info: (fields, message) => logger.info(fields, message),
    error: (fields, message) => logger.error(fields, message),
    warn(fields, message) {
      const { reason } = fields as { readonly reason?: unknown };
      if (reason === undefined || GATEWAY_FAILURES.has(reason)) logger.warn(fields, message);
      else logger.debug(fields, message);
    },
  };
}
