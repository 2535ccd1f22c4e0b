import { isIP } from 'node:net';
import { GaterError } from '@esdb-gater/types';
import { isLoopbackHost } from '../config/load-config.ts';

export interface OriginGuardOptions {
  /** `config.host`. */
  readonly host: string;
  /** The port that is really listened on. */
  readonly port: number;
  readonly tls: boolean;
  readonly advertiseUrl: string | null;
  /** Origins allowed beside the gateway's own. */
  readonly allowedOrigins: readonly string[] | null;
}

export type OriginVerdict = 'allowed' | 'host_not_allowed' | 'origin_not_allowed';

/**
 * Keeps pages of other sites away (cross-site WebSocket hijacking) and names that an attacker made resolve to this
 * machine (DNS rebinding). Browsers cannot leave out or forge these two headers; other programs send no `Origin`.
 */
export interface OriginGuard {
  check(headers: { readonly host?: string | undefined; readonly origin?: string | undefined }): OriginVerdict;
}

const LOOPBACK_NAMES = ['localhost', '127.0.0.1', '[::1]'];

/** @throws nothing: an allowed origin that is no URL just never matches */
export function createOriginGuard(options: OriginGuardOptions): OriginGuard {
  const advertised = options.advertiseUrl === null ? undefined : URL.parse(options.advertiseUrl);
  const loopback = isLoopbackHost(options.host);
  const bracketed = isIP(options.host) === 6 ? `[${options.host}]` : options.host.toLowerCase();
  const hosts = new Set([bracketed, ...(loopback || isAnyAddress(options.host) ? LOOPBACK_NAMES : [])]);
  const scheme = options.tls ? 'https' : 'http';
  const origins = new Set([...hosts].map((host) => URL.parse(`${scheme}://${host}:${options.port}`)?.origin));
  if (advertised) {
    hosts.add(advertised.hostname);
    // `URL.origin` is null for ws: and wss:.
    origins.add(
      URL.parse(`${advertised.protocol === 'wss:' ? 'https' : 'http'}://${advertised.host}`)?.origin,
    );
  }
  for (const allowed of options.allowedOrigins ?? []) {
    const url = URL.parse(allowed);
    origins.add(url?.origin);
    if (url) hosts.add(url.hostname);
  }
  origins.delete(undefined);
  // An opaque origin is written "null", and any sandboxed page has it.
  origins.delete('null');
  return {
    check({ host, origin }) {
      // Beyond loopback a gateway has whatever names its network gives it; there tokens are what protects.
      if (loopback && host !== undefined && !hosts.has(hostnameOf(host))) return 'host_not_allowed';
      if (origin !== undefined && !origins.has(origin.toLowerCase())) return 'origin_not_allowed';
      return 'allowed';
    },
  };
}

function isAnyAddress(host: string): boolean {
  return host === '0.0.0.0' || host === '::' || host === '[::]';
}

/** The host of a `Host` header without its port, in lower case. */
function hostnameOf(host: string): string {
  const match = /^(\[[0-9a-f:.]+\]|[^:]*)(?::\d*)?$/i.exec(host.trim());
  return (match?.[1] ?? host).toLowerCase().replace(/\.$/, '');
}

/** The error of a page that may not speak to this gateway. */
export function forbiddenRequest(verdict: Exclude<OriginVerdict, 'allowed'>): GaterError {
  const [header, key] =
    verdict === 'host_not_allowed' ? ['Host', 'advertiseUrl'] : ['Origin', 'http.allowedOrigins'];
  return new GaterError('unauthorized', `the ${header} of this request is not allowed here (see ${key})`, {
    details: { reason: verdict },
  });
}
