import { readFile } from 'node:fs/promises';
import type { ConnectionOptions } from 'node:tls';
import { GaterError, type Logger } from '@esdb-gater/types';
import pg, { type ClientConfig, type CustomTypesConfig } from 'pg';
import type { ConnectionSettings, Host } from './connection-url.ts';
import { findPassword } from './password-file.ts';

const INT8 = 20;

/** Reads `bigint` as a number: positions, versions and times are safe integers. All else as `pg` does. */
const TYPES: CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
    oid === INT8
      ? Number
      : pg.types.getTypeParser(oid, format as 'text')) as CustomTypesConfig['getTypeParser'],
};

/** A host with everything that a connection to it needs. */
export interface Endpoint extends Host {
  readonly config: ClientConfig;
}

/**
 * Makes the configuration of connections to a host.
 *
 * @param encrypted false for plain text, where the mode allows it
 * @throws `unavailable` when a file of certificates or passwords cannot be read
 */
export async function createEndpoint(
  settings: ConnectionSettings,
  host: Host,
  encrypted: boolean,
  logger: Logger,
): Promise<Endpoint> {
  const ssl = encrypted ? await tlsOptions(settings) : false;
  return {
    ...host,
    config: {
      host: host.host,
      port: host.port,
      database: settings.database,
      user: settings.user,
      // A function, so that `pg` neither looks for a password file itself nor keeps the password in its errors.
      password: async () => (await findPassword(settings, host, logger)) ?? '',
      ssl,
      application_name: settings.applicationName,
      connectionTimeoutMillis: settings.connectTimeoutMs,
      keepAlive: true,
      keepAliveInitialDelayMillis: 10_000,
      types: TYPES,
    },
  };
}

async function tlsOptions(settings: ConnectionSettings): Promise<ConnectionOptions> {
  const { sslMode, sslRootCert, sslCert, sslKey } = settings;
  const checks = sslMode === 'verify-ca' || sslMode === 'verify-full' || sslRootCert !== undefined;
  return {
    rejectUnauthorized: checks,
    ...(sslRootCert === undefined ? {} : { ca: await readPem('sslrootcert', sslRootCert) }),
    ...(sslCert === undefined ? {} : { cert: await readPem('sslcert', sslCert) }),
    ...(sslKey === undefined ? {} : { key: await readPem('sslkey', sslKey) }),
    // Without `verify-full` the name in the certificate is not compared.
    ...(sslMode === 'verify-full' ? {} : { checkServerIdentity: () => undefined }),
  };
}

async function readPem(name: string, file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const { code = String(error) } = error as NodeJS.ErrnoException;
    throw new GaterError('unavailable', `cannot read ${name} ${file}: ${code}`, { cause: error });
  }
}
