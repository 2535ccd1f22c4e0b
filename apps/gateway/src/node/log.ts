import type { Logger } from '@esdb-gater/types';
import { pino } from 'pino';
import type { GatewayConfig } from '../config/types.ts';
import type { LogOutput } from './log-output.ts';

/** Members that never appear in a log, whoever puts them there. */
const REDACTED = ['token', 'authorization', 'secret', 'hmacSecret', 'proof', 'url.password'].flatMap(
  (name) => [name, `*.${name}`],
);

/** The log of a gateway. */
export interface GatewayLog {
  readonly logger: Logger;
  /** Logs that the gateway listens, at any level: other programs wait for this line. */
  listening(fields: { readonly url: string; readonly nodeId: string; readonly did: string }): void;
}

export interface LogComponents {
  /** Takes everything instead of `output`. */
  readonly logger?: Logger | undefined;
  readonly output: LogOutput;
  /** Gives the members that are added to each line, such as the trace id. */
  readonly fields?: (() => object) | undefined;
}

/** Creates the log: JSON lines to `output`, or everything to `logger`. */
export function createLog(config: GatewayConfig, { logger, output, fields }: LogComponents): GatewayLog {
  if (logger !== undefined) return { logger, listening: (fields) => logger.info(fields, 'listening') };
  const options = {
    base: null,
    redact: { paths: REDACTED, censor: '[redacted]' },
    // pino writes the line's own members into what it is given.
    ...(fields === undefined ? {} : { mixin: () => ({ ...fields() }) }),
  };
  const line = pino({ ...options, level: 'info' }, output);
  return {
    logger: pino({ ...options, level: config.log.level }, output),
    listening: (fields) => line.info(fields, 'listening'),
  };
}

/** Errors of whoever calls: the caller is told, and a busy one would fill the log. */
const TROUBLES: ReadonlySet<unknown> = new Set([
  'timeout',
  'unavailable',
  'overloaded',
  'no_workers',
  'retries_exhausted',
  'internal',
]);

/** `logger` for the telemetry events: of failed requests only those that are trouble of this side are warnings. */
export function telemetryLogger(logger: Logger): Logger {
  return {
    debug: (fields, message) => logger.debug(fields, message),
    info: (fields, message) => logger.info(fields, message),
    error: (fields, message) => logger.error(fields, message),
    warn(fields, message) {
      const { reason } = fields as { readonly reason?: unknown };
      if (reason === undefined || TROUBLES.has(reason)) logger.warn(fields, message);
      else logger.debug(fields, message);
    },
  };
}
