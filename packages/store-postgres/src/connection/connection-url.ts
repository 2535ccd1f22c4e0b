import { userInfo } from 'node:os';
import { type GaterError, invalidArgument } from '@esdb-gater/types';

const SSL_MODES = ['disable', 'prefer', 'require', 'verify-ca', 'verify-full'] as const;

export type SslMode = (typeof SSL_MODES)[number];

export interface Host {
  readonly host: string;
  readonly port: number;
}

/** What a connection string says. */
export interface ConnectionSettings {
  /** One or more, of which one is the primary. */
  readonly hosts: readonly Host[];
  readonly database: string;
  readonly user: string;
  readonly password: string | undefined;
  readonly passfile: string | undefined;
  readonly sslMode: SslMode;
  readonly sslRootCert: string | undefined;
  readonly sslCert: string | undefined;
  readonly sslKey: string | undefined;
  readonly applicationName: string;
  readonly connectTimeoutMs: number;
}

const URL_FORM = /^postgres(?:ql)?:\/\/(?:([^:@/]*)(?::([^@/]*))?@)?([^/?]*)(?:\/([^?]*))?(?:\?(.*))?$/s;
const HOST_FORM = /^(\[[0-9a-fA-F:.]+\]|[^:[\]]+)(?::(\d{1,5}))?$/;

const DEFAULT_PORT = 5432;
const DEFAULT_CONNECT_TIMEOUT_S = 3;

/**
 * Parses a connection string of libpq in the form of a URL, with one or more hosts:
 * `postgres://user:password@host1:5432,host2:5432/database?target_session_attrs=read-write&sslmode=verify-full&sslrootcert=ca.pem`.
 *
 * The password of an error message is never shown.
 *
 * @throws `invalid_argument` (reason `url`)
 */
export function parseConnectionUrl(
  url: unknown,
  environment: NodeJS.ProcessEnv = process.env,
): ConnectionSettings {
  const match = typeof url === 'string' ? URL_FORM.exec(url) : null;
  if (match === null)
    throw wrongUrl('must begin with postgres:// and name a host, as in postgres://user@host:5432/database');
  const [, user, password, hosts = '', database, query = ''] = match;
  const parameters = parseParameters(query);
  const take = (name: string): string | undefined => {
    const value = parameters.get(name);
    parameters.delete(name);
    return value === '' ? undefined : value;
  };
  requireOneOf('target_session_attrs', take('target_session_attrs') ?? 'read-write', [
    'read-write',
    'primary',
    'any',
  ]);
  const sslRootCert = take('sslrootcert');
  const resolvedUser = decode(user, 'the user') ?? environment['PGUSER'] ?? userInfo().username;
  const settings: ConnectionSettings = {
    hosts: parseHosts(hosts),
    user: resolvedUser,
    database: decode(database, 'the database') ?? environment['PGDATABASE'] ?? resolvedUser,
    password: decode(password, 'the password') ?? environment['PGPASSWORD'],
    passfile: take('passfile') ?? environment['PGPASSFILE'],
    // An authority that is named is there to be checked.
    sslMode: requireOneOf(
      'sslmode',
      take('sslmode') ?? (sslRootCert === undefined ? 'prefer' : 'verify-full'),
      SSL_MODES,
    ),
    sslRootCert,
    sslCert: take('sslcert'),
    sslKey: take('sslkey'),
    applicationName: take('application_name') ?? 'esdb-gater',
    connectTimeoutMs: seconds('connect_timeout', take('connect_timeout')) * 1_000,
  };
  const [unknown] = parameters.keys();
  if (unknown !== undefined)
    throw wrongUrl(`has the parameter ${JSON.stringify(unknown)}, which is not supported`);
  return settings;
}

/** Returns where a connection goes, for messages: without the password. */
export function describeHost({ host, port }: Host): string {
  return `${host}:${port}`;
}

function parseHosts(text: string): Host[] {
  return text.split(',').map((part) => {
    const match = HOST_FORM.exec(part);
    const port = Number(match?.[2] ?? DEFAULT_PORT);
    if (match === null || port < 1 || port > 65_535) {
      throw wrongUrl('must name its hosts as host or host:port, separated by commas');
    }
    return { host: (match[1] as string).replace(/^\[|\]$/g, ''), port };
  });
}

function parseParameters(query: string): Map<string, string> {
  const parameters = new Map<string, string>();
  for (const part of query.split('&').filter((one) => one !== '')) {
    const [name = '', ...value] = part.split('=');
    parameters.set(name, decode(value.join('='), `the parameter ${name}`) ?? '');
  }
  return parameters;
}

function decode(text: string | undefined, what: string): string | undefined {
  if (text === undefined || text === '') return undefined;
  try {
    return decodeURIComponent(text);
  } catch {
    throw wrongUrl(`must be percent-encoded, which ${what} is not`);
  }
}

function seconds(name: string, text: string | undefined): number {
  const value = Number(text ?? DEFAULT_CONNECT_TIMEOUT_S);
  if (!Number.isInteger(value) || value < 1 || value > 600)
    throw wrongUrl(`must have ${name} from 1 to 600 seconds`);
  return value;
}

function requireOneOf<const Value extends string>(
  name: string,
  value: string,
  known: readonly Value[],
): Value {
  const found = known.find((one) => one === value);
  if (found === undefined)
    throw wrongUrl(`must have one of ${known.join(', ')} as ${name}, got ${JSON.stringify(value)}`);
  return found;
}

function wrongUrl(what: string): GaterError {
  return invalidArgument('url', `the connection string ${what}`);
}
