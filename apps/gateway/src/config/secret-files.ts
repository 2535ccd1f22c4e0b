import { readFileSync } from 'node:fs';
import { configError, notSupported, wrongValue } from './config-error.ts';
import { problemOf } from './expectation.ts';
import { CONFIG_KEYS } from './keys.ts';
import { parseText } from './parse-text.ts';
import type { Setting } from './sources.ts';

/**
 * The settings of one source, with each key that names a file of a secret replaced by the secret.
 *
 * @throws `invalid_argument` (reason `configuration`) that names the key, never the secret; `not_supported` when this
 * version lacks what the secret is for
 */
export function readSecretFiles(settings: readonly Setting[]): Setting[] {
  const given = new Set(settings.map(({ key }) => key.path));
  return settings.flatMap((setting) => {
    const secretKey = CONFIG_KEYS.find(({ path }) => path === setting.key.twinOf);
    if (secretKey === undefined) return [setting];
    const { source, value } = setting;
    // Without a file, the secret is what another source says.
    if (typeof value !== 'string') return [];
    if (secretKey.notYet !== undefined) throw notSupported(setting.key.path, secretKey.notYet);
    if (given.has(secretKey.path)) throw configError(source, `cannot be set together with ${secretKey.path}`);
    const secret = parseText(secretKey, readSecret(value, source), source);
    const problem = problemOf(secretKey.schema, secret, secretKey.path);
    if (problem !== undefined) throw wrongValue(secretKey, source, secret, problem);
    return [{ key: secretKey, value: secret, source }];
  });
}

/** The text of a file less the line break at its end, which editors and `echo` add. */
function readSecret(file: string, source: string): string {
  try {
    return readFileSync(file, 'utf8').replace(/\r?\n$/, '');
  } catch (error) {
    throw configError(source, `${file} cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
}
