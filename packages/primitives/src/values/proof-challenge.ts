const utf8 = new TextEncoder();

/**
 * Returns the bytes that a proof signs.
 *
 * @param gatewayDid as in `hello`
 * @param nonce as in `hello`
 */
export function proofChallenge(gatewayDid: string, nonce: string): Uint8Array {
  return utf8.encode(`esdb-gater-auth\0${gatewayDid}\0${nonce}`);
}
