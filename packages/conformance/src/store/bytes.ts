import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { AppendResult, EventStore, NewBytesEvent, NewEvent } from '@esdb-gater/types';
import { type CaseSpec, newEvent, readEverything, refuses } from './harness.ts';

const NEEDS = ['bytes'] as const;

function bytesEvent(bytes: Uint8Array, rest: Partial<NewBytesEvent> = {}): NewBytesEvent {
  const dataBase64 = Buffer.from(bytes).toString('base64');
  return { id: randomUUID(), type: 'drawn', dataBase64, contentType: 'image/png', ...rest };
}

function append(store: EventStore, ...events: readonly (NewEvent | NewBytesEvent)[]): Promise<AppendResult> {
  return store.appendEvents({ storeId: store.storeId, streamId: 's', events });
}

/** Every byte, and lengths with each kind of padding. */
const SAMPLES = [
  Uint8Array.from({ length: 256 }, (_, index) => index),
  new Uint8Array(0),
  Uint8Array.of(0),
  Uint8Array.of(255, 254),
  Uint8Array.of(0, 0, 0),
];

export const bytes: readonly CaseSpec[] = [
  {
    title: 'bytes come back as they were, with their content type and without data',
    needs: NEEDS,
    async body({ store }) {
      const { storeId } = store;
      const events = SAMPLES.map((sample) => bytesEvent(sample, { metadata: { a: 1 }, tags: ['t'] }));
      await append(store, ...events);
      const page = await store.getEvents({ storeId, streamId: 's' });
      for (const [index, sample] of SAMPLES.entries()) {
        const event = page.events[index];
        assert.deepEqual(Buffer.from(event?.dataBase64 ?? '?', 'base64'), Buffer.from(sample));
        assert.equal(event?.contentType, 'image/png');
        assert.equal(Object.hasOwn(event ?? {}, 'data'), false);
        assert.deepEqual([event?.metadata, event?.tags], [{ a: 1 }, ['t']]);
      }
      assert.deepEqual(await readEverything(store), page.events);
    },
  },
  {
    title: 'bytes and JSON stand in one stream, and JSON has no content type',
    needs: NEEDS,
    async body({ store }) {
      await append(store, newEvent('a', { data: '' }), bytesEvent(Uint8Array.of(1)), newEvent('c'));
      const events = await readEverything(store);
      assert.deepEqual(
        events.map((event) => [event.data, event.dataBase64, event.contentType]),
        [
          ['', undefined, undefined],
          [undefined, 'AQ==', 'image/png'],
          [{ type: 'c' }, undefined, undefined],
        ],
      );
    },
  },
  {
    title: 'the same bytes again are a duplicate; other bytes, another type or JSON are id_conflict',
    needs: NEEDS,
    async body({ store }) {
      const event = bytesEvent(Uint8Array.of(1, 2, 3));
      const first = await append(store, event);
      assert.deepEqual(await append(store, event), { ...first, duplicate: true });
      const { dataBase64, contentType, ...rest } = event;
      const others = [
        { ...rest, dataBase64: 'AQID', contentType: 'image/jpeg' },
        { ...rest, dataBase64: 'AQIE', contentType },
        { ...rest, data: dataBase64 },
      ];
      for (const other of others) {
        await refuses(append(store, other), 'invalid_argument', { reason: 'id_conflict' });
      }
      const json = newEvent('drawn', { data: 'AQID' });
      await append(store, json);
      const asBytes = { id: json.id as string, type: 'drawn', dataBase64: 'AQID', contentType: 'text/plain' };
      await refuses(append(store, asBytes), 'invalid_argument', { reason: 'id_conflict' });
    },
  },
  {
    title:
      'both of data and dataBase64, neither, base64 that is not canonical, and no media type are invalid_argument',
    needs: NEEDS,
    async body({ store }) {
      const { dataBase64, contentType, ...rest } = bytesEvent(Uint8Array.of(1));
      const wrong: object[] = [
        { ...rest, dataBase64, contentType, data: 1 },
        { ...rest, dataBase64, contentType, data: null },
        rest,
        { ...rest, dataBase64 },
        { ...rest, contentType },
        { ...rest, contentType, data: 1 },
        ...['AQ', 'AQ=', 'AR==', 'A Q=', 'AQ==\n', '-_==', 'AQ==AQ==', '='].map((text) => ({
          ...rest,
          contentType,
          dataBase64: text,
        })),
        ...['', 'png', 'image/', '/png', 'image/png\n', `a/${'b'.repeat(254)}`, 'ü/ü'].map((type) => ({
          ...rest,
          dataBase64,
          contentType: type,
        })),
      ];
      for (const event of wrong) {
        await refuses(append(store, event as NewBytesEvent), 'invalid_argument');
      }
      assert.deepEqual(await readEverything(store), []);
    },
  },
  {
    title: 'the size of bytes counts as base64: an event of more than 1 MiB is payload_too_large',
    needs: NEEDS,
    async body({ store }) {
      await append(store, bytesEvent(new Uint8Array(786_000)));
      await refuses(append(store, bytesEvent(new Uint8Array(786_500))), 'payload_too_large');
      assert.equal((await readEverything(store)).length, 1);
    },
  },
  {
    title: 'bytes are found by queries, and conditions see them',
    needs: ['bytes', 'queries'],
    async body({ store }) {
      const { storeId } = store;
      await append(store, bytesEvent(Uint8Array.of(7), { tags: ['x'] }));
      const query = { items: [{ types: ['drawn'], tags: ['x'] }] };
      const page = await store.queryEvents({ storeId, query });
      assert.equal(page.events[0]?.dataBase64, 'Bw==');
      const call = store.appendEvents({
        storeId,
        streamId: 't',
        events: [bytesEvent(Uint8Array.of(8))],
        condition: { failIfEventsMatch: query },
      });
      await refuses(call, 'append_condition_failed', { position: 1 });
    },
  },
  {
    title: 'bytes are there after the store was opened again',
    needs: ['bytes', 'durability'],
    async body(trial) {
      const event = bytesEvent(SAMPLES[0] as Uint8Array);
      await append(trial.store, event);
      await trial.reopen?.();
      const [again] = await readEverything(trial.store);
      assert.equal(again?.dataBase64, event.dataBase64);
      assert.equal((await append(trial.store, event)).duplicate, true);
    },
  },
];
