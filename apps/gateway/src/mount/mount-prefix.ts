import { invalidOption } from '@esdb-gater/primitives';

const SEGMENTS = /^(?:\/[A-Za-z0-9._~-]+)*$/;

/** Returns a prefix without a slash at its end; empty at the root. @throws `invalid_argument` (reason `prefix`) */
export function resolvePrefix(prefix: string): string {
  const trimmed = prefix.endsWith('/') ? prefix.slice(0, -1) : prefix;
  if (SEGMENTS.test(trimmed) && !/\/\.{1,2}(?:\/|$)/.test(trimmed)) return trimmed;
  throw invalidOption('prefix', prefix, 'a path such as /gater, of letters, digits and -._~, or empty');
}

/** Returns the part of `url` behind the prefix, such as `/v1/ws`; undefined when `url` is not below it. */
export function behindPrefix(url: string, prefix: string): string | undefined {
  if (!url.startsWith(prefix)) return undefined;
  const rest = url.slice(prefix.length);
  if (rest.startsWith('/')) return rest;
  return rest === '' || rest.startsWith('?') ? `/${rest}` : undefined;
}
