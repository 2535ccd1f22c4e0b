import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isAlive, killProcess, stopProcess } from '../servers/processes.ts';
import {
  formatStorage,
  type JavaOptions,
  SERVER_MEMORY,
  smallMemory,
  startBroker,
} from './broker-process.ts';
import { CACHE_DIR, ensureKafka } from './install.ts';
import { freePorts } from './ports.ts';
import { type KafkaSecurity, SCRAM_ARGUMENTS, securityIn } from './secure.ts';
import { type BrokerPlace, serverProperties } from './server-properties.ts';

export interface StartKafkaOptions {
  /** @default 1 */
  readonly brokers?: 1 | 3;
  /** Port of the first broker; the others follow it, and then the controllers. @default free ones */
  readonly port?: number;
  /** Where clients find the only broker, when that is a proxy before it. @default the port of the broker */
  readonly advertisedPort?: number;
  /** Where the brokers keep their logs. @default a new directory, removed by `stop` */
  readonly dir?: string;
  /** Uses the heap and collector of Kafka's scripts, for measurements. @default a small one */
  readonly server?: boolean;
  /** Clients connect by TLS, and log in by SASL or, for `certificates`, by a certificate of their own. @default false */
  readonly secure?: boolean | 'certificates';
  /** The brokers live on when this process ends. @default false */
  readonly detached?: boolean;
  readonly say?: (line: string) => void;
}

export interface RunningBroker {
  readonly nodeId: number;
  /** `host:port`. */
  readonly address: string;
  /** Of the running process, or of the last one. */
  readonly pid: number;
  /** Power loss: Sends SIGKILL, and resolves when the process has ended. */
  kill9(): Promise<void>;
  /** Sends SIGSTOP: connections stay open without answers. */
  pause(): void;
  resume(): void;
  /** Starts it again on the same port and data; resolves once it serves. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

export interface RunningKafka {
  /** `host:port` of every broker, separated by commas. */
  readonly bootstrap: string;
  /** Empty for an existing broker (`KAFKA_BROKERS`). */
  readonly brokers: readonly RunningBroker[];
  /** How to reach a secured cluster. */
  readonly security?: KafkaSecurity;
  /** Milliseconds from the call to ready. */
  readonly startedInMs: number;
  stop(): Promise<void>;
}

/**
 * Starts a real Apache Kafka (KRaft, no ZooKeeper, no Docker) and resolves once every broker serves: about 3 s for one,
 * 15 s for three on two cores. With `KAFKA_BROKERS` in the environment those brokers are used, and none is started.
 *
 * @throws an error of one line when Java or Maven is missing, or a broker does not come up
 */
export async function startKafka(options: StartKafkaOptions = {}): Promise<RunningKafka> {
  const { KAFKA_BROKERS: external } = process.env;
  if (external !== undefined && external !== '') {
    return { bootstrap: external, brokers: [], startedInMs: 0, stop: async () => {} };
  }
  const say = options.say ?? (() => {});
  const classPath = await ensureKafka(say);
  const began = Date.now();
  const dir = options.dir ?? temporaryDir();
  const { secure = false } = options;
  const security = secure === false ? undefined : securityIn(dir);
  const places = await placesIn(dir, options, security?.caFile);
  const clusterId = clusterIdOf(dir);
  const memory = options.server === true ? SERVER_MEMORY : smallMemory(places.length > 1 ? 192 : 256);
  const formatArguments = security === undefined ? [] : SCRAM_ARGUMENTS;
  const java = { classPath, dir, memory, detached: options.detached ?? false, formatArguments };
  const brokers = places.map((place) => new Broker(place, java));
  const reap = (): void => {
    for (const broker of brokers) broker.killNow();
  };
  if (options.detached !== true) process.once('exit', reap);
  const stop = async (): Promise<void> => {
    process.removeListener('exit', reap);
    await Promise.all(brokers.map((broker) => broker.stop()));
    if (options.dir === undefined) rmSync(dir, { recursive: true, force: true });
  };
  try {
    say(`starting ${places.length === 1 ? 'one broker' : `${places.length} brokers`} in ${dir}`);
    await Promise.all(
      brokers.map(async (broker) => {
        await broker.format(places, clusterId);
        await broker.restart();
        say(`broker ${broker.nodeId} is ready at ${broker.address} (pid ${broker.pid})`);
      }),
    );
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    bootstrap: brokers.map(({ address }) => address).join(','),
    brokers,
    ...(security === undefined ? {} : { security }),
    startedInMs: Date.now() - began,
    stop,
  };
}

