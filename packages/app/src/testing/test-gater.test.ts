import { expect, test } from 'vitest';
import { eventually } from '../../tests/support/eventually.ts';
import { commandHandler } from '../commands/command-handler.ts';
import { decisionHandler } from '../commands/decision-handler.ts';
import type { EventOf } from '../events.ts';
import { memoryProjections } from '../projections/memory-projections.ts';
import { projection } from '../projections/projection.ts';
import { reactor } from '../reactors/reactor.ts';
import { timers } from '../timers/timers.ts';
import { createTestGater } from './index.ts';

const stream = { storeId: 'default', streamId: 'a' };

test('the times of events are those of the clock, which the test moves', async () => {
  await using gater = createTestGater();
  await gater.appendEvents({ ...stream, events: [{ type: 't', data: 1 }] });
  gater.clock.advance(1_500);
  await gater.appendEvents({ ...stream, events: [{ type: 't', data: 2 }] });
  const { events } = await gater.getEvents(stream);
  expect(events.map(({ timestamp }) => timestamp)).toEqual([
    '2026-01-01T00:00:00.000Z',
    '2026-01-01T00:00:01.500Z',
  ]);
});

test('it has several stores, follows and persistent subscriptions', async () => {
  await using gater = createTestGater({ storeIds: ['one', 'two'] });
  await gater.appendEvents({ storeId: 'two', streamId: 'a', events: [{ type: 't', data: 1 }] });
  expect((await gater.readAll({ storeId: 'one' })).events).toEqual([]);
  for await (const event of gater.follow({ storeId: 'two' })) {
    expect(event.data).toBe(1);
    break;
  }
  const subscription = await gater.saveSubscription({
    storeId: 'two',
    name: 's',
    type: 'event_type',
    selector: 't',
  });
  for await (const { event, ack } of subscription) {
    expect(event.position).toBe(1);
    await ack();
    break;
  }
});

test('a program over a Gater with one store need not name it', async () => {
  type NoteEvent = EventOf<{ noted: { readonly text: string } }>;
  await using gater = createTestGater<NoteEvent>({ storeIds: ['notes'] });
  const rules = {
    gater,
    streamId: (text: string) => `note-${text}`,
    initialState: 0,
    evolve: (count: number) => count + 1,
    decide: (text: string) => ({ type: 'noted', data: { text } }) as const,
  };
  const note = commandHandler({ ...rules, snapshot: { name: 'count', every: 1 } });
  const query = { items: [{ types: ['noted'] }] };
  const noteAnywhere = decisionHandler({ ...rules, query: () => query });
  const store = memoryProjections<{ texts: string }>();
  const list = projection({
    gater,
    name: 'list',
    events: ['noted'],
    store,
    handle: ({ data, id }, { table }) => table('texts').set(id, data.text),
  });
  const due = timers<string, NoteEvent>({
    gater,
    name: 'later',
    async fire({ message }, effects) {
      await effects.handle(note, message);
    },
  });
  const later = reactor({
    gater,
    name: 'later',
    on: ['noted'],
    async react({ data }, effects) {
      if (data.text === 'b') await effects.schedule(due, { at: gater.clock.now(), message: 'c' });
    },
  });
  await note('a');
  await noteAnywhere('b');
  await using _list = await list.start();
  await using _due = await due.start();
  await using _later = await later.start();
  await eventually(async () => {
    await gater.clock.pass(1);
    expect([...store.table('texts').values()]).toEqual(['a', 'b', 'c']);
    expect(await list.lag()).toEqual({ positions: 0, ms: 0 });
  });
  expect((await gater.getStreams({})).streams).toEqual(['note-a', 'note-b', 'note-c', 'timers-later']);
});
