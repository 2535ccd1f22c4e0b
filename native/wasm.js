/*
 * The engine as WebAssembly, for runtimes without the addon and node:crypto. `src/wasm.rs` is the Rust side. This file
 * uses neither APIs of Node nor of browsers.
 */

const NO_KEY = -1;
const TOO_LONG = -2;
const WRONG_LENGTH = -3;
const FOREIGN_CHARACTER = -4;

const utf8 = new TextEncoder();
const ascii = new TextDecoder('latin1');

/** @param source the bytes of `esdb-gater-native.wasm` */
export async function instantiate(source) {
  const { instance } = await WebAssembly.instantiate(source);
  return createEngine(instance.exports);
}

function createEngine(wasm) {
  const put = (slot, bytes, what) => {
    if (!(bytes instanceof Uint8Array)) throw new TypeError(`${what} must be a Uint8Array`);
    // `set` below throws for a view of a detached or shrunk buffer.
    const length = bytes.length;
    const address = wasm.reserve(slot, length);
    if (address === 0) throw new RangeError(`${what} has ${length} bytes, which is too much`);
    // Views are not cached, since growing the memory replaces its buffer.
    new Uint8Array(wasm.memory.buffer, address, length).set(bytes);
  };
  const putText = (slot, text, what) => {
    if (typeof text !== 'string') throw new TypeError(`${what} must be a string`);
    if (!text.isWellFormed()) throw new TypeError(`${what} must be a string without lone surrogates`);
    put(slot, utf8.encode(text), what);
  };
  const take = (length) => new Uint8Array(wasm.memory.buffer, wasm.result(), checked(length)).slice();
  const takeText = (length) => ascii.decode(take(length));
  const keyId = (id) => {
    if (typeof id !== 'number') throw new TypeError('keyId must be a number');
    // WebAssembly would wrap it.
    if (!Number.isInteger(id) || id < 0 || id > 0xffff_ffff)
      throw new RangeError(`keyId must be a whole number from 0 to 4294967295, got ${id}`);
    return id;
  };
  const engine = {
    base58Encode(bytes) {
      put(0, bytes, 'bytes');
      return takeText(wasm.base58_encode());
    },
    base58Decode(text) {
      putText(0, text, 'text');
      return take(wasm.base58_decode());
    },
    createHmacKey(key) {
      put(0, key, 'key');
      const id = wasm.create_hmac_key() >>> 0;
      if (id === 0) throw new RangeError('no room for another HMAC key; release some first');
      return id;
    },
    releaseHmacKey(id) {
      return wasm.release_hmac_key(keyId(id)) === 1;
    },
    hmacSha256(id, data) {
      put(0, data, 'data');
      return take(wasm.hmac_sha256(keyId(id)));
    },
    hmacSha256Many(id, list) {
      return list.map((data) => engine.hmacSha256(id, data));
    },
    hmacSha256Verify(id, data, mac) {
      put(0, data, 'data');
      put(1, mac, 'mac');
      return checked(wasm.hmac_sha256_verify(keyId(id))) === 1;
    },
    ed25519PublicKey(seed) {
      put(1, seed, 'seed');
      return take(wasm.ed25519_public_key());
    },
    ed25519Sign(seed, data) {
      put(0, data, 'data');
      put(1, seed, 'seed');
      return take(wasm.ed25519_sign());
    },
    ed25519Verify(publicKey, data, signature) {
      put(0, data, 'data');
      put(1, publicKey, 'publicKey');
      put(2, signature, 'signature');
      return wasm.ed25519_verify() === 1;
    },
    verifyToken(jwt, did) {
      putText(0, jwt, 'jwt');
      putText(1, did, 'did');
      return wasm.verify_token() === 1;
    },
    signMessage(id, text) {
      putText(0, text, 'text');
      return takeText(wasm.sign_message(keyId(id)));
    },
    verifyMessage(id, text, signature) {
      putText(0, text, 'text');
      putText(1, signature, 'signature');
      return checked(wasm.verify_message(keyId(id))) === 1;
    },
  };
  return Object.freeze(engine);
}

/** A length or a truth value as it is. @throws for numbers that are error codes */
function checked(answer) {
  if (answer >= 0) return answer;
  if (answer === NO_KEY) throw new RangeError('there is no HMAC key with this id');
  if (answer === TOO_LONG) throw new RangeError('the input is too long');
  if (answer === WRONG_LENGTH) throw new RangeError('a seed must have 32 bytes');
  throw new SyntaxError(`the character at byte ${FOREIGN_CHARACTER - answer} is not in the Base58 alphabet`);
}
