import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A user of a secured cluster. */
export interface KafkaUser {
  readonly username: string;
  readonly password: string;
}

/** What a client needs to reach a secured cluster. */
export interface KafkaSecurity {
  /** The certificate of the authority that signed those of the brokers. */
  readonly caFile: string;
  /** May do everything. */
  readonly user: KafkaUser;
  /** Logs in, and may do nothing. */
  readonly stranger: KafkaUser;
  /** A file with the password of `user`. */
  readonly passwordFile: string;
  /** The certificate of `user`, for a cluster whose clients show one. */
  readonly certificate: CertificateFiles;
  /** The certificate of `stranger`. */
  readonly strangerCertificate: CertificateFiles;
}

/** A certificate and its key, each in a file. */
export interface CertificateFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

const USER: KafkaUser = { username: 'gateway', password: 'gateway-change-me' };
const STRANGER: KafkaUser = { username: 'stranger', password: 'stranger-change-me' };

const SCRAM = ['SCRAM-SHA-256', 'SCRAM-SHA-512'] as const;

/**
 * Makes the certificates and passwords of a cluster, once in each directory.
 *
 * @throws when `openssl` is missing
 */
export function securityIn(dir: string): KafkaSecurity {
  const folder = join(dir, 'security');
  const file = (name: string): string => join(folder, name);
  if (!existsSync(file('broker.pem'))) {
    mkdirSync(folder, { recursive: true });
    const openssl = (...args: string[]): void => {
      execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
    };
    const key = ['-newkey', 'rsa:2048', '-nodes', '-days', '3650'];
    openssl(
      'req',
      '-x509',
      ...key,
      '-keyout',
      'ca.key',
      '-out',
      'ca.pem',
      '-subj',
      '/CN=Kafka test authority',
    );
    openssl(
      'req',
      ...key.slice(0, 3),
      '-keyout',
      'broker.key',
      '-out',
      'broker.csr',
      '-subj',
      '/CN=127.0.0.1',
    );
    writeFileSync(file('names.cnf'), 'subjectAltName=IP:127.0.0.1,DNS:localhost\n');
    const signed = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-extfile', 'names.cnf'];
    openssl('x509', '-req', '-days', '3650', '-in', 'broker.csr', '-out', 'broker.crt', ...signed);
    // Kafka reads the key and the certificate from one file.
    const pem = `${readFileSync(file('broker.key'), 'utf8')}${readFileSync(file('broker.crt'), 'utf8')}`;
    writeFileSync(file('broker.pem'), pem, { mode: 0o600 });
    writeFileSync(file('password'), `${USER.password}\n`, { mode: 0o600 });
    for (const { username } of [USER, STRANGER]) {
      const request = ['-keyout', `${username}.key`, '-out', `${username}.csr`, '-subj', `/CN=${username}`];
      openssl('req', ...key.slice(0, 3), ...request);
      openssl(
        'x509',
        '-req',
        '-days',
        '3650',
        '-in',
        `${username}.csr`,
        '-out',
        `${username}.crt`,
        ...signed,
      );
    }
    for (const name of readdirSync(folder).filter((one) => one.endsWith('.key')))
      chmodSync(file(name), 0o600);
  }
  const certificateOf = ({ username }: KafkaUser): CertificateFiles => ({
    certFile: file(`${username}.crt`),
    keyFile: file(`${username}.key`),
  });
  return {
    caFile: file('ca.pem'),
    user: USER,
    stranger: STRANGER,
    passwordFile: file('password'),
    certificate: certificateOf(USER),
    strangerCertificate: certificateOf(STRANGER),
  };
}

/** Returns the flags by which a gateway reaches a secured cluster. */
export function gatewayFlags(bootstrap: string, { caFile, user, passwordFile }: KafkaSecurity): string {
  return [
    `--kafka-brokers ${bootstrap}`,
    `--kafka-ssl-enabled --kafka-ssl-ca-file ${caFile}`,
    `--kafka-sasl-mechanism scram-sha-512 --kafka-sasl-username ${user.username}`,
    `--kafka-sasl-password-file ${passwordFile}`,
  ].join(' ');
}

/**
 * The settings of a broker whose clients connect by TLS and log in, or show a certificate. Only `user` may do something.
 */
export function secureProperties(
  caFile: string,
  clientCertificates: boolean,
): Record<string, string | boolean> {
  const security = 'org.apache.kafka.common.security';
  const known = [USER, STRANGER].map(({ username, password }) => `user_${username}="${password}"`).join(' ');
  const ofClients = 'listener.name.clients';
  return {
    'inter.broker.listener.name': 'INTERNAL',
    'ssl.keystore.type': 'PEM',
    'ssl.keystore.location': caFile.replace(/ca\.pem$/, 'broker.pem'),
    'ssl.truststore.type': 'PEM',
    'ssl.truststore.location': caFile,
    'ssl.client.auth': clientCertificates ? 'required' : 'requested',
    [`${ofClients}.sasl.enabled.mechanisms`]: ['PLAIN', ...SCRAM].join(','),
    [`${ofClients}.plain.sasl.jaas.config`]: `${security}.plain.PlainLoginModule required ${known};`,
    ...Object.fromEntries(
      SCRAM.map((mechanism) => [
        `${ofClients}.${mechanism.toLowerCase()}.sasl.jaas.config`,
        `${security}.scram.ScramLoginModule required;`,
      ]),
    ),
    'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
    // The brokers among themselves are anonymous, on ports of this machine only.
    'super.users': `User:${USER.username};User:CN=${USER.username};User:ANONYMOUS`,
  };
}

/** The arguments that give the users their passwords for SCRAM when a broker is formatted. */
export const SCRAM_ARGUMENTS: readonly string[] = [USER, STRANGER].flatMap(({ username, password }) =>
  SCRAM.flatMap((mechanism) => ['--add-scram', `${mechanism}=[name=${username},password=${password}]`]),
);
