// T33: floods of invalid messages, and errors that the client never reads. A real gateway process and raw sockets.
import { once } from 'node:events';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type GatewayProcess, startGatewayProcess, temporaryFolder } from '../support/gateway-process.ts';
import { rawConnect } from '../support/raw-client.ts';
import { clientFrame, openWebSocket, residentMib, writeUntilStalled } from '../support/raw-socket.ts';

const MIB = 1_048_576;
const folder = temporaryFolder();
let gateway: GatewayProcess;
beforeAll(async () => {
  gateway = await startGatewayProcess(folder.path);
}, 60_000);
afterAll(async () => {
  await gateway.kill9();
  folder.remove();
});

const times = (frame: Buffer, count: number): Buffer =>
  Buffer.concat(Array.from({ length: count }, () => frame));

test('a hundred invalid messages in a row are answered, and one more closes with 1008 [R22] [T33]', async () => {
  const client = await rawConnect(gateway.url);
  for (let n = 0; n < 99; n++) client.send('1');
  expect((await client.call('health')).error).toBeUndefined();
  for (let n = 0; n < 50; n++) client.send('nonsense');
  client.send(JSON.stringify(Array.from({ length: 50 }, () => 1)));
  await client.until(() => client.texts.length === 1 + 99 + 1 + 50 + 1);
  client.send('{}');
  expect((await client.closed).code).toBe(1008);
});

const floods: readonly [string, Buffer][] = [
  ['unknown methods', clientFrame('{"jsonrpc":"2.0","id":1,"method":"x"}')],
  [
    'invalid messages among valid ones',
    Buffer.concat([times(clientFrame('1'), 90), clientFrame('{"jsonrpc":"2.0","id":1,"method":"x"}')]),
  ],
  [
    'batches of invalid messages',
    Buffer.concat([
      clientFrame(JSON.stringify(Array.from({ length: 90 }, () => 1))),
      clientFrame('{"jsonrpc":"2.0","id":1,"method":"x"}'),
    ]),
  ],
  [
    'flooding with calls that are answered at once',
    clientFrame('{"jsonrpc":"2.0","id":1,"method":"channelInfo"}'),
  ],
  ['pings', clientFrame('x'.repeat(125), { opcode: 9 })],
];

test.each(floods)(
  'a flood of %s does not keep other clients waiting [R22] [T33]',
  async (_name, frame) => {
    const socket = await openWebSocket(gateway.url);
    socket.resume();
    let writing = true;
    const flood = times(frame, Math.ceil(262_144 / frame.length));
    const flooded = (async () => {
      while (writing && !socket.destroyed)
        if (!socket.write(flood)) await Promise.race([once(socket, 'drain'), once(socket, 'close')]);
    })();
    // Twenty rounds while the flood goes on: a gateway that handles all of it first would answer none of them.
    for (let n = 0; n < 20; n++) expect((await fetch(`${gateway.http}/livez`)).status).toBe(200);
    expect(socket.destroyed).toBe(false);
    writing = false;
    socket.destroy();
    await flooded;
  },
  30_000,
);

test.each(floods)(
  'the gateway stops reading from a client that floods with %s without reading, and uses little memory [R22] [T33]',
  async (_name, frame) => {
    const before = residentMib(gateway.pid);
    const socket = await openWebSocket(gateway.url);
    const flood = times(frame, Math.ceil(65_536 / frame.length));
    expect(await writeUntilStalled(socket, flood, 256 * MIB)).toBe('stalled');
    expect(residentMib(gateway.pid) - before).toBeLessThan(64);
    socket.destroy();
  },
  60_000,
);
