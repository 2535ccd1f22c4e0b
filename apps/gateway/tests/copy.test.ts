import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openPostgresStore, type PostgresStore } from '@esdb-gater/store-postgres';
import { openSqliteStore, type SqliteStore } from '@esdb-gater/store-sqlite';
import type { EventStore, RecordedEvent } from '@esdb-gater/types';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { postgresUnavailable, type RunningPostgres, startPostgres } from '../../../tools/postgres/index.ts';
import { runInProcess } from './support/terminal.ts';

const reason = postgresUnavailable();
const name = reason === undefined ? 'copy' : `copy (${reason})`;
const at = { storeId: 'default' };

describe.skipIf(reason !== undefined)(name, () => {
  const folder = mkdtempSync(join(tmpdir(), 'esdb-gater-copy-'));
  const file = join(folder, 'default.db');
  let postgres: RunningPostgres;
  let sqlite: SqliteStore;

  beforeAll(async () => {
    postgres = await startPostgres({ settings: ['fsync = off'] });
    sqlite = await openSqliteStore({ ...at, file, tamperEvident: true });
    await fill(sqlite);
  });
  afterAll(async () => {
    await sqlite.close();
    await postgres.stop();
    rmSync(folder, { recursive: true });
  });

  const copy = (...args: string[]) => runInProcess(['copy', '--to', postgres.url, ...args]);

  async function fill(store: EventStore): Promise<void> {
    for (let n = 0; n < 60; n += 1) {
      const events = Array.from({ length: 1 + (n % 40) }, (_, index) => ({
        id: crypto.randomUUID(),
        type: `type-${n % 3}`,
        data: { n, index, text: 'a\u0000b', __proto__: 1 },
        metadata: { user: n },
        tags: [`tag-${n % 5}`],
      }));
      await store.appendEvents({ ...at, streamId: `stream-${n % 7}`, events });
    }
    const bytes = {
      id: crypto.randomUUID().toUpperCase(),
      type: 'bytes',
      dataBase64: 'AAEC',
      contentType: 'image/png',
    };
    await store.appendEvents({ ...at, streamId: 'bytes', events: [bytes] });
    await store.deleteStream({ ...at, streamId: 'stream-1' });
    await store.deleteStream({ ...at, streamId: 'stream-2' });
    await store.appendEvents({
      ...at,
      streamId: 'stream-2',
      events: [{ id: crypto.randomUUID(), type: 't', data: 1 }],
    });
    for (let version = 0; version < 50; version += 1) {
      await store.recordSnapshot({
        ...at,
        sourceUuid: 's',
        streamUuid: `t${version % 3}`,
        version,
        record: { version },
      });
    }
    await store.subscriptionState?.create({
      name: 'mail',
      type: 'stream',
      selector: '$all',
      startFrom: 0,
      maxInFlight: 1,
      ackTimeoutMs: 1,
      maxRetries: 1,
      createdMs: 1,
      maker: 'm',
      checkpoint: { position: 7 },
    });
    for (const position of [3, 5]) {
      const eventId = crypto.randomUUID();
      await store.subscriptionState?.park('mail', {
        position,
        eventId,
        reason: 'r',
        attempts: 1,
        parkedMs: 1,
      });
      if (position === 5) await store.subscriptionState?.markReplay('mail', [eventId]);
    }
    await store.feedCheckpoint.save({ position: 9 });
  }

  async function everything(store: EventStore): Promise<RecordedEvent[]> {
    const events: RecordedEvent[] = [];
    for (let after: number | undefined = 0; after !== undefined; ) {
      const page = await store.readAll({ ...at, after, limit: 1_000 });
      events.push(...page.events);
      after = page.next;
    }
    return events;
  }

  async function expectSame(one: EventStore, other: PostgresStore): Promise<void> {
    expect(await everything(other)).toEqual(await everything(one));
    const streams = ['stream-0', 'stream-1', 'stream-2', 'bytes'];
    for (const streamId of streams) {
      const ask = async (store: EventStore) =>
        store.getEvents({ ...at, streamId, count: 1_000 }).catch((error: { code: string }) => error.code);
      expect(await ask(other)).toEqual(await ask(one));
      expect(await other.verifyStream({ ...at, streamId })).toEqual({ verified: true });
    }
    const snapshots = (store: EventStore) =>
      store.listSnapshots({ ...at, sourceUuid: 's', streamUuid: 't1' });
    expect(await snapshots(other)).toEqual(await snapshots(one));
    expect(await other.subscriptionState.list()).toEqual(await one.subscriptionState?.list());
    for (const replaying of [false, true]) {
      const filter = { replaying, after: 0, limit: 10 };
      expect(await other.subscriptionState.listParked('mail', filter)).toEqual(
        await one.subscriptionState?.listParked('mail', filter),
      );
    }
    expect(await other.feedCheckpoint.load()).toEqual({ position: 9 });
  }

  test('a SQLite store that is being served is copied as it is, and a repeat brings the copy up to date', async () => {
    const first = await copy('--from', file);
    expect(first.stderr).toBe('');
    const events = await everything(sqlite);
    expect(JSON.parse(first.stdout)).toMatchObject({
      position: events.length,
      resumedAfter: 0,
      hiddenStreams: 2,
      snapshots: 50,
      subscriptions: 1,
    });
    await using target = disposable(
      await openPostgresStore({ ...at, url: postgres.url, tamperEvident: true }),
    );
    await expectSame(sqlite, target.store);

    await sqlite.appendEvents({
      ...at,
      streamId: 'later',
      events: [{ id: crypto.randomUUID(), type: 't', data: 1 }],
    });
    const second = await copy('--from', file);
    expect(JSON.parse(second.stdout)).toMatchObject({
      position: events.length + 1,
      resumedAfter: events.length,
    });
    await expectSame(sqlite, target.store);
  });

  test('a repeat removes what the source has no longer, and refuses a subscription that somebody consumes in the target', async () => {
    const { openPostgresCopy } = await import('@esdb-gater/store-postgres');
    const options = { ...at, url: postgres.url, schema: 'repeated', tamperEvident: true };
    const into = ['--from', file, '--to-schema', 'repeated'];
    await copy(...into);
    const target = await openPostgresCopy(options, 'target');
    const snapshot = { sourceUuid: 's', streamUuid: 't1', record: '1', metadata: '{}', epochUs: 1 };
    await target.putSnapshots([
      { ...snapshot, version: 1_000 },
      { ...snapshot, streamUuid: 'a', version: 1 },
      { ...snapshot, sourceUuid: '\u{10000}', version: 1 },
    ]);
    const [mail] = await target.subscriptions.list();
    await target.subscriptions.create({ ...(mail as NonNullable<typeof mail>), name: 'removed' });
    const parked = { position: 4, eventId: crypto.randomUUID(), reason: 'r', attempts: 1, parkedMs: 1 };
    await target.subscriptions.park('mail', parked);
    expect((await copy(...into)).stderr).toBe('');
    await using opened = disposable(await openPostgresStore(options));
    await expectSame(sqlite, opened.store);
    expect(await opened.store.listSnapshots({ ...at, sourceUuid: '\u{10000}', streamUuid: 't1' })).toEqual({
      snapshots: [],
    });

    await target.subscriptions.saveCheckpoint('mail', { position: 8 });
    expect((await copy(...into)).stderr).toMatch(
      /^invalid_argument: the subscription mail of the target is at position 8, further than that of the source/,
    );
    await target.close();
  });

  test.each([
    [
      'a checkpoint',
      'UPDATE differing.subscriptions SET position = 6, checkpoint = \'{"position":6}\'',
      'subscriptions',
    ],
    [
      'a parked event',
      'UPDATE differing.parked_events SET attempts = 2',
      'parked events of the subscription mail',
    ],
    ['a snapshot', "UPDATE differing.snapshots SET record = '2' WHERE version = 3", 'snapshots'],
    [
      'the position of the feed',
      'UPDATE differing.feed_checkpoint SET position = 7, checkpoint = \'{"position":7}\'',
      'feed',
    ],
    [
      'a deletion',
      'UPDATE differing.streams SET hidden_through = 0 WHERE hidden_through > 0',
      'deleted streams',
    ],
  ])('the comparison in the end finds %s that differs', async (_, change, what) => {
    const { compareCopies } = await import('@esdb-gater/event-store');
    const { openSqliteCopySource } = await import('@esdb-gater/store-sqlite');
    const { openPostgresCopy } = await import('@esdb-gater/store-postgres');
    await postgres.query('DROP SCHEMA IF EXISTS differing CASCADE');
    await copy('--from', file, '--to-schema', 'differing');
    await postgres.query(change);
    const target = await openPostgresCopy(
      { ...at, url: postgres.url, schema: 'differing', tamperEvident: true },
      'target',
    );
    const source = openSqliteCopySource(file);
    try {
      await expect(compareCopies(source, target)).rejects.toMatchObject({
        code: 'invalid_argument',
        reason: 'target',
        message: expect.stringContaining(what),
      });
    } finally {
      await source.close();
      await target.close();
    }
  });

  test('a PostgreSQL store is copied to another schema', async () => {
    await copy('--from', file, '--to-schema', 'one');
    const { stdout, stderr } = await copy(
      '--from',
      postgres.url,
      '--from-schema',
      'one',
      '--to-schema',
      'two',
    );
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toMatchObject({ resumedAfter: 0, snapshots: 50 });
    const options = { ...at, url: postgres.url, schema: 'two', tamperEvident: true };
    await using target = disposable(await openPostgresStore(options));
    await expectSame(sqlite, target.store);
  });

  test('a copy that was interrupted goes on where it stopped', async () => {
    const interrupted = new AbortController();
    const pages: number[] = [];
    const { copyStore } = await import('@esdb-gater/event-store');
    const { openSqliteCopySource } = await import('@esdb-gater/store-sqlite');
    const { openPostgresCopy } = await import('@esdb-gater/store-postgres');
    const options = { ...at, url: postgres.url, schema: 'interrupted', tamperEvident: true };
    const source = openSqliteCopySource(file);
    const target = await openPostgresCopy(options, 'target');
    const run = copyStore(source, target, {
      signal: interrupted.signal,
      onProgress({ done }) {
        pages.push(done);
        if (done > 0) interrupted.abort(new Error('stopped'));
      },
    });
    await expect(run).rejects.toThrow('stopped');
    await target.close();
    await source.close();
    const { stdout } = await copy('--from', file, '--to-schema', 'interrupted');
    expect(JSON.parse(stdout)).toMatchObject({ resumedAfter: pages.at(-1) });
    await using opened = disposable(await openPostgresStore(options));
    await expectSame(sqlite, opened.store);
  });

  test('a target with other events is refused, and nothing is written to it', async () => {
    const options = { ...at, url: postgres.url, schema: 'other', tamperEvident: true };
    await using other = disposable(await openPostgresStore(options));
    await other.store.appendEvents({ ...at, streamId: 'x', events: [{ type: 't', data: 1 }] });
    const refused = await copy('--from', file, '--to-schema', 'other');
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(refused.stderr).toMatch(
      /^invalid_argument: the target is not a copy of the source: .* position 1 /,
    );
    expect(await everything(other.store)).toHaveLength(1);
  });

  test('a target that somebody else writes to meanwhile is refused', async () => {
    const { openPostgresCopy } = await import('@esdb-gater/store-postgres');
    const target = await openPostgresCopy(
      { ...at, url: postgres.url, schema: 'busy', tamperEvident: true },
      'target',
    );
    const [event] = await everything(sqlite);
    await target.write([event as RecordedEvent], 0);
    await expect(target.write([event as RecordedEvent], 0)).rejects.toMatchObject({
      code: 'invalid_argument',
      reason: 'target',
      message: expect.stringMatching(/somebody else writes to the target/),
    });
    await target.close();
  });

  test('wrong usage and a source that does not exist are told in one line', async () => {
    expect(await runInProcess(['copy', '--from', file, '--to', 'x'])).toMatchObject({ code: 2 });
    const missing = await copy('--from', join(folder, 'none.db'));
    expect(missing).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^unavailable: the file .* does not exist\n$/),
    });
    const noStore = await copy('--from', postgres.url, '--from-schema', 'nowhere');
    expect(noStore.stderr).toMatch(/has no store in the schema "nowhere"/);
  });
});

function disposable<Store extends { close(): Promise<void> }>(store: Store) {
  return { store, [Symbol.asyncDispose]: () => store.close() };
}
