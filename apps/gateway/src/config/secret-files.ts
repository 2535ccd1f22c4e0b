import { configError, notSupported, wrongValue } from './config-error.ts';
import { problemOf } from './expectation.ts';
import { CONFIG_KEYS } from './keys.ts';
import { parseText } from './parse-text.ts';
import { readTextFile } from './read-text-file.ts';
import type { Setting } from './sources.ts';

/** More than any list of keys has. */
const MAX_SECRET_BYTES = 65_536;

/**
 * Replaces each setting that names a file of a secret by the secret.
 *
 * @throws `invalid_argument` (reason `configuration`) that names the key, never the secret; `not_supported` when this
 * version does not have the feature that the secret is for
 */
export function readSecretFiles(settings: readonly Setting[]): Setting[] {
  const given = new Set(settings.map(({ key }) => key.path));
  return settings.flatMap((setting) => {
    const secretKey = CONFIG_KEYS.find(({ path }) => path === setting.key.twinOf);
    if (secretKey === undefined) return [setting];
    const { source, value } = setting;
    // Null means no file, so the value of another source stays.
    if (typeof value !== 'string') return [];
    if (secretKey.notYet !== undefined) throw notSupported(setting.key.path, secretKey.notYet);
    if (given.has(secretKey.path))
      throw configError(source, `must not be set together with \`${secretKey.path}\``);
    const secret = parseText(secretKey, readSecret(value, source), source);
    const problem = problemOf(secretKey.schema, secret, secretKey.path);
    if (problem !== undefined) throw wrongValue(secretKey, source, secret, problem);
    return [{ key: secretKey, value: secret, source }];
  });
}

/** Reads a file, without the line break at its end that editors and `echo` add. */
export function readSecret(file: string, source: string): string {
  try {
    return readTextFile(file, MAX_SECRET_BYTES).replace(/\r?\n$/, '');
  } catch (error) {
    throw configError(source, `must be a file that can be read, got ${file}: ${(error as Error).message}`);
  }
}
