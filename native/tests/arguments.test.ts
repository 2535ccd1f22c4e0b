import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { describeAddon, type Native } from './addon.ts';

/** `call` with arguments that no type would allow. */
// biome-ignore lint/complexity/noBannedTypes: any function at all
const call = (target: Function, ...args: unknown[]): unknown => Reflect.apply(target, undefined, args);

const NO_BYTES: readonly unknown[] = [
  undefined,
  null,
  true,
  0,
  5,
  -1,
  Number.NaN,
  1n,
  '',
  'text',
  Symbol('bytes'),
  [],
  [1, 2],
  {},
  { length: 3 },
  () => 0,
  new ArrayBuffer(8),
  new SharedArrayBuffer(8),
  new DataView(new ArrayBuffer(8)),
  new Uint8ClampedArray(8),
  new Int8Array(8),
  new Uint16Array(8),
  new Float64Array(8),
  Object.create(Uint8Array.prototype),
  new Proxy(new Uint8Array(8), {}),
];

const NO_TEXT: readonly unknown[] = [
  undefined,
  null,
  true,
  5,
  1n,
  Symbol('text'),
  [],
  {},
  new String('text'),
  () => 'x',
];

const NO_ID: readonly unknown[] = [undefined, null, true, '1', 1n, Symbol('id'), [], {}, () => 1];

const LONE_SURROGATES = ['\ud800', '\udc00', 'a\ud800b', '\udc00\ud800', `${'x'.repeat(5_000)}\ud83d`];

const detached = (size: number): Uint8Array => {
  const bytes = new Uint8Array(size).fill(1);
  structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
  return bytes;
};

/** Newer than the library that this project compiles against. */
const resizable = (size: number): ArrayBuffer & { resize(size: number): void } =>
  Reflect.construct(ArrayBuffer, [size, { maxByteLength: size * 2 }]);

/** Every function of the module with one place open for bytes. */
const takers = (native: Native, id: number): Readonly<Record<string, (bytes: unknown) => unknown>> => {
  const [key, data, signature] = [new Uint8Array(32).fill(9), new Uint8Array(3), new Uint8Array(64)];
  return {
    base58Encode: (bytes) => call(native.base58Encode, bytes),
    createHmacKey: (bytes) => call(native.createHmacKey, bytes),
    hmacSha256: (bytes) => call(native.hmacSha256, id, bytes),
    'hmacSha256Many, an item': (bytes) => call(native.hmacSha256Many, id, [data, bytes]),
    'hmacSha256Verify, data': (bytes) => call(native.hmacSha256Verify, id, bytes, key),
    'hmacSha256Verify, mac': (bytes) => call(native.hmacSha256Verify, id, data, bytes),
    ed25519PublicKey: (bytes) => call(native.ed25519PublicKey, bytes),
    'ed25519Sign, seed': (bytes) => call(native.ed25519Sign, bytes, data),
    'ed25519Sign, data': (bytes) => call(native.ed25519Sign, key, bytes),
    'ed25519Verify, key': (bytes) => call(native.ed25519Verify, bytes, data, signature),
    'ed25519Verify, data': (bytes) => call(native.ed25519Verify, key, bytes, signature),
    'ed25519Verify, signature': (bytes) => call(native.ed25519Verify, key, data, bytes),
  };
};

const FALSE_FOR_A_WRONG_LENGTH: ReadonlySet<string> = new Set([
  'hmacSha256Verify, mac',
  'ed25519Verify, key',
  'ed25519Verify, signature',
]);

const textTakers = (native: Native, id: number): Readonly<Record<string, (text: unknown) => unknown>> => ({
  base58Decode: (text) => call(native.base58Decode, text),
  'verifyToken, jwt': (text) => call(native.verifyToken, text, 'did:key:z6Mk'),
  'verifyToken, did': (text) => call(native.verifyToken, 'a.b.c', text),
  'verifyTokenChain, jwts': (text) => call(native.verifyTokenChain, [text], ['did:key:z6Mk']),
  'verifyTokenChain, dids': (text) => call(native.verifyTokenChain, ['a.b.c'], [text]),
  signMessage: (text) => call(native.signMessage, id, text),
  'verifyMessage, text': (text) => call(native.verifyMessage, id, text, ''),
  'verifyMessage, signature': (text) => call(native.verifyMessage, id, 'text', text),
  signMessages: (text) => call(native.signMessages, id, ['text', text]),
  'verifyMessages, texts': (text) => call(native.verifyMessages, id, [text], ['']),
  'verifyMessages, signatures': (text) => call(native.verifyMessages, id, ['text'], [text]),
});

const idTakers = (native: Native): Readonly<Record<string, (id: unknown) => unknown>> => ({
  releaseHmacKey: (id) => call(native.releaseHmacKey, id),
  hmacSha256: (id) => call(native.hmacSha256, id, new Uint8Array(3)),
  hmacSha256Many: (id) => call(native.hmacSha256Many, id, [new Uint8Array(3)]),
  hmacSha256Verify: (id) => call(native.hmacSha256Verify, id, new Uint8Array(3), new Uint8Array(32)),
  signMessage: (id) => call(native.signMessage, id, 'text'),
  verifyMessage: (id) => call(native.verifyMessage, id, 'text', ''),
  signMessages: (id) => call(native.signMessages, id, ['text']),
  verifyMessages: (id) => call(native.verifyMessages, id, ['text'], ['']),
});

