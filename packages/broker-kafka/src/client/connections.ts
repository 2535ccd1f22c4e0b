import { waitFor } from '@esdb-gater/primitives';
import type { Clock } from '@esdb-gater/types';
import type { Address, ConnectionSecurity, Driver, DriverConnection } from './driver.ts';

/** Thrown when a broker closed the connection, could not be reached or did not respond in time. */
export class ConnectionLostError extends Error {}

export interface RequestOptions {
  /**
   * The purpose of the connection. Requests with one purpose to one broker share a connection, and wait for each other
   * there, since Kafka handles the requests of a connection one by one. So each long poll has its own purpose.
   */
  readonly purpose: string;
  readonly address: Address;
  /** For connecting, and again for the request. */
  readonly timeoutMs: number;
}

/** A connection that is being opened or is open. */
interface Slot {
  readonly opening: Promise<DriverConnection>;
  connection?: DriverConnection;
}

/**
 * Keeps connections to brokers. Opens one when it is first used, and closes it when a request on it fails or takes
 * too long, so that a late response cannot be taken for that of another request.
 */
export class Connections {
  readonly #driver: Driver;
  readonly #clientId: string;
  readonly #clock: Clock;
  readonly #security: ConnectionSecurity;
  readonly #slots = new Map<string, Slot>();
  #closed = false;

  constructor(driver: Driver, clientId: string, clock: Clock, security: ConnectionSecurity = {}) {
    this.#driver = driver;
    this.#clientId = clientId;
    this.#clock = clock;
    this.#security = security;
  }

  /**
   * Sends a request.
   *
   * @throws {ConnectionLostError}
   */
  async use<T>(options: RequestOptions, request: (connection: DriverConnection) => Promise<T>): Promise<T> {
    const name = addressName(options.address);
    if (this.#closed) throw new ConnectionLostError(`Kafka at ${name}: the broker was closed`);
    const key = `${options.purpose}@${name}`;
    const slot = this.#slot(key, options);
    try {
      const connection = await slot.opening;
      return await waitFor(request(connection), {
        timeoutMs: options.timeoutMs,
        timeoutError: (timeoutMs) => new Error(`no response within ${timeoutMs} ms`),
        clock: this.#clock,
      });
    } catch (error) {
      if (this.#slots.get(key) === slot) this.#slots.delete(key);
      slot.connection?.close();
      const cause = error instanceof Error ? error.message : String(error);
      throw new ConnectionLostError(`Kafka at ${name}: ${cause}`, { cause: error });
    }
  }

  /** Closes the connections with a purpose to all brokers, which rejects the requests in flight on them. */
  closePurpose(purpose: string): void {
    for (const [key, slot] of this.#slots) {
      if (key.startsWith(`${purpose}@`)) this.#close(key, slot);
    }
  }

  closeAll(): void {
    this.#closed = true;
    for (const [key, slot] of this.#slots) this.#close(key, slot);
  }

  #slot(key: string, { address, timeoutMs }: RequestOptions): Slot {
    const known = this.#slots.get(key);
    if (known !== undefined && known.connection?.isOpen() !== false) return known;
    const opening = this.#driver.connect(address, {
      ...this.#security,
      clientId: this.#clientId,
      timeoutMs,
    });
    const slot: Slot = { opening };
    this.#slots.set(key, slot);
    opening.then(
      (connection) => {
        slot.connection = connection;
        // It was closed while it was being opened.
        if (this.#slots.get(key) !== slot) connection.close();
      },
      () => {},
    );
    return slot;
  }

  #close(key: string, slot: Slot): void {
    this.#slots.delete(key);
    slot.connection?.close();
  }
}

/** Formats an address as `host:port`, the key of a broker. */
export function addressName({ host, port }: Address): string {
  return `${host}:${port}`;
}
