import type { Socket } from 'node:net';
import { WebSocket } from 'ws';
import { centrifugoBinary, startCentrifugo } from '../../lib/centrifugo.ts';
import { gather } from '../gather.ts';
import type { LoadClient, System } from '../systems.ts';

/** Peer: the Centrifugo that `CENTRIFUGO_BIN` names, without tokens, history and presence. */
export const centrifugo: System = {
  get absent() {
    return centrifugoBinary() === undefined ? 'set CENTRIFUGO_BIN' : undefined;
  },
  start: () => startCentrifugo({}),
  open: openCentrifugo,
};

interface Reply {
  readonly id?: number;
  readonly error?: { readonly message: string };
}

/** Speaks Centrifugo's JSON protocol: replies and pushes on lines, several of them in one frame. */
async function openCentrifugo(url: string): Promise<LoadClient> {
  const socket = new WebSocket(url, { perMessageDeflate: false });
  const pending = new Map<number, PromiseWithResolvers<void>>();
  let received: (text: string) => void = () => undefined;
  let nextId = 1;
  socket.on('message', (data: Buffer) => {
    for (const line of data.toString('latin1').split('\n')) {
      if (line.startsWith('{"push"')) received(line);
      else if (line === '{}') socket.send('{}');
      else if (line !== '') answer(JSON.parse(line) as Reply);
    }
  });
  const answer = ({ id = 0, error }: Reply): void => {
    const call = pending.get(id);
    pending.delete(id);
    if (error === undefined) call?.resolve();
    else call?.reject(new Error(error.message));
  };
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  const { _socket: tcp } = socket as unknown as { readonly _socket: Socket };
  const send = (command: string): Promise<void> => {
    const call = Promise.withResolvers<void>();
    const id = nextId++;
    pending.set(id, call);
    gather(tcp);
    socket.send(`{"id":${id},${command}}`);
    return call.promise;
  };
  await send('"connect":{}');
  return {
    subscribe(topic, listener) {
      received = listener;
      return send(`"subscribe":{"channel":"${topic}"}`);
    },
    publish: (topic, message) => send(`"publish":{"channel":"${topic}","data":${message}}`),
    close: () => socket.terminate(),
  };
}