describeAddon('arguments of the native engine', (native) => {
  const id = native.createHmacKey(new Uint8Array(32));

  for (const [name, take] of Object.entries(takers(native, id))) {
    test(`${name}: a value that is not a Uint8Array throws a TypeError`, () => {
      for (const value of NO_BYTES) expect(() => take(value), typeof value).toThrow(TypeError);
    });

    test(`${name}: a detached array of any former length throws a TypeError`, () => {
      for (const size of [1, 32, 64, 1_000, 100_000]) expect(() => take(detached(size))).toThrow(TypeError);
    });

    test(`${name}: more than 64 MiB throws or is of the wrong length, and is not cut`, () => {
      const huge = new Uint8Array(64 * 1024 * 1024 + 1);
      if (FALSE_FOR_A_WRONG_LENGTH.has(name)) expect(take(huge)).toBe(false);
      else expect(() => take(huge)).toThrow(RangeError);
    });
  }

  for (const [name, take] of Object.entries(textTakers(native, id))) {
    test(`${name}: a value that is not a string throws a TypeError`, () => {
      for (const value of NO_TEXT) expect(() => take(value), typeof value).toThrow(TypeError);
    });

    test(`${name}: a lone surrogate throws a TypeError, never becomes another character`, () => {
      for (const text of LONE_SURROGATES) expect(() => take(text)).toThrow(TypeError);
    });

    test(`${name}: more than 64 MiB of text throws a RangeError`, () => {
      expect(() => take('x'.repeat(64 * 1024 * 1024 + 1))).toThrow(RangeError);
    });
  }

  for (const [name, take] of Object.entries(idTakers(native))) {
    test(`${name}: a value that is not a number throws a TypeError`, () => {
      for (const value of NO_ID) expect(() => take(value), typeof value).toThrow(TypeError);
    });

    test(`${name}: a number that is not an id is not rounded or wrapped to one`, () => {
      for (const value of [-1, id + 0.5, Number.NaN, Number.POSITIVE_INFINITY, id + 2 ** 32, 2 ** 53]) {
        expect(() => take(value)).toThrow(RangeError);
      }
    });

    test(`${name}: an id that was never returned or was released is refused`, () => {
      const released = native.createHmacKey(new Uint8Array(1));
      native.releaseHmacKey(released);
      for (const value of [0, released, 4_294_967_295]) {
        if (name === 'releaseHmacKey') expect(take(value)).toBe(false);
        else expect(() => take(value)).toThrow(RangeError);
      }
    });
  }

  test('lists: a value that is not an array throws a TypeError', () => {
    for (const value of [undefined, null, 'ab', new Set(['a']), { length: 1, 0: 'a' }]) {
      expect(() => call(native.hmacSha256Many, id, value)).toThrow(TypeError);
      expect(() => call(native.signMessages, id, value)).toThrow(TypeError);
      expect(() => call(native.verifyMessages, id, value, [])).toThrow(TypeError);
      expect(() => call(native.verifyMessages, id, [], value)).toThrow(TypeError);
      expect(() => call(native.verifyTokenChain, value, [])).toThrow(TypeError);
      expect(() => call(native.verifyTokenChain, [], value)).toThrow(TypeError);
    }
  });

  test('lists: of different lengths throw a RangeError', () => {
    expect(() => native.verifyMessages(id, ['a'], [])).toThrow(RangeError);
    expect(() => native.verifyTokenChain([], ['a'])).toThrow(RangeError);
  });

  test('lists: with a hole throw a TypeError that names the item', () => {
    const [texts, list] = [
      ['a', 'b'],
      [new Uint8Array(1), new Uint8Array(1)],
    ];
    delete texts[1];
    delete list[1];
    expect(() => native.signMessages(id, texts)).toThrow(/item 1/);
    expect(() => native.hmacSha256Many(id, list)).toThrow(/item 1/);
  });

  test('lists: that are empty give empty lists', () => {
    expect(native.hmacSha256Many(id, [])).toEqual([]);
    expect(native.signMessages(id, [])).toEqual([]);
    expect(native.verifyMessages(id, [], [])).toEqual([]);
  });

  test('lists: of more than 1 048 576 texts throw before any work', () => {
    const texts = new Array<string>(1_048_577).fill('');
    expect(() => native.signMessages(id, texts)).toThrow(RangeError);
  });

  test('lists: the error of a getter is thrown', () => {
    const texts = ['a', 'b'];
    Object.defineProperty(texts, 0, {
      get: () => {
        throw new SyntaxError('mine');
      },
    });
    expect(() => native.signMessages(id, texts)).toThrow(new SyntaxError('mine'));
    expect(() => native.verifyTokenChain(texts, texts)).toThrow(new SyntaxError('mine'));
  });

  test('lists: a getter that calls the engine or releases the key affects only that key', () => {
    const expected = native.hmacSha256Many(id, [Uint8Array.of(1), Uint8Array.of(2)]);
    const list = [Uint8Array.of(1), Uint8Array.of(9)];
    Object.defineProperty(list, 1, {
      get: () => {
        native.hmacSha256(id, new Uint8Array(400).fill(7));
        native.base58Encode(new Uint8Array(500).fill(7));
        return Uint8Array.of(2);
      },
    });
    expect(native.hmacSha256Many(id, list)).toEqual(expected);

    const gone = native.createHmacKey(Uint8Array.of(1));
    const texts = ['a', 'b'];
    Object.defineProperty(texts, 0, { get: () => `${native.releaseHmacKey(gone)}` });
    expect(() => native.signMessages(gone, texts)).toThrow(RangeError);
  });

  test('bytes: a class that overrides `length` is read by its real length', () => {
    class Liar extends Uint8Array {
      override get length(): number {
        return 500;
      }
    }
    const honest = native.hmacSha256(id, Uint8Array.of(1, 2, 3));
    expect(native.hmacSha256(id, Liar.of(1, 2, 3))).toEqual(honest);
    expect(native.hmacSha256Many(id, [Liar.of(1, 2, 3)])).toEqual([honest]);
  });

  test('bytes: of another realm, of a Buffer, of a view and of shared memory are all the same bytes', () => {
    for (const size of [3, 600, 100_000]) {
      const plain = new Uint8Array(size).fill(7);
      const view = new Uint8Array(size + 20).fill(7).subarray(10, size + 10);
      const shared = new Uint8Array(new SharedArrayBuffer(size)).fill(7);
      const foreign: Uint8Array = runInNewContext(`new Uint8Array(${size}).fill(7)`);
      const growing = new Uint8Array(resizable(size)).fill(7);
      const expected = native.hmacSha256(id, plain);
      for (const bytes of [Buffer.from(plain), view, shared, foreign, growing]) {
        expect(native.hmacSha256(id, bytes)).toEqual(expected);
      }
    }
  });

  test('bytes: a resizable buffer that shrank is read by its current length, and refused when it is shorter than its view', () => {
    const buffer = resizable(2_000);
    const [tracking, fixed] = [new Uint8Array(buffer), new Uint8Array(buffer, 0, 2_000)];
    buffer.resize(1_000);
    expect(native.hmacSha256(id, tracking)).toEqual(native.hmacSha256(id, new Uint8Array(1_000)));
    expect(() => native.hmacSha256(id, fixed)).toThrow(TypeError);
  });

  test('bytes: a wrong length is refused as a seed, and never valid as key, signature or MAC', () => {
    for (const size of [0, 31, 33, 64, 600]) {
      expect(() => native.ed25519PublicKey(new Uint8Array(size))).toThrow(RangeError);
      expect(() => native.ed25519Sign(new Uint8Array(size), new Uint8Array(1))).toThrow(RangeError);
      expect(native.ed25519Verify(new Uint8Array(size), new Uint8Array(1), new Uint8Array(64))).toBe(false);
      expect(native.hmacSha256Verify(id, new Uint8Array(1), new Uint8Array(size))).toBe(false);
    }
    for (const size of [0, 63, 65]) {
      expect(native.ed25519Verify(new Uint8Array(32), new Uint8Array(1), new Uint8Array(size))).toBe(false);
    }
  });

  test('bytes: none are bytes, too', () => {
    const empty = new Uint8Array(0);
    expect(native.base58Encode(empty)).toBe('');
    expect(native.base58Decode('')).toEqual(empty);
    expect(native.hmacSha256(native.createHmacKey(empty), empty)).toHaveLength(32);
    expect(native.hmacSha256Verify(id, empty, native.hmacSha256(id, empty))).toBe(true);
    const seed = new Uint8Array(32);
    expect(native.ed25519Verify(native.ed25519PublicKey(seed), empty, native.ed25519Sign(seed, empty))).toBe(
      true,
    );
  });

  test('Base58: a foreign character throws a SyntaxError with its place', () => {
    expect(() => native.base58Decode('2g0')).toThrow(SyntaxError);
    expect(() => native.base58Decode('2g0')).toThrow(/byte 2/);
    expect(() => native.base58Decode('Ł')).toThrow(SyntaxError);
  });

  test('Base58: inputs beyond the bounds throw a RangeError', () => {
    const greatest = new Uint8Array(4_096).fill(255);
    expect(native.base58Decode(native.base58Encode(greatest))).toEqual(greatest);
    expect(() => native.base58Encode(new Uint8Array(4_097))).toThrow(RangeError);
    expect(() => native.base58Decode('z'.repeat(5_595))).toThrow(RangeError);
  });

  test('results are new arrays that a later call does not change', () => {
    const first = native.hmacSha256(id, Uint8Array.of(1));
    const kept = first.slice();
    native.hmacSha256(id, Uint8Array.of(2));
    expect(first).toEqual(kept);
    expect(first.buffer.byteLength).toBe(32);
  });
});
