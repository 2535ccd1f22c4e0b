// Calls every function so many times in all, and prints how the resident memory went: {"before":…,"after":…}.
import * as native from '../main.js';

const calls = Number(process.argv[2]);
const WARM_UP = 0.2;

const seed = new Uint8Array(32).fill(1);
const publicKey = native.ed25519PublicKey(seed);
const [small, large] = [new Uint8Array(40).fill(2), new Uint8Array(2_000).fill(3)];
const signature = native.ed25519Sign(seed, small);
const key = native.createHmacKey(seed);
const mac = native.hmacSha256(key, small);
const text = native.signMessage(key, 'text');
const did = `did:key:z${native.base58Encode(Uint8Array.of(0xed, 1, ...publicKey))}`;

/** Calls that throw, so that the error paths run as often. */
function refused(work: () => unknown): void {
  try {
    work();
  } catch {
    return;
  }
  throw new Error('this was to be refused');
}

/** Cheap calls often, expensive ones seldom: a signature costs as much as 200 texts. */
const OFTEN: readonly (() => unknown)[] = [
  () => native.base58Encode(small.slice()),
  () => native.base58Decode('4wBqpZM9xaSheZzJSMawUKKwhdpChKbZ5eu5ky4Vigw'),
  () => native.hmacSha256(key, small.slice()),
  () => native.hmacSha256(key, large.slice()),
  () => native.hmacSha256Verify(key, small, mac),
  () => native.releaseHmacKey(native.createHmacKey(small)),
  () => native.signMessage(key, `text é ${text}`),
  () => native.verifyMessage(key, 'text', text),
  () => native.verifyToken('a.b.c', did),
  () => refused(() => native.base58Decode('0')),
  () => refused(() => native.signMessage(key, '\ud800')),
  () => refused(() => native.hmacSha256(0, small)),
];
const SELDOM: readonly (() => unknown)[] = [
  () => native.base58Decode(native.base58Encode(large)),
  () =>
    native.hmacSha256Many(
      key,
      Array.from({ length: 50 }, () => small.slice()),
    ),
  () => native.signMessages(key, ['a', 'é', 'x'.repeat(3_000)]),
  () => native.verifyMessages(key, ['text', 'b'], [text, text]),
  () => native.signMessage(key, 'x'.repeat(200_000)),
  () => native.verifyTokenChain(['a.b.c'], [did]),
  () => native.ed25519Sign(seed, large),
  () => native.ed25519Verify(publicKey, small, signature),
  () => refused(() => native.signMessages(key, ['a', '\ud800'])),
];
const SELDOM_EVERY = 400;

let before = 0;
for (let call = 0; call < calls; call++) {
  if (call === Math.floor(calls * WARM_UP)) before = settled();
  if (call % SELDOM_EVERY === 0) SELDOM[(call / SELDOM_EVERY) % SELDOM.length]?.();
  else OFTEN[call % OFTEN.length]?.();
}
process.stdout.write(`${JSON.stringify({ before, after: settled() })}\n`);

function settled(): number {
  globalThis.gc?.();
  return process.memoryUsage.rss();
}
