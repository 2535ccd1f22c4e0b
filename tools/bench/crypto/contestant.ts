// `node contestant.ts CONTESTANT OPERATION DURATION_MS`: runs one operation of one contestant in its own process.
// Prints the result as JSON.
import { isContestant } from './operations.ts';
import { time } from './trial.ts';
import { trialOf } from './trials.ts';

const [contestant, operation = '', durationMs] = process.argv.slice(2);
if (!isContestant(contestant)) throw new Error(`there is no contestant "${contestant}"`);

/**
 * Few enough that the inputs are still in the caches, like data that was just received; reading the clock costs a
 * microsecond.
 */
const CALLS_AT_ONCE = operation === 'hmacMany256' ? 10 : /^(verify|token$)/.test(operation) ? 100 : 500;

const timing = time(await trialOf(contestant, operation), Number(durationMs), CALLS_AT_ONCE);
process.stdout.write(`${JSON.stringify(timing)}\n`);
