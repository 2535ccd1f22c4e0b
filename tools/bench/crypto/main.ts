// `node tools/bench/crypto/main.ts [OPERATION …] [--rounds N] [--json]`: runs only the crypto bench. Prints a table or
// JSON, and exits with 1 when a target is missed. `npm run bench -- crypto` writes RESULTS.md.
import { parseArgs } from 'node:util';
import { machineText } from '../lib/machine.ts';
import { type Measured, measure, presentContestants } from './measure.ts';
import { OPERATIONS } from './operations.ts';
import { HEADER, isReached, rowOf } from './table.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: 'string', default: '5' }, json: { type: 'boolean', default: false } },
});
const unknown = positionals.find((name) => !OPERATIONS.some((operation) => operation.name === name));
const rounds = Number(values.rounds);
if (unknown !== undefined || !(Number.isInteger(rounds) && rounds >= 1)) {
  const names = OPERATIONS.map(({ name }) => name).join('|');
  process.stderr.write(`node tools/bench/crypto/main.ts [${names} …] [--rounds N] [--json]\n`);
  process.exit(2);
}

const present = await presentContestants();
const measured: Measured[] = [];
for (const operation of OPERATIONS) {
  if (positionals.length > 0 && !positionals.includes(operation.name)) continue;
  measured.push(await measure(operation, present, rounds));
}
process.stdout.write(values.json ? json() : table());
if (!measured.every((one) => isReached(one, 'native') && isReached(one, 'typescript'))) process.exitCode = 1;

function json(): string {
  const operations = measured.map((one) => ({
    ...one,
    reached: { native: isReached(one, 'native'), typescript: isReached(one, 'typescript') },
  }));
  return `${JSON.stringify({ machine: machineText(), rounds, operations }, undefined, 2)}\n`;
}

function table(): string {
  const rows = [HEADER, HEADER.map(() => '---'), ...measured.map(rowOf)];
  return `${machineText()}\n\n${rows.map((row) => `| ${row.join(' | ')} |`).join('\n')}\n`;
}
