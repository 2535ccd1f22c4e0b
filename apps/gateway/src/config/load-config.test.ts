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
  throw new Error('expected an error');
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

  test('a file overrides the defaults, a variable the file, a flag the variable', () => {
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

  test('JSON and YAML files have the same meaning', () => {
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

  test('the variables of the library and the command line are ignored', () => {
    const env = { ESDB_GATER_ENGINE: 'native', ESDB_GATER_URL: 'ws://x', ESDB_GATER_TOKEN: 't' };
    expect(loadConfig({ env })).toEqual(loadConfig());
  });

  test('every key has its own flag and variable', () => {
    expect(new Set(CONFIG_KEYS.map((key) => key.flag)).size).toBe(CONFIG_KEYS.length);
    expect(new Set(CONFIG_KEYS.map((key) => key.env)).size).toBe(CONFIG_KEYS.length);
    expect(CONFIG_KEYS.find((key) => key.path === 'kafka.brokers')?.flag).toBe('--kafka-brokers');
  });

  test('every key has a description of itself and of its values', () => {
    expect(CONFIG_KEYS.filter((key) => key.description === '' || key.expected === '')).toEqual([]);
    const expected = Object.fromEntries(CONFIG_KEYS.map((key) => [key.path, key.expected]));
    expect(expected).toMatchObject({
      host: 'a host name or address',
      'kafka.brokers': 'a list of HOST:PORT, or null',
      'kafka.driver': 'one of kafkajs, platformatic',
      'retry.deadlineMs': 'milliseconds from 1 to 2147483647',
      'limits.frameBytes': 'bytes from 1024 to 268435456',
      'security.messageTtlSeconds': 'seconds from 1 to 86400',
      'channels.health.maxRate': 'an integer from 1, or null',
      'telemetry.handlers': 'a list of logger',
    });
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

describe('secrets in files', () => {
  test('the twin of a secret names a file with it, less the line break at the end', () => {
    const path = file('hmac', ' a secret \n');
    const env = { ESDB_GATER_SECURITY_HMAC_SECRET_FILE: path };
    expect(loadConfig({ env }).security.hmacSecret).toBe(' a secret ');
    const yaml = file('twin.yaml', `security: { hmacSecretFile: "${path}" }`);
    expect(loadConfig({ file: yaml })).toEqual(loadConfig({ env }));
    expect(loadConfig({ flags: { 'security-hmac-secret-file': path } })).toEqual(loadConfig({ env }));
  });

  test('it may hold a list of keys as JSON', () => {
    const keys = [{ keyId: 'a', secret: 'b' }];
    const flags = { 'security-hmac-secret-file': file('keys', JSON.stringify(keys)) };
    expect(loadConfig({ flags }).security.hmacSecret).toEqual(keys);
  });

  test('a later source wins, whichever of the two it gives', () => {
    const path = file('later', 'from the file');
    const twin = { ESDB_GATER_SECURITY_HMAC_SECRET_FILE: path };
    const flags = { 'security-hmac-secret': 'from a flag' };
    expect(loadConfig({ env: twin, flags }).security.hmacSecret).toBe('from a flag');
    const yaml = file('earlier.yaml', 'security: { hmacSecret: from yaml }');
    expect(loadConfig({ file: yaml, env: twin }).security.hmacSecret).toBe('from the file');
    const none = { 'security-hmac-secret-file': 'null' };
    expect(loadConfig({ file: yaml, flags: none }).security.hmacSecret).toBe('from yaml');
  });

  test('every secret has one', () => {
    expect(CONFIG_KEYS.filter(({ kind }) => kind === 'secret').map(({ path }) => `${path}File`)).toEqual(
      CONFIG_KEYS.filter(({ twinOf }) => twinOf !== undefined).map(({ path }) => path),
    );
  });

  test('both at once, a missing file and an invalid content are refused without showing the secret', () => {
    const flags = (name: string, content: string) => ({
      'security-hmac-secret-file': file(name, content),
    });
    expect(refusal({ flags: { ...flags('both', 'hunter2'), 'security-hmac-secret': 'x' } })).toBe(
      '`--security-hmac-secret-file` must not be set together with `security.hmacSecret`',
    );
    expect(refusal({ flags: { 'security-hmac-secret-file': join(folder, 'none') } })).toContain(
      'it does not exist (ENOENT)',
    );
    for (const [index, content] of ['', '[hunter2', '[{"keyId":"hunter2"}]', '["hunter2"]'].entries()) {
      const message = refusal({ flags: flags(`wrong-${index}`, content) });
      expect(message).toBe(
        '`--security-hmac-secret-file` must be a string, a list of { keyId, secret }, or null',
      );
    }
  });
});

describe('refusals', () => {
  test('an unknown key is reported in one line with a suggestion', () => {
    expect(refusal({ file: file('k.yaml', 'kafka:\n  broker: x') })).toBe(
      '`kafka.broker` is not a known key (did you mean `kafka.brokers`?)',
    );
    expect(refusal({ env: { ESDB_GATER_PROT: '1' } })).toBe(
      '`ESDB_GATER_PROT` is not a known variable (did you mean `ESDB_GATER_PORT`?)',
    );
    expect(refusal({ flags: { 'data-dri': 'x' } })).toBe(
      '`--data-dri` is not a known flag (did you mean `--data-dir`?)',
    );
  });

  test('an invalid value is reported with the expectation', () => {
    expect(refusal({ flags: { port: '70000' } })).toBe(
      '`--port` must be an integer from 0 to 65535, got 70000',
    );
    expect(refusal({ env: { ESDB_GATER_PORT: '12a' } })).toContain('`ESDB_GATER_PORT` must be an integer');
    expect(refusal({ flags: { 'security-capabilities': 'maybe' } })).toContain(
      'disabled, optional, required',
    );
    expect(refusal({ file: file('s.yaml', 'kafka: 3') })).toBe('`kafka` must be an object');
  });

  test('a secret is never shown', () => {
    expect(refusal({ file: file('h.yaml', 'security:\n  hmacSecret: [hunter2]') })).not.toContain('hunter2');
    expect(
      refusal({ flags: { stores: '{"a":{"engine":"postgres","url":"postgres://u:hunter2@h","x":1}}' } }),
    ).not.toContain('hunter2');
    expect(refusal({ env: { ESDB_GATER_STORES: '{"hunter2' } })).not.toContain('hunter2');
    expect(refusal({ file: file('b.yaml', 'security: { hmacSecret: "hunter2') })).not.toContain('hunter2');
  });

  test('an invalid store is reported by its name', () => {
    expect(refusal({ flags: { stores: '{"orders":{"engine":"mysql"}}' } })).toContain('orders');
    expect(refusal({ flags: { stores: '{"a b":{"engine":"memory"}}' } })).toContain('stores');
  });

  test('an invalid member of a value is reported with the expectation', () => {
    const stores = (json: string): string => refusal({ flags: { stores: json } });
    expect(stores('{"orders":{"engine":"mysql"}}')).toBe(
      '`--stores` must be one of sqlite, memory, postgres, remote at orders.engine',
    );
    expect(stores('{"a b":{"engine":"memory"}}')).toBe(
      '`--stores` must be a storeId that matches ^[A-Za-z0-9_-]{1,64}$ at a b',
    );
    expect(stores('{"a":{"engine":"memory","path":"x"}}')).toContain(
      'one of the keys { engine, file?, url?, urlFile?, schema?, feed?, tamperEvident? } at a.path',
    );
    expect(stores('{"a":{}}')).toContain('must be { engine, ');
    expect(refusal({ file: file('l.yaml', 'kafka: { brokers: [a, 1] }') })).toBe(
      '`kafka.brokers` must be HOST:PORT at 1, got ["a",1]',
    );
  });

  test('a connection string comes from its setting or from a file, and is never shown', () => {
    const path = file('url', 'postgres://u:hunter2@h/d\n');
    const stores = (members: string) => ({ flags: { stores: `{"a":{"engine":"postgres"${members}}}` } });
    expect(loadConfig(stores(`,"urlFile":"${path}"`)).stores['a']).toEqual({
      engine: 'postgres',
      url: 'postgres://u:hunter2@h/d',
    });
    expect(loadConfig(stores(',"url":"postgres://h","schema":"x"')).stores['a']).toEqual({
      engine: 'postgres',
      url: 'postgres://h',
      schema: 'x',
    });
    expect(refusal(stores(''))).toBe(
      '`stores.a.url` must be a connection string such as postgres://user@host/database',
    );
    expect(refusal(stores(`,"url":"postgres://u:hunter2@h","urlFile":"${path}"`))).toBe(
      '`stores.a.urlFile` must not be set together with `stores.a.url`',
    );
    expect(refusal(stores(',"urlFile":"/nowhere/url"'))).toContain('`stores.a.urlFile` must be a file');
  });

  test('a connection string and a schema for another engine are refused', () => {
    const stores = (members: string) => ({ flags: { stores: `{"a":{"engine":"sqlite",${members}}}` } });
    expect(refusal(stores('"url":"postgres://u:hunter2@h"'))).toBe(
      '`stores.a.url` must be absent: only the engine postgres has a connection string',
    );
    expect(refusal(stores('"urlFile":"x"'))).toContain('`stores.a.urlFile` must be absent');
    expect(refusal(stores('"schema":"x"'))).toContain('only the engine postgres has a schema');
  });

  test('a file for an engine without one is refused', () => {
    expect(refusal({ flags: { stores: '{"a":{"engine":"memory","file":"x"}}' } })).toBe(
      '`stores.a.file` must be absent: only the engine sqlite has a file',
    );
  });

  test('a missing file is reported by its name', () => {
    expect(refusal({ file: join(folder, 'none.yaml') })).toContain(
      'none.yaml` cannot be read: it does not exist (ENOENT)',
    );
  });

  test('a file over 1 MiB, an endless device and a directory are refused before they are read whole [R32]', () => {
    const full = `realm: filed\n${'#'.repeat(1_048_576 - 13)}`;
    expect(loadConfig({ file: file('full.yaml', full) }).realm).toBe('filed');
    expect(refusal({ file: file('over.yaml', `${full}#`) })).toContain('it is larger than 1048576 bytes');
    expect(refusal({ file: '/dev/zero' })).toContain('it is larger than 1048576 bytes');
    expect(refusal({ file: folder })).toContain('it is a directory (EISDIR)');
    expect(refusal({ flags: { 'security-hmac-secret-file': '/dev/zero' } })).toContain('is larger than');
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

  test('names of inherited members are not keys of the configuration', () => {
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
