import type { ChannelName, ChannelPriority } from './channel-names.ts';

/** The settings of one channel. */
export interface ChannelSettings {
  readonly priority: ChannelPriority;
  /** Messages in any 1 000 ms per publisher; undefined is unlimited. */
  readonly maxRate: number | undefined;
  readonly requireSignature: boolean;
  /** Number of messages that the in-process broker keeps as history. */
  readonly history: number;
  /** When false, published messages are checked and then discarded. */
  readonly enabled: boolean;
}

/** The defaults of the ten channels; `channels` and the gateway's configuration both read it here. */
export const CHANNEL_DEFAULTS: Readonly<Record<ChannelName, ChannelSettings>> = Object.freeze({
  alerts: row('critical', undefined, true, 100),
  security: row('critical', undefined, true, 1_000),
  events: row('high', undefined, false, 1_000),
  health: row('high', 100, false, 1_000),
  system: row('normal', undefined, false, 1_000),
  metrics: row('normal', 10_000, false, 1_000),
  audit: row('normal', undefined, false, 1_000),
  lifecycle: row('normal', undefined, false, 500),
  logging: row('low', 1_000, false, 1_000),
  diagnostics: row('low', 100, false, 1_000, false),
});

function row(
  priority: ChannelPriority,
  maxRate: number | undefined,
  requireSignature: boolean,
  history: number,
  enabled = true,
): ChannelSettings {
  return Object.freeze({ priority, maxRate, requireSignature, history, enabled });
}
