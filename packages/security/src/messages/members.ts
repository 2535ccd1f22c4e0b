import { invalidArgument } from '@esdb-gater/types';
import { textArgument } from '../arguments.ts';
import { canonicalJsonWithout } from '../encoding/canonical-json.ts';

/** The members that signing adds to a message. */
export interface SignatureMembers {
  /** Unix seconds. */
  readonly signed_at: number;
  /** 12 random bytes as base64url. */
  readonly nonce: string;
  readonly key_id: string;
  /** HMAC-SHA256 as base64url without padding. */
  readonly signature: string;
}

export const SIGNATURE_MEMBERS = ['signed_at', 'nonce', 'key_id', 'signature'] as const;

/** The channel and topic that a signature is valid for. A missing one is the empty string. */
export interface Binding {
  /** The channel's short name. */
  readonly channel: string;
  readonly topic: string;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: matches control characters on purpose
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;

function line(value: unknown, name: string): string {
  if (value === undefined) return '';
  const text = textArgument(value, name);
  // A newline would let one channel and topic read as another.
  if (CONTROL.test(text) || !text.isWellFormed()) {
    throw invalidArgument(name, `the ${name} has a control character or a lone surrogate`);
  }
  return text;
}

/** @throws `invalid_argument`, reason `type`, `channel` or `topic` */
export function bindingOf(options: { readonly channel?: string; readonly topic?: string }): Binding {
  return { channel: line(options.channel, 'channel'), topic: line(options.topic, 'topic') };
}

/** Returns the signed value: the binding, and the message with three of the four members. */
export function signedText(canonical: string, { channel, topic }: Binding): string {
  return `esdb-gater/1\n${channel}\n${topic}\n${canonical}`;
}

/** Far above the largest message of a channel: a longer one would only cost time. */
const MAX_UNITS = 16_777_216;

/** @throws `invalid_argument` for anything but a JSON object, and, reason `too_large`, over 16 Mi characters */
export function canonicalMessage(message: Readonly<Record<string, unknown>>): string {
  const canonical = canonicalJsonWithout(message, 'signature');
  if (canonical.length <= MAX_UNITS) return canonical;
  throw invalidArgument(
    'too_large',
    `the message must be at most ${MAX_UNITS} characters, got ${canonical.length}`,
  );
}
