// `npm run bench -- [check] [NAME …] [--rounds N]`: measures against the peers and rewrites RESULTS.md, or holds two
// runs against it.
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { benchCluster } from './cluster/bench.ts';
import { benchCrypto } from './crypto/bench.ts';
import { benchFanout } from './fanout/bench.ts';
import { benchKafka } from './kafka/bench.ts';
import { compareFigures } from './lib/compare.ts';
import { type Figures, takeFigures } from './lib/figures.ts';
import { whenQuiet } from './lib/quiet.ts';
import { lastFigures, recordFigures } from './lib/record.ts';
import { writeNothing } from './lib/results.ts';
import { figure } from './lib/statistics.ts';
import { benchPostgres } from './postgres/bench.ts';
import { benchProcesses } from './processes/bench.ts';
import { benchQueries } from './queries/bench.ts';
import { benchStores } from './stores/bench.ts';
import { benchSubscriptions } from './subscriptions/bench.ts';
import { benchTelemetry } from './telemetry/bench.ts';
import { benchWire } from './wire/bench.ts';

const BENCHES: Readonly<Record<string, (rounds: number) => Promise<void>>> = {
  stores: benchStores,
  postgres: benchPostgres,
  queries: benchQueries,
  subscriptions: benchSubscriptions,
  fanout: benchFanout,
  wire: benchWire,
  cluster: benchCluster,
  processes: benchProcesses,
  crypto: benchCrypto,
  kafka: benchKafka,
  telemetry: benchTelemetry,
};
const USAGE = `npm run bench -- [check] [${Object.keys(BENCHES).join('|')} …] [--rounds N] [--busy]

Measures this project against its peers, in turns, and writes RESULTS.md, results.json and pictures/ beside it.

  check        runs each bench twice, writes nothing, and exits with 1 when a figure is worse than in
               results.json by more than the two runs differ
  --rounds N   rounds that count, 3 by default; one before them warms up
  --busy       measures also when other programs keep the machine busy

Peers: npm's are installed here once; nats-server is built by go install (or NATS_SERVER_BIN), UmaDB is installed
by pip (or UMADB_PYTHON), Centrifugo is what CENTRIFUGO_BIN names. One that is absent is left out, and named.
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '3' },
    busy: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
const isCheck = positionals[0] === 'check';
const names = isCheck ? positionals.slice(1) : positionals;
const unknown = names.find((name) => !Object.hasOwn(BENCHES, name));
const rounds = Number(values.rounds);

if (values.help || unknown !== undefined || !(rounds >= 1)) {
  if (unknown !== undefined) process.stderr.write(`there is no bench "${unknown}"\n`);
  (values.help ? process.stdout : process.stderr).write(USAGE);
  process.exit(values.help ? 0 : 2);
}
const peers = join(import.meta.dirname, 'peers');
if (!existsSync(join(peers, 'node_modules'))) {
  process.stderr.write('installing the peers, once\n');
  execFileSync('npm', ['ci', '--prefix', peers], { stdio: ['ignore', 'ignore', 'inherit'] });
}
const { isQuiet, busyShare } = await whenQuiet();
if (!isQuiet && !values.busy) {
  process.stderr.write(
    `${Math.round(busyShare * 100)} % of the machine is busy with other things; stop them, or measure anyway with --busy\n`,
  );
  process.exit(1);
}
const chosen = names.length > 0 ? names : Object.keys(BENCHES);
if (isCheck) await check(chosen);
else for (const name of chosen) recordFigures(name, await run(name));

async function run(name: string): Promise<Figures> {
  await BENCHES[name]?.(rounds);
  return takeFigures();
}

/** Runs each bench twice and holds it against the record; a figure that is worse ends the process with 1. */
async function check(benches: readonly string[]): Promise<void> {
  writeNothing();
  for (const name of benches) {
    const record = lastFigures(name);
    if (record === undefined) {
      process.stderr.write(`${name}: results.json has no run of it; run npm run bench -- ${name} first\n`);
      process.exitCode = 1;
      continue;
    }
    for (const { figure: what, change, noise, isWorse } of compareFigures(
      record,
      await run(name),
      await run(name),
    )) {
      const line = `${isWorse ? 'worse' : 'ok   '} ${what}: ${figure(change)} of the record, noise ${figure(noise * 100)} %`;
      process.stdout.write(`${line}\n`);
      if (isWorse) process.exitCode = 1;
    }
  }
}
