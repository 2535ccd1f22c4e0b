import { CHANNEL_NAMES, type ChannelName, type ChannelPriority, type JsonValue } from '@esdb-gater/types';
import { type TSchema, Type } from 'typebox';

/** How the text of a variable or a flag becomes a value. */
type KeyKind = 'string' | 'integer' | 'boolean' | 'list' | 'json' | 'secret';

/** One key of the configuration. */
export interface ConfigKey {
  /** The path in a file, joined by dots. */
  readonly path: string;
  /** The environment variable. */
  readonly env: string;
  /** The flag, without a value. */
  readonly flag: string;
  readonly kind: KeyKind;
  readonly schema: TSchema;
  /** What the value may be, in words, for errors and `--help`. */
  readonly expected: string;
  readonly description: string;
  readonly default: JsonValue;
  /** True when the value never appears in an error or a log. */
  readonly secret: boolean;
}

type KeySpec = readonly [
  path: string,
  kind: KeyKind,
  schema: TSchema,
  expected: string,
  fallback: JsonValue,
  description: string,
];

const text = Type.String({ minLength: 1 });
const texts = Type.Array(text);
const orNull = (schema: TSchema): TSchema => Type.Union([schema, Type.Null()]);
const integer = (minimum: number, maximum: number = Number.MAX_SAFE_INTEGER): TSchema =>
  Type.Integer({ minimum, maximum });
const oneOf = (values: readonly string[]): TSchema => Type.Union(values.map((value) => Type.Literal(value)));
const MODES = ['disabled', 'optional', 'required'];

/** Timers of Node count in 32 bits. */
const MAX_TIMER_MS = 2_147_483_647;
const duration = (minimum: number): TSchema => integer(minimum, MAX_TIMER_MS);

const storeSchema = Type.Object(
  {
    engine: oneOf(['sqlite', 'memory', 'postgres', 'remote']),
    file: Type.Optional(text),
    url: Type.Optional(text),
    schema: Type.Optional(text),
    feed: Type.Optional(Type.Boolean()),
    tamperEvident: Type.Optional(Type.Boolean()),
  },
  { additionalProperties: false },
);

const keyedSecrets = Type.Array(Type.Object({ keyId: text, secret: text }, { additionalProperties: false }), {
  minItems: 1,
});

/** Priority, messages a second, required signature and history of each channel, as in the README's table. */
const CHANNEL_DEFAULTS: Readonly<
  Record<ChannelName, readonly [ChannelPriority, number | null, boolean, number]>
> = {
  alerts: ['critical', null, true, 100],
  security: ['critical', null, true, 1_000],
  events: ['high', null, false, 1_000],
  health: ['high', 100, false, 1_000],
  system: ['normal', null, false, 1_000],
  metrics: ['normal', 10_000, false, 1_000],
  audit: ['normal', null, false, 1_000],
  lifecycle: ['normal', null, false, 500],
  logging: ['low', 1_000, false, 1_000],
  diagnostics: ['low', 100, false, 1_000],
};

function channelKeys(name: ChannelName): KeySpec[] {
  const [priority, maxRate, requireSignature, history] = CHANNEL_DEFAULTS[name];
  const at = `channels.${name}`;
  const priorities = ['critical', 'high', 'normal', 'low'];
  return [
    [`${at}.priority`, 'string', oneOf(priorities), priorities.join(', '), priority, 'order of writing'],
    [
      `${at}.maxRate`,
      'integer',
      orNull(integer(1)),
      'an integer from 1, or null for unlimited',
      maxRate,
      'messages a second per publisher',
    ],
    [
      `${at}.requireSignature`,
      'boolean',
      Type.Boolean(),
      'true or false',
      requireSignature,
      'refuse unsigned messages',
    ],
    [
      `${at}.history`,
      'integer',
      integer(0, 10_000_000),
      'an integer from 0',
      history,
      'messages kept by the in-process broker',
    ],
    [
      `${at}.enabled`,
      'boolean',
      Type.Boolean(),
      'true or false',
      name !== 'diagnostics',
      'deliver what is published',
    ],
    [
      `${at}.capabilities`,
      'string',
      orNull(oneOf(MODES)),
      `${MODES.join(', ')} or null`,
      null,
      'overrides security.capabilities',
    ],
  ];
}

