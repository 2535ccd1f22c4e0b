import type { Notice, NoticeEncoder } from '@esdb-gater/types';
import { expect, test } from 'vitest';
import { createBacklog } from './backlog.ts';
import { createDelivery } from './shared-delivery.ts';

const encoder: NoticeEncoder = { encode: ({ params }) => Buffer.from(JSON.stringify(params)) };

const notice = (message: object): Notice => ({
  method: 'message',
  params: { channel: 'system', topic: 'a', id: '1', time: '', position: 'p', message: message as never },
});

test('a delivery that waits for a slow connection keeps only the text of its message [R21]', () => {
  const message = { list: [[], []] };
  const delivery = createDelivery(notice(message), 'normal');
  const bytes = delivery.bytes(encoder);
  createBacklog().push(delivery);
  const { params } = delivery.notice as Notice & { method: 'message' };
  expect(params.message).toEqual(message);
  // Parsed again each time: the value is not kept.
  expect(params.message).not.toBe(message);
  expect(params.message).not.toBe(params.message);
  // Another type of connection still gets the whole message.
  expect(delivery.bytes({ encode: encoder.encode })).toEqual(bytes);
});

test('a message for a receiver in this process, which needs no bytes, stays as it is', () => {
  const message = { list: [] };
  const delivery = createDelivery(notice(message), 'normal');
  createBacklog().push(delivery);
  expect((delivery.notice.params as { message?: unknown }).message).toBe(message);
});

test('a notice without a message stays as it is while it waits', () => {
  const params = { channel: 'system', topic: 'a', position: 'p' } as const;
  const delivery = createDelivery({ method: 'replayed', params }, 'normal');
  delivery.bytes(encoder);
  createBacklog().push(delivery);
  expect(delivery.notice).toEqual({ method: 'replayed', params });
});

test('a delivery that waits for several slow connections keeps its message', () => {
  const delivery = createDelivery(notice({ n: 1 }), 'normal');
  delivery.bytes(encoder);
  createBacklog().push(delivery);
  const compact = delivery.notice;
  for (let n = 0; n < 2; n++) createBacklog().push(delivery);
  expect(delivery.notice).toEqual(notice({ n: 1 }));
  // One text for all of them.
  expect(delivery.notice).toBe(compact);
});
