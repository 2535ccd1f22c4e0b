/** The priorities of channels, the most urgent first. Only messages of `low` may be dropped. */
export const CHANNEL_PRIORITIES = ['critical', 'high', 'normal', 'low'] as const;

/** The priority of a channel: how soon its messages are written, and whether they may be dropped (only `low`). */
export type ChannelPriority = (typeof CHANNEL_PRIORITIES)[number];

/** The ten channels, by their short names. */
export const CHANNEL_NAMES = [
  'alerts',
  'security',
  'events',
  'health',
  'system',
  'metrics',
  'audit',
  'lifecycle',
  'logging',
  'diagnostics',
] as const;

export type ChannelName = (typeof CHANNEL_NAMES)[number];

const KNOWN: ReadonlySet<unknown> = new Set(CHANNEL_NAMES);

/** Returns true for the short name of one of the ten channels. */
export function isChannelName(value: unknown): value is ChannelName {
  return KNOWN.has(value);
}
