import { activeTraceFields, attachOpenTelemetry, isTracing, type LabelValues } from '@esdb-gater/telemetry';
import { type Clock, GaterError, type Logger } from '@esdb-gater/types';
import { context, diag, metrics, propagation, trace } from '@opentelemetry/api';
import { createShutdownDeadline } from '../node/shutdown-deadline.ts';
import { diagnosticLevel, diagnosticLogger } from './diagnostics.ts';
import {
  asksForOpenTelemetry,
  choosesDetectors,
  type Environment,
  type NodeNames,
  resourceAttributes,
} from './environment.ts';

/** The part of `@opentelemetry/sdk-node` that is used. */
export interface OpenTelemetrySdk {
  startNodeSdk(options: {
    readonly resourceAttributes: Readonly<Record<string, string | number>>;
    readonly resourceDetectors?: [];
    readonly logLevel: string;
  }): { shutdown(): Promise<void> };
}

export interface OpenTelemetryComponents {
  readonly env: Environment;
  readonly clock: Clock;
  /** The closed sets of label values, shared with `/metrics`. */
  readonly labels: LabelValues;
  /** @default imports `@opentelemetry/sdk-node` */
  readonly load?: () => Promise<OpenTelemetrySdk>;
}

/** The export of traces and metrics, as the `OTEL_*` variables have it. */
export interface OpenTelemetry {
  /** Members of each log line: the ids of the active span. Undefined when the export is off. */
  readonly logFields: (() => object) | undefined;
  /**
   * Loads and starts the SDK, when it is asked for. Never throws: errors are logged, and the gateway continues without
   * it.
   */
  start(node: NodeNames, logger: Logger): Promise<void>;
  /** Exports the pending data, for at most 3 s, and stops. */
  stop(): Promise<void>;
}

/** A collector that does not answer must not use up the whole grace of a stop. */
const FLUSH_MS = 3_000;

/** What a program or an image installs beside the gateway: 39 MB that most gateways do not need. */
const SDK = '@opentelemetry/sdk-node@^0.301.0';

const ATTACHMENT = 'esdb_gater.gateway.open_telemetry';

const OFF: OpenTelemetry = Object.freeze({
  logFields: undefined,
  start: () => Promise.resolve(),
  stop: () => Promise.resolve(),
});

/** When it is off, the SDK is not loaded. */
export function createOpenTelemetry(components: OpenTelemetryComponents): OpenTelemetry {
  const { env, clock, labels, load = loadSdk } = components;
  if (!asksForOpenTelemetry(env)) return OFF;
  let stop: (() => Promise<void>) | undefined;
  let log: Logger | undefined;
  return {
    logFields: activeTraceFields,
    async start(node, logger) {
      // The embedding program has registered its own, or another gateway of this process was first.
      if (isTracing()) return;
      log = logger;
      try {
        const { startNodeSdk } = await load().catch(explainMissing);
        // Until the SDK runs, its messages go to the console: only warnings, which are not written to standard output.
        const sdk = startNodeSdk({
          resourceAttributes: resourceAttributes(env, node),
          ...(choosesDetectors(env) ? {} : { resourceDetectors: [] }),
          logLevel: 'warn',
        });
        diag.setLogger(diagnosticLogger(logger), {
          logLevel: diagnosticLevel(env['OTEL_LOG_LEVEL']),
          suppressOverrideMessage: true,
        });
        const detach = attachOpenTelemetry({ id: ATTACHMENT, labels });
        stop = async () => {
          detach();
          await sdk.shutdown();
        };
      } catch (error) {
        logger.warn({ err: error }, 'cannot start OpenTelemetry; the gateway continues without it');
      }
    },
    async stop() {
      if (stop === undefined) return;
      const flushing = stop().catch((error: unknown) =>
        log?.warn({ err: error }, 'cannot export the remaining OpenTelemetry data'),
      );
      stop = undefined;
      if (!(await createShutdownDeadline(clock, FLUSH_MS).within(flushing))) {
        log?.warn({}, 'OpenTelemetry did not export its remaining data in time');
      }
      for (const api of [trace, metrics, context, propagation, diag]) api.disable();
    },
  };
}

async function loadSdk(): Promise<OpenTelemetrySdk> {
  return import('@opentelemetry/sdk-node');
}

/** @throws `not_supported` with the command that installs the SDK, when it is missing; any other error as it is */
function explainMissing(error: unknown): never {
  if ((error as { readonly code?: unknown } | undefined)?.code !== 'ERR_MODULE_NOT_FOUND') throw error;
  throw new GaterError('not_supported', `the OpenTelemetry export needs a package: npm install "${SDK}"`, {
    cause: error,
  });
}
