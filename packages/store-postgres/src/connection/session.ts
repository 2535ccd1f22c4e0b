import { Socket } from 'node:net';
import type { Logger } from '@esdb-gater/types';
import pg from 'pg';
import { type Primary, readServerState, type Timelines } from './find-primary.ts';
import { createStatements, type Statements } from './statements.ts';

export interface SessionOptions {
  /** Connections for reads. */
  readonly maxReaders: number;
  /** How long a write waits for the lock of another node. */
  readonly lockTimeoutMs: number;
  readonly timelines: Timelines;
  readonly logger: Logger;
}

/** The connections to one primary: one that writes, one that is told of commits, and several that read. */
export interface Session {
  readonly primary: Primary;
  readonly writer: pg.Client;
  readonly readers: pg.Pool;
  /** Undefined when the server has no connection left for it. */
  readonly listener: pg.Client | undefined;
  readonly statements: Statements;
  /** Ends all connections, without waiting for what is in flight. */
  end(): void;
}

/**
 * Connects to a primary. `onLost` is called when one of the connections ends.
 *
 * @throws the errors of the server and of the network
 */
export async function openSession(
  primary: Primary,
  { maxReaders, lockTimeoutMs, timelines, logger }: SessionOptions,
  onLost: (error: Error) => void,
): Promise<Session> {
  const { config } = primary.endpoint;
  const sockets: Socket[] = [];
  const stream = (): Socket => {
    const socket = new Socket();
    sockets.push(socket);
    return socket;
  };
  const connect = async (): Promise<pg.Client> => {
    const client = new pg.Client({ ...config, stream });
    client.on('error', onLost);
    client.on('end', () => onLost(new Error('the server closed the connection')));
    await client.connect();
    return client;
  };
  const destroy = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  try {
    const writer = await connect();
    requireCurrent(await readServerState(writer), timelines);
    // A commit that is cancelled while it waits for a standby is not replicated, so nothing here may cancel one.
    await writer.query(
      `SET statement_timeout = 0; SET idle_session_timeout = 0; SET client_min_messages = 'warning';
       SET lock_timeout = ${lockTimeoutMs}`,
    );
    const direct = await isDirect(writer);
    const listener = await connect().catch((error: Error) => {
      logger.warn({ err: error.message }, 'no connection is left for notifications; the store is polled');
      return undefined;
    });
    const readers = new pg.Pool({
      ...config,
      max: maxReaders,
      idleTimeoutMillis: 30_000,
      verify: verifier(timelines, direct),
    });
    readers.on('error', onLost);
    // The pool listens only to idle connections. Without a listener an error of a connection in use, or of one that is
    // being verified, would end the process, although its query rejects, too.
    readers.on('connect', (client) => client.on('error', () => {}));
    return {
      primary,
      writer,
      readers,
      listener,
      statements: createStatements(direct),
      end() {
        destroy();
        readers.end().catch(() => {});
      },
    };
  } catch (error) {
    destroy();
    throw error;
  }
}

type Verify = (client: pg.ClientBase, done: (error?: Error) => void) => void;

/**
 * Lets the server look rows up by the indexes, whatever the statistics of a store say that has just begun, and plan each
 * statement once.
 */
const READER_SETTINGS = `SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; SET enable_bitmapscan = off;
  SET jit = off`;

/**
 * Checks and prepares each new connection for reads: behind the same address there may be another server by now. A pooler
 * would hand the settings on to others.
 */
function verifier(timelines: Timelines, direct: boolean): Verify {
  return (client, done) => {
    const check = async (): Promise<void> => {
      requireCurrent(await readServerState(client), timelines);
      if (direct) await client.query(READER_SETTINGS);
    };
    check().then(() => done(), done);
  };
}

/**
 * Returns true when no pooler stands between: with one, another process may run each transaction, and the id that the
 * connection was given at its start belongs to none.
 */
async function isDirect(client: pg.Client): Promise<boolean> {
  const { rows } = await client.query('SELECT pg_backend_pid() AS id');
  // The types of `pg` leave it out.
  return rows[0]?.id === (client as unknown as { readonly processID: number }).processID;
}

function requireCurrent(state: Awaited<ReturnType<typeof readServerState>>, timelines: Timelines): void {
  timelines.note(state);
  if (!state.writable) throw new Error('the server is a standby, or read-only');
  if (timelines.isOld(state)) throw new Error('the server is an old primary that was replaced');
}
