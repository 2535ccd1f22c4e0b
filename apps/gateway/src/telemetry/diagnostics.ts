import type { Logger } from '@esdb-gater/types';
import { type DiagLogger, DiagLogLevel } from '@opentelemetry/api';

/** Levels of `OTEL_LOG_LEVEL`. */
const LEVELS: ReadonlyMap<string, DiagLogLevel> = new Map([
  ['NONE', DiagLogLevel.NONE],
  ['ERROR', DiagLogLevel.ERROR],
  ['WARN', DiagLogLevel.WARN],
  ['INFO', DiagLogLevel.INFO],
  ['DEBUG', DiagLogLevel.DEBUG],
  ['VERBOSE', DiagLogLevel.VERBOSE],
  ['ALL', DiagLogLevel.ALL],
]);

/**
 * Writes the messages of the OpenTelemetry SDK, such as that a collector cannot be reached, to the log of the gateway.
 */
export function diagnosticLogger(logger: Logger): DiagLogger {
  const to =
    (level: keyof Logger) =>
    (message: string, ...details: unknown[]): void =>
      logger[level](
        details.length === 0 ? {} : { details: details.map(String) },
        `OpenTelemetry: ${message}`,
      );
  // Errors of the SDK are logged as warnings, since the gateway works without it.
  return { error: to('warn'), warn: to('warn'), info: to('info'), debug: to('debug'), verbose: to('debug') };
}

/** The level of `OTEL_LOG_LEVEL`. @default warnings */
export function diagnosticLevel(name: string | undefined): DiagLogLevel {
  return LEVELS.get(name?.trim().toUpperCase() ?? '') ?? DiagLogLevel.WARN;
}
