import { FEED_START, parseFeedPosition } from '@esdb-gater/primitives';
import type { FeedCheckpoint } from '@esdb-gater/types';
import type { QueryRunner } from './reading/query-runner.ts';
import type { StatementWriter } from './statement-writer.ts';

/** Creates the checkpoint of the feed. Several nodes may save it: it never goes back within a turn. */
export function createFeedCheckpoint(
  schema: string,
  read: QueryRunner,
  write: StatementWriter,
): FeedCheckpoint {
  return {
    async load() {
      const [row] = await read<readonly [text: string]>(
        `SELECT checkpoint FROM ${schema}.feed_checkpoint`,
        [],
      );
      return row === undefined ? FEED_START : parseFeedPosition(JSON.parse(row[0]));
    },
    async save(position) {
      await write(
        `INSERT INTO ${schema}.feed_checkpoint AS saved (turn, position, checkpoint) VALUES ($1, $2, $3)
         ON CONFLICT (single) DO UPDATE
           SET turn = excluded.turn, position = excluded.position, checkpoint = excluded.checkpoint
           WHERE (saved.turn, saved.position) < (excluded.turn, excluded.position)`,
        [position.turn ?? 0, position.position, JSON.stringify(position)],
      );
    },
  };
}
