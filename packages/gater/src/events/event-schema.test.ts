import { createRegistry } from '@esdb-gater/registry';
import { GaterError, type RecordedEvent, type StoreWorker } from '@esdb-gater/types';
import { describe, expect, expectTypeOf, test } from 'vitest';
import { createGater } from '../in-process/create-gater.ts';
import { eventSchema } from './event-schema.ts';
import type { StandardSchemaV1 } from './standard-schema.ts';

/** A validator as libraries make them: accepts objects with a numeric text `amount`, and gives a number. */
const amount: StandardSchemaV1<{ amount: string }, { amount: number }> = {
  '~standard': {
    version: 1,
    vendor: 'test',
    async validate(value) {
      const { amount: given } = value as { amount?: unknown };
      return typeof given === 'string'
        ? { value: { amount: Number(given) } }
        : { issues: [{ message: 'must be a string', path: [{ key: 'amount' }] }] };
    },
  },
};

const orders = eventSchema({
  order_placed: {
    version: 3,
    upcasters: {
      1: (data: { total: number }) => ({ sum: data.total }),
      2: (data: { sum: number }, event) => ({ amount: String(data.sum), by: event.metadata['by'] }),
    },
    data: amount,
  },
  order_closed: {},
});

function recorded(event: Partial<RecordedEvent>): RecordedEvent {
  return {
    id: 'e',
    type: 'order_placed',
    storeId: 's',
    streamId: 'a',
    version: 4,
    position: 9,
    data: null,
    metadata: {},
    tags: [],
    timestamp: '2026-01-01T00:00:00.000Z',
    epochUs: 0,
    ...event,
  };
}

const v3 = { metadata: { schemaVersion: 3 } };
const refusal = (problem: string, details: object = {}) => ({
  code: 'invalid_argument',
  details: { reason: 'event_schema', problem, type: 'order_placed', ...details },
});

describe('reading', () => {
  test('an event is brought from its version to the newest, step by step, and validated', async () => {
    const read = async (event: Partial<RecordedEvent>) => (await orders.read(recorded(event))).data;
    expect(await read({ data: { total: 5 }, metadata: {} })).toEqual({ amount: 5 });
    expect(await read({ data: { sum: 6 }, metadata: { schemaVersion: 2 } })).toEqual({ amount: 6 });
    expect(await read({ data: { amount: '7' }, ...v3 })).toEqual({ amount: 7 });
  });

  test('an upcaster sees the whole event, and the event keeps its metadata', async () => {
    const seen: unknown[] = [];
    const schema = eventSchema({
      t: { version: 2, upcasters: { 1: (_: unknown, event) => void seen.push(event.metadata) } },
    });
    const event = recorded({ type: 't', metadata: { by: 'Ada' } });
    expect((await schema.read(event)).metadata).toEqual({ by: 'Ada' });
    expect(seen).toEqual([{ by: 'Ada' }]);
  });

  test('events of unknown types, and events without `data`, pass as they are', () => {
    const unknown = recorded({ type: 'other' });
    expect(orders.read(unknown)).toBe(unknown);
    const { data: _, ...bytes } = recorded({});
    expect(orders.read(bytes as RecordedEvent)).toBe(bytes);
  });

  test('invalid data, a newer version and a wrong version are refused with their place', async () => {
    const place = { storeId: 's', streamId: 'a', version: 4 };
    await expect(orders.read(recorded({ data: {}, ...v3 }))).rejects.toMatchObject(
      refusal('invalid_data', { issues: ['amount: must be a string'], ...place }),
    );
    const read = (schemaVersion: unknown) => () =>
      orders.read(recorded({ metadata: { schemaVersion: schemaVersion as never } }));
    expect(read(4)).toThrow(
      expect.objectContaining(refusal('newer_version', { schemaVersion: 4, known: 3, ...place })),
    );
    for (const wrong of [0, 1.5, '3', null]) {
      expect(read(wrong)).toThrow(expect.objectContaining(refusal('schema_version', place)));
    }
  });
});

describe('appending', () => {
  test('the input is stored as it is, with its version unless that is 1', async () => {
    const data = { amount: '7' };
    expect(await orders.append({ type: 'order_placed', data, metadata: { by: 'me' } })).toEqual({
      type: 'order_placed',
      data,
      metadata: { by: 'me', schemaVersion: 3 },
    });
    const closed = { type: 'order_closed', data: null };
    expect(await orders.append(closed)).toBe(closed);
  });

  test('bytes pass as they are', () => {
    const bytes = { type: 'order_placed', dataBase64: 'AAEC', contentType: 'application/x-protobuf' };
    expect(orders.append(bytes)).toBe(bytes);
  });

  test('invalid data, another version and a type that the schema lacks are refused', async () => {
    await expect(orders.append({ type: 'order_placed', data: { amount: 7 } })).rejects.toMatchObject(
      refusal('invalid_data', { issues: ['amount: must be a string'] }),
    );
    const metadata = { schemaVersion: 2 };
    expect(() => orders.append({ type: 'order_placed', data: { amount: '7' }, metadata })).toThrow(
      expect.objectContaining(refusal('schema_version')),
    );
    expect(() => orders.append({ type: 'constructor', data: null })).toThrow(
      expect.objectContaining(refusal('unknown_type', { type: 'constructor' })),
    );
  });
});

