import { writeSection } from '../lib/results.ts';
import { type Measured, measure, presentContestants } from './measure.ts';
import { OPERATIONS } from './operations.ts';
import { HEADER, rowOf } from './table.ts';

/** Base58, HMAC, Ed25519 and tokens, by both engines, against bs58 and node:crypto. */
export async function benchCrypto(rounds: number): Promise<void> {
  const present = await presentContestants();
  const measured: Measured[] = [];
  for (const operation of OPERATIONS) measured.push(await measure(operation, present, rounds));
  writeSection(
    'Crypto',
    [
      'Speed over the peer’s, in the same round: minimum, and in brackets median and maximum. A new input at every call, made before the clock runs; a hundred results of every process are compared with the right ones first.',
      'A token by the peer and by the addon alone is who signed it and its signature; by `@esdb-gater/security` it is all of `verifyToken`.',
      ...(present.includes('addon') ? [] : ['The addon was not built.']),
    ],
    HEADER,
    measured.map(rowOf),
  );
}
