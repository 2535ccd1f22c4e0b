// A store worker in a process of its own, with frames and JSON only. Its name is the one stream that it lists.
// Usage: node named-worker.js URL STORE UUID NAME
import { WebSocket } from 'ws';

const [url, storeId, storeUuid, workerId] = process.argv.slice(2);
const socket = new WebSocket(url);
const send = (message) => socket.send(JSON.stringify({ jsonrpc: '2.0', ...message }));

const ANSWERS = {
  getStreams: () => ({ streams: [workerId] }),
  getVersion: () => ({ version: -1 }),
  streamExists: () => ({ exists: false }),
  readAll: () => ({ events: [], lastPosition: 0 }),
  quickHealthCheck: () => ({}),
};

socket.on('open', () => send({ id: 1, method: 'registerWorker', params: { storeId, storeUuid, workerId } }));
socket.on('message', (data) => {
  const { id, method, error } = JSON.parse(String(data));
  if (method === undefined) {
    if (error !== undefined) throw new Error(error.message);
    console.log('registered');
  } else if (id !== undefined) {
    const answer = ANSWERS[method];
    if (answer === undefined) {
      const refusal = { code: 'stream_not_found', retriable: false };
      send({ id, error: { code: -32000, message: 'there is nothing', data: refusal } });
    } else send({ id, result: answer() });
  }
});
socket.on('close', () => process.exit());
socket.on('error', () => process.exit(1));
