import type { Logger } from '@esdb-gater/types';
import { type DestinationStream, destination, pino } from 'pino';
import type { GatewayConfig } from '../config/types.ts';

const STDOUT = 1;

/** Members that never appear in a log, whoever puts them there. */
const REDACTED = ['token', 'authorization', 'secret', 'hmacSecret', 'proof', 'url.password'].flatMap(
  (name) => [name, `*.${name}`],
);

/** What a gateway tells. */
export interface GatewayLog {
  readonly logger: Logger;
  /** Says that the gateway listens, whatever the level is: others wait for this line. */
  listening(fields: { readonly url: string; readonly nodeId: string; readonly did: string }): void;
}

/**
 * JSON lines on standard output, or everything to `logger`.
 *
 * @param fields members of each line, asked for at each one
 */
export function createLog(config: GatewayConfig, logger?: Logger, fields?: () => object): GatewayLog {
  if (logger !== undefined) return { logger, listening: (fields) => logger.info(fields, 'listening') };
  const stream: DestinationStream = destination({ fd: STDOUT, sync: true });
  const options = {
    base: null,
    redact: { paths: REDACTED, censor: '[redacted]' },
    // pino writes the line's own members into what it is given.
    ...(fields === undefined ? {} : { mixin: () => ({ ...fields() }) }),
  };
  const line = pino({ ...options, level: 'info' }, stream);
  return {
    logger: pino({ ...options, level: config.log.level }, stream),
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
