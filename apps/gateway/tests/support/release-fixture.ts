import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import type { RemoteGater } from '@esdb-gater/client';
import type { RecordedFrame } from './recording-relay.ts';

/** One folder per release, made by `npm run release:fixture`. Never change one: it is what that release wrote. */
export const RELEASES = join(import.meta.dirname, '..', 'releases');

/** The secret and the flags of the gateways that write and read the fixtures. */
export const FIXTURE_FLAGS = {
  stores: JSON.stringify({ default: { engine: 'sqlite', tamperEvident: true } }),
} as const;

export interface ReleaseFixture {
  readonly version: string;
  /** The files of the data folder as base64, by path. */
  readonly files: Readonly<Record<string, string>>;
  /** What a client of the release and its gateway said to each other while the data was written. */
  readonly frames: readonly RecordedFrame[];
}

/** Returns the files of a folder, without the lock of its gateway. */
export function packFolder(folder: string): Record<string, string> {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile() && !path.endsWith('.lock'));
  return Object.fromEntries(
    files.sort().map((path) => [relative(folder, path), readFileSync(path).toString('base64')]),
  );
}

export function unpackFolder({ files }: ReleaseFixture, folder: string): void {
  for (const [name, content] of Object.entries(files)) {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, Buffer.from(content, 'base64'));
    chmodSync(path, 0o600);
  }
}

export function writeFixture(fixture: ReleaseFixture): string {
  mkdirSync(RELEASES, { recursive: true });
  const file = join(RELEASES, `${fixture.version}.json.gz`);
  writeFileSync(file, gzipSync(JSON.stringify(fixture), { level: 9 }));
  return file;
}

export function readFixtures(): ReleaseFixture[] {
  return readdirSync(RELEASES)
    .sort()
    .map((name) => JSON.parse(gunzipSync(readFileSync(join(RELEASES, name))).toString()) as ReleaseFixture);
}

const STORE = { storeId: 'default' } as const;

/** Writes some of everything that a data folder holds: events, bytes, tags, a deleted stream, snapshots, a subscription with a checkpoint and a parked event. */
export async function writeFixtureData(client: RemoteGater): Promise<void> {
  const orders = { ...STORE, streamId: 'order-1' };
  await client.appendEvents({
    ...orders,
    expectedVersion: -1,
    events: [
      { type: 'order_placed', data: { total: 42.5, text: 'ä😀' }, metadata: { by: 'alice' }, tags: ['vip'] },
      { type: 'order_noted', dataBase64: 'AAEC/w==', contentType: 'application/octet-stream' },
      { type: 'order_paid', data: null },
    ],
  });
  await client.appendToStreams({
    ...STORE,
    appends: [
      { streamId: 'order-2', events: [{ type: 'order_placed', data: 2 }] },
      { streamId: 'order-3', events: [{ type: 'order_placed', data: 3 }] },
    ],
  });
  await client.deleteStream({ ...STORE, streamId: 'order-3' });
  await client.recordSnapshot({
    ...STORE,
    sourceUuid: 'order-1',
    streamUuid: 'totals',
    version: 2,
    record: { total: 42.5 },
    metadata: { made: 'by hand' },
  });
  const subscription = await client.saveSubscription({
    ...STORE,
    name: 'billing',
    type: 'stream',
    selector: '$all',
  });
  let seen = 0;
  for await (const delivered of subscription) {
    seen += 1;
    if (seen === 2) await delivered.nack({ action: 'park', reason: 'bytes' });
    else await delivered.ack();
    if (seen === 3) break;
  }
  await client.leaveSubscription({ ...STORE, name: 'billing' });
  await client.publish({ channel: 'system', topic: 'release.made', message: 1 });
  await client.getEvents(orders);
  await client.streamForward(orders);
  await client.streamBackward(orders);
  await client.getVersion(orders);
  await client.streamExists(orders);
  await client.getStreams(STORE);
  await client.versionAt({ ...orders, time: '2100-01-01T00:00:00.000Z' });
  await client.verifyStream(orders);
  await client.readAll(STORE);
  await client.queryEvents({ ...STORE, query: { items: [{ tags: ['vip'] }] } });
  await client.readSnapshot({ ...STORE, sourceUuid: 'order-1', streamUuid: 'totals' });
  await client.listSnapshots({ ...STORE, sourceUuid: 'order-1', streamUuid: 'totals' });
  await client.getSubscriptions(STORE);
  await client.listParked({ ...STORE, name: 'billing' });
  await client.channelInfo();
  await client.health();
  await client.quickHealthCheck(STORE);
}
