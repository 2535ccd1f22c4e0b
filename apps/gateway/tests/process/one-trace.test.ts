import { connect } from '@esdb-gater/client';
import { afterEach, expect, test, vi } from 'vitest';
import { rawConnect } from '../support/raw-client.ts';
import { traceLines } from '../support/traced-call.ts';
import { startTracedPair } from '../support/traced-pair.ts';

const WAIT = { timeout: 20_000, interval: 50 };
const TRACE_ID = '1'.repeat(32);

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

test('a call to a store of another node is one trace over the link, and to the subscribers of both nodes', async () => {
  const pair = await startTracedPair();
  cleanUps.push(() => pair.close());
  await using near = await connect(pair.near.url);
  await using far = await connect(pair.far.url);
  await using _ofNear = await near.subscribe({ channel: 'events', topic: 'orders.>' });
  await using _ofFar = await far.subscribe({ channel: 'events', topic: 'orders.>' });
  const raw = await rawConnect(pair.near.url);
  cleanUps.push(() => raw.close());
  raw.send({
    jsonrpc: '2.0',
    id: 'traced',
    method: 'appendEvents',
    params: { storeId: 'orders', streamId: 'order-1', events: [{ type: 'order_placed', data: 1 }] },
    traceparent: `00-${TRACE_ID}-${'2'.repeat(16)}-01`,
  });
  const spans = () => {
    const ofTrace = pair.spans().filter(({ traceId }) => traceId === TRACE_ID);
    // The first span has the caller's as its parent, which is not exported here.
    return ofTrace.map((span) =>
      span.parentSpanId === '2'.repeat(16) ? { ...span, parentSpanId: '' } : span,
    );
  };
  await vi.waitFor(() => {
    expect(
      traceLines(spans().filter(({ kind, process }) => kind !== 'CONSUMER' && process === 'near')),
    ).toEqual(['near SERVER appendEvents', '  near CLIENT appendEvents', '    near PRODUCER publish events']);
    const lines = traceLines(spans());
    expect(lines).toHaveLength(8);
    // The two feeds run at the same time.
    for (const part of [
      [
        '      far SERVER appendEvents'.slice(2),
        '      far INTERNAL appendEvents orders',
        '        far PRODUCER publish events',
        '          far CONSUMER process events',
      ],
      ['    near PRODUCER publish events', '      near CONSUMER process events'],
    ]) {
      const at = lines.indexOf(part[0] ?? '');
      expect(lines.slice(at, at + part.length)).toEqual(part);
    }
  }, WAIT);
});

test('what the nodes ask each other outside of a trace has no spans', async () => {
  const pair = await startTracedPair();
  cleanUps.push(() => pair.close());
  await using far = await connect(pair.far.url);
  await far.appendEvents({
    storeId: 'orders',
    streamId: 'order-1',
    events: [{ type: 'order_placed', data: 1 }],
  });
  await vi.waitFor(() => expect(pair.spans().map(({ name }) => name)).toContain('appendEvents orders'), WAIT);
  // The feed of the near node has read the event over the link.
  await using near = await connect(pair.near.url);
  await using replayed = await near.subscribe({ channel: 'events', topic: 'orders.>', from: 'earliest' });
  for await (const { message } of replayed) {
    expect(message).toMatchObject({ streamId: 'order-1' });
    break;
  }
  await near.channelInfo();
  await vi.waitFor(() => expect(pair.spans().map(({ name }) => name)).toContain('channelInfo'), WAIT);
  expect(pair.spans().filter(({ name }) => name.startsWith('readAll'))).toEqual([]);
});
