import { connect } from '@esdb-gater/client';
import { afterEach, expect, test } from 'vitest';
import { freePorts } from '../../../../tools/kafka/index.ts';
import { type GatewayProcess, startGatewayProcess, temporaryFolder } from '../support/gateway-process.ts';
import { OrderChecker } from '../support/order-checker.ts';

const FULL = process.env['ESDB_GATER_FAULTS'] === '1';
const KILLS = FULL ? 20 : 2;
const STREAMS = 50;
const PER_STREAM = FULL ? 400 : 60;

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

test('a gateway that is killed with -9: every event is acknowledged, and the checkpoint only moves forward', {
  timeout: 280_000,
}, async () => {
  const folder = temporaryFolder();
  cleanUps.push(folder.remove);
  const [port = 0] = await freePorts(1);
  const start = async (): Promise<GatewayProcess> => {
    const started = await startGatewayProcess(folder.path, ['--port', String(port)]);
    cleanUps.push(() => started.stop());
    return started;
  };
  let gateway = await start();
  await using client = await connect(gateway.url, { retry: { baseDelayMs: 20, maxDelayMs: 200 } });
  const params = { storeId: 'default', name: 'projection', type: 'stream', selector: '$all' } as const;
  const checker = new OrderChecker();
  const subscription = await client.saveSubscription(params);
  const consumed = (async () => {
    for await (const { event, ack } of subscription) {
      checker.delivered(event.streamId, event.version);
      const { streamId, version } = event;
      // Whether the gateway has the answer, the checkpoint says in the end.
      checker.acknowledged(streamId, version);
      ack().catch(() => undefined);
    }
  })();
  for (let round = 0; round < PER_STREAM; round += 20) {
    const events = Array.from({ length: 20 }, (_, n) => ({ type: 'counted', data: round + n }));
    await Promise.all(
      Array.from({ length: STREAMS }, (_, n) =>
        client.appendEvents({ storeId: 'default', streamId: `stream-${n}`, events }),
      ),
    );
  }
  const total = STREAMS * PER_STREAM;
  let checkpoint = 0;
  const saved = async (): Promise<number> => {
    const { subscriptions } = await client.getSubscriptions({ storeId: 'default' });
    return subscriptions[0]?.checkpoint ?? -1;
  };
  for (let kill = 1; kill <= KILLS; kill++) {
    const target = Math.floor((total * kill) / (KILLS + 1));
    await expect.poll(() => checker.count >= target, { timeout: 60_000, interval: 5 }).toBe(true);
    await gateway.kill9();
    gateway = await start();
    const now = await saved();
    expect(now).toBeGreaterThanOrEqual(checkpoint);
    checkpoint = now;
  }
  await expect.poll(saved, { timeout: 60_000 }).toBe(total);
  checker.isComplete(STREAMS, PER_STREAM);
  await subscription.unsubscribe();
  await consumed;
});
