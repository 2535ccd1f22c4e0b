import { describe, expect, expectTypeOf, test } from 'vitest';
import { commandHandler } from '../commands/command-handler.ts';
import { decisionHandler } from '../commands/decision-handler.ts';
import type { EventOf } from '../events.ts';
import { createTestGater, specification } from './index.ts';

type DoorEvent = EventOf<{ opened: { readonly by: string }; closed: null }>;

class AlreadyOpen extends Error {
  readonly code = 'already_open';
}

const gater = createTestGater<DoorEvent>();
const door = commandHandler({
  gater,
  streamId: () => 'door',
  initialState: false,
  evolve: (_, { type }) => type === 'opened',
  decide(command: { readonly open: boolean; readonly by: string }, isOpen) {
    if (command.open && isOpen) throw new AlreadyOpen('the door is open already');
    if (!command.open && !isOpen) return [];
    return command.open
      ? ({ type: 'opened', data: { by: command.by }, tags: ['door'] } as const)
      : ({ type: 'closed', data: null } as const);
  },
});
const { given } = specification(door);
const open = { open: true, by: 'Ada' };

test('given events, when a command comes, then events follow', () => {
  given()
    .when(open)
    .then({ type: 'opened', data: { by: 'Ada' } });
  given([{ type: 'opened', data: { by: 'Ada' } }])
    .when({ open: false, by: 'x' })
    .then([{ type: 'closed', data: null }]);
  given().when({ open: false, by: 'x' }).thenNothing();
  given()
    .when(open)
    .then({ type: 'opened', data: { by: 'Ada' }, tags: ['door'] });
  // @ts-expect-error an event that the program does not have
  given({ type: 'broken', data: null });
  expectTypeOf(given().when).parameter(0).toEqualTypeOf<{ readonly open: boolean; readonly by: string }>();
});

describe('what differs fails the test', () => {
  const isOpen = { type: 'opened', data: { by: 'Eve' } } as const;
  test.each<[string, () => void]>([
    [
      'other data',
      () =>
        given()
          .when(open)
          .then({ type: 'opened', data: { by: 'Eve' } }),
    ],
    [
      'other tags',
      () =>
        given()
          .when(open)
          .then({ type: 'opened', data: { by: 'Ada' }, tags: ['x'] }),
    ],
    ['another number', () => given().when(open).then([])],
    ['something instead of nothing', () => given().when(open).thenNothing()],
    ['no refusal', () => given().when(open).thenThrows()],
    ['another class', () => given(isOpen).when(open).thenThrows(RangeError)],
    [
      'another message',
      () =>
        given(isOpen)
          .when(open)
          .thenThrows(/closed/),
    ],
    ['another code', () => given(isOpen).when(open).thenThrows({ code: 'x' })],
    [
      'a check',
      () =>
        given(isOpen)
          .when(open)
          .thenThrows((error: unknown) => error === 1),
    ],
  ])('%s', (_, check) => {
    expect(check).toThrow(expect.objectContaining({ name: 'AssertionError' }));
  });

  test('and a refusal is recognised by class, message, members and a check', () => {
    const refused = () => given(isOpen).when(open);
    refused().thenThrows();
    refused().thenThrows(AlreadyOpen);
    refused().thenThrows(Error);
    refused().thenThrows(/open already/);
    refused().thenThrows({ code: 'already_open', message: /open/ });
    refused().thenThrows((error: unknown) => error instanceof AlreadyOpen);
    expect(() => refused().then([])).toThrow(AlreadyOpen);
  });
});

test('the query of a decision is applied to the given events', () => {
  const count = decisionHandler({
    gater,
    query: (tag: string) => ({ items: [{ types: ['opened'], tags: [tag] }] }),
    streamId: () => 'door',
    initialState: 0,
    evolve: (sum) => sum + 1,
    decide: (_, sum) => ({ type: 'opened', data: { by: String(sum) } }),
  });
  const opened = { type: 'opened', data: { by: 'x' } } as const;
  specification(count)
    .given([
      { ...opened, tags: ['a'] },
      { ...opened, tags: ['b'] },
      { type: 'closed', data: null, tags: ['a'] },
      opened,
    ])
    .when('a')
    .then({ type: 'opened', data: { by: '1' } });
});
