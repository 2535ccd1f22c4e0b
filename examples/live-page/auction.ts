// An auction that every browser watches live. Start it, and open http://127.0.0.1:3000:
// npm exec -- node --conditions=@esdb-gater/source examples/live-page/auction.ts
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { commandHandler, type EventOf, type Gater, reactor, timers } from '@esdb-gater/app';
import { openGater } from '@esdb-gater/embedded';

export type AuctionEvent = EventOf<{
  lot_opened: { lot: string; title: string; cents: number; endsAt: number };
  bid_placed: { lot: string; bidder: string; cents: number };
  lot_closed: { lot: string };
}>;
const POLICY = "default-src 'self'; style-src 'unsafe-inline'; img-src data:";
const TYPES = ['lot_opened', 'bid_placed', 'lot_closed'] as const;

export type AuctionCommand = { lot: string } & (
  | { kind: 'open'; title: string; cents: number; endsAt: number }
  | { kind: 'bid'; bidder: string; cents: number }
  | { kind: 'close' }
);

/** The rules: a lot is opened once, and a bid is higher than the one before it. */
export function lots(gater: Gater<AuctionEvent>) {
  return commandHandler({
    gater,
    streamId: ({ lot }: AuctionCommand) => `lot-${lot}`,
    initialState: { isOpen: false, cents: 0 },
    evolve: ({ cents }, { type, data }) =>
      type === 'lot_closed' ? { isOpen: false, cents } : { isOpen: true, cents: data.cents },
    decide(command, { isOpen, cents }) {
      if (command.kind === 'open') {
        if (cents > 0) throw new Error('this lot was opened before');
        const { lot, title, cents: start, endsAt } = command;
        return { type: 'lot_opened', data: { lot, title, cents: start, endsAt } };
      }
      const { lot } = command;
      if (command.kind === 'close') return isOpen ? { type: 'lot_closed', data: { lot } } : [];
      if (!isOpen) throw new Error('this lot is closed');
      if (!(command.cents > cents)) throw new Error(`a bid must be higher than ${cents / 100}`);
      return { type: 'bid_placed', data: { lot, bidder: command.bidder, cents: command.cents } };
    },
  });
}

export async function startAuction({ port = 3000, file = './auction.db' } = {}) {
  const gater = await openGater<AuctionEvent>({ stores: { default: { engine: 'sqlite', file } } });
  const handle = lots(gater);
  // A timer closes each lot, also when the server was down at that moment.
  const closing = await timers<{ lot: string }, AuctionEvent>({
    gater,
    name: 'closing',
    async fire({ message }, effects) {
      await effects.handle(handle, { kind: 'close', lot: message.lot });
    },
  }).start();
  const planner = await reactor({
    gater,
    name: 'closing',
    on: ['lot_opened'],
    async react({ data: { lot, endsAt } }, effects) {
      await effects.schedule(closing, { at: endsAt, message: { lot } });
    },
  }).start();

  /** Sends all events, and then each new one. A browser that returns names the last event that it has seen. */
  async function sendEvents({ headers }: IncomingMessage, response: ServerResponse): Promise<void> {
    const stop = new AbortController();
    response.once('close', () => stop.abort());
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    response.flushHeaders();
    const from = { query: { items: [{ types: TYPES }] }, after: Number(headers['last-event-id'] ?? 0) };
    for await (const { position, type, data } of gater.follow(from, stop)) {
      const hasRoom = response.write(`id: ${position}\ndata: ${JSON.stringify({ type, data })}\n\n`);
      if (!hasRoom) await once(response, 'drain', stop);
    }
  }

  async function placeBid(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (!(Number(request.headers['content-length']) <= 1_000)) throw new Error('the bid is too long');
    const { lot, bidder, cents } = (await json(request)) as Record<string, unknown>;
    await handle({ kind: 'bid', lot: String(lot), bidder: String(bidder), cents: Number(cents) });
    response.writeHead(204).end();
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method, url = '' } = request;
    if (`${method} ${url}` === 'POST /bids') return placeBid(request, response);
    if (url === '/events') return sendEvents(request, response);
    const [file, type] = url === '/page.js' ? ['page.js', 'text/javascript'] : ['page.html', 'text/html'];
    response.writeHead(200, { 'content-type': type, 'content-security-policy': POLICY });
    response.end(await readFile(join(import.meta.dirname, file)));
  }

  const server = createServer((request, response) => {
    serve(request, response).catch((error: Error) => {
      if (!response.headersSent) response.writeHead(409);
      response.end(error.message);
    });
  }).listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    handle,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.close();
      server.closeAllConnections();
      await Promise.all([planner.stop(), closing.stop()]);
      await gater.close();
    },
  };
}

if (import.meta.main) {
  const { url, handle, close } = await startAuction();
  console.log(url);
  process.once('SIGINT', close);
  const endsAt = Date.now() + 120_000;
  await handle({ kind: 'open', lot: crypto.randomUUID(), title: 'A map of 1720', cents: 4_500, endsAt });
  await handle({ kind: 'open', lot: crypto.randomUUID(), title: 'A cello', cents: 80_000, endsAt });
}
