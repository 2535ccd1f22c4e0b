import { type Logger, silentLogger } from '@esdb-gater/types';
import type { EventName } from './events.ts';
import { attach, detach, type HandlerArguments } from './handlers.ts';

/** The id under which {@link attachDefaultHandler} attaches. */
export const DEFAULT_HANDLER_ID = 'esdb_gater.default';

/** The log level of each event. Events of every call are logged at `debug`. */
const LEVELS: Readonly<Record<EventName, keyof Logger>> = {
  'esdb_gater.worker.registered': 'info',
  'esdb_gater.worker.unregistered': 'info',
  'esdb_gater.worker.lookup': 'debug',
  'esdb_gater.request.start': 'debug',
  'esdb_gater.request.stop': 'debug',
  'esdb_gater.request.error': 'warn',
  'esdb_gater.retry.attempt': 'warn',
  'esdb_gater.retry.exhausted': 'error',
  'esdb_gater.cluster.node.up': 'info',
  'esdb_gater.cluster.node.down': 'warn',
  'esdb_gater.channel.broadcast': 'debug',
};

/**
 * Logs every event, with its measurements and metadata as fields and its name as the message. Attaching again replaces
 * the logger.
 *
 * @param logger @default the console, from the level info on
 */
export function attachDefaultHandler(logger: Logger = consoleLogger): void {
  detach(DEFAULT_HANDLER_ID);
  attach(DEFAULT_HANDLER_ID, log, logger);
}

function log(...[event, measurements, metadata, logger]: HandlerArguments<Logger>): void {
  const level = LEVELS[event];
  // Every call of a store has three of these.
  if (level === 'debug' && logger.debug === silentLogger.debug) return;
  logger[level]({ ...measurements, ...metadata }, event);
}

/** Only for who asks for the default handler without naming a logger; on Node it writes to standard error. */
const consoleLogger: Logger = {
  debug() {},
  info: (fields, message) => console.error(message, fields),
  warn: (fields, message) => console.error(message, fields),
  error: (fields, message) => console.error(message, fields),
};
