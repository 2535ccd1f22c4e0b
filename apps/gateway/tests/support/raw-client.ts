import { once } from 'node:events';
import { WebSocket } from 'ws';

export interface RpcAnswer {
  readonly id: number | string | null;
  readonly result?: unknown;
  readonly error?: {
    readonly code: number;
    readonly message: string;
    readonly data: { readonly code: string; readonly retriable: boolean; readonly [detail: string]: unknown };
  };
}

export interface RpcNotice {
  readonly method: string;
  readonly params: Record<string, unknown>;
}

/** A call from a gateway to a worker. */
export interface RpcRequest extends RpcNotice {
  readonly id: number | string;
}

/** A client with only frames and JSON, so that no code of the project is tested with itself. */
export interface RawClient {
  readonly socket: WebSocket;
  readonly hello: Record<string, unknown>;
  /** Everything that came without an id, `hello` included. */
  readonly notices: RpcNotice[];
  /** Every text that came, in order. */
  readonly texts: string[];
  call(method: string, params?: object): Promise<RpcAnswer>;
  send(message: unknown): void;
  /** Answers calls of the gateway. */
  serve(handler: (request: RpcRequest) => unknown): void;
  /** Resolves when `check` returns true for the received messages. */
  until(check: () => boolean): Promise<void>;
  /** The code that the connection was closed with. */
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
  close(): Promise<void>;
}

export async function rawConnect(
  url: string,
  options: {
    readonly headers?: Record<string, string>;
    readonly protocols?: string[];
    readonly autoPong?: boolean;
  } = {},
): Promise<RawClient> {
  const socket = new WebSocket(url, options.protocols ?? [], {
    headers: options.headers ?? {},
    perMessageDeflate: false,
    autoPong: options.autoPong ?? true,
    maxPayload: 64 * 1_048_576,
  });
  const notices: RpcNotice[] = [];
  const texts: string[] = [];
  const waiting = new Map<number | string, (answer: RpcAnswer) => void>();
  const checks = new Set<() => void>();
  let handler: ((request: RpcRequest) => unknown) | undefined;
  let lastId = 0;
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.on('close', (code, reason) => resolve({ code, reason: reason.toString() }));
  });

  socket.on('message', (data) => {
    const text = (data as Buffer).toString('utf8');
    texts.push(text);
    const parsed = JSON.parse(text) as RpcAnswer | RpcNotice | RpcRequest | RpcAnswer[];
    if (Array.isArray(parsed)) {
      for (const answer of parsed) waiting.get(answer.id ?? '')?.(answer);
    } else if ('method' in parsed && 'id' in parsed) {
      void Promise.resolve(handler?.(parsed)).then((outcome) => {
        const answer =
          typeof outcome === 'object' && outcome !== null && 'error' in outcome
            ? outcome
            : { result: outcome };
        socket.send(JSON.stringify({ jsonrpc: '2.0', id: parsed.id, ...answer }));
      });
    } else if ('method' in parsed) notices.push(parsed);
    else waiting.get(parsed.id ?? '')?.(parsed);
    for (const check of checks) check();
  });
  await once(socket, 'open');

  const client: Omit<RawClient, 'hello'> = {
    socket,
    notices,
    texts,
    closed,
    call(method, params = {}) {
      const id = ++lastId;
      const { promise, resolve, reject } = Promise.withResolvers<RpcAnswer>();
      waiting.set(id, resolve);
      void closed.then(({ code, reason }) =>
        reject(new Error(`closed with ${code} ${reason} before the answer`)),
      );
      promise.catch(() => undefined);
      socket.send(JSON.stringify({ jsonrpc: '2.0', id, method, params }));
      return promise;
    },
    send: (message) => socket.send(typeof message === 'string' ? message : JSON.stringify(message)),
    serve(given) {
      handler = given;
    },
    until(check) {
      if (check()) return Promise.resolve();
      return new Promise((resolve, reject) => {
        const look = (): void => {
          if (!check()) return;
          checks.delete(look);
          resolve();
        };
        checks.add(look);
        void closed.then(({ code }) => (check() ? resolve() : reject(new Error(`closed with ${code}`))));
      });
    },
    async close() {
      socket.close();
      await closed;
    },
  };
  await client.until(() => notices.length > 0);
  return { ...client, hello: notices[0]?.params ?? {} };
}
