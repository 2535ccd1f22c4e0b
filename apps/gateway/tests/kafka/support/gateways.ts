import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Identity, identityToJson } from '@esdb-gater/security';
import { type GatewayProcess, startGatewayProcess, temporaryFolder } from '../../support/gateway-process.ts';
import { type RawClient, rawConnect } from '../../support/raw-client.ts';

/** The secret that all nodes of these tests sign with. */
export const SECRET = 'a secret of the tests';

let prefixes = 0;

/** Gateways in separate processes that share one Kafka, one secret and one identity. */
export class Gateways {
  readonly identity: Identity = Identity.generate();
  readonly topicPrefix: string;
  readonly #brokers: () => string;
  readonly #folder: ReturnType<typeof temporaryFolder> = temporaryFolder();
  readonly #running = new Set<GatewayProcess>();
  readonly #clients: RawClient[] = [];

  constructor(brokers: () => string) {
    this.#brokers = brokers;
    prefixes += 1;
    this.topicPrefix = `g${process.pid}_${Date.now().toString(36)}_${prefixes}_`;
  }

  /** Starts or restarts a gateway; it keeps its folder. @param stores the setting */
  async start(
    name: string,
    stores: object = {},
    flags: readonly string[] = [],
    env: Readonly<Record<string, string>> = {},
  ): Promise<GatewayProcess> {
    const identityFile = join(this.#folder.path, 'identity.json');
    writeFileSync(identityFile, JSON.stringify(identityToJson(this.identity)), { mode: 0o600 });
    const settings = {
      'kafka-brokers': this.#brokers(),
      'kafka-topic-prefix': this.topicPrefix,
      'security-hmac-secret': SECRET,
      'security-identity-file': identityFile,
      'node-id': name,
      stores: JSON.stringify(stores),
    };
    const gateway = await startGatewayProcess(
      join(this.#folder.path, name),
      [...Object.entries(settings).flatMap(([flag, value]) => [`--${flag}`, value]), ...flags],
      env,
    );
    this.#running.add(gateway);
    return gateway;
  }

  async connect(gateway: GatewayProcess, token?: string): Promise<RawClient> {
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const client = await rawConnect(gateway.url, { headers });
    this.#clients.push(client);
    return client;
  }

  /** Closes every client. */
  disconnect(): void {
    for (const client of this.#clients.splice(0)) client.socket.terminate();
  }

  async close(): Promise<void> {
    this.disconnect();
    await Promise.all([...this.#running].map((gateway) => gateway.kill9()));
    this.#folder.remove();
  }
}

/** The content of a notification `message`. */
export interface Message {
  readonly channel: string;
  readonly topic: string;
  readonly id: string;
  readonly position: string;
  readonly message: unknown;
  readonly replayFor?: string;
}

/** The messages that came to a client, in order. */
export function messagesOf(client: RawClient): Message[] {
  return client.notices
    .filter(({ method }) => method === 'message')
    .map(({ params }) => params as unknown as Message);
}

/** Subscribes, and waits until the subscription is live. */
export async function subscribe(client: RawClient, channel: string, topic: string, from: unknown = 'latest') {
  const { result, error } = await client.call('subscribe', { channel, topic, from });
  if (error !== undefined) throw new Error(`${error.data.code}: ${error.message}`);
  return result as { readonly position: string };
}

/** Publishes, and resolves to the id once it was acknowledged. */
export async function publish(
  client: RawClient,
  channel: string,
  topic: string,
  message: unknown,
): Promise<string> {
  const { result, error } = await client.call('publish', { channel, topic, message });
  if (error !== undefined) throw new Error(`${error.data.code}: ${error.message}`);
  return (result as { readonly id: string }).id;
}

/** Returns the answer of `GET /readyz`. */
export async function readiness(
  gateway: GatewayProcess,
): Promise<{ readonly status: number; readonly dependencies: Readonly<Record<string, string>> }> {
  const response = await fetch(`${gateway.http}/readyz`);
  const { dependencies } = (await response.json()) as { dependencies: Record<string, string> };
  return { status: response.status, dependencies };
}

/** The value of a series of `GET /metrics`. */
export async function metric(gateway: GatewayProcess, series: string): Promise<number> {
  const text = await (await fetch(`${gateway.http}/metrics`)).text();
  const line = text.split('\n').find((one) => one.startsWith(`${series} `));
  return Number(line?.slice(series.length + 1));
}

/** Returns true while the log of the gateway says that it holds the lease of a feed. */
export function feeds({ log }: GatewayProcess, storeUuid: string): boolean {
  const told = log.flatMap((line) => {
    const { lease, epoch } = parsed(line);
    return typeof lease === 'string' && lease.endsWith(`/${storeUuid}`) ? [epoch !== undefined] : [];
  });
  return told.at(-1) ?? false;
}

function parsed(line: string): { readonly lease?: unknown; readonly epoch?: unknown } {
  try {
    return JSON.parse(line) as { readonly lease?: unknown };
  } catch {
    return {};
  }
}
