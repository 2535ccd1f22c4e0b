import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { configError } from '../config/config-error.ts';
import { systemProblem } from '../config/read-text-file.ts';
import type { GatewayConfig } from '../config/types.ts';

/** A certificate with its key, as PEM. */
export interface Certificate {
  readonly cert: Buffer;
  readonly key: Buffer;
}

/**
 * Reads the certificate and its key, and checks that they belong together. Undefined without TLS.
 *
 * @throws `invalid_argument` (reason `configuration`) that names the key of the setting that is wrong
 */
export function readCertificate({ certFile, keyFile }: GatewayConfig['tls']): Certificate | undefined {
  if (certFile === null || keyFile === null) return undefined;
  const cert = read('tls.certFile', certFile);
  const key = read('tls.keyFile', keyFile);
  check('tls.certFile', certFile, () => createSecureContext({ cert }));
  check('tls.keyFile', keyFile, () => createSecureContext({ cert, key }));
  return { cert, key };
}

function read(setting: string, file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw configError(setting, `must be a file that can be read, got ${file}: ${systemProblem(error)}`);
  }
}

/** OpenSSL says what is wrong, but not of which file. */
function check(setting: string, file: string, use: () => void): void {
  try {
    use();
  } catch (error) {
    const { reason, message } = error as Error & { readonly reason?: string };
    throw configError(setting, `${file}: ${reason ?? message}`);
  }
}
