import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { connect } from '@esdb-gater/client';
import { isMethodName, validateResult } from '@esdb-gater/protocol';
import { afterEach, describe, expect, test } from 'vitest';
import { startTestGateway } from './support/in-process.ts';
import { rawConnect } from './support/raw-client.ts';
import { FIXTURE_FLAGS, type ReleaseFixture, readFixtures, unpackFolder } from './support/release-fixture.ts';

const FIXTURES = readFixtures().map((fixture) => [fixture.version, fixture] as const);
const STORE = { storeId: 'default' } as const;

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'esdb-gater-old-'));
  cleanUps.push(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** Starts this version on a copy of the data of a release. */
async function startOn(fixture: ReleaseFixture) {
  const dataDir = folder();
  unpackFolder(fixture, dataDir);
  const gateway = await startTestGateway(FIXTURE_FLAGS, { dataDir });
  cleanUps.push(() => gateway.close());
  return gateway;
}

/** A member of a text file of a fixture. */
const textOf = ({ files }: ReleaseFixture, name: string): string =>
  Buffer.from(files[name] ?? '', 'base64').toString();

test('there is a fixture of the first release', () => {
  expect(FIXTURES.map(([version]) => version)).toContain('0.1.0');
});

describe.each(FIXTURES)('the data folder of version %s', (_version, fixture) => {
  test('opens, and everything in it is read and verified [F22]', async () => {
    const gateway = await startOn(fixture);
    expect(gateway.nodeId).toBe(textOf(fixture, 'node-id').trim());
    expect(textOf(fixture, 'identity.json')).toContain(gateway.did);
    await using client = await connect(gateway.url);
    const { events } = await client.readAll(STORE);
    expect(events.map(({ streamId, version, type }) => [streamId, version, type])).toEqual([
      ['order-1', 0, 'order_placed'],
      ['order-1', 1, 'order_noted'],
      ['order-1', 2, 'order_paid'],
      ['order-2', 0, 'order_placed'],
      ['order-3', 0, 'order_placed'],
    ]);
    expect(events[0]).toMatchObject({
      data: { total: 42.5, text: 'ä😀' },
      metadata: { by: 'alice' },
      tags: ['vip'],
    });
    expect(events[1]).toMatchObject({ dataBase64: 'AAEC/w==', contentType: 'application/octet-stream' });
    for (const streamId of ['order-1', 'order-2']) {
      expect(await client.verifyStream({ ...STORE, streamId })).toEqual({ verified: true });
    }
    const deleted = client.getEvents({ ...STORE, streamId: 'order-3' });
    await expect(deleted).rejects.toMatchObject({ code: 'stream_deleted' });
    const snapshot = { ...STORE, sourceUuid: 'order-1', streamUuid: 'totals' };
    expect(await client.readSnapshot(snapshot)).toMatchObject({
      version: 2,
      record: { total: 42.5 },
      metadata: { made: 'by hand' },
    });
    const { subscriptions } = await client.getSubscriptions(STORE);
    expect(subscriptions).toMatchObject([{ name: 'billing', checkpoint: 3, lag: 2, parked: 1 }]);
    const { events: parked } = await client.listParked({ ...STORE, name: 'billing' });
    expect(parked).toMatchObject([{ event: { type: 'order_noted' }, reason: 'bytes' }]);
  });

  test('is written to, and its subscription goes on where it was [F22]', async () => {
    const gateway = await startOn(fixture);
    await using client = await connect(gateway.url);
    const stream = { ...STORE, streamId: 'order-1' };
    const appended = await client.appendEvents({
      ...stream,
      expectedVersion: 2,
      events: [{ type: 'order_shipped', data: 1 }],
    });
    expect(appended).toMatchObject({ version: 3, position: 6 });
    expect(await client.verifyStream(stream)).toEqual({ verified: true });
    expect(
      await client.appendEvents({ ...STORE, streamId: 'order-3', events: [{ type: 'again', data: 1 }] }),
    ).toMatchObject({ version: 1 });
    await client.replayParked({ ...STORE, name: 'billing' });
    await using subscription = await client.saveSubscription({
      ...STORE,
      name: 'billing',
      type: 'stream',
      selector: '$all',
    });
    const seen: string[] = [];
    for await (const delivered of subscription) {
      seen.push(delivered.event.type);
      await delivered.ack();
      if (seen.length === 5) break;
    }
    expect(seen.toSorted()).toEqual(
      ['again', 'order_noted', 'order_placed', 'order_placed', 'order_shipped'].toSorted(),
    );
  });

  test('is refused with a clear error when a newer version has written it', async () => {
    const dataDir = folder();
    unpackFolder(fixture, dataDir);
    const database = new DatabaseSync(join(dataDir, 'default.db'));
    database.exec('PRAGMA user_version = 1000');
    database.close();
    await expect(startTestGateway(FIXTURE_FLAGS, { dataDir })).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(/default\.db.*1000/),
    });
  });
});

interface Call {
  readonly id?: number;
  readonly method: string;
  readonly params: object;
}

interface Answer {
  readonly id: number;
  readonly result?: object;
}

describe.each(FIXTURES)('a client of version %s', (_version, fixture) => {
  const parsed = (from: string): unknown[] =>
    fixture.frames.filter((frame) => frame.from === from).map(({ text }) => JSON.parse(text));
  const calls = (parsed('client') as Call[]).filter(({ id }) => id !== undefined);
  const answers = new Map((parsed('gateway') as Answer[]).map((answer) => [answer.id, answer]));

  test('is answered by this gateway as by its own, with results that fit the protocol [F22]', async () => {
    const gateway = await startTestGateway(FIXTURE_FLAGS);
    cleanUps.push(() => gateway.close());
    const client = await rawConnect(gateway.url);
    cleanUps.push(() => client.close());
    expect(new Set(calls.map(({ method }) => method)).size).toBeGreaterThan(20);
    for (const { id = 0, method, params } of calls) {
      const then = answers.get(id)?.result;
      if (then === undefined || !isMethodName(method))
        throw new Error(`${method} must be a method with a result`);
      // An event is acknowledged after its delivery.
      if (/^n?ackEvent$/.test(method)) {
        const acked = (params as { readonly eventNumber: number }).eventNumber;
        await client.until(() =>
          client.notices.some(
            ({ method: notice, params: given }) =>
              notice === 'event' && (given as { event: { version: number } }).event.version === acked,
          ),
        );
      }
      const { result, error } = await client.call(method, params);
      expect(error, method).toBeUndefined();
      validateResult(method, result);
      // Whatever a client of that time read is there; more may be.
      expect(Object.keys(result as object), method).toEqual(expect.arrayContaining(Object.keys(then)));
    }
  });

  test('was answered with results that this version still understands [F22]', () => {
    for (const { id = 0, method } of calls) {
      if (!isMethodName(method)) throw new Error(`${method} must be a method`);
      expect(() => validateResult(method, answers.get(id)?.result), method).not.toThrow();
    }
  });
});
