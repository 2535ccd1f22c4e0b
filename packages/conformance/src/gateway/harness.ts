import { randomUUID } from 'node:crypto';
import type { RawConnection } from './raw-connection.ts';

/** What the suite needs to know of the gateway that it tests. */
export interface GatewaySuiteOptions {
  /** The prefix of the cases' titles. @default 'gateway' */
  readonly name?: string;
  /** A capability token that allows everything in the realm; without it no call has one. */
  readonly token?: string;
  /** A store that may be written to. Cases use streams of their own in it. @default 'default' */
  readonly storeId?: string;
  /** How long what must come may take. @default 10 000 */
  readonly patienceMs?: number;
}

/** What a case works with. */
export interface GatewayTrial {
  readonly url: string;
  /** The same over HTTP, without a path. */
  readonly http: string;
  readonly storeId: string;
  readonly token: string | undefined;
  readonly patienceMs: number;
  /** Opens a connection, which ends with the case. With the token, if there is one. */
  connect(options?: { readonly protocols?: readonly string[] }): Promise<RawConnection>;
}

export interface GatewayCase {
  readonly title: string;
  readonly body: (trial: GatewayTrial) => Promise<void>;
}

/** Returns a name that no earlier run has used. */
export function fresh(prefix: string): string {
  return `${prefix}-${randomUUID()}`;
}

export function newEvent(data: unknown = {}, more: object = {}): object {
  return { type: 'tested', data, id: randomUUID(), ...more };
}
