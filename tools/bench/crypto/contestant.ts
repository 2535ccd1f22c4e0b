// `node contestant.ts CONTESTANT OPERATION DURATION_MS`: one operation by one contestant, alone in its process.
// Prints the result as JSON.
import { isContestant } from './operations.ts';
import { time } from './trial.ts';
import { trialOf } from './trials.ts';

const [contestant, operation = '', durationMs] = process.argv.slice(2);
if (!isContestant(contestant)) throw new Error(`there is no contestant "${contestant}"`);

/** Few enough that a dear one ends in time, many enough that the clock and the garbage before it cost nothing. */
const CALLS_AT_ONCE = /^(verify|token$|hmacMany)/.test(operation) ? 100 : 5_000;

const timing = time(await trialOf(contestant, operation), Number(durationMs), CALLS_AT_ONCE);
process.stdout.write(`${JSON.stringify(timing)}\n`);
