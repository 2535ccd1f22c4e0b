import { timingSafeEqual } from 'node:crypto';
import { hmacSha256 } from '@esdb-gater/security';
import { type DiscoveredNode, isName } from '@esdb-gater/types';
import { isNodeUrl } from './options.ts';

/** What a node announces. */
export interface Announcement extends Required<DiscoveredNode> {
  /** True when the node shuts down. */
  readonly leaves: boolean;
}

/** Datagrams that are longer are not looked at. */
export const MAX_DATAGRAM_BYTES = 1_400;

/** How far the time of a datagram may be from the receiver's. */
const MAX_SKEW_SECONDS = 30;

/** Begins what is signed, so that no other signature with the same secret fits. */
const PREFIX = 'esdb-gater-node/1';

/**
 * Encodes an announcement: JSON with the signature `mac`, base64url of
 * HMAC-SHA256(secret, `"esdb-gater-node/1\n" + time + "\n" + nodeId + "\n" + url + "\n" + leaves`), where `time` is in
 * Unix seconds.
 */
export function encodeDatagram(announcement: Announcement, secret: string, timeSeconds: number): Buffer {
  const { nodeId, url, leaves } = announcement;
  const mac = macOf(announcement, secret, timeSeconds).toString('base64url');
  return Buffer.from(JSON.stringify({ nodeId, url, leaves, time: timeSeconds, mac }));
}

/** Decodes an announcement that one of the secrets has signed lately. Returns undefined for any other datagram. */
export function decodeDatagram(
  bytes: Uint8Array,
  secrets: readonly string[],
  nowSeconds: number,
): Announcement | undefined {
  if (bytes.length > MAX_DATAGRAM_BYTES) return undefined;
  const { nodeId, url, leaves, time, mac } = parse(bytes);
  if (!isName(nodeId) || !isNodeUrl(url) || typeof leaves !== 'boolean' || typeof mac !== 'string')
    return undefined;
  if (!Number.isSafeInteger(time) || Math.abs((time as number) - nowSeconds) > MAX_SKEW_SECONDS)
    return undefined;
  const announcement = { nodeId, url, leaves };
  const given = Buffer.from(mac, 'base64url');
  const isSigned = secrets.some((secret) => {
    const expected = macOf(announcement, secret, time as number);
    return given.length === expected.length && timingSafeEqual(given, expected);
  });
  return isSigned ? announcement : undefined;
}

function macOf({ nodeId, url, leaves }: Announcement, secret: string, timeSeconds: number): Buffer {
  // Neither part may contain a line break, so that no other parts make the same text.
  const text = [PREFIX, timeSeconds, nodeId, url, leaves].join('\n');
  return Buffer.from(hmacSha256(Buffer.from(secret), Buffer.from(text)));
}

function parse(bytes: Uint8Array): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
