import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, Socket } from 'node:net';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import {
  closeConnection,
  type KafkajsConnection,
  metadataApi,
  openConnection,
  produceApi,
  sendRequest,
} from './kafkajs-internals.ts';

/** The body of the response to every request; without one the server never responds. */
let body: Buffer | undefined;
let server: Server;
let connection: KafkajsConnection;
const sockets: Socket[] = [];

beforeEach(async () => {
  body = undefined;
  server = createServer((socket) => {
    sockets.push(socket);
    // Requests are small, so each arrives in one piece: its length, key, version, and then its correlation id.
    socket.on('data', (request) => {
      if (body === undefined) return;
      const head = Buffer.alloc(8);
      head.writeInt32BE(4 + body.length, 0);
      head.writeInt32BE(request.readInt32BE(8), 4);
      socket.write(Buffer.concat([head, body]));
    });
    socket.on('error', () => {});
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  connection = await connect();
});

afterEach(() => {
  closeConnection(connection);
  for (const socket of sockets.splice(0)) socket.destroy();
  server.close();
});

function connect(): Promise<KafkajsConnection> {
  const { port } = server.address() as AddressInfo;
  return openConnection({ host: '127.0.0.1', port }, { clientId: 'test', timeoutMs: 1_000 });
}

const metadata = { topics: ['t'], allowAutoTopicCreation: false };

/** A produce response of version 7, with one error code for each partition. */
function produceResponse(errors: readonly number[]): Buffer {
  const int32 = (value: number) => Buffer.from([value >> 24, value >> 16, value >> 8, value]);
  const partitions = errors.flatMap((error, partition) => [
    int32(partition),
    Buffer.from([error >> 8, error]),
    Buffer.alloc(24, 0xff), // base offset, append time and start offset: -1
  ]);
  const topic = [Buffer.from([0, 1]), Buffer.from('t'), int32(errors.length), ...partitions];
  return Buffer.concat([int32(1), ...topic, int32(0)]);
}

test('a response carries the error code of every partition, where kafkajs would throw the first', async () => {
  body = produceResponse([0, 6, 10]);
  const answer = await sendRequest(connection, produceApi, { acks: -1, timeout: 1_000, topicData: [] });
  expect(answer.topics).toMatchObject([
    { topicName: 't', partitions: [{ errorCode: 0 }, { errorCode: 6 }, { errorCode: 10 }] },
  ]);
});

test('a connection sets no timer after a response, where kafkajs would poll an empty queue', async () => {
  body = produceResponse([0]);
  const setTimer = vi.spyOn(globalThis, 'setTimeout');
  await sendRequest(connection, produceApi, { acks: -1, timeout: 1_000, topicData: [] });
  expect(setTimer).not.toHaveBeenCalled();
  setTimer.mockRestore();
});

test('closing rejects the requests in flight, where kafkajs would wait for a broker that hangs', async () => {
  const inFlight = sendRequest(connection, metadataApi, metadata);
  const [socket] = sockets;
  // The request has to be under way: one that is still being encoded fails for another reason.
  await once(socket as Socket, 'data');
  closeConnection(connection);
  await expect(inFlight).rejects.toThrow('the connection was closed');
  await once(socket as Socket, 'close');
});

test('a connection sends small requests at once, where kafkajs would leave Nagle on', async () => {
  const setNoDelay = vi.spyOn(Socket.prototype, 'setNoDelay');
  closeConnection(await connect());
  expect(setNoDelay).toHaveBeenCalledWith(true);
  setNoDelay.mockRestore();
});
