import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GaterError } from '@esdb-gater/types';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CONFIG_KEYS } from './keys.ts';
import { isLoopbackHost, type LoadConfigOptions, loadConfig } from './load-config.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'esdb-gater-config-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

/** The message of the error that `options` give. */
function refusal(options: LoadConfigOptions): string {
  try {
    loadConfig(options);
  } catch (error) {
    expect(GaterError.is(error) && error.code).toBe('invalid_argument');
    expect((error as Error).message).not.toContain('\n');
    return (error as Error).message;
  }
  throw new Error('nothing was refused');
}

describe('sources', () => {
  test('without any source every key has its default, and the whole is frozen', () => {
    const config = loadConfig();
    expect(config).toMatchObject({
      host: '127.0.0.1',
      port: 4590,
      dataDir: './data',
      realm: 'default',
      stores: { default: { engine: 'sqlite' } },
      kafka: { brokers: null, topicPrefix: 'esdb_channel_', publishTimeoutMs: 8000 },
      retry: {
        baseDelayMs: 100,
        maxDelayMs: 30000,
        maxAttempts: 10,
        deadlineMs: 5000,
        attemptTimeoutMs: 2000,
      },
      security: { capabilities: 'optional', messageTtlSeconds: 300, allowInsecure: false },
      limits: { messageBytes: 1048576, frameBytes: 16777216, connections: 10000, authenticateMs: 5000 },
      shutdown: { graceMs: 10000 },
    });
    expect(config.channels.alerts).toEqual({
      priority: 'critical',
      maxRate: null,
      requireSignature: true,
      history: 100,
      enabled: true,
      capabilities: null,
    });
    expect(
      Object.entries(config.channels)
        .filter(([, channel]) => !channel.enabled)
        .map(([name]) => name),
    ).toEqual(['diagnostics']);
    expect(Object.isFrozen(config.channels.alerts)).toBe(true);
  });

  test('a file goes over the defaults, a variable over the file, a flag over the variable', () => {
    const path = file('order.yaml', 'port: 1\nrealm: filed\nretry:\n  maxAttempts: 3\n  deadlineMs: 1\n');
    const env = { ESDB_GATER_PORT: '2', ESDB_GATER_RETRY_MAX_ATTEMPTS: '4', OTHER: 'x' };
    const config = loadConfig({ file: path, env, flags: { 'retry-max-attempts': '5' } });
    expect([config.realm, config.port, config.retry.maxAttempts, config.retry.deadlineMs]).toEqual([
      'filed',
      2,
      5,
      1,
    ]);
  });

  test('JSON and YAML files say the same', () => {
    const json = loadConfig({ file: file('a.json', '{"channels":{"health":{"maxRate":null}}}') });
    const yaml = loadConfig({ file: file('a.yml', 'channels: { health: { maxRate: null } }') });
    expect(json).toEqual(yaml);
    expect(json.channels.health.maxRate).toBeNull();
  });

  test('capitals and underscores of a variable spell the path and its camel case', () => {
    const config = loadConfig({
      env: {
        ESDB_GATER_CHANNELS_HEALTH_MAX_RATE: '7',
        ESDB_GATER_CHANNELS_EVENTS_REQUIRE_SIGNATURE: 'true',
        ESDB_GATER_LIMITS_IN_FLIGHT_PER_CONNECTION: '9',
        ESDB_GATER_HTTP_ALLOWED_ORIGINS: 'https://a.example, https://b.example',
        ESDB_GATER_STORES: '{"orders":{"engine":"memory","feed":false}}',
        ESDB_GATER_LIMITS_CONNECTIONS_PER_ADDRESS: 'null',
      },
    });
    expect(config.channels.health.maxRate).toBe(7);
    expect(config.channels.events.requireSignature).toBe(true);
    expect(config.limits.inFlightPerConnection).toBe(9);
    expect(config.http.allowedOrigins).toEqual(['https://a.example', 'https://b.example']);
    expect({ ...config.stores }).toEqual({ orders: { engine: 'memory', feed: false } });
    expect(config.limits.connectionsPerAddress).toBeNull();
  });

  test('the variables of Kubernetes services are ignored with one warning', () => {
    const warnings: string[] = [];
    const config = loadConfig({
      env: {
        ESDB_GATER_SERVICE_HOST: '10.0.0.1',
        ESDB_GATER_SERVICE_PORT_HTTP: '4590',
        ESDB_GATER_PORT: 'tcp://10.0.0.1:4590',
        ESDB_GATER_PORT_4590_TCP_ADDR: '10.0.0.1',
        ESDB_GATER_CLUSTER_PORT: 'udp://10.0.0.2:45893',
      },
      warn: (message) => warnings.push(message),
    });
    expect([config.port, config.cluster.port]).toEqual([4590, 45893]);
    expect(warnings).toHaveLength(1);
  });

  test('the variables of the library and the command line are left alone', () => {
    const env = { ESDB_GATER_ENGINE: 'native', ESDB_GATER_URL: 'ws://x', ESDB_GATER_TOKEN: 't' };
    expect(loadConfig({ env })).toEqual(loadConfig());
  });

  test('every key has a flag and a variable of its own', () => {
    expect(new Set(CONFIG_KEYS.map((key) => key.flag)).size).toBe(CONFIG_KEYS.length);
    expect(new Set(CONFIG_KEYS.map((key) => key.env)).size).toBe(CONFIG_KEYS.length);
    expect(CONFIG_KEYS.find((key) => key.path === 'kafka.brokers')?.flag).toBe('--kafka-brokers');
  });

  test('every default passes its own schema', () => {
    const flags = Object.fromEntries(
      CONFIG_KEYS.map((key) => [
        key.path,
        key.kind === 'list' && key.default !== null
          ? (key.default as string[])
          : typeof key.default === 'string'
            ? key.default
            : JSON.stringify(key.default),
      ]),
    );
    expect(loadConfig({ flags })).toEqual(loadConfig());
  });
});

