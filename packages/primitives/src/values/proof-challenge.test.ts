import { expect, test } from 'vitest';
import { proofChallenge } from './proof-challenge.ts';

test('a proof signs the words of the protocol, the gateway and the nonce, in UTF-8 and apart by NUL', () => {
  const text = new TextDecoder().decode(proofChallenge('did:key:zGateway', 'nönce'));
  expect(text).toBe('esdb-gater-auth\0did:key:zGateway\0nönce');
});
