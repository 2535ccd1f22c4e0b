import { execFileSync, spawn } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { WebSocket } from 'ws';
import { freePorts } from '../../../kafka/index.ts';
import { answersWithin, benchFolder, peersFolder } from '../../lib/machine.ts';
import { serverOf } from '../../lib/server-process.ts';
import { gather } from '../gather.ts';
import type { LoadClient, System } from '../systems.ts';

const MODULE = 'github.com/nats-io/nats-server/v2@latest';

/** Peer: nats-server over WebSocket, from `NATS_SERVER_BIN` or built once by `go install`. */
export const natsServer: System = {
  get absent() {
    return binary() === undefined ? 'set NATS_SERVER_BIN, or install Go, which builds it' : undefined;
  },

  async start() {
    const [port = 0, plain = 0] = await freePorts(2);
    const file = join(benchFolder('nats'), 'nats.conf');
    writeFileSync(
      file,
      `listen: "127.0.0.1:${plain}"\nwebsocket { listen: "127.0.0.1:${port}", no_tls: true, compression: false }\n`,
    );
    const child = spawn(binary() ?? '', ['-c', file], { stdio: ['ignore', 'ignore', 'ignore'] });
    const server = serverOf(child, `ws://127.0.0.1:${port}`);
    await answersWithin(`http://127.0.0.1:${port}/`, (status) => status < 500);
    return server;
  },

  open: openNats,
};

function binary(): string | undefined {
  const { NATS_SERVER_BIN: given } = process.env;
  if (given !== undefined) return given;
  const folder = peersFolder('nats-server');
  const built = join(folder, 'nats-server');
  if (existsSync(built)) return built;
  try {
    process.stderr.write('go install nats-server, once\n');
    const env = { ...process.env, GOBIN: folder, GOTOOLCHAIN: 'local' };
    execFileSync('go', ['install', MODULE], { env, stdio: 'ignore' });
    return built;
  } catch {
    return undefined;
  }
}

/**
 * Speaks the NATS client protocol in `verbose` mode, in which the server acknowledges every message, as the other
 * servers do. The bytes of the frames are one stream: a frame may hold several messages and a part of the next.
 */
async function openNats(url: string): Promise<LoadClient> {
  const socket = new WebSocket(url, { perMessageDeflate: false });
  const waiting: PromiseWithResolvers<void>[] = [];
  let received: (text: string) => void = () => undefined;
  let rest = '';
  const take = (line: string, payload: string): void => {
    if (line.startsWith('MSG')) received(payload);
    else if (line === '+OK') waiting.shift()?.resolve();
    else if (line === 'PING') socket.send('PONG\r\n');
    else if (line.startsWith('-ERR')) waiting.shift()?.reject(new Error(line));
  };
  socket.on('message', (data: Buffer) => {
    rest += data.toString('latin1');
    let at = 0;
    for (;;) {
      const end = rest.indexOf('\r\n', at);
      if (end === -1) break;
      const line = rest.slice(at, end);
      let next = end + 2;
      if (line.startsWith('MSG')) {
        next += Number(line.slice(line.lastIndexOf(' ') + 1)) + 2;
        if (next > rest.length) break;
      }
      take(line, rest.slice(end + 2, next - 2));
      at = next;
    }
    rest = rest.slice(at);
  });
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  const { _socket: tcp } = socket as unknown as { readonly _socket: Socket };
  const send = (text: string): Promise<void> => {
    const answer = Promise.withResolvers<void>();
    waiting.push(answer);
    gather(tcp);
    socket.send(text);
    return answer.promise;
  };
  await send('CONNECT {"verbose":true,"pedantic":false,"lang":"bench","version":"1","protocol":1}\r\n');
  return {
    subscribe(topic, listener) {
      received = listener;
      return send(`SUB ${topic} 1\r\n`);
    },
    publish: (topic, message) => send(`PUB ${topic} ${message.length}\r\n${message}\r\n`),
    close: () => socket.terminate(),
  };
}
