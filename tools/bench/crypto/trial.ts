import { isDeepStrictEqual } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** An operation as one contestant does it. */
export interface Trial {
  /** Runs the operation on new samples and compares the results. @throws when a result is wrong */
  check(): void;
  /** Creates a separate input for each of `count` calls, and returns a function that makes all calls. */
  prepare(calls: number): () => void;
}

const CHECKED = 100;

/** The result of the last call, so that the optimiser cannot remove calls. */
let sink: unknown;

/**
 * @param fresh creates a new input @param expected the expected result, computed by another implementation
 */
export function trial<Input, Output>(
  fresh: () => Input,
  work: (input: Input) => Output,
  expected: (input: Input) => Output,
): Trial {
  return {
    check() {
      for (let i = 0; i < CHECKED; i += 1) {
        const input = fresh();
        if (!isDeepStrictEqual(plain(work(input)), plain(expected(input)))) throw new Error('a wrong result');
      }
    },
    prepare(calls) {
      const inputs = Array.from({ length: calls }, fresh);
      return () => {
        for (const input of inputs) sink = work(input);
      };
    },
  };
}

/** A `Buffer` is as good as a `Uint8Array`. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  return value instanceof Uint8Array ? Uint8Array.from(value) : value;
}

export interface Timing {
  readonly callsPerSecond: number;
}

setFlagsFromString('--expose-gc');
const gc: (options: { readonly type: 'minor' }) => void = runInNewContext('gc');

/**
 * Runs a trial until it has used so much CPU. Creating the inputs and collecting them is not counted, collecting the
 * garbage of the calls is. It is the CPU of the whole process as the operating system counts it, which others on the
 * machine change less than the clock.
 */
export function time(one: Trial, durationMs: number, callsAtOnce: number): Timing {
  one.check();
  const run = (limitMs: number): Timing => {
    let [calls, micros] = [0, 0];
    while (micros < limitMs * 1_000) {
      const work = one.prepare(callsAtOnce);
      gc({ type: 'minor' });
      const before = process.cpuUsage();
      work();
      const { user, system } = process.cpuUsage(before);
      micros += user + system;
      calls += callsAtOnce;
    }
    return { callsPerSecond: (calls / micros) * 1_000_000 };
  };
  run(durationMs / 2);
  const timing = run(durationMs);
  if (sink === undefined) throw new Error('a call without result');
  return timing;
}
