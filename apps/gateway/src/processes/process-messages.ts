import type { GatewayConfig } from '../config/types.ts';

// What a supervisor and its gateway processes say to each other.

/** A message to a gateway process. */
export type ToProcess =
  | {
      readonly kind: 'start';
      readonly number: number;
      readonly config: GatewayConfig;
      readonly brokerSocket: string;
    }
  /** The URLs of the other processes. */
  | { readonly kind: 'peers'; readonly urls: readonly string[] }
  | { readonly kind: 'reloadCertificate' }
  | { readonly kind: 'stop' };

/** A message to the supervisor. */
export type ToSupervisor =
  /** The process listens at `url`, and the others reach it at `peerUrl`. */
  | ({ readonly kind: 'listening' } & ListeningProcess)
  /** The process serves the stores of all. */
  | { readonly kind: 'ready' }
  /** The process could not start. `data` is that of a `GaterError`. */
  | { readonly kind: 'failed'; readonly message: string; readonly data: object };

export interface ListeningProcess {
  readonly url: string;
  readonly port: number;
  readonly peerUrl: string;
  readonly nodeId: string;
  readonly did: string;
  readonly metricsUrl?: string;
}
