import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fencedBlocks } from '../../../../tools/docs/fenced-blocks.ts';
import type { KafkaSecurity } from '../../../../tools/kafka/index.ts';
import { consecutiveFreePorts } from '../../../../tools/kafka/ports.ts';
import { securityIn } from '../../../../tools/kafka/secure.ts';
import { liveBrokers, clusterState as runningBrokers } from '../../../../tools/kafka/state.ts';
import { killProcess } from '../../../../tools/servers/processes.ts';
import { cleanEnv, type GatewayProcess, startGatewayProcess, temporaryFolder } from './gateway-process.ts';

const ROOT = join(import.meta.dirname, '..', '..', '..', '..');

/** The first ports of PostgreSQL and Kafka in the documentation, and how many follow each other. */
const DOCUMENTED = { postgres: 5_440, postgresNodes: 3, kafkaPorts: 9 } as const;

/**
 * `npm` as the commands of the documentation call it: the tools get ports and folders of their own, and `npm start` prints its
 * flags, which the gateways are then started with.
 */
const PRELUDE = `
npm() {
  local all="$*"
  while [ "$1" != -- ]; do shift; done
  shift
  case "$all" in
    start*) printf 'gateway'; printf '\\t%s' "$ESDB_GATER_SECURITY_HMAC_SECRET" "$@"; printf '\\n' ;;
    *postgres*) "$NODE" tools/postgres/main.ts "$@" --port "$POSTGRES_PORT" --dir "$POSTGRES_DIR" ;;
    *kafka*) "$NODE" tools/kafka/main.ts "$@" --port "$KAFKA_PORT" --dir "$KAFKA_DIR" ;;
  esac
}
set -e -o pipefail
`;

/** The deployment that the README describes: PostgreSQL with a quorum, a secured Kafka and three gateways. */
export class DocumentedDeployment {
  readonly gateways: GatewayProcess[] = [];
  readonly #folder = temporaryFolder();
  readonly #blocks = fencedBlocks(readFileSync(join(ROOT, 'README.md'), 'utf8'));
  #environment: Record<string, string> = {};
  #ports = { postgres: 0, kafka: 0 };

  /** Runs the block of the README that starts everything. */
  async start(): Promise<void> {
    chmodSync(this.#folder.path, 0o755);
    this.#ports = {
      postgres: await consecutiveFreePorts(DOCUMENTED.postgresNodes),
      kafka: await consecutiveFreePorts(DOCUMENTED.kafkaPorts),
    };
    this.#environment = {
      NODE: process.execPath,
      POSTGRES_PORT: String(this.#ports.postgres),
      POSTGRES_DIR: join(this.#folder.path, 'postgres'),
      KAFKA_PORT: String(this.#ports.kafka),
      KAFKA_DIR: this.#kafkaDir,
    };
    const block = this.#blocks.find(({ flags }) => flags.includes('whole'))?.text ?? '';
    const output = await this.shell(block);
    const commands = output.split('\n').filter((line) => line.startsWith('gateway\t'));
    this.gateways.push(
      ...(await Promise.all(
        commands.map(async (line) => {
          const [, secret = '', ...flags] = line.split('\t');
          const name = flags[flags.indexOf('--node-id') + 1] ?? '';
          const rest = without(without(flags, '--port'), '--data-dir');
          const env = { ESDB_GATER_SECURITY_HMAC_SECRET: secret };
          return startGatewayProcess(join(this.#folder.path, name), rest, env);
        }),
      )),
    );
  }

  /** Runs commands of the documentation, and resolves to their output. @throws when one fails */
  async shell(commands: string): Promise<string> {
    let script = commands;
    for (let node = DOCUMENTED.postgresNodes - 1; node >= 0; node -= 1) {
      script = script.replaceAll(`${DOCUMENTED.postgres + node}`, `${this.#ports.postgres + node}`);
    }
    const child = spawn('bash', ['-c', `${PRELUDE}\n${script}`], {
      cwd: ROOT,
      env: { ...cleanEnv(), ...this.#environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const exit = once(child, 'exit') as Promise<[number | null]>;
    const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
    const [code] = await exit;
    if (code !== 0) throw new Error(`the commands ended with ${code}: ${stderr}\n${stdout}`);
    return stdout;
  }

  /** `npm run postgres -- kill && npm run postgres -- promote`: the primary dies, a standby takes over. */
  async loseThePrimary(): Promise<void> {
    await this.shell('npm run postgres -- kill && npm run postgres -- promote');
  }

  /** `host:port` of every broker, separated by commas. */
  get bootstrap(): string {
    return runningBrokers.read(this.#kafkaDir)?.bootstrap ?? '';
  }

  get kafkaSecurity(): KafkaSecurity {
    return securityIn(this.#kafkaDir);
  }

  /** Kills brokers with -9: the one of that id, or all that run. */
  async killBrokers(nodeId?: number): Promise<void> {
    const live = liveBrokers(runningBrokers.read(this.#kafkaDir));
    const wanted = live.filter((broker) => nodeId === undefined || broker.nodeId === nodeId);
    await Promise.all(wanted.map(({ pid }) => killProcess(pid)));
  }

  /** Starts all brokers again, on the data that they have. */
  async startBrokers(): Promise<void> {
    await this.shell('npm run kafka -- start --brokers 3 --secure');
  }

  async stop(): Promise<void> {
    await Promise.all(this.gateways.map((gateway) => gateway.kill9()));
    await this.shell('npm run postgres -- stop && npm run kafka -- stop --secure');
    this.#folder.remove();
  }

  get #kafkaDir(): string {
    return join(this.#folder.path, 'kafka');
  }
}

/** Removes a flag and its value. */
function without(flags: readonly string[], name: string): string[] {
  const at = flags.indexOf(name);
  return at < 0 ? [...flags] : flags.toSpliced(at, 2);
}
