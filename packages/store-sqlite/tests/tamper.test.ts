import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { crc32 } from 'node:zlib';
import { chainHash } from '@esdb-gater/event-store';
import { openSqliteStore } from '@esdb-gater/store-sqlite';
import type { Logger } from '@esdb-gater/types';
import { afterEach, beforeEach, expect, test } from 'vitest';

const STREAM = { storeId: 'main', streamId: 's' };

let folder = '';
let file = '';

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'esdb-gater-tamper-'));
  file = join(folder, 'main.db');
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

async function withStore<T>(
  use: (store: Awaited<ReturnType<typeof openSqliteStore>>) => Promise<T>,
  options: { readonly tamperEvident?: boolean; readonly logger?: Logger } = {},
): Promise<T> {
  const store = await openSqliteStore({ storeId: 'main', file, tamperEvident: true, ...options });
  try {
    return await use(store);
  } finally {
    await store.close();
  }
}

/** Appends events, each in a call of its own. */
function append(count: number, options: { readonly tamperEvident?: boolean } = {}): Promise<void> {
  return withStore(async (store) => {
    for (let index = 0; index < count; index += 1) {
      await store.appendEvents({ ...STREAM, events: [{ type: 't', data: { amount: 100 + index } }] });
    }
  }, options);
}

const verify = () => withStore((store) => store.verifyStream(STREAM));

/** Changes the file as somebody would who can write to it. */
function change(sql: string, ...parameters: (string | number)[]): void {
  const database = new DatabaseSync(file);
  database.prepare(sql).run(...parameters);
  database.close();
}

/** Changes an event so that its checksum fits, as somebody would who knows how it is made. */
function forge(version: number, column: string, value: string | number): void {
  change(`UPDATE events SET ${column} = ? WHERE version = ?`, value, version);
  const database = new DatabaseSync(file, { readOnly: true });
  const row = database.prepare('SELECT * FROM recorded_events WHERE version = ?').get(version);
  database.close();
  const core =
    `"streamId":"s","version":${version},"position":${row?.['position']},"id":"${row?.['id']}",` +
    `"type":"${row?.['type']}","data":${row?.['data']},"metadata":${row?.['metadata']},` +
    `"tags":${row?.['tags']},"epochUs":${row?.['epoch_us']}`;
  change('UPDATE events SET checksum = ? WHERE version = ?', crc32(core), version);
}

test('a byte of an event that was changed in the file is found, with its version', async () => {
  await append(6);
  expect(await verify()).toEqual({ verified: true });
  change(`UPDATE events SET data = replace(data, '103', '903') WHERE version = 3`);
  expect(await verify()).toEqual({ verified: false, brokenAt: 3 });
});

test.each([
  ['data', '{"amount":1}'],
  ['type', 'other'],
  ['metadata', '{"by":"me"}'],
  ['tags', '["x"]'],
  ['epoch_us', 1_700_000_000_000_000],
  ['id', '00000000-0000-7000-8000-000000000000'],
])('a forged %s is found although the checksum of the event fits', async (column, value) => {
  await append(5);
  forge(2, column, value);
  const events = await withStore((store) => store.getEvents(STREAM));
  expect(events.events).toHaveLength(5);
  expect(await verify()).toEqual({ verified: false, brokenAt: 2 });
});

test.each([
  ['the first event', 0],
  ['an event', 2],
  ['the last event', 4],
])('%s that was removed from the file is found', async (_what, version) => {
  await append(5);
  change('DELETE FROM events WHERE version = ?', version);
  expect(await verify()).toEqual({ verified: false, brokenAt: version });
});

test('a hash that was changed or removed is found', async () => {
  await append(5);
  change(`UPDATE event_hashes SET hash = ? WHERE version = 1`, 'f'.repeat(64));
  expect(await verify()).toEqual({ verified: false, brokenAt: 1 });
  change('DELETE FROM event_hashes WHERE version < 2');
  expect(await verify()).toEqual({ verified: false, brokenAt: 0 });
});

test('an event that was forged together with its hash is found by the next one', async () => {
  await append(5);
  forge(2, 'data', '7');
  const { events } = await withStore((store) => store.getEvents(STREAM));
  const { storeId: _, timestamp: __, ...core } = events[2] as (typeof events)[number];
  const database = new DatabaseSync(file, { readOnly: true });
  const before = database.prepare('SELECT hash FROM event_hashes WHERE version = 1').get()?.['hash'];
  database.close();
  const hash = chainHash(String(before), JSON.stringify(core).slice(1, -1), core.epochUs);
  change('UPDATE event_hashes SET hash = ? WHERE version = 2', hash);
  expect(await verify()).toEqual({ verified: false, brokenAt: 3 });
});

test('in a file that has events the chain begins with the next one', async () => {
  await append(3, { tamperEvident: false });
  expect(await verify()).toEqual({ verified: true });
  await append(3);
  expect(await verify()).toEqual({ verified: true });
  forge(1, 'data', '7');
  expect(await verify()).toEqual({ verified: true });
  forge(3, 'data', '7');
  expect(await verify()).toEqual({ verified: false, brokenAt: 3 });
});

test('opening the file without the option ends the chains, and the log says when they begin and end', async () => {
  const said: string[] = [];
  const say = (_fields: object, message: string) => void said.push(message);
  const logger: Logger = { debug() {}, info: say, warn: say, error: say };
  await withStore(async () => {}, { logger });
  await append(2);
  await withStore(async () => {}, { logger, tamperEvident: false });
  await append(2, { tamperEvident: false });
  await withStore(async () => {}, { logger });
  await append(2);
  expect(said).toEqual([
    'the hash chains begin with the next event',
    'the hash chains end here, since the store is not tamper-evident any more',
    'the hash chains begin with the next event',
  ]);
  expect(await verify()).toEqual({ verified: true });
  forge(4, 'data', '7');
  expect(await verify()).toEqual({ verified: false, brokenAt: 4 });
});