const SPECS: readonly KeySpec[] = [
  ['host', 'string', text, 'a host name or address', '127.0.0.1', 'address to listen on'],
  [
    'port',
    'integer',
    integer(0, 65_535),
    'an integer from 0 to 65535',
    4590,
    'port to listen on; 0 for any free one',
  ],
  [
    'advertiseUrl',
    'string',
    orNull(Type.String({ pattern: '^wss?://[^\\s]+$' })),
    'a ws:// or wss:// URL, or null',
    null,
    'URL that others reach this gateway by',
  ],
  ['dataDir', 'string', text, 'a folder', './data', 'folder of stores, identity and checkpoints'],
  [
    'nodeId',
    'string',
    orNull(Type.String({ pattern: '^[A-Za-z0-9_.-]{1,64}$' })),
    '1 to 64 of A-Z a-z 0-9 _ . -, or null',
    null,
    'name of this node; made once when null',
  ],
  [
    'realm',
    'string',
    Type.String({ pattern: '^[A-Za-z0-9_.~-]{1,64}$' }),
    '1 to 64 of A-Z a-z 0-9 _ . ~ -',
    'default',
    'realm of resource names',
  ],
  [
    'stores',
    'json',
    Type.Record(Type.String({ pattern: '^[A-Za-z0-9_-]{1,64}$' }), storeSchema, {
      additionalProperties: false,
    }),
    'an object { <storeId>: { "engine": "sqlite", "memory", "postgres" or "remote", … } }',
    { default: { engine: 'sqlite' } },
    'the stores and their engines',
  ],
  ['feed.topic', 'string', text, 'a template', '{storeId}.{streamId}.{type}', 'topic of a fed event'],
  [
    'kafka.brokers',
    'list',
    orNull(texts),
    'a list of HOST:PORT, or null',
    null,
    'Kafka bootstrap brokers; none for the in-process broker',
  ],
  [
    'kafka.driver',
    'string',
    oneOf(['kafkajs', 'platformatic']),
    'kafkajs or platformatic',
    'kafkajs',
    'Kafka client library',
  ],
  [
    'kafka.topicPrefix',
    'string',
    Type.String({ pattern: '^[A-Za-z0-9._-]{1,200}$' }),
    '1 to 200 of A-Z a-z 0-9 . _ -',
    'esdb_channel_',
    'prefix of Kafka topics',
  ],
  [
    'kafka.publishTimeoutMs',
    'integer',
    duration(1),
    'milliseconds from 1',
    8_000,
    'longest wait for Kafka to accept',
  ],
  [
    'cluster.discovery',
    'string',
    oneOf(['none', 'static', 'multicast', 'kafka']),
    'none, static, multicast or kafka',
    'none',
    'how other nodes are found',
  ],
  ['cluster.peers', 'list', texts, 'a list of ws://HOST:PORT/v1/ws', [], 'nodes for static discovery'],
  [
    'cluster.port',
    'integer',
    integer(1, 65_535),
    'an integer from 1 to 65535',
    45_893,
    'UDP port of multicast discovery',
  ],
  [
    'cluster.multicastAddr',
    'string',
    text,
    'an IPv4 multicast address',
    '239.255.0.2',
    'group of multicast discovery',
  ],
  ['cluster.secret', 'secret', orNull(text), 'a string, or null', null, 'what nodes prove themselves with'],
  [
    'registry.policy',
    'string',
    oneOf(['local-first', 'round-robin']),
    'local-first or round-robin',
    'local-first',
    'which live worker is next',
  ],
  [
    'registry.failureTimeoutMs',
    'integer',
    duration(100),
    'milliseconds from 100',
    3_000,
    'after which a silent node is gone',
  ],
  [
    'registry.maxFailures',
    'integer',
    integer(1),
    'an integer from 1',
    3,
    'failures in a row that eject a worker',
  ],
  ['retry.baseDelayMs', 'integer', duration(1), 'milliseconds from 1', 100, 'first delay'],
  ['retry.maxDelayMs', 'integer', duration(1), 'milliseconds from 1', 30_000, 'longest delay'],
  ['retry.maxAttempts', 'integer', integer(1, 1_000), 'an integer from 1 to 1000', 10, 'attempts in all'],
  ['retry.deadlineMs', 'integer', duration(1), 'milliseconds from 1', 5_000, 'longest time of a store call'],
  [
    'retry.attemptTimeoutMs',
    'integer',
    duration(1),
    'milliseconds from 1',
    2_000,
    'longest time of one attempt',
  ],
  ...CHANNEL_NAMES.flatMap(channelKeys),
  [
    'security.hmacSecret',
    'secret',
    Type.Union([text, keyedSecrets, Type.Null()]),
    'a string, a list of { keyId, secret }, or null',
    null,
    'secret of message signatures; random when null',
  ],
  [
    'security.messageTtlSeconds',
    'integer',
    integer(1, 86_400),
    'seconds from 1 to 86400',
    300,
    'lifetime of a message signature',
  ],
  [
    'security.capabilities',
    'string',
    orNull(oneOf(MODES)),
    `${MODES.join(', ')}`,
    null,
    'whether calls need a token; optional on loopback, else required',
  ],
  [
    'security.identityFile',
    'string',
    orNull(text),
    'a file, or null',
    null,
    'the key of this gateway; <dataDir>/identity.json when null',
  ],
  [
    'security.trustedIssuers',
    'list',
    orNull(texts),
    'a list of did:key:…, or null',
    null,
    'roots of token chains; the own DID when null',
  ],
  ['security.audiences', 'list', texts, 'a list of did:key:…', [], 'audiences accepted beside the own DID'],
  [
    'security.allowInsecure',
    'boolean',
    Type.Boolean(),
    'true or false',
    false,
    'listen beyond loopback without required tokens',
  ],
  [
    'http.allowedOrigins',
    'list',
    orNull(texts),
    'a list of origins, or null',
    null,
    'origins of browsers that may connect; the own when null',
  ],
  ['tls.certFile', 'string', orNull(text), 'a PEM file, or null', null, 'certificate chain'],
  ['tls.keyFile', 'string', orNull(text), 'a PEM file, or null', null, 'private key'],
  [
    'limits.messageBytes',
    'integer',
    integer(1_024, 16_777_216),
    'bytes from 1024 to 16777216',
    1_048_576,
    'an event or a message as JSON',
  ],
  [
    'limits.frameBytes',
    'integer',
    integer(1_024, 268_435_456),
    'bytes from 1024 to 268435456',
    16_777_216,
    'a WebSocket message or an HTTP body',
  ],
  ['limits.connections', 'integer', integer(1), 'an integer from 1', 10_000, 'WebSocket connections in all'],
  [
    'limits.connectionsPerAddress',
    'integer',
    orNull(integer(1)),
    'an integer from 1, or null',
    1_000,
    'connections of one address; loopback unlimited',
  ],
  [
    'limits.inFlightPerConnection',
    'integer',
    integer(1),
    'an integer from 1',
    1_024,
    'unanswered calls of one connection',
  ],
  [
    'limits.queueBytes',
    'integer',
    integer(65_536),
    'bytes from 65536',
    4_194_304,
    'delivery queue of one connection',
  ],
  [
    'limits.queueMessages',
    'integer',
    integer(1),
    'an integer from 1',
    10_000,
    'delivery queue of one connection',
  ],
  [
    'limits.authenticateMs',
    'integer',
    duration(1),
    'milliseconds from 1',
    5_000,
    'time to authenticate where a token is required',
  ],
  [
    'log.level',
    'string',
    oneOf(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']),
    'trace, debug, info, warn, error, fatal or silent',
    'info',
    'least level that is logged',
  ],
  ['shutdown.graceMs', 'integer', duration(0), 'milliseconds from 0', 10_000, 'longest graceful stop'],
  [
    'telemetry.handlers',
    'list',
    Type.Array(oneOf(['logger'])),
    'a list of: logger',
    ['logger'],
    'telemetry handlers attached at the start',
  ],
];

/** `retry.baseDelayMs` as words: `retry`, `base`, `delay`, `ms`. */
function words(path: string): string[] {
  return path.split('.').flatMap((part) =>
    part
      .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
      .toLowerCase()
      .split(' '),
  );
}

/** Every key, in the order of the documentation. */
export const CONFIG_KEYS: readonly ConfigKey[] = SPECS.map(
  ([path, kind, schema, expected, fallback, description]) =>
    Object.freeze({
      path,
      kind,
      schema,
      expected,
      description,
      default: fallback,
      env: `ESDB_GATER_${words(path).join('_').toUpperCase()}`,
      flag: `--${words(path).join('-')}`,
      // A store's URL holds a password.
      secret: kind === 'secret' || path === 'stores',
    }),
);
