import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { CONFIG_KEYS } from './keys.ts';
import { loadConfig } from './load-config.ts';
import { assertSupported } from './not-yet.ts';
import { CONFIG_SCHEMA } from './schema.ts';
import { annotationsOf } from './schema-kit.ts';

test('the defaults are supported, also when they are given', () => {
  expect(() => assertSupported(loadConfig())).not.toThrow();
  const flags = {
    'cluster-port': '45893',
    'kafka-ssl-enabled': 'false',
    'metrics-host': '127.0.0.1',
    stores: '{"a":{"engine":"sqlite","tamperEvident":true}}',
  };
  expect(() => assertSupported(loadConfig({ flags }))).not.toThrow();
});

const REFUSED: [key: string, flags: Record<string, string>][] = [
  [
    'cluster.discovery',
    { 'cluster-discovery': 'static', 'security-hmac-secret': 's', 'cluster-secret': 's' },
  ],
  ['cluster.peers', { 'cluster-peers': 'ws://a:1/v1/ws' }],
  ['cluster.port', { 'cluster-port': '45894' }],
  ['cluster.multicastAddr', { 'cluster-multicast-addr': '239.255.0.3' }],
  ['cluster.secret', { 'cluster-secret': 's' }],
  ['registry.failureTimeoutMs', { 'registry-failure-timeout-ms': '3001' }],
  ['kafka.ssl.enabled', { 'kafka-ssl-enabled': 'true' }],
  ['kafka.ssl.caFile', { 'kafka-ssl-ca-file': 'ca.pem' }],
  ['kafka.ssl.certFile', { 'kafka-ssl-cert-file': 'cert.pem' }],
  ['kafka.ssl.keyFile', { 'kafka-ssl-key-file': 'key.pem' }],
  ['kafka.sasl.mechanism', { 'kafka-sasl-mechanism': 'plain' }],
  ['kafka.sasl.username', { 'kafka-sasl-username': 'u' }],
  ['kafka.sasl.password', { 'kafka-sasl-password': 'hunter2' }],
  ['metrics.host', { 'metrics-host': '0.0.0.0' }],
  ['metrics.port', { 'metrics-port': '9090' }],
];

test.each(REFUSED)('%s is refused by its name while it is not implemented', (key, flags) => {
  const config = loadConfig({ flags });
  expect(() => assertSupported(config)).toThrow(expect.objectContaining({ code: 'not_supported', key }));
  expect(() => assertSupported(config)).toThrow(/^(?!.*hunter2).* is not supported by this version$/);
});

test('the cases above are all keys of features that are not implemented', () => {
  const keys = CONFIG_KEYS.filter((key) => key.notYet !== undefined && key.twinOf === undefined);
  const stores = Object.values(CONFIG_SCHEMA.properties.stores.patternProperties).flatMap((store) =>
    Object.entries(store.properties).map(
      ([name, schema]) => [`stores.a.${name}`, annotationsOf(schema)] as const,
    ),
  );
  const ofStores = stores.filter(([, { notYet }]) => notYet !== undefined).map(([path]) => path);
  expect(REFUSED.map(([key]) => key).sort()).toEqual([...keys.map(({ path }) => path), ...ofStores].sort());
});

test('a secret file of such a feature is refused by the name of its key', () => {
  const folder = mkdtempSync(join(tmpdir(), 'esdb-gater-config-'));
  writeFileSync(join(folder, 'secret'), 'hunter2');
  const flags = { 'cluster-secret-file': join(folder, 'secret') };
  expect(() => loadConfig({ flags })).toThrow(
    expect.objectContaining({ code: 'not_supported', key: 'cluster.secretFile' }),
  );
  rmSync(folder, { recursive: true });
});

test('Kafka is supported with either driver', () => {
  const flags = { 'kafka-brokers': 'a:9092,b:9092', 'security-hmac-secret': 's' };
  for (const driver of ['kafkajs', 'platformatic']) {
    expect(() => assertSupported(loadConfig({ flags: { ...flags, 'kafka-driver': driver } }))).not.toThrow();
  }
});
