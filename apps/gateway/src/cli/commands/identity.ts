import { Identity, identityToJson } from '@esdb-gater/security';
import { type CommonOptions, outputOf, type Terminal } from '../context.ts';
import { readIdentity, writePrivateFile } from '../files.ts';

export interface IdentityOptions extends CommonOptions {
  readonly file: string;
}

/** `identity new`: writes a new Ed25519 key to a file of mode 0600 and prints its DID. */
export async function identityNew(options: IdentityOptions, terminal: Terminal): Promise<void> {
  const identity = Identity.generate();
  writePrivateFile(options.file, JSON.stringify(identityToJson(identity), null, 2));
  await outputOf(options, terminal).result({ did: identity.did, file: options.file }, identity.did);
}

/** `identity show`: prints the DID of an identity file. */
export async function identityShow(options: IdentityOptions, terminal: Terminal): Promise<void> {
  const { did } = readIdentity(options.file);
  await outputOf(options, terminal).result({ did }, did);
}