class Broker implements RunningBroker {
  readonly nodeId: number;
  readonly address: string;
  readonly #java: JavaOptions;
  readonly #place: BrokerPlace;
  #pid = 0;

  constructor(place: BrokerPlace, { dir, ...java }: JavaOptions) {
    this.#place = place;
    this.nodeId = place.nodeId;
    this.address = `127.0.0.1:${place.port}`;
    this.#java = { ...java, dir: join(dir, `node-${place.nodeId}`) };
  }

  get pid(): number {
    return this.#pid;
  }

  async format(places: readonly BrokerPlace[], clusterId: string): Promise<void> {
    mkdirSync(this.#java.dir, { recursive: true });
    writeFileSync(join(this.#java.dir, 'server.properties'), serverProperties(this.#place, places));
    if (!existsSync(join(this.#place.dataDir, 'meta.properties'))) await formatStorage(this.#java, clusterId);
  }

  async restart(): Promise<void> {
    await this.stop();
    this.#pid = await startBroker(this.#java);
  }

  async kill9(): Promise<void> {
    if (this.#pid !== 0) await killProcess(this.#pid);
  }

  pause(): void {
    process.kill(this.#pid, 'SIGSTOP');
  }

  resume(): void {
    process.kill(this.#pid, 'SIGCONT');
  }

  async stop(): Promise<void> {
    if (this.#pid !== 0 && isAlive(this.#pid)) await stopProcess(this.#pid);
  }

  killNow(): void {
    try {
      if (this.#pid !== 0 && isAlive(this.#pid)) process.kill(this.#pid, 'SIGKILL');
    } catch {
      // Already ended.
    }
  }
}

async function placesIn(
  dir: string,
  { brokers: count = 1, port, advertisedPort, secure }: StartKafkaOptions,
  caFile: string | undefined,
): Promise<BrokerPlace[]> {
  const wanted = caFile === undefined ? count * 2 : count * 3;
  const ports =
    port === undefined ? await freePorts(wanted) : Array.from({ length: wanted }, (_, i) => port + i);
  return Array.from({ length: count }, (_, i) => ({
    nodeId: i + 1,
    port: ports[i] ?? 0,
    controllerPort: ports[count + i] ?? 0,
    advertisedPort: advertisedPort ?? ports[i] ?? 0,
    dataDir: join(dir, `node-${i + 1}`, 'data'),
    ...(caFile === undefined
      ? {}
      : { caFile, internalPort: ports[2 * count + i] ?? 0, clientCertificates: secure === 'certificates' }),
  }));
}

/** The id that every node of the cluster was formatted with. */
function clusterIdOf(dir: string): string {
  const file = join(dir, 'cluster-id');
  if (!existsSync(file)) {
    mkdirSync(dir, { recursive: true });
    // Kafka refuses an id that begins with a dash, since its tools would parse it as an option.
    writeFileSync(file, `k${randomBytes(16).toString('base64url').slice(1, 21)}A`);
  }
  return readFileSync(file, 'utf8');
}

function temporaryDir(): string {
  const runs = join(CACHE_DIR, 'runs');
  mkdirSync(runs, { recursive: true });
  return mkdtempSync(join(runs, 'run-'));
}
