import { Identity } from '@esdb-gater/security';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestGateway, type TestGateway } from '../support/in-process.ts';
import { type RawClient, rawConnect } from '../support/raw-client.ts';
import { startGuarded, tokenFor } from './support.ts';

const UUID = '018f5e2c-0000-7000-8000-0000000000aa';
const alice = Identity.generate();

let open: TestGateway;
let guarded: TestGateway;
beforeAll(async () => {
  open = await startTestGateway();
  guarded = await startGuarded({ 'security-audiences': alice.did });
});
afterAll(async () => {
  await open.close();
  await guarded.close();
});

async function worker(gateway: TestGateway, version: number): Promise<RawClient> {
  const client = await rawConnect(gateway.url);
  client.serve(({ method }) => (method === 'readAll' ? { events: [], lastPosition: 0 } : { version }));
  return client;
}

const replaced = (client: RawClient) =>
  client.notices.filter(({ method }) => method === 'replaced').map(({ params }) => params);

describe('T28: taking over the name of a worker', () => {
  test('a worker keeps its name against a program with another uuid, which does not learn the uuid [R4] [T28]', async () => {
    for (const [storeId, own, others] of [
      ['named', { storeUuid: UUID }, [{}, { storeUuid: crypto.randomUUID() }, { storeUuid: '' }]],
      ['nameless', {}, [{ storeUuid: UUID }]],
    ] as const) {
      const first = await worker(open, 7);
      const params = { storeId, workerId: 'w' };
      expect((await first.call('registerWorker', { ...params, ...own })).error).toBeUndefined();
      for (const uuid of others) {
        for (const workerId of ['w', 'another']) {
          const second = await worker(open, 666);
          const { error } = await second.call('registerWorker', { storeId, workerId, ...uuid });
          expect(error?.data.code).toBe('invalid_argument');
          expect(JSON.stringify(error)).not.toContain(UUID.slice(0, 8));
          await second.close();
        }
      }
      const health = await first.call('health');
      expect(JSON.stringify(health)).not.toContain(UUID.slice(0, 8));
      const answer = await first.call('getVersion', { storeId, streamId: 'a' });
      expect(answer.result).toEqual({ version: 7 });
      expect(replaced(first)).toEqual([]);
      await first.close();
    }
  });

  test('the same uuid and address replace it, and the replaced worker is notified [R4] [T28]', async () => {
    const [first, second] = [await worker(open, 1), await worker(open, 2)];
    const params = { storeId: 'again', workerId: 'w', storeUuid: UUID };
    await first.call('registerWorker', params);
    await second.call('registerWorker', params);
    await first.until(() => replaced(first).length > 0);
    expect(replaced(first)).toEqual([{ storeId: 'again', workerId: 'w' }]);
    // It is not its worker any more.
    expect((await first.call('unregisterWorker', { storeId: 'again' })).result).toEqual({ removed: false });
    await first.close();
    expect((await second.call('getVersion', { storeId: 'again', streamId: 'a' })).result).toEqual({
      version: 2,
    });
    // A repeat by the program itself does not notify anyone.
    await second.call('registerWorker', params);
    await second.call('health');
    expect(replaced(second)).toEqual([]);
    await second.close();
  });

  test('of two tokens only the same audience replaces it, and a name is free when its connection ends [R4] [T28]', async () => {
    const params = { storeId: 'audiences', workerId: 'w', storeUuid: UUID };
    const [own, other] = [tokenFor(guarded.did), tokenFor(alice.did)];
    const [first, second, third] = [
      await worker(guarded, 1),
      await worker(guarded, 2),
      await worker(guarded, 3),
    ];
    expect((await first.call('registerWorker', { ...params, token: own })).error).toBeUndefined();
    const refused = await second.call('registerWorker', { ...params, token: other });
    expect(refused.error?.data).toMatchObject({ code: 'invalid_argument', reason: 'store_mismatch' });
    expect(JSON.stringify(refused)).not.toContain(UUID);
    expect(replaced(first)).toEqual([]);
    expect(
      (await third.call('registerWorker', { ...params, token: tokenFor(guarded.did) })).error,
    ).toBeUndefined();
    await first.until(() => replaced(first).length > 0);
    await third.close();
    expect((await second.call('registerWorker', { ...params, token: other })).error).toBeUndefined();
    await first.close();
    await second.close();
  });
});