describe('refusals', () => {
  test('a wrong key is named in one line with what was probably meant', () => {
    expect(refusal({ file: file('k.yaml', 'kafka:\n  broker: x') })).toBe(
      'kafka.broker: unknown key (did you mean kafka.brokers?)',
    );
    expect(refusal({ env: { ESDB_GATER_PROT: '1' } })).toBe(
      'ESDB_GATER_PROT: unknown variable (did you mean ESDB_GATER_PORT?)',
    );
    expect(refusal({ flags: { 'data-dri': 'x' } })).toBe(
      '--data-dri: unknown flag (did you mean --data-dir?)',
    );
  });

  test('a wrong value is named with what was expected', () => {
    expect(refusal({ flags: { port: '70000' } })).toBe(
      '--port: expected an integer from 0 to 65535, got 70000',
    );
    expect(refusal({ env: { ESDB_GATER_PORT: '12a' } })).toContain('ESDB_GATER_PORT: expected an integer');
    expect(refusal({ flags: { 'security-capabilities': 'maybe' } })).toContain(
      'disabled, optional, required',
    );
    expect(refusal({ file: file('s.yaml', 'kafka: 3') })).toBe('kafka: expected an object');
  });

  test('a secret is never shown', () => {
    expect(refusal({ file: file('h.yaml', 'security:\n  hmacSecret: [hunter2]') })).not.toContain('hunter2');
    expect(
      refusal({ flags: { stores: '{"a":{"engine":"postgres","url":"postgres://u:hunter2@h","x":1}}' } }),
    ).not.toContain('hunter2');
    expect(refusal({ env: { ESDB_GATER_STORES: '{"hunter2' } })).not.toContain('hunter2');
    expect(refusal({ file: file('b.yaml', 'security: { hmacSecret: "hunter2') })).not.toContain('hunter2');
  });

  test('a wrong store says which one', () => {
    expect(refusal({ flags: { stores: '{"orders":{"engine":"mysql"}}' } })).toContain('orders');
    expect(refusal({ flags: { stores: '{"a b":{"engine":"memory"}}' } })).toContain('stores');
  });

  test('a file that is not there is named', () => {
    expect(refusal({ file: join(folder, 'none.yaml') })).toContain('cannot be read (ENOENT)');
  });

  test('listening beyond loopback without required refuses and names security.allowInsecure', () => {
    expect(refusal({ flags: { host: '0.0.0.0', 'security-capabilities': 'optional' } })).toContain(
      'security.allowInsecure',
    );
    expect(loadConfig({ flags: { host: '0.0.0.0' } }).security.capabilities).toBe('required');
    const allowed = { host: '::', 'security-capabilities': 'disabled', 'security-allow-insecure': true };
    expect(loadConfig({ flags: allowed }).security.capabilities).toBe('disabled');
  });

  test('with Kafka or a cluster the secrets must be set', () => {
    expect(refusal({ flags: { 'kafka-brokers': 'a:9092' } })).toContain('security.hmacSecret');
    const cluster = { 'cluster-discovery': 'static', 'security-hmac-secret': 'x' };
    expect(refusal({ flags: cluster })).toContain('cluster.secret');
  });

  test('names of object members are no way into the configuration', () => {
    for (const name of ['__proto__', 'constructor', 'toString']) {
      expect(refusal({ file: file('p.json', `{"${name}":{"polluted":1}}`) })).toContain(name);
      expect(refusal({ flags: { [`x-${name}`]: '1' } })).toContain(name);
    }
    const config = loadConfig({
      flags: { stores: '{"__proto__":{"engine":"memory"},"constructor":{"engine":"memory"}}' },
    });
    expect(Object.keys(config.stores).sort()).toEqual(['__proto__', 'constructor']);
  });
});

test('only addresses of this machine count as loopback', () => {
  const loopback = ['127.0.0.1', '127.9.9.9', 'localhost', '::1', '[::1]'];
  const beyond = ['0.0.0.0', '::', '10.0.0.1', 'localhost.evil.example', '127.0.0.1.evil.example', ''];
  expect(loopback.filter(isLoopbackHost)).toEqual(loopback);
  expect(beyond.filter(isLoopbackHost)).toEqual([]);
});