test.each([
  [{ version: 0 }, 'must be an integer of at least 1'],
  [{ version: 3, upcasters: { 2: () => null } }, 'must have an upcaster from version 1'],
])('a definition that cannot read its older versions is refused at once, %j', (type, message) => {
  expect(() => eventSchema({ t: type })).toThrow(message);
});

describe('a Gater with a schema', () => {
  const page = [
    recorded({ data: { total: 5 } }),
    recorded({ data: { amount: '6' }, ...v3, version: 5, position: 10 }),
  ];
  const appended: unknown[] = [];
  const call = async (method: string, params: object) => {
    if (method.startsWith('append')) {
      appended.push(params);
      return {};
    }
    // A follow asks where the store ends.
    const isEnd = 'after' in params && params.after === Number.MAX_SAFE_INTEGER;
    return { events: isEnd ? [] : page, version: 5, lastPosition: 10 };
  };
  const registry = createRegistry();
  registry.register({
    storeId: 's',
    storeUuid: 's',
    workerId: 'w',
    nodeId: 'n',
    incarnation: 1,
    registeredAt: 0,
    methods: ['appendEvents', 'appendToStreams', 'getEvents', 'readAll', 'queryEvents'],
    call: call as StoreWorker['call'],
  });
  const gater = createGater({ registry }).withEvents(orders);
  const stream = { storeId: 's', streamId: 'a' };
  const query = { items: [{ types: ['order_placed'] }] };

  async function firstTwo(events: AsyncIterable<{ readonly data: unknown }>): Promise<unknown[]> {
    const taken: unknown[] = [];
    for await (const { data } of events) if (taken.push(data) === 2) break;
    return taken;
  }

  test('every way to read events passes it', async () => {
    const pages = await Promise.all([
      gater.getEvents(stream),
      gater.streamForward(stream),
      gater.readAll({ storeId: 's' }),
      gater.queryEvents({ storeId: 's', query }),
    ]);
    const lists = [
      ...pages.map(({ events }) => events.map(({ data }) => data)),
      ...(await Promise.all([
        firstTwo(gater.events(stream)),
        firstTwo(gater.allEvents({ storeId: 's' })),
        firstTwo(gater.follow({ storeId: 's' })),
      ])),
    ];
    for (const list of lists) expect(list).toEqual([{ amount: 5 }, { amount: 6 }]);
  });

  test('an append passes it, and a refused one is not sent', async () => {
    await gater.appendEvents({ ...stream, events: [{ type: 'order_placed', data: { amount: '7' } }] });
    expect(appended.at(-1)).toMatchObject({ events: [{ metadata: { schemaVersion: 3 } }] });
    const refused = gater.appendEvents({
      ...stream,
      events: [{ type: 'order_placed', data: { amount: 7 as never } }],
    });
    await expect(refused).rejects.toSatisfy((error) => GaterError.is(error, 'invalid_argument'));
    expect(appended.length).toBe(1);
  });

  test('an event that carries bytes passes as it is', async () => {
    const bytes = { type: 'order_placed', dataBase64: 'AAE=', contentType: 'application/octet-stream' };
    await gater.appendEvents({ ...stream, events: [bytes as never] });
    expect(appended.at(-1)).toMatchObject({ events: [bytes] });
  });

  test('its types are those of the validators', async () => {
    const { events } = await gater.getEvents(stream);
    for (const event of events) {
      if (event.type === 'order_placed') expectTypeOf(event.data).toEqualTypeOf<{ amount: number }>();
    }
    expect(events.length).toBe(2);
    const wrong = () =>
      gater.appendEvents({
        ...stream,
        // @ts-expect-error The validator takes a text.
        events: [{ type: 'order_placed', data: { amount: 7 } }],
      });
    expect(wrong).toBeTypeOf('function');
  });

  test('its types can be those of a union, each type of which must be named', () => {
    type UserEvent =
      | { readonly type: 'joined'; readonly data: { readonly name: string } }
      | { readonly type: 'left'; readonly data: null };
    const users = createGater({ registry }).withEvents(eventSchema<UserEvent>({ joined: {}, left: {} }));
    type Read = Awaited<ReturnType<typeof users.getEvents>>['events'][number];
    expectTypeOf<Extract<Read, { type: 'joined' }>['data']>().toEqualTypeOf<{ readonly name: string }>();
    // @ts-expect-error `left` is missing.
    expect(() => eventSchema<UserEvent>({ joined: {} })).not.toThrow();
  });
});
