import { Identity, identityFromJson, identityToJson } from '@esdb-gater/security';
import { GaterError } from '@esdb-gater/types';
import { keepFile } from './data-dir.ts';

/**
 * Loads the identity of this gateway, which is created at the first start and stored in a file that only its owner can
 * read.
 *
 * @throws `invalid_argument` (reason `identity`) when the file does not contain an identity
 */
export async function loadIdentity(file: string): Promise<Identity> {
  const text = await keepFile(file, () => JSON.stringify(identityToJson(Identity.generate()), null, 2));
  try {
    return identityFromJson(JSON.parse(text));
  } catch (error) {
    // A parser's message would quote the key.
    const why = GaterError.is(error) ? error.message : 'invalid JSON';
    throw new GaterError('invalid_argument', `${file} does not contain an identity: ${why}`, {
      details: { reason: 'identity' },
    });
  }
}
