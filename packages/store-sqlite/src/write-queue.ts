import type { CallMessage, CallOf, FromThread, WriterCalls } from './thread-messages.ts';
import type { Writer } from './writer.ts';

/** How often the write lock is tried while another program holds it. */
const RETRY_MS = 20;

type WriteMessage = CallMessage<CallOf<WriterCalls>>;

interface HeldMessage {
  readonly message: WriteMessage;
  readonly sinceMs: number;
}

/**
 * Runs messages in their order. While another program holds the write lock it tries again from time to time instead of
 * blocking the thread, answers probes at once, and refuses what has waited too long.
 */
export class WriteQueue {
  readonly #writer: Writer;
  readonly #busyTimeoutMs: number;
  readonly #held: HeldMessage[] = [];

  constructor(writer: Writer, busyTimeoutMs: number) {
    this.#writer = writer;
    this.#busyTimeoutMs = busyTimeoutMs;
  }

  run(message: WriteMessage, post: (message: FromThread) => void): void {
    const answer = this.#held.length === 0 ? this.#writer.run(message) : undefined;
    if (answer === undefined) this.#hold(message, post);
    else post(answer);
  }

  #hold(message: WriteMessage, post: (message: FromThread) => void): void {
    const writes = message.calls.filter(([, method]) => method !== 'ping');
    const probes = message.calls.filter(([, method]) => method === 'ping');
    const locked = writes.length > 0;
    post({
      kind: 'answers',
      answers: probes.map(([seq]) => [seq, true]),
      last: !locked,
      trouble: this.#writer.lockedError().message,
      ...(locked ? { locked } : {}),
    });
    if (!locked) return;
    this.#held.push({ message: { ...message, calls: writes }, sinceMs: performance.now() });
    if (this.#held.length === 1) setTimeout(() => this.#retry(post), RETRY_MS);
  }

  #retry(post: (message: FromThread) => void): void {
    for (let held = this.#held[0]; held !== undefined; held = this.#held[0]) {
      const late = performance.now() - held.sinceMs >= this.#busyTimeoutMs;
      const answer =
        this.#writer.run(held.message) ?? (late ? this.#writer.refuseLocked(held.message) : undefined);
      if (answer === undefined) {
        setTimeout(() => this.#retry(post), RETRY_MS);
        return;
      }
      this.#held.shift();
      post(this.#held.length > 0 && answer.trouble !== undefined ? { ...answer, locked: true } : answer);
    }
  }
}
