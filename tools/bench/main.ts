// `npm run bench -- [NAME …] [--rounds N]`: measures against the peers and rewrites RESULTS.md.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { benchCluster } from './cluster/bench.ts';
import { benchCrypto } from './crypto/bench.ts';
import { benchFanout } from './fanout/bench.ts';
import { benchKafka } from './kafka/bench.ts';
import { benchPostgres } from './postgres/bench.ts';
import { benchQueries } from './queries/bench.ts';
import { benchStores } from './stores/bench.ts';
import { benchSubscriptions } from './subscriptions/bench.ts';

const BENCHES: Readonly<Record<string, (rounds: number) => Promise<void>>> = {
  stores: benchStores,
  postgres: benchPostgres,
  queries: benchQueries,
  subscriptions: benchSubscriptions,
  fanout: benchFanout,
  cluster: benchCluster,
  crypto: benchCrypto,
  kafka: benchKafka,
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: 'string', default: '3' }, help: { type: 'boolean', default: false } },
});
const unknown = positionals.find((name) => !Object.hasOwn(BENCHES, name));
const rounds = Number(values.rounds);

if (values.help || unknown !== undefined || !(rounds >= 1)) {
  if (unknown !== undefined) process.stderr.write(`there is no bench "${unknown}"\n`);
  process.stderr.write(`npm run bench -- [${Object.keys(BENCHES).join('|')} …] [--rounds N]\n`);
  process.exit(values.help ? 0 : 2);
}
if (!existsSync(join(import.meta.dirname, 'peers', 'node_modules'))) {
  process.stderr.write('the peers are not installed; run: npm ci --prefix tools/bench/peers\n');
  process.exit(1);
}
for (const name of positionals.length > 0 ? positionals : Object.keys(BENCHES)) await BENCHES[name]?.(rounds);
