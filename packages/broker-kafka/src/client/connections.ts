import type { Clock } from '@esdb-gater/types';
import type { Address, Driver, DriverConnection } from './driver.ts';

/** The other side did not answer in time, or went away. */
export class ConnectionLostError extends Error {}

export interface UseOptions {
  /**
   * Requests of one lane to one broker share a connection and wait for each other, as Kafka answers a connection's
   * requests one by one. A long poll has a lane of its own.
   */
  readonly lane: string;
  readonly address: Address;
  /** For connecting, and again for the request. */
  readonly timeoutMs: number;
}

/** A connection that is being opened, and then the open one. */
interface Slot {
  readonly opening: Promise<DriverConnection>;
  connection?: DriverConnection;
}

/**
 * Connections to brokers, opened when they are first used and dropped at the first sign of trouble: a request that
 * fails or takes too long ends its connection, so that a late answer to it can do no harm.
 */
export class Connections {
  readonly #driver: Driver;
  readonly #clientId: string;
  readonly #clock: Clock;
  readonly #slots = new Map<string, Slot>();
  #closed = false;

  constructor(driver: Driver, clientId: string, clock: Clock) {
    this.#driver = driver;
    this.#clientId = clientId;
    this.#clock = clock;
  }

  /** @throws {ConnectionLostError} */
  async use<T>(options: UseOptions, request: (connection: DriverConnection) => Promise<T>): Promise<T> {
    const { host, port } = options.address;
    if (this.#closed) throw new ConnectionLostError(`Kafka at ${host}:${port}: the broker was closed`);
    const key = `${options.lane}@${host}:${port}`;
    const slot = this.#slot(key, options);
    try {
      const connection = await slot.opening;
      return await this.#within(options.timeoutMs, request(connection));
    } catch (error) {
      if (this.#slots.get(key) === slot) this.#slots.delete(key);
      slot.connection?.close();
      const cause = error instanceof Error ? error.message : String(error);
      throw new ConnectionLostError(`Kafka at ${host}:${port}: ${cause}`, { cause: error });
    }
  }

  /** Ends the connections of a lane to all brokers, and so what is under way on them. */
  closeLane(lane: string): void {
    for (const [key, slot] of this.#slots) {
      if (key.startsWith(`${lane}@`)) this.#end(key, slot);
    }
  }

  closeAll(): void {
    this.#closed = true;
    for (const [key, slot] of this.#slots) this.#end(key, slot);
  }

  #slot(key: string, { address, timeoutMs }: UseOptions): Slot {
    const known = this.#slots.get(key);
    if (known !== undefined && known.connection?.isOpen() !== false) return known;
    const opening = this.#driver.connect(address, { clientId: this.#clientId, timeoutMs });
    const slot: Slot = { opening };
    this.#slots.set(key, slot);
    opening.then(
      (connection) => {
        slot.connection = connection;
        // Somebody ended it while it was being opened.
        if (this.#slots.get(key) !== slot) connection.close();
      },
      () => {},
    );
    return slot;
  }

  #end(key: string, slot: Slot): void {
    this.#slots.delete(key);
    slot.connection?.close();
  }

  async #within<T>(timeoutMs: number, request: Promise<T>): Promise<T> {
    const { promise, reject } = Promise.withResolvers<never>();
    const timer = this.#clock.setTimer(
      () => reject(new Error(`no answer within ${timeoutMs} ms`)),
      timeoutMs,
    );
    try {
      return await Promise.race([request, promise]);
    } finally {
      timer.cancel();
    }
  }
}
