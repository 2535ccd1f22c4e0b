import type { Socket } from 'node:net';
import { WebSocket } from 'ws';
import { benchFolder } from '../../lib/machine.ts';
import { startGateway } from '../../lib/server-process.ts';
import { gather } from '../gather.ts';
import type { LoadClient, System } from '../systems.ts';

/** The gateway of this project. */
export const esdbGater: System = {
  absent: undefined,
  start: () => startGateway({ 'data-dir': benchFolder('gateway') }),
  open: openGateway,
};

/** The gateway in several processes. */
export function esdbGaterProcesses(processes: number): System {
  return {
    ...esdbGater,
    start: () => startGateway({ 'data-dir': benchFolder('gateway'), processes: `${processes}` }),
  };
}

/** Implements the gateway's protocol with only `ws`, so that the client costs as little as possible. */
export async function openGateway(url: string): Promise<LoadClient> {
  const socket = new WebSocket(url, 'esdb-gater.v1', { perMessageDeflate: false });
  const pending = new Map<number, { resolve(): void; reject(error: Error): void }>();
  let received: (text: string) => void = () => undefined;
  let nextId = 1;
  const greeted = Promise.withResolvers<void>();
  socket.on('message', (data: Buffer) => {
    const text = data.toString('latin1');
    if (text.includes('"method":"message"')) return received(text);
    const answer = JSON.parse(text) as {
      readonly id?: number;
      readonly method?: string;
      readonly error?: { readonly message: string };
    };
    if (answer.method === 'hello') return greeted.resolve();
    const waiting = pending.get(answer.id ?? 0);
    pending.delete(answer.id ?? 0);
    if (answer.error === undefined) waiting?.resolve();
    else waiting?.reject(new Error(answer.error.message));
  });
  socket.once('error', greeted.reject);
  await greeted.promise;
  const { _socket: tcp } = socket as unknown as { readonly _socket: Socket };
  const call = (method: string, params: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const id = nextId++;
      pending.set(id, { resolve, reject });
      gather(tcp);
      socket.send(`{"jsonrpc":"2.0","id":${id},"method":"${method}","params":${params}}`);
    });
  return {
    subscribe(topic, listener) {
      received = listener;
      return call('subscribe', `{"channel":"system","topic":"${topic}"}`);
    },
    publish: (topic, message) =>
      call('publish', `{"channel":"system","topic":"${topic}","message":${message}}`),
    close: () => socket.terminate(),
  };
}
