import { parseFeedPosition } from '@esdb-gater/primitives';
import type { NewSubscription, ParkedRecord, SubscriptionRecord, SubscriptionState } from '@esdb-gater/types';
import type { QueryRunner } from './reading/query-runner.ts';
import type { StatementWriter } from './statement-writer.ts';

type SubscriptionColumns = readonly [name: string, definition: string, checkpoint: string, parked: number];
type ParkedColumns = readonly [
  position: number,
  eventId: string,
  reason: string,
  attempts: number,
  parkedMs: number,
];

/** What a definition holds: everything that does not change often. */
type Definition = Omit<NewSubscription, 'name' | 'checkpoint'>;

/** Creates the state of persistent subscriptions that is kept in the store's schema. Every method is one statement. */
export function createSubscriptionState(
  schema: string,
  read: QueryRunner,
  write: StatementWriter,
): SubscriptionState {
  const subscriptions = `${schema}.subscriptions`;
  const parkedEvents = `${schema}.parked_events`;
  const select = `SELECT name, definition, checkpoint,
    (SELECT count(*) FROM ${parkedEvents} WHERE subscription = name AND NOT replaying) FROM ${subscriptions}`;
  return {
    async list() {
      return (await read<SubscriptionColumns>(`${select} ORDER BY name`, [])).map(recordOf);
    },
    async load(name) {
      const [row] = await read<SubscriptionColumns>(`${select} WHERE name = $1`, [name]);
      return row && recordOf(row);
    },
    async create({ name, checkpoint, ...definition }) {
      const rows = await write(
        `INSERT INTO ${subscriptions} (name, definition, turn, position, checkpoint) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (name) DO NOTHING RETURNING 1`,
        [
          name,
          JSON.stringify(definition),
          checkpoint.turn ?? 0,
          checkpoint.position,
          JSON.stringify(checkpoint),
        ],
      );
      return rows.length > 0;
    },
    async saveCheckpoint(name, position) {
      await write(
        `UPDATE ${subscriptions} SET turn = $2, position = $3, checkpoint = $4
         WHERE name = $1 AND (turn, position) < ($2::bigint, $3::bigint)`,
        [name, position.turn ?? 0, position.position, JSON.stringify(position)],
      );
    },
    async reset(name, startFrom, checkpoint) {
      const [row] = await read<SubscriptionColumns>(`${select} WHERE name = $1`, [name]);
      if (row === undefined) return;
      const definition = { ...(JSON.parse(row[1]) as Definition), startFrom };
      await write(
        `WITH changed AS (
           UPDATE ${subscriptions} SET definition = $2, turn = $3, position = $4, checkpoint = $5
           WHERE name = $1 RETURNING name
         ) DELETE FROM ${parkedEvents} USING changed WHERE subscription = changed.name AND parked_events.position > $4`,
        [
          name,
          JSON.stringify(definition),
          checkpoint.turn ?? 0,
          checkpoint.position,
          JSON.stringify(checkpoint),
        ],
      );
    },
    async remove(name) {
      return (await write(`DELETE FROM ${subscriptions} WHERE name = $1 RETURNING 1`, [name])).length > 0;
    },
    async park(name, { position, eventId, reason, attempts, parkedMs }) {
      await write(
        `INSERT INTO ${parkedEvents} (subscription, replaying, position, event_id, reason, attempts, parked_ms)
         SELECT name, false, $2, $3, $4, $5, $6 FROM ${subscriptions} WHERE name = $1
         ON CONFLICT (subscription, position) DO UPDATE SET replaying = false, event_id = excluded.event_id,
           reason = excluded.reason, attempts = excluded.attempts, parked_ms = excluded.parked_ms`,
        // As JSON, because PostgreSQL has no text with a NUL, and a consumer may give any reason.
        [name, position, eventId, JSON.stringify(reason), attempts, parkedMs],
      );
    },
    async listParked(name, { replaying, after, limit }) {
      const rows = await read<ParkedColumns>(
        `SELECT position, event_id, reason, attempts, parked_ms FROM ${parkedEvents}
         WHERE subscription = $1 AND replaying = $2 AND position > $3 ORDER BY position LIMIT $4`,
        [name, replaying, after, limit + 1],
      );
      return { records: rows.slice(0, limit).map(parkedOf), more: rows.length > limit };
    },
    async markReplay(name, eventIds) {
      const [row] = await write<readonly [count: number]>(
        `WITH marked AS (
           UPDATE ${parkedEvents} SET replaying = true
           WHERE subscription = $1 AND NOT replaying AND ($2::text[] IS NULL OR lower(event_id) = ANY ($2)) RETURNING 1
         ) SELECT count(*) FROM marked`,
        [name, eventIds ?? null],
      );
      return row?.[0] ?? 0;
    },
    async unpark(name, positions) {
      await write(`DELETE FROM ${parkedEvents} WHERE subscription = $1 AND position = ANY ($2)`, [
        name,
        positions,
      ]);
    },
  };
}

function recordOf([name, definition, checkpoint, parked]: SubscriptionColumns): SubscriptionRecord {
  return {
    ...(JSON.parse(definition) as Definition),
    name,
    checkpoint: parseFeedPosition(JSON.parse(checkpoint)),
    parked,
  };
}

function parkedOf([position, eventId, reason, attempts, parkedMs]: ParkedColumns): ParkedRecord {
  return { position, eventId, reason: JSON.parse(reason) as string, attempts, parkedMs };
}
