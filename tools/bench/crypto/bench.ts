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
      'Speed over the peer’s, in the same round: minimum, and in brackets median and maximum. Every call has a new input, created before the clock starts; first, a hundred results of every process are compared with the expected ones.',
      'The peer and the addon only verify the signature of a token by its issuer; `@esdb-gater/security` runs the whole `verifyToken`.',
      ...(present.includes('addon') ? [] : ['The addon was not built.']),
    ],
    HEADER,
    measured.map(rowOf),
  );
}
