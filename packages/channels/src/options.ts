import { invalidOption, type OptionRule, requireInteger, requireOneOf } from '@esdb-gater/primitives';
import {
  CHANNEL_DEFAULTS,
  CHANNEL_NAMES,
  CHANNEL_PRIORITIES,
  type ChannelName,
  type ChannelPriority,
  type ChannelSettings,
  isChannelName,
  LIMITS,
} from '@esdb-gater/types';
import type { MessagingSystem } from './tracing.ts';

/** The settings of a channel that may differ from the table of the ten channels. */
export interface ChannelOptions {
  readonly priority?: ChannelPriority;
  /** Messages in any 1 000 ms per publisher, at least 1; null is unlimited. */
  readonly maxRate?: number | null;
  readonly requireSignature?: boolean;
  readonly history?: number;
  readonly enabled?: boolean;
}

export interface ChannelsOptions {
  readonly channels?: Partial<Readonly<Record<ChannelName, ChannelOptions>>>;
  /** The realm in the `source` of published messages. @default 'default' */
  readonly realm?: string;
  /** The messaging system, as named in OpenTelemetry spans. @default 'esdb_gater' */
  readonly messagingSystem?: MessagingSystem;
  /** The longest message as JSON. @default 1 MiB */
  readonly messageBytes?: number;
  /** How long a repeated `id` is recognised. @default 300 000 */
  readonly idempotencyMs?: number;
  /** How many publishes with an `id` are remembered; beyond it the oldest are forgotten. @default 200 000 */
  readonly idempotencyEntries?: number;
  /** How many bytes they may take. @default 32 MiB */
  readonly idempotencyBytes?: number;
  /** Maximum bytes of messages, as JSON text, that a channel keeps as history and as last values. @default 32 MiB */
  readonly historyBytes?: number;
  /** Maximum number of topics with a last message on the `health` channel. @default 10 000 */
  readonly lastValueTopics?: number;
  /** Maximum number of subscriptions of one subscriber. @default 20 000 */
  readonly subscriptionsPerSubscriber?: number;
  /**
   * True when other programs write to the broker (Kafka): on channels that require signatures, only records with a
   * valid signature are delivered. @default false
   */
  readonly verifyIncoming?: boolean;
}

/** The default limit of history and last values. */
const KEPT_BYTES = 33_554_432;

export interface ResolvedOptions extends Required<Omit<ChannelsOptions, 'channels'>> {
  readonly channels: Readonly<Record<ChannelName, ChannelSettings>>;
}

/**
 * Validates the options and fills in the defaults.
 *
 * @throws `invalid_argument`, reason `channels_option`, naming the option
 */
export function resolveOptions(options: ChannelsOptions = {}): ResolvedOptions {
  for (const name of Object.keys(options.channels ?? {})) {
    if (!isChannelName(name)) {
      const at = `channels.${name}`;
      throw invalidOption(at, name, `one of ${CHANNEL_NAMES.join(', ')}`, rule(at));
    }
  }
  const channels = Object.fromEntries(
    CHANNEL_NAMES.map((name) => [name, resolveChannel(name, options.channels?.[name] ?? {})]),
  ) as Record<ChannelName, ChannelSettings>;
  return Object.freeze({
    channels: Object.freeze(channels),
    realm: options.realm ?? 'default',
    messagingSystem: options.messagingSystem ?? 'esdb_gater',
    messageBytes: integer('messageBytes', options.messageBytes ?? LIMITS.messageBytes, 1),
    idempotencyMs: integer('idempotencyMs', options.idempotencyMs ?? 300_000, 0),
    idempotencyEntries: integer('idempotencyEntries', options.idempotencyEntries ?? 200_000, 0),
    idempotencyBytes: integer('idempotencyBytes', options.idempotencyBytes ?? KEPT_BYTES, 0),
    historyBytes: integer('historyBytes', options.historyBytes ?? KEPT_BYTES, 1),
    lastValueTopics: integer('lastValueTopics', options.lastValueTopics ?? 10_000, 1),
    subscriptionsPerSubscriber: integer(
      'subscriptionsPerSubscriber',
      options.subscriptionsPerSubscriber ?? 20_000,
      1,
    ),
    verifyIncoming: options.verifyIncoming ?? false,
  });
}

function resolveChannel(name: ChannelName, options: ChannelOptions): ChannelSettings {
  const base = CHANNEL_DEFAULTS[name];
  const at = `channels.${name}`;
  const priority = options.priority ?? base.priority;
  requireOneOf(`${at}.priority`, priority, CHANNEL_PRIORITIES, rule(`${at}.priority`));
  const maxRate = options.maxRate === undefined ? base.maxRate : (options.maxRate ?? undefined);
  if (maxRate !== undefined) integer(`${at}.maxRate`, maxRate, 1);
  return Object.freeze({
    priority,
    maxRate,
    requireSignature: options.requireSignature ?? base.requireSignature,
    history: integer(`${at}.history`, options.history ?? base.history, 0),
    enabled: options.enabled ?? base.enabled,
  });
}

function integer(option: string, value: number, min: number): number {
  return requireInteger(option, value, { ...rule(option), min });
}

function rule(option: string): OptionRule {
  return { reason: 'channels_option', details: { option } };
}
