import { Identity, identityFromJson, identityToJson } from '@esdb-gater/security';
import { GaterError } from '@esdb-gater/types';
import { PRIVATE_MODE } from './atomic-file.ts';
import { keepFile } from './data-dir.ts';

/**
 * The identity of this gateway, made at the first start and kept in a file that only its owner may read.
 *
 * @throws `invalid_argument` (reason `identity`) when the file holds no identity
 */
export async function loadIdentity(file: string): Promise<Identity> {
  const text = await keepFile(
    file,
    () => JSON.stringify(identityToJson(Identity.generate()), null, 2),
    PRIVATE_MODE,
  );
  try {
    return identityFromJson(JSON.parse(text));
  } catch (error) {
    // A parser's message would quote the key.
    const why = GaterError.is(error) ? error.message : 'it is no JSON';
    throw new GaterError('invalid_argument', `${file} holds no identity: ${why}`, {
      details: { reason: 'identity' },
    });
  }
}
