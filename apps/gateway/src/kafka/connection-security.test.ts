import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { loadConfig } from '../config/load-config.ts';
import { connectionSecurity } from './connection-security.ts';

const folder = mkdtempSync(join(tmpdir(), 'esdb-gater-'));
afterAll(() => rmSync(folder, { recursive: true }));

function fileWith(name: string, text: string): string {
  const file = join(folder, name);
  writeFileSync(file, text, { mode: 0o600 });
  return file;
}

const kafkaOf = (flags: Readonly<Record<string, string | boolean>>) =>
  loadConfig({
    flags: { 'kafka-brokers': '127.0.0.1:9092', 'security-hmac-secret': 'secret', ...flags },
  }).kafka;

test('the authority, the certificate and the key of the settings are read from their files', () => {
  const kafka = kafkaOf({
    'kafka-ssl-enabled': true,
    'kafka-ssl-ca-file': fileWith('ca.pem', 'an authority'),
    'kafka-ssl-cert-file': fileWith('client.crt', 'a certificate'),
    'kafka-ssl-key-file': fileWith('client.key', 'a key'),
  });
  expect(connectionSecurity(kafka)).toEqual({
    tls: { ca: 'an authority', cert: 'a certificate', key: 'a key' },
  });
});

test('a login goes without a certificate, with the password of its file', () => {
  const kafka = kafkaOf({
    'kafka-ssl-enabled': true,
    'kafka-sasl-mechanism': 'scram-sha-256',
    'kafka-sasl-username': 'ada',
    'kafka-sasl-password-file': fileWith('password', 'hunter2\n'),
  });
  expect(connectionSecurity(kafka)).toEqual({
    tls: {},
    sasl: { mechanism: 'scram-sha-256', username: 'ada', password: 'hunter2' },
  });
});

test('without settings Kafka is reached by plain TCP', () => {
  expect(connectionSecurity(kafkaOf({}))).toEqual({});
});

test('a file that is not there is named with its setting', () => {
  const flags = { 'kafka-ssl-enabled': true, 'kafka-ssl-ca-file': join(folder, 'none.pem') };
  expect(() => connectionSecurity(kafkaOf(flags))).toThrow(/kafka\.ssl\.caFile/);
});
