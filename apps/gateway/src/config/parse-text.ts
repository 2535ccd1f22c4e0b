import type { JsonValue } from '@esdb-gater/types';
import { wrongValue } from './config-error.ts';
import type { ConfigKey } from './keys.ts';

/**
 * Parses the text of an environment variable or a flag.
 *
 * Lists are separated by commas, `stores` and deeper values are JSON, and `null` means unlimited or none.
 *
 * @throws `invalid_argument` (reason `configuration`) that names `source`
 */
export function parseText(key: ConfigKey, text: string, source: string): JsonValue {
  if (text === 'null') return null;
  const wrong = (): never => {
    throw wrongValue(key, source, text);
  };
  switch (key.kind) {
    case 'string':
      return text;
    case 'integer':
      return /^-?\d{1,16}$/.test(text) ? Number(text) : wrong();
    case 'boolean':
      return text === 'true' || (text === 'false' ? false : wrong());
    case 'list':
      return text
        .split(',')
        .map((item) => item.trim())
        .filter((item) => item !== '');
    case 'json':
      return parseJson(text) ?? wrong();
    case 'secret':
      // A list of { keyId, secret } is JSON; anything else is the secret itself.
      return text.trimStart().startsWith('[') ? (parseJson(text) ?? wrong()) : text;
  }
}

function parseJson(text: string): JsonValue | undefined {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    // The parser's message quotes the text, which may be a secret.
    return undefined;
  }
}
