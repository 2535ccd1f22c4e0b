import { afterEach, expect, test } from 'vitest';
import { emit } from './handlers.ts';
import { type InstrumentSink, presentLabels } from './instrument-sink.ts';
import { createLabelValues } from './label-values.ts';
import { type RecordEventsOptions, recordEvents } from './record-events.ts';

/** Keeps the sum of every series by the name of its metric and its labels. */
function recordingSink(): InstrumentSink & { readonly sums: ReadonlyMap<string, number> } {
  const sums = new Map<string, number>();
  return {
    sums,
    series(instrument, labels) {
      const key = [instrument.name, ...Object.values(presentLabels(labels))].join(' ');
      return (value) => void sums.set(key, (sums.get(key) ?? 0) + value);
    },
    observe: () => () => {},
  };
}

let end = (): void => {};
afterEach(() => end());

function record(options: RecordEventsOptions) {
  const { sums, ...sink } = recordingSink();
  end = recordEvents(sink, options);
  return sums;
}

function call(storeId: string, method = 'getEvents', reason = 'store_not_found'): void {
  const metadata = { store_id: storeId, request_type: method };
  emit('esdb_gater.request.start', { system_time: 1 }, metadata);
  emit('esdb_gater.request.error', { duration: 1 }, { ...metadata, reason });
}

test('2 000 made-up stores share one series, and the real store is counted under its name', () => {
  const sums = record({ labels: createLabelValues({ configuredStores: ['default'] }) });
  for (let i = 0; i < 2_000; i++) call(`made-up-${i}`);
  call('default');
  expect(sums.get('esdb_gater.requests other getEvents store_not_found')).toBe(2_000);
  expect(sums.get('esdb_gater.requests default getEvents store_not_found')).toBe(1);
  expect([...sums.keys()].filter((key) => key.startsWith('esdb_gater.requests '))).toHaveLength(2);
  emit('esdb_gater.worker.registered', { system_time: 1 }, { store_id: 'late', node: 'n', pid: 'p' });
  call('late');
  expect(sums.get('esdb_gater.requests late getEvents store_not_found')).toBe(1);
});

test('unknown methods and errors are recorded as `other`, on retries too', () => {
  const labels = createLabelValues({ configuredStores: ['s'], isMethod: (name) => name === 'getEvents' });
  const sums = record({ labels });
  for (let i = 0; i < 100; i++) {
    call('s', `method-${i}`, `error-${i}`);
    emit('esdb_gater.retry.attempt', { delay_ms: 1, attempt: 1 }, { store_id: 's', reason: `error-${i}` });
    emit('esdb_gater.retry.exhausted', { total_attempts: 3 }, { store_id: 's', reason: `error-${i}` });
  }
  expect(sums.get('esdb_gater.requests s other other')).toBe(100);
  expect(sums.get('rpc.server.call.duration jsonrpc other s other')).toBeCloseTo(0.1);
  expect(sums.get('esdb_gater.retries s other')).toBe(100);
  expect(sums.get('esdb_gater.retries_exhausted s other')).toBe(100);
});

test('who serves many stores, and chooses their answers, gets a bounded number of series', () => {
  const labels = createLabelValues({ configuredStores: ['default'] });
  const sums = record({ labels });
  const requests = () => [...sums.keys()].filter((key) => key.startsWith('esdb_gater.requests ')).length;
  for (let i = 0; i < 400; i++) {
    labels.addStore(`served-${i}`);
    for (const reason of ['timeout', 'internal', 'overloaded', 'unavailable']) {
      call(`served-${i}`, 'getEvents', reason);
    }
  }
  // Plus the four of `other`.
  expect(requests()).toBe(1_004);
  for (const reason of ['timeout', 'internal', 'overloaded', 'unavailable', 'no_workers']) {
    call('default', 'getEvents', reason);
  }
  expect(requests()).toBe(1_009);
  call('served-0', 'getEvents', 'timeout');
  expect(sums.get('esdb_gater.requests served-0 getEvents timeout')).toBe(2);
});

test('calls that began before somebody counted are not counted when they end', () => {
  const sums = record({ labels: createLabelValues() });
  const metadata = { store_id: 's', request_type: 'getEvents' };
  emit('esdb_gater.request.stop', { duration: 1 }, { ...metadata, result: 'ok' });
  emit('esdb_gater.request.start', { system_time: 1 }, metadata);
  expect(sums.get('esdb_gater.requests_in_flight')).toBe(1);
});

test('a message without receivers is not counted', () => {
  const sums = record({});
  emit('esdb_gater.channel.broadcast', { recipient_count: 0 }, { channel: 'events', topic: 'a' });
  emit('esdb_gater.channel.broadcast', { recipient_count: 3 }, { channel: 'events', topic: 'a' });
  expect([sums.get('esdb_gater.broadcasts events'), sums.get('esdb_gater.deliveries events')]).toEqual([
    1, 3,
  ]);
});
