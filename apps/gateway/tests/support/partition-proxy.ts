import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** What a proxy holds back: nothing, what its clients send, what its target sends, or both. */
export type Blocked = 'none' | 'requests' | 'answers' | 'both';

export interface PartitionProxy {
  readonly port: number;
  /** For all connections, present and later. What is held back arrives when it is no longer blocked, as TCP resends it. */
  block(blocked: Blocked): void;
  close(): Promise<void>;
}

/** A proxy that can hold back one direction of every connection, as a partition of the network does. */
export async function startPartitionProxy(port: number, target: number): Promise<PartitionProxy> {
  const pairs = new Set<{ readonly client: Socket; readonly upstream: Socket }>();
  let blocked: Blocked = 'none';
  const apply = ({ client, upstream }: { readonly client: Socket; readonly upstream: Socket }): void => {
    if (blocked === 'requests' || blocked === 'both') client.pause();
    else client.resume();
    if (blocked === 'answers' || blocked === 'both') upstream.pause();
    else upstream.resume();
  };
  const server = createServer({ noDelay: true, pauseOnConnect: true }, (client) => {
    const upstream = connect({ host: '127.0.0.1', port: target, noDelay: true });
    const pair = { client, upstream };
    pairs.add(pair);
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      from.on('data', (chunk) => to.write(chunk));
      from.on('end', () => to.end());
      from.on('error', () => to.destroy());
      from.on('close', () => {
        to.destroy();
        pairs.delete(pair);
      });
    }
    apply(pair);
  }).listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    block(next) {
      blocked = next;
      for (const pair of pairs) apply(pair);
    },
    async close() {
      for (const { client, upstream } of pairs) {
        client.destroy();
        upstream.destroy();
      }
      server.close();
      await once(server, 'close');
    },
  };
}
