import { retryPolicy } from '@esdb-gater/retry';
import { MESSAGE_TTL_SECONDS } from '@esdb-gater/security';
import {
  CHANNEL_DEFAULTS,
  CHANNEL_NAMES,
  CHANNEL_PRIORITIES,
  type ChannelName,
  LIMITS,
} from '@esdb-gater/types';
import { Type } from 'typebox';
import { duration, flag, integer, list, nullable, oneOf, section, text } from './schema-kit.ts';

const MODES = ['disabled', 'optional', 'required'] as const;
const RETRY = retryPolicy();

/** One entry of `stores`. */
const store = section({
  engine: oneOf(['sqlite', 'memory', 'postgres', 'remote'], {
    description: 'where the events are stored; a `remote` store is served by workers only',
  }),
  file: Type.Optional(
    text({
      expected: 'a file',
      whenNull: '<dataDir>/<storeId>.db',
      description: 'the file of a `sqlite` store',
    }),
  ),
  url: Type.Optional(
    text({
      description: 'the connection string of a `postgres` store; several hosts are separated by commas',
      secret: true,
    }),
  ),
  urlFile: Type.Optional(text({ expected: 'a file', description: 'file that contains `url`' })),
  schema: Type.Optional(
    text({
      expected: 'a name',
      whenNull: 'esdb_gater_<storeId>',
      description: 'the schema of a `postgres` store',
    }),
  ),
  feed: Type.Optional(
    flag({ default: true, description: 'publish the events of the store on the channel `events`' }),
  ),
  tamperEvident: Type.Optional(
    flag({ default: false, description: 'keep a chain of hashes per stream, for `verifyStream`' }),
  ),
});

const stores = Type.Record(Type.String({ pattern: `^[A-Za-z0-9_-]{1,${LIMITS.storeIdUnits}}$` }), store, {
  additionalProperties: false,
  default: { default: { engine: 'sqlite' } },
  description: 'the stores by their ids',
  names: 'storeId',
});

/** The settings of one channel. */
function channel(name: ChannelName) {
  const { priority, maxRate, requireSignature, history, enabled } = CHANNEL_DEFAULTS[name];
  return section({
    priority: oneOf(CHANNEL_PRIORITIES, { default: priority, description: 'how soon messages are sent' }),
    maxRate: nullable(
      integer(1, undefined, {
        ...(maxRate === undefined ? {} : { default: maxRate }),
        whenNull: 'unlimited',
        description: 'messages that one publisher may publish in any second',
      }),
    ),
    requireSignature: flag({ default: requireSignature, description: 'refuse unsigned messages' }),
    history: integer(0, 10_000_000, {
      default: history,
      description: 'number of messages that the in-process broker keeps; Kafka has its own retention',
    }),
    enabled: flag({ default: enabled, description: 'whether published messages are delivered' }),
    capabilities: nullable(
      oneOf(MODES, {
        whenNull: 'as security.capabilities',
        description: 'whether calls of this channel need a token',
      }),
    ),
  });
}

const channels = section(
  Object.fromEntries(CHANNEL_NAMES.map((name) => [name, channel(name)])) as Record<
    ChannelName,
    ReturnType<typeof channel>
  >,
);

const keyedSecrets = Type.Array(
  section({
    keyId: text({ description: 'its id' }),
    secret: text({ description: 'the secret', secret: true }),
  }),
  { minItems: 1 },
);

/**
 * Every setting of the gateway, with its type, default, bounds and meaning. The type `GatewayConfig`, the names of
 * variables and flags, `--help`, the check and the table of the documents are derived from it.
 */
