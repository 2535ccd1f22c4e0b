import { expect, test } from 'vitest';
import { CLIENT_CALL_DURATION, INSTRUMENTS, type Instrument } from './instruments.ts';

const ALL: readonly Instrument[] = [...Object.values(INSTRUMENTS), CLIENT_CALL_DURATION];

test('each metric has a unique name in the namespaces of this project or the conventions', () => {
  expect(new Set(ALL.map(({ name }) => name)).size).toBe(ALL.length);
  for (const { name } of ALL) expect(name).toMatch(/^(esdb_gater|rpc)(\.[a-z_]+)+$/);
});

test('no label is a topic, a stream or a message', () => {
  const labels = new Set(ALL.flatMap((one) => one.labels));
  expect([...labels].sort()).toEqual([
    'change',
    'channel',
    'code',
    'error.type',
    'esdb_gater.store.id',
    'kind',
    'reason',
    'request_type',
    'result',
    'rpc.method',
    'rpc.system.name',
    'state',
    'statistic',
    'store_id',
  ]);
});

test('histograms, and only they, have buckets, which ascend', () => {
  for (const { kind, name, bounds } of ALL) {
    expect(bounds !== undefined, name).toBe(kind === 'histogram');
    expect(bounds ?? [], name).toEqual([...(bounds ?? [])].sort((a, b) => a - b));
  }
});

test('calls are measured alike on both sides', () => {
  const { name: _, ...client } = CLIENT_CALL_DURATION;
  const { name: __, ...server } = INSTRUMENTS.serverCallDuration;
  expect(client).toEqual(server);
});
