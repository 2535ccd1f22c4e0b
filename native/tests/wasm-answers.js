/**
 * Returns the answers of an engine to some vectors, as texts; a separate function, so that a browser can run it.
 *
 * @param engine the result of `instantiate` of wasm.js
 * @param vectors `rfc4231`, `rfc8032` and `bitcoinCore`, their bytes as hexadecimal text
 */
export function answersOf(engine, vectors) {
  const bytes = (hex) => Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
  const hex = (array) => Array.from(array, (byte) => byte.toString(16).padStart(2, '0')).join('');
  const refused = (work) => {
    try {
      return `not refused: ${work()}`;
    } catch (error) {
      return error.name;
    }
  };
  const key = engine.createHmacKey(bytes('0102'));
  const did = (publicKey) => `did:key:z${engine.base58Encode(bytes(`ed01${publicKey}`))}`;
  return {
    macs: vectors.rfc4231.map(([secret, data]) => {
      const id = engine.createHmacKey(bytes(secret));
      const mac = engine.hmacSha256(id, bytes(data));
      const verified = engine.hmacSha256Verify(id, bytes(data), mac) && engine.releaseHmacKey(id);
      return verified ? hex(mac) : 'not verified';
    }),
    publicKeys: vectors.rfc8032.map(([seed]) => hex(engine.ed25519PublicKey(bytes(seed)))),
    signatures: vectors.rfc8032.map(([seed, , data]) => hex(engine.ed25519Sign(bytes(seed), bytes(data)))),
    verified: vectors.rfc8032.map(([, publicKey, data, signature]) =>
      engine.ed25519Verify(bytes(publicKey), bytes(data), bytes(signature)),
    ),
    forged: vectors.rfc8032.map(([, publicKey, data, signature]) =>
      engine.ed25519Verify(bytes(publicKey), bytes(`${data}00`), bytes(signature)),
    ),
    texts: vectors.bitcoinCore.map(([data]) => engine.base58Encode(bytes(data))),
    bytes: vectors.bitcoinCore.map(([, text]) => hex(engine.base58Decode(text))),
    message: engine.signMessage(key, 'é \u{1f600}'),
    messageVerified: engine.verifyMessage(key, 'é', engine.signMessage(key, 'é')),
    tokens: [vectors.token, `${vectors.token}A`].map((token) =>
      engine.verifyToken(token, did(vectors.rfc8032[0][1])),
    ),
    refused: [
      refused(() => engine.base58Decode('0')),
      refused(() => engine.base58Encode(new Uint8Array(5_000))),
      refused(() => engine.base58Encode('text')),
      refused(() => engine.signMessage(key, '\ud800')),
      refused(() => engine.hmacSha256(key + 1, bytes('00'))),
      refused(() => engine.hmacSha256(key + 0.5, bytes('00'))),
      refused(() => engine.ed25519Sign(bytes('00'), bytes('00'))),
    ],
  };
}
