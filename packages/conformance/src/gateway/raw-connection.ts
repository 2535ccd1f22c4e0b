import assert from 'node:assert/strict';
import { finishesWithin } from '@esdb-gater/primitives';
import { systemClock } from '@esdb-gater/types';

export interface RawError {
  readonly code: number;
  readonly message: string;
  readonly data: { readonly code: string; readonly retriable: boolean; readonly [member: string]: unknown };
}

export interface RawAnswer {
  readonly jsonrpc: string;
  readonly id: unknown;
  // biome-ignore lint/suspicious/noExplicitAny: a case looks into results of every method
  readonly result?: any;
  readonly error?: RawError;
}

export interface RawNotice {
  readonly method: string;
  // biome-ignore lint/suspicious/noExplicitAny: as above
  readonly params: any;
}

/** A connection with only frames and JSON, so that no client of the project stands between. */
export class RawConnection {
  readonly notices: RawNotice[] = [];
  /** Every message that came, parsed. */
  readonly messages: unknown[] = [];
  readonly socket: WebSocket;
  /** Resolves to the close code. */
  readonly closed: Promise<number>;
  readonly #patienceMs: number;
  readonly #answers = new Map<unknown, (answer: RawAnswer) => void>();
  readonly #checks = new Set<() => void>();
  #serve: ((request: RawNotice) => unknown) | undefined;
  #lastId = 0;

  constructor(socket: WebSocket, patienceMs: number) {
    this.socket = socket;
    this.#patienceMs = patienceMs;
    this.closed = new Promise((resolve) => {
      socket.addEventListener('close', ({ code }) => resolve(code));
    });
    socket.addEventListener('message', ({ data }) =>
      this.#receive(JSON.parse(String(data)) as RawNotice | RawAnswer),
    );
  }

  send(message: unknown): void {
    this.socket.send(typeof message === 'string' ? message : JSON.stringify(message));
  }

  /** Resolves to the answer, error or not. */
  call(method: string, params: object = {}): Promise<RawAnswer> {
    const id = ++this.#lastId;
    const answer = new Promise<RawAnswer>((resolve) => this.#answers.set(id, resolve));
    this.send({ jsonrpc: '2.0', id, method, params });
    return this.#within(answer, `the answer to ${method}`);
  }

  /** Resolves to the result. @throws AssertionError when it is an error */
  // biome-ignore lint/suspicious/noExplicitAny: a case looks into results of every method
  async result(method: string, params: object = {}): Promise<any> {
    const { result, error } = await this.call(method, params);
    assert.equal(error, undefined, `${method} failed: ${error?.data?.code} ${error?.message}`);
    return result;
  }

  /** Resolves to the data of the error. @throws AssertionError when there is a result */
  async refusal(method: string, params: object = {}): Promise<RawError['data']> {
    const { error, result } = await this.call(method, params);
    assert.ok(error, `${method} must fail, got ${JSON.stringify(result)}`);
    return error.data;
  }

  /** Answers the calls of the gateway. */
  serve(handler: (request: RawNotice) => unknown): void {
    this.#serve = handler;
  }

  /** Resolves once `find` returns something, which is asked after each message. */
  async until<T>(find: () => T | undefined | false, what: string): Promise<T> {
    const found = new Promise<T>((resolve) => {
      const check = (): void => {
        const value = find();
        if (value === undefined || value === false) return;
        this.#checks.delete(check);
        resolve(value);
      };
      this.#checks.add(check);
      check();
    });
    return this.#within(found, what);
  }

  noticesOf(method: string): RawNotice[] {
    return this.notices.filter((notice) => notice.method === method);
  }

  async #within<T>(promise: Promise<T>, what: string): Promise<T> {
    assert.ok(await finishesWithin(promise, this.#patienceMs, systemClock), `${what} did not come`);
    return promise;
  }

  #receive(message: RawNotice | RawAnswer): void {
    this.messages.push(message);
    if (Array.isArray(message)) {
      // A case looks for the answers of a batch itself.
    } else if ('method' in message && 'id' in message) {
      const { id } = message as unknown as { readonly id: unknown };
      this.send({ jsonrpc: '2.0', id, result: this.#serve?.(message as RawNotice) ?? {} });
    } else if ('method' in message) this.notices.push(message);
    else this.#answers.get(message.id)?.(message);
    for (const check of this.#checks) check();
  }
}

export interface OpenConnectionOptions {
  readonly token?: string | undefined;
  readonly protocols?: readonly string[];
  readonly patienceMs: number;
}

/** Connects to a gateway, waits for `hello` and presents the token. @throws AssertionError */
export async function openConnection(
  url: string,
  { token, protocols = ['esdb-gater.v1'], patienceMs }: OpenConnectionOptions,
): Promise<RawConnection> {
  const socket = new WebSocket(url, [...protocols]);
  const connection = new RawConnection(socket, patienceMs);
  const opened = new Promise<void>((resolve, reject) => {
    socket.addEventListener('open', () => resolve());
    socket.addEventListener('error', () =>
      reject(new assert.AssertionError({ message: `cannot connect to ${url}` })),
    );
  });
  assert.ok(await finishesWithin(opened, patienceMs, systemClock), `${url} does not answer`);
  await opened;
  await connection.until(() => connection.notices.length > 0, 'hello');
  if (token !== undefined) await connection.result('authenticate', { token });
  return connection;
}
