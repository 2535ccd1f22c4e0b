import type { ChannelName, ChannelPriority } from '@esdb-gater/types';

/** Whether calls need a capability token: never, only where one is given, always. */
export type CapabilityMode = 'disabled' | 'optional' | 'required';

export type StoreEngine = 'sqlite' | 'memory' | 'postgres' | 'remote';

/** One entry of `stores`. */
export interface StoreConfig {
  readonly engine: StoreEngine;
  /** `sqlite`: the file. @default `<dataDir>/<storeId>.db` */
  readonly file?: string;
  /** `postgres`: the connection string; a secret. */
  readonly url?: string;
  /** `postgres`: the schema. */
  readonly schema?: string;
  /** False keeps the store's events off the `events` channel. @default true */
  readonly feed?: boolean;
  /** True makes the store keep a hash chain per stream. @default false */
  readonly tamperEvident?: boolean;
}

export interface ChannelConfig {
  readonly priority: ChannelPriority;
  /** Messages in any 1 000 ms per publisher; null is unlimited. */
  readonly maxRate: number | null;
  readonly requireSignature: boolean;
  /** Messages that the in-process broker keeps. */
  readonly history: number;
  readonly enabled: boolean;
  /** Overrides `security.capabilities` on this channel; null leaves it. */
  readonly capabilities: CapabilityMode | null;
}

/** An HMAC secret with its key id. */
interface KeyedSecret {
  readonly keyId: string;
  readonly secret: string;
}

/** The whole configuration, complete and frozen. Keys, defaults and meanings are those of the README's table. */
export interface GatewayConfig {
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  /** The WebSocket URL that others reach this gateway by; null is its own address. */
  readonly advertiseUrl: string | null;
  readonly dataDir: string;
  /** null: made once and kept in `dataDir`. */
  readonly nodeId: string | null;
  readonly realm: string;
  readonly stores: Readonly<Record<string, StoreConfig>>;
  readonly feed: { readonly topic: string };
  readonly kafka: {
    /** null: the in-process broker. */
    readonly brokers: readonly string[] | null;
    readonly driver: 'kafkajs' | 'platformatic';
    readonly topicPrefix: string;
    readonly publishTimeoutMs: number;
  };
  readonly cluster: {
    readonly discovery: 'none' | 'static' | 'multicast' | 'kafka';
    readonly peers: readonly string[];
    readonly port: number;
    readonly multicastAddr: string;
    readonly secret: string | null;
  };
  readonly registry: {
    readonly policy: 'local-first' | 'round-robin';
    readonly failureTimeoutMs: number;
    readonly maxFailures: number;
  };
  readonly retry: {
    readonly baseDelayMs: number;
    readonly maxDelayMs: number;
    readonly maxAttempts: number;
    readonly deadlineMs: number;
    readonly attemptTimeoutMs: number;
  };
  readonly channels: Readonly<Record<ChannelName, ChannelConfig>>;
  readonly security: {
    /** null: random, kept in `<dataDir>/hmac-secret`. */
    readonly hmacSecret: string | readonly KeyedSecret[] | null;
    readonly messageTtlSeconds: number;
    readonly capabilities: CapabilityMode;
    /** null: `<dataDir>/identity.json`. */
    readonly identityFile: string | null;
    /** null: the gateway's own DID. */
    readonly trustedIssuers: readonly string[] | null;
    readonly audiences: readonly string[];
    readonly allowInsecure: boolean;
  };
  /** null: the gateway's own origins. */
  readonly http: { readonly allowedOrigins: readonly string[] | null };
  readonly tls: { readonly certFile: string | null; readonly keyFile: string | null };
  readonly limits: {
    readonly messageBytes: number;
    readonly frameBytes: number;
    readonly connections: number;
    /** Loopback is not counted. */
    readonly connectionsPerAddress: number;
    readonly inFlightPerConnection: number;
    readonly queueBytes: number;
    readonly queueMessages: number;
    readonly authenticateMs: number;
  };
  readonly log: { readonly level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent' };
  readonly shutdown: { readonly graceMs: number };
  readonly telemetry: { readonly handlers: readonly string[] };
}
