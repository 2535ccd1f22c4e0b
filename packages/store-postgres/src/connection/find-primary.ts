import { type Clock, GaterError, type Logger } from '@esdb-gater/types';
import pg from 'pg';
import { describeFailure, sqlState } from '../postgres-errors.ts';
import { createEndpoint, type Endpoint } from './client-config.ts';
import { type ConnectionSettings, describeHost, type Host } from './connection-url.ts';

/** How long the others are waited for once a primary has answered: one that was promoted later may be among them. */
const OTHERS_WITHIN_MS = 300;

/** What a server says about itself. */
export interface ServerState {
  readonly writable: boolean;
  /** Identifies the cluster and its copies; undefined where the server does not tell. */
  readonly system: string | undefined;
  /** Grows with each promotion; 0 where the server does not tell. */
  readonly timeline: number;
}

/** A primary that was found. */
export interface Primary {
  readonly endpoint: Endpoint;
  readonly state: ServerState;
}

const STATE_SQL = `SELECT NOT pg_is_in_recovery() AND current_setting('transaction_read_only') = 'off' AS writable,
  (SELECT system_identifier::text FROM pg_control_system()) AS system,
  greatest((SELECT timeline_id FROM pg_control_checkpoint()), CASE WHEN pg_is_in_recovery() THEN 0
    ELSE ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::integer END) AS timeline`;

/** The same for a role that must not call the functions above. */
const PLAIN_STATE_SQL = `SELECT NOT pg_is_in_recovery() AND current_setting('transaction_read_only') = 'off' AS writable,
  NULL AS system, 0 AS timeline`;

export async function readServerState(client: pg.ClientBase): Promise<ServerState> {
  try {
    return (await client.query(STATE_SQL)).rows[0] as ServerState;
  } catch (error) {
    if (sqlState(error) !== '42501') throw error;
    return { ...((await client.query(PLAIN_STATE_SQL)).rows[0] as ServerState), system: undefined };
  }
}

/**
 * Remembers the newest timeline of each cluster. A primary of an older one was replaced while it was away: what is written
 * to it would be lost.
 */
export class Timelines {
  readonly #newest = new Map<string, number>();

  note({ system, timeline }: ServerState): void {
    if (system !== undefined) this.#newest.set(system, Math.max(timeline, this.newest(system)));
  }

  isOld({ system, timeline }: ServerState): boolean {
    return system !== undefined && timeline < this.newest(system);
  }

  newest(system: string | undefined): number {
    return this.#newest.get(system ?? '') ?? 0;
  }
}

export interface FindPrimaryComponents {
  readonly timelines: Timelines;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Finds the primary among the hosts: the one that can be written to, and of several the one of the newest timeline.
 *
 * @throws `unavailable` with what each host answered
 */
export async function findPrimary(
  settings: ConnectionSettings,
  { timelines, clock, logger }: FindPrimaryComponents,
): Promise<Primary> {
  const found: Primary[] = [];
  const problems: string[] = [];
  await new Promise<void>((resolve) => {
    let open = settings.hosts.length;
    for (const host of settings.hosts) {
      probe(settings, host, logger)
        .then(
          (primary) => {
            timelines.note(primary.state);
            if (primary.state.writable) {
              found.push(primary);
              clock.setTimer(resolve, OTHERS_WITHIN_MS);
            } else problems.push(`${describeHost(host)}: a standby, or read-only`);
          },
          (error: unknown) => problems.push(`${describeHost(host)}: ${describeFailure(error)}`),
        )
        .finally(() => {
          open -= 1;
          if (open === 0) resolve();
        });
    }
  });
  const current = found
    .filter(({ state }) => !timelines.isOld(state))
    .sort((one, other) => other.state.timeline - one.state.timeline)[0];
  if (current !== undefined) return current;
  for (const { endpoint, state } of found) {
    const newest = timelines.newest(state.system);
    problems.push(
      `${describeHost(endpoint)}: an old primary on timeline ${state.timeline}, replaced by one on ${newest}`,
    );
  }
  // In one order, however they answered, so that the same problem has the same text.
  const text = problems.sort().join('; ');
  throw new GaterError('unavailable', `cannot reach the primary of PostgreSQL: ${text}`);
}

async function probe(settings: ConnectionSettings, host: Host, logger: Logger): Promise<Primary> {
  const encrypted = settings.sslMode !== 'disable';
  try {
    return await ask(await createEndpoint(settings, host, encrypted, logger));
  } catch (error) {
    const refused = /does not support SSL/.test((error as Error).message);
    if (!encrypted || settings.sslMode !== 'prefer' || !refused) throw error;
    return ask(await createEndpoint(settings, host, false, logger));
  }
}

async function ask(endpoint: Endpoint): Promise<Primary> {
  const client = new pg.Client(endpoint.config);
  client.on('error', () => {});
  await client.connect();
  try {
    return { endpoint, state: await readServerState(client) };
  } finally {
    client.end().catch(() => {});
  }
}
