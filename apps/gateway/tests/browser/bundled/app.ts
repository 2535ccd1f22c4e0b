// An application as a user writes it, which the test bundles with Vite and with esbuild.
import { connect, generateIdentity } from '@esdb-gater/client';

interface Outcome {
  readonly audience: string;
  readonly version: number;
  readonly read: readonly unknown[];
  readonly received: readonly unknown[];
  readonly acknowledged: unknown;
}

const identity = await generateIdentity();

/** Appends, reads, subscribes and consumes, as the holder of a token for `identity`. */
async function run(url: string, token: string): Promise<Outcome> {
  await using gater = await connect(url, { token, identity, storeId: 'default' });
  const streamId = 'bundled';
  const messages = await gater.subscribe({ channel: 'events', topic: 'default.bundled.*' });
  const events = [{ type: 'named', data: 'Ada' }];
  const { version } = await gater.appendEvents({ streamId, events });
  const read: unknown[] = [];
  for await (const { data } of gater.events({ streamId })) read.push(data);
  const received: unknown[] = [];
  for await (const { message } of messages) {
    received.push((message as { readonly data: unknown }).data);
    break;
  }
  const deliveries = await gater.saveSubscription({ name: 'page', type: 'stream', selector: streamId });
  let acknowledged: unknown;
  for await (const { event, ack } of deliveries) {
    await ack();
    acknowledged = event.data;
    break;
  }
  return { audience: identity.did, version, read, received, acknowledged };
}

Object.assign(globalThis, { app: { did: identity.did, run } });