export const CONFIG_SCHEMA = section({
  host: text({
    default: '127.0.0.1',
    expected: 'a host name or address',
    description: 'address to listen on',
  }),
  port: integer(0, 65_535, { default: 4590, description: 'port to listen on; 0 for any free one' }),
  advertiseUrl: nullable(
    text({
      pattern: '^wss?://[^\\s]+$',
      expected: 'a ws:// or wss:// URL',
      whenNull: 'its own WebSocket URL',
      description: 'WebSocket URL by which others reach this gateway',
    }),
  ),
  dataDir: text({
    default: './data',
    expected: 'a folder',
    description: 'folder of stores, identity and checkpoints',
  }),
  nodeId: nullable(
    text({
      pattern: '^[A-Za-z0-9_.-]{1,64}$',
      expected: '1 to 64 of A-Z a-z 0-9 _ . -',
      whenNull: 'created once and stored in dataDir',
      description: 'name of this node',
    }),
  ),
  processes: integer(1, 64, {
    default: 1,
    description: 'gateway processes that share the port; the first has the stores',
  }),
  realm: text({
    default: 'default',
    pattern: '^[A-Za-z0-9_.~-]{1,64}$',
    expected: '1 to 64 of A-Z a-z 0-9 _ . ~ -',
    description: 'realm in the names of resources',
  }),
  stores,
  feed: section({
    topic: text({
      default: '{storeId}.{streamId}.{type}',
      expected: 'a template',
      description: 'topic of a fed event; also {category} and {typePath}',
    }),
  }),
  kafka: section({
    brokers: nullable(
      list('HOST:PORT', { whenNull: 'the in-process broker', description: 'bootstrap brokers of Kafka' }),
    ),
    driver: oneOf(['kafkajs', 'platformatic'], { default: 'kafkajs', description: 'Kafka client library' }),
    topicPrefix: text({
      default: 'esdb_channel_',
      pattern: '^[A-Za-z0-9._-]{1,200}$',
      expected: '1 to 200 of A-Z a-z 0-9 . _ -',
      description: 'prefix of Kafka topics',
    }),
    publishTimeoutMs: duration(1, { default: 8_000, description: 'longest wait for Kafka to accept' }),
    ssl: section({
      enabled: flag({ default: false, description: 'connect by TLS' }),
      caFile: nullable(
        text({
          expected: 'a PEM file',
          whenNull: "the system's",
          description: 'authorities that are trusted',
        }),
      ),
      certFile: nullable(text({ expected: 'a PEM file', description: "the client's certificate" })),
      keyFile: nullable(text({ expected: 'a PEM file', description: "the client's private key" })),
    }),
    sasl: section({
      mechanism: nullable(
        oneOf(['plain', 'scram-sha-256', 'scram-sha-512'], {
          description: 'how the gateway logs in',
        }),
      ),
      username: nullable(text({ description: 'who logs in' })),
      password: nullable(text({ description: 'the password', secret: true })),
    }),
  }),
  cluster: section({
    discovery: oneOf(['none', 'static', 'multicast', 'kafka'], {
      default: 'none',
      description: 'how other nodes are found',
    }),
    peers: list('ws://HOST:PORT/v1/ws', {
      default: [],
      description: 'nodes for static discovery; its own is ignored',
    }),
    port: integer(1, 65_535, {
      default: 45_893,
      description: 'UDP port of multicast discovery',
    }),
    multicastAddr: text({
      default: '239.255.0.2',
      expected: 'an IPv4 multicast address',
      description: 'group of multicast discovery',
    }),
    secret: nullable(
      Type.Union([text({ description: 'one secret' }), keyedSecrets], {
        description: 'secret that nodes prove themselves with; of a list the first signs, and all verify',
        secret: true,
      }),
    ),
  }),
  registry: section({
    policy: oneOf(['local-first', 'round-robin'], {
      default: 'local-first',
      description: 'which live worker is next',
    }),
    failureTimeoutMs: duration(100, {
      default: 3_000,
      description: 'silence after which a node is gone',
    }),
    maxFailures: integer(1, undefined, {
      default: 3,
      description: 'failures in a row after which a worker is ejected',
    }),
  }),
  retry: section({
    baseDelayMs: duration(1, { default: RETRY.baseDelayMs, description: 'first delay' }),
    maxDelayMs: duration(1, { default: RETRY.maxDelayMs, description: 'longest delay' }),
    maxAttempts: integer(1, 1_000, { default: RETRY.maxAttempts, description: 'attempts in all' }),
    deadlineMs: duration(1, { default: 5_000, description: 'longest time of a store call' }),
    attemptTimeoutMs: duration(1, { default: 2_000, description: 'longest time of one attempt' }),
  }),
  channels,
  security: section({
    hmacSecret: nullable(
      Type.Union([text({ description: 'one secret' }), keyedSecrets], {
        description: 'secret of message signatures',
        whenNull: 'random, stored in dataDir',
        secret: true,
      }),
    ),
    messageTtlSeconds: integer(1, 86_400, {
      default: MESSAGE_TTL_SECONDS,
      description: 'lifetime of a message signature',
    }),
    capabilities: nullable(
      oneOf(MODES, {
        whenNull: 'optional on loopback, required elsewhere',
        description: 'whether calls need a token',
      }),
    ),
    identityFile: nullable(
      text({
        expected: 'a file',
        whenNull: '<dataDir>/identity.json',
        description: 'private key of this gateway',
      }),
    ),
    trustedIssuers: nullable(
      list('did:key:…', { whenNull: "the gateway's own DID", description: 'roots of token chains' }),
    ),
    audiences: list('did:key:…', {
      default: [],
      description: "audiences that are accepted beside the gateway's own DID",
    }),
    allowInsecure: flag({ default: false, description: 'listen beyond loopback without required tokens' }),
  }),
  http: section({
    allowedOrigins: nullable(
      list('origins', { whenNull: "the gateway's own", description: 'origins of browsers that may connect' }),
    ),
  }),
  tls: section({
    certFile: nullable(text({ expected: 'a PEM file', description: 'certificate chain' })),
    keyFile: nullable(text({ expected: 'a PEM file', description: 'private key' })),
  }),
  limits: section({
    messageBytes: integer(1_024, 16_777_216, {
      default: LIMITS.messageBytes,
      description: 'an event or a message as JSON',
    }),
    frameBytes: integer(1_024, 268_435_456, {
      default: LIMITS.frameBytes,
      description: 'a WebSocket message or an HTTP body',
    }),
    connections: integer(1, undefined, { default: 10_000, description: 'connections in all' }),
    connectionsPerAddress: nullable(
      integer(1, undefined, {
        default: 1_000,
        whenNull: 'unlimited',
        description: 'connections of one address; loopback is not counted',
      }),
    ),
    inFlightPerConnection: integer(1, undefined, {
      default: LIMITS.inFlight,
      description: 'unanswered calls of one connection',
    }),
    queueBytes: integer(65_536, undefined, {
      default: LIMITS.queueBytes,
      description: 'bytes that wait to be delivered to one connection',
    }),
    queueMessages: integer(1, undefined, {
      default: LIMITS.queueMessages,
      description: 'messages that wait to be delivered to one connection',
    }),
    authenticateMs: duration(1, {
      default: 5_000,
      description: 'time to authenticate where a token is required',
    }),
  }),
  metrics: section({
    host: text({
      default: '127.0.0.1',
      expected: 'a host name or address',
      description: 'address of the second listener, without tokens, for /metrics and health',
    }),
    port: nullable(
      integer(0, 65_535, { description: 'port of the second listener', whenNull: 'no second listener' }),
    ),
  }),
  log: section({
    level: oneOf(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'], {
      default: 'info',
      description: 'least level that is logged',
    }),
  }),
  shutdown: section({
    graceMs: duration(0, { default: 10_000, description: 'longest graceful stop' }),
  }),
  telemetry: section({
    handlers: Type.Array(oneOf(['logger'], { description: 'a handler' }), {
      default: ['logger'],
      description: 'telemetry handlers attached at the start',
    }),
  }),
});
