import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { describeAddon } from './addon.ts';

const entry = new URL('../main.js', import.meta.url).href;

/** Runs `body`, an async function of the module's exports and `data`, in a thread, and gives its result. */
async function inThread<Result>(body: string, data?: unknown): Promise<Result> {
  const source = `
    import { parentPort, workerData } from 'node:worker_threads';
    import * as native from ${JSON.stringify(entry)};
    parentPort.postMessage(await (async (native, data) => { ${body} })(native, workerData));
  `;
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(source)}`), {
    workerData: data,
  });
  const ended = once(worker, 'exit');
  const [result] = (await once(worker, 'message')) as [Result];
  await ended;
  return result;
}

describeAddon('the native engine in worker threads', (native) => {
  test('knows no keys of another thread', async () => {
    const id = native.createHmacKey(Uint8Array.of(1, 2, 3));
    const message = await inThread<string>(
      'try { native.hmacSha256(data, new Uint8Array(1)); return "taken"; } catch (error) { return error.message; }',
      id + 1_000_000,
    );
    expect(message).toMatch(/another thread/);
    expect(native.releaseHmacKey(id)).toBe(true);
  });

  test('each thread has its own ids for its own keys', async () => {
    const ids = [native.createHmacKey(Uint8Array.of(1))];
    const mac = native.hmacSha256(ids[0] ?? 0, Uint8Array.of(9));
    const other = await inThread<{ id: number; mac: Uint8Array }>(
      'const id = native.createHmacKey(Uint8Array.of(2)); return { id, mac: native.hmacSha256(id, Uint8Array.of(9)) };',
    );
    expect(other.id).toBe(1);
    expect(other.mac).not.toEqual(mac);
    expect(native.hmacSha256(ids[0] ?? 0, Uint8Array.of(9))).toEqual(mac);
  });

  test('eight concurrent threads get the same answers', async () => {
    const body = `
      const id = native.createHmacKey(new Uint8Array(32).fill(5));
      const seed = new Uint8Array(32).fill(6);
      const publicKey = native.ed25519PublicKey(seed);
      let text = '';
      for (let i = 0; i < 2000; i++) {
        const bytes = new Uint8Array(40).fill(i);
        bytes.set(native.hmacSha256(id, bytes));
        text = native.signMessage(id, text + native.base58Encode(bytes));
        if (native.base58Decode(native.base58Encode(bytes)).join() !== bytes.join()) throw new Error('Base58');
        if (i % 100 === 0 && !native.ed25519Verify(publicKey, bytes, native.ed25519Sign(seed, bytes))) throw new Error('Ed25519');
      }
      return text;
    `;
    const texts = await Promise.all(Array.from({ length: 8 }, () => inThread<string>(body)));
    expect(new Set(texts).size).toBe(1);
  });

  test('survives threads that come and go, and ones ended in the midst of work', async () => {
    for (let i = 0; i < 4; i++) {
      expect(await inThread<string>('return native.version;')).toBe(native.version);
      const source = `
        import { parentPort } from 'node:worker_threads';
        import * as native from ${JSON.stringify(entry)};
        const id = native.createHmacKey(new Uint8Array(32));
        parentPort.postMessage('working');
        for (;;) native.signMessages(id, ['a', 'b', 'c']);
      `;
      const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(source)}`));
      await once(worker, 'message');
      await worker.terminate();
    }
    expect(native.base58Encode(Uint8Array.of(1))).toBe('2');
  });
});
