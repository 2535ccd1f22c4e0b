import type { ServerProcess } from '../lib/server-process.ts';
import { centrifugo } from './systems/centrifugo.ts';
import { esdbGater, esdbGaterProcesses } from './systems/esdb-gater.ts';
import { natsServer } from './systems/nats-server.ts';
import { socketIo } from './systems/socket-io.ts';

/** One connection of the load. */
export interface LoadClient {
  /** Calls `received` with every message of the topic, as text that contains the message. */
  subscribe(topic: string, received: (text: string) => void): Promise<void>;
  /** Resolves once the server has acknowledged the message. */
  publish(topic: string, message: string): Promise<void>;
  close(): void;
}

/** A server that takes part in the bench, with its defaults but for what its own file says. */
export interface System {
  /** Says why the server cannot be started here; undefined when it can. */
  readonly absent: string | undefined;
  start(): Promise<ServerProcess>;
  /** Resolves once the server has greeted the connection. */
  open(url: string): Promise<LoadClient>;
}

export const SYSTEMS = {
  'esdb-gater': esdbGater,
  'esdb-gater, 2 processes': esdbGaterProcesses(2),
  Centrifugo: centrifugo,
  'nats-server': natsServer,
  'socket.io': socketIo,
} as const satisfies Readonly<Record<string, System>>;

export type SystemName = keyof typeof SYSTEMS;

/** @throws when there is no such system, or it cannot be started here */
export function systemOf(name: string | undefined): System {
  if (name === undefined || !Object.hasOwn(SYSTEMS, name)) throw new Error(`${name} does not take part`);
  const system = SYSTEMS[name as SystemName];
  if (system.absent !== undefined) throw new Error(`${name}: ${system.absent}`);
  return system;
}
