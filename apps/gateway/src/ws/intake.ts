import { Fifo } from '@esdb-gater/primitives';
import type { InboundShare } from '../access/inbound-budget.ts';

/** Elements of messages that all connections together may have handled in one turn of the event loop. */
const ELEMENTS_PER_TURN = 1_024;

/** Elements of messages that one connection may have handled in one turn. */
const ELEMENTS_PER_CONNECTION = 128;

/** A message costs one element more for each of these units of its text, since long texts take long to parse. */
const UNITS_PER_ELEMENT = 4_096;

/** A message that arrived: a text, or the payload of a ping. */
export type Received = string | Buffer;

/** The budget of each turn of the event loop, which all connections share. */
export interface IntakeTurns {
  /** Changes with every turn. */
  readonly turn: number;
  /** Elements that may still be handled in this turn. */
  readonly left: number;
  spend(elements: number): void;
  /** Calls `run` in a later turn, in the order of these calls. */
  later(run: () => void): void;
}

/** Creates the shared budget. A turn ends with `setImmediate`, after the sockets of that turn were read. */
export function createIntakeTurns(schedule: (run: () => void) => void = setImmediate): IntakeTurns {
  const waiting = new Fifo<() => void>();
  let turn = 0;
  let left = ELEMENTS_PER_TURN;
  let scheduled = false;

  function endTurn(): void {
    scheduled = false;
    turn++;
    left = ELEMENTS_PER_TURN;
    // What joins the queue meanwhile has had its share of this turn.
    for (let count = waiting.length; count > 0 && left > 0; count--) waiting.shift()?.();
    if (waiting.length > 0) willEnd();
  }

  function willEnd(): void {
    if (scheduled) return;
    scheduled = true;
    schedule(endTurn);
  }

  return {
    get turn() {
      return turn;
    },
    get left() {
      return left;
    },
    spend(elements) {
      left -= elements;
      willEnd();
    },
    later(run) {
      waiting.push(run);
      willEnd();
    },
  };
}

export interface IntakeComponents {
  readonly turns: IntakeTurns;
  /** Handles one message. */
  readonly handle: (message: Received) => void;
  /** Returns whether the connection may make more output; `proceed` is called when it may again. */
  readonly isReady: () => boolean;
  /** Counts the units that wait. */
  readonly share: Pick<InboundShare, 'add' | 'release'>;
  readonly pause: () => void;
  readonly resume: () => void;
}

/**
 * Passes the messages of one connection on, in order, within a budget per turn of the event loop and only while its client
 * reads the answers. Otherwise it queues what has arrived and stops reading from the socket, so that no client can keep
 * the others waiting or fill the memory, whatever it sends.
 */
export class Intake {
  readonly #components: IntakeComponents;
  readonly #queue = new Fifo<Received>();
  #turn = -1;
  #spent = 0;
  #paused = false;
  #scheduled = false;
  #closed = false;

  constructor(components: IntakeComponents) {
    this.#components = components;
  }

  /** True while the socket is not read. */
  get paused(): boolean {
    return this.#paused;
  }

  /** Messages that wait. */
  get length(): number {
    return this.#queue.length;
  }

  push(message: Received): void {
    if (this.#closed) return;
    if (this.#queue.length === 0 && this.#mayHandle()) {
      this.#handle(message);
      return;
    }
    this.#queue.push(message);
    this.#components.share.add(message.length);
    this.#hold();
  }

  /** Adds to the cost of the message that is being handled: each element of a batch counts. */
  spend(elements: number): void {
    this.#spent += elements;
    this.#components.turns.spend(elements);
  }

  /** Goes on with what waits, as far as the budget and the output allow. */
  proceed(): void {
    while (!this.#closed && this.#queue.length > 0 && this.#mayHandle()) {
      const message = this.#queue.shift() as Received;
      this.#components.share.release(message.length);
      this.#handle(message);
    }
    if (this.#closed) return;
    if (this.#queue.length > 0 || !this.#components.isReady()) this.#hold();
    else this.#read();
  }

  /** Drops what waits, and reads on: the answer to a close frame must be read. */
  close(): void {
    this.#closed = true;
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
      this.#components.share.release(next.length);
    }
    this.#read();
  }

  #mayHandle(): boolean {
    const { turns, isReady } = this.#components;
    if (this.#turn !== turns.turn) {
      this.#turn = turns.turn;
      this.#spent = 0;
    }
    return this.#spent < ELEMENTS_PER_CONNECTION && turns.left > 0 && isReady();
  }

  #handle(message: Received): void {
    this.spend(1 + Math.floor(message.length / UNITS_PER_ELEMENT));
    this.#components.handle(message);
  }

  #hold(): void {
    if (!this.#paused) {
      this.#paused = true;
      this.#components.pause();
    }
    // When the output is what it waits for, `proceed` is called from outside.
    if (this.#scheduled || !this.#components.isReady()) return;
    this.#scheduled = true;
    this.#components.turns.later(() => {
      this.#scheduled = false;
      this.proceed();
    });
  }

  #read(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#components.resume();
  }
}
