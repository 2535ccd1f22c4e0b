import { expect, test } from 'vitest';
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
