import { expect, test } from 'vitest';
import { loadConfig } from './load-config.ts';
import { assertSupported } from './supported.ts';

test('the defaults are supported', () => {
  expect(() => assertSupported(loadConfig())).not.toThrow();
});

test.each([
  [
    'cluster.discovery',
    { 'cluster-discovery': 'static', 'security-hmac-secret': 's', 'cluster-secret': 's' },
  ],
  ['cluster.peers', { 'cluster-peers': 'ws://a:1/v1/ws' }],
  ['stores.a.engine', { stores: '{"a":{"engine":"postgres","url":"postgres://u:hunter2@h"}}' }],
  ['stores.a.tamperEvident', { stores: '{"a":{"engine":"sqlite","tamperEvident":true}}' }],
])('%s is refused by its name as long as it is not there', (key, flags) => {
  const config = loadConfig({ flags });
  expect(() => assertSupported(config)).toThrow(expect.objectContaining({ code: 'not_supported', key }));
});

test('Kafka is supported with either driver', () => {
  const flags = { 'kafka-brokers': 'a:9092,b:9092', 'security-hmac-secret': 's' };
  for (const driver of ['kafkajs', 'platformatic']) {
    expect(() => assertSupported(loadConfig({ flags: { ...flags, 'kafka-driver': driver } }))).not.toThrow();
  }
});

test('a file for an engine without one is refused', () => {
  const config = loadConfig({ flags: { stores: '{"a":{"engine":"memory","file":"x"}}' } });
  expect(() => assertSupported(config)).toThrow('stores.a.file: only the engine sqlite has a file');
});
