import { join, resolve } from 'node:path';
import { createStoreWorker } from '@esdb-gater/event-store';
import { finishesWithin } from '@esdb-gater/primitives';
import { type EventStore, GaterError, isName, isStoreId, systemClock } from '@esdb-gater/types';
import type { StoreConfig } from '../../config/types.ts';
import { openStore } from '../../stores/open-store.ts';
import {
  type CommonOptions,
  gatewayUrl,
  gatewayUrlOf,
  outputOf,
  type Terminal,
  tokenOption,
  trustAuthority,
} from '../context.ts';
import { EXIT, UsageError } from '../exit.ts';
import { readIdentity, readTextFile } from '../files.ts';
import { jsonLine, plain } from '../output.ts';
import { terminalLogger } from '../terminal-logger.ts';
import { countCalls } from '../worker/count-calls.ts';
import { type ServeGatewayOptions, serveGateway } from '../worker/serve-gateway.ts';

export interface WorkerOptions extends CommonOptions {
  /** The file of a SQLite store. */
  readonly sqlite?: string;
  /** The connection string of a PostgreSQL store. */
  readonly postgres?: string;
  /** A file that contains the connection string, which has a password. */
  readonly postgresFile?: string;
  readonly schema?: string;
  readonly tamperEvident?: boolean;
  /** The gateways. */
  readonly connect?: readonly string[];
  readonly workerId?: string;
}

/** How long a stop waits for the calls in flight. */
const DRAIN_MS = 8_000;

/**
 * `worker`: serves a store through one or several gateways until SIGTERM or SIGINT. Fails when the store cannot be opened,
 * or when every gateway has refused the worker.
 */
export async function worker(options: WorkerOptions, terminal: Terminal): Promise<number> {
  // Everybody's events: what the store writes is for its owner only.
  process.umask(0o077);
  const engine = engineOf(options);
  const { store: storeId, workerId = crypto.randomUUID() } = options;
  if (!isStoreId(storeId)) {
    throw new UsageError(`--store must be 1 to 64 of A-Z a-z 0-9 _ -, got ${JSON.stringify(storeId)}`);
  }
  if (!isName(workerId)) {
    throw new UsageError(`--worker-id must be 1 to 255 characters, got ${JSON.stringify(workerId)}`);
  }
  const urls =
    options.connect === undefined
      ? [gatewayUrlOf(options, terminal)]
      : [...new Set(options.connect.map((url) => gatewayUrl(url, '--connect')))];
  const identity =
    options.identityFile === undefined ? undefined : readIdentity(options.identityFile, '--identity-file');
  const token = (): string | undefined => tokenOption(options, terminal);
  // A file that cannot be read is a wrong usage, not a refusal of the gateway.
  token();
  trustAuthority(options);
  const logger = terminalLogger(terminal, options.json === true);
  const store = await openStore(storeId, engine, {
    dataDir: { file: (...parts) => resolve(join(...parts)) },
    clock: systemClock,
    logger,
  });
  if (store === undefined) throw new GaterError('internal', 'the store was not opened');
  try {
    await serve(store, urls, { workerId, token, ...(identity && { identity }) }, options, terminal);
  } finally {
    await store.close();
  }
  return EXIT.ok;
}

/** Returns the settings of the store. @throws UsageError unless exactly one engine is named */
function engineOf(options: WorkerOptions): StoreConfig {
  const { sqlite, postgres, postgresFile, schema } = options;
  if ([sqlite, postgres, postgresFile].filter((choice) => choice !== undefined).length !== 1) {
    throw new UsageError('give one of --sqlite FILE, --postgres URL and --postgres-file FILE');
  }
  const tamperEvident = options.tamperEvident === true;
  if (sqlite !== undefined) {
    if (schema !== undefined) throw new UsageError('--schema needs --postgres');
    return { engine: 'sqlite', file: sqlite, tamperEvident };
  }
  const url = postgres ?? readTextFile('--postgres-file', postgresFile ?? '');
  return { engine: 'postgres', url, ...(schema === undefined ? {} : { schema }), tamperEvident };
}

/** Serves a store through every gateway. @throws the error of the last gateway, when all have refused */
async function serve(
  store: EventStore,
  urls: readonly string[],
  given: Omit<ServeGatewayOptions, 'worker'>,
  options: WorkerOptions,
  terminal: Terminal,
): Promise<void> {
  const { storeId } = store;
  const { workerId } = given;
  const output = outputOf(options, terminal);
  const logger = terminalLogger(terminal, options.json === true);
  const { worker: counted, idle } = countCalls(createStoreWorker(store, { nodeId: 'worker', workerId }));
  const serveOne = (url: string): Promise<void> =>
    serveGateway(
      url,
      { ...given, worker: counted },
      {
        clock: systemClock,
        logger,
        signal: terminal.interrupted,
        onServing(nodeId) {
          const words = `serving store ${storeId} through ${url} (node ${nodeId}) as worker ${workerId}`;
          const line = output.isForPeople
            ? plain(words)
            : jsonLine({ msg: 'serving', storeId, workerId, url, nodeId });
          // It goes on without a reader.
          output.line(line).catch(() => undefined);
        },
        beforeClose: () => finishesWithin(idle(), DRAIN_MS, systemClock),
      },
    );
  let refused = 0;
  await Promise.all(
    urls.map(async (url) => {
      try {
        await serveOne(url);
      } catch (error) {
        refused += 1;
        if (refused === urls.length) throw error;
        logger.error({ err: error, url }, `${url} refused the worker, the other gateways go on`);
      }
    }),
  );
}
