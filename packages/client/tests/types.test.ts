import { expect, expectTypeOf, test } from 'vitest';
import {
  ANY_VERSION,
  type AppendParams,
  GaterError,
  type Jsonable,
  type JsonValue,
  NO_STREAM,
  type RemoteGater,
  STREAM_EXISTS,
} from '../src/index.ts';

type UserEvent =
  | { readonly type: 'user_created'; readonly data: { readonly name: string; readonly nick?: string } }
  | { readonly type: 'user_left'; readonly data: readonly number[] };

const STREAM = { storeId: 's', streamId: 'a' };

test('the package exports what a program needs to handle errors and versions [R33]', () => {
  expect([NO_STREAM, ANY_VERSION, STREAM_EXISTS]).toEqual([-1, -2, -4]);
  const error: unknown = new GaterError('wrong_expected_version', 'x', {
    details: { streamId: 'a', expected: 1, actual: 2 },
  });
  if (!GaterError.is(error, 'wrong_expected_version')) throw error;
  expectTypeOf(error.details.expected).toEqualTypeOf<number>();
  expectTypeOf(error.details.streamId).toEqualTypeOf<string>();
  expect([GaterError.is(error, 'timeout'), GaterError.is(error), error.details.actual]).toEqual([
    false,
    true,
    2,
  ]);
});

test('events of a program may carry id, metadata and tags, and nothing else [R33]', () => {
  const params: AppendParams<UserEvent> = {
    ...STREAM,
    expectedVersion: NO_STREAM,
    events: [
      { type: 'user_created', data: { name: 'Ada' }, id: 'x', metadata: { by: 'me' }, tags: ['a'] },
      { type: 'user_left', data: [1] },
    ],
  };
  expect(params.events).toHaveLength(2);
  const wrong: AppendParams<UserEvent> = {
    ...STREAM,
    // @ts-expect-error `tag` is not a member of events
    events: [{ type: 'user_created', data: { name: 'Ada' }, tag: 'a' }],
  };
  expect(wrong.events).toHaveLength(1);
});

test('what JSON cannot hold does not compile [R33]', () => {
  interface Plain {
    readonly a: string;
    readonly b?: readonly { readonly c: null }[] | undefined;
  }
  expectTypeOf<Plain>().toExtend<Jsonable<Plain>>();
  expectTypeOf<Jsonable<JsonValue>>().toEqualTypeOf<JsonValue>();
  expectTypeOf<[string, 1]>().toExtend<Jsonable<[string, 1]>>();
  expectTypeOf<{ at: Date }>().not.toExtend<Jsonable<{ at: Date }>>();
  expectTypeOf<Map<string, string>>().not.toExtend<Jsonable<Map<string, string>>>();
  expectTypeOf<Set<string>>().not.toExtend<Jsonable<Set<string>>>();
  expectTypeOf<{ a: RegExp }>().not.toExtend<Jsonable<{ a: RegExp }>>();
  expectTypeOf<{ f: () => void }>().not.toExtend<Jsonable<{ f: () => void }>>();
  expectTypeOf<{ n: bigint }>().not.toExtend<Jsonable<{ n: bigint }>>();
  expectTypeOf<(number | undefined)[]>().not.toExtend<Jsonable<(number | undefined)[]>>();
  expectTypeOf<Uint8Array>().not.toExtend<Jsonable<Uint8Array>>();
  type Dated = { readonly type: 'dated'; readonly data: { readonly at: Date } };
  const wrong: AppendParams<Dated> = {
    ...STREAM,
    // @ts-expect-error a Date would become a string
    events: [{ type: 'dated', data: { at: new Date(0) } }],
  };
  expect(wrong.events).toHaveLength(1);
});

test('the messages of a subscription and the events of a program are typed [R33]', () => {
  const read = async (client: RemoteGater<UserEvent>) => {
    for await (const { message } of await client.subscribe<{ readonly celsius: number }>({
      channel: 'metrics',
      topic: 'a',
    })) {
      expectTypeOf(message.celsius).toEqualTypeOf<number>();
    }
    for await (const { message } of await client.subscribe({ channel: 'metrics', topic: 'a' })) {
      expectTypeOf(message).toEqualTypeOf<JsonValue>();
    }
    for await (const event of client.events(STREAM)) {
      if (event.type === 'user_created') expectTypeOf(event.data.name).toEqualTypeOf<string>();
    }
  };
  expect(read).toBeTypeOf('function');
});
