import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, expect, test } from 'vitest';
import { freePorts } from '../../../../tools/kafka/index.ts';
import { cleanEnv, startGatewayProcess, temporaryFolder } from '../support/gateway-process.ts';
import { because, opsPath, opsText, programUnavailable, ROOT } from '../support/ops-files.ts';

const BIN = join(ROOT, 'apps', 'gateway', 'bin', 'esdb-gater.js');

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

/** Runs the health check of the image, as Docker would beside the gateway. */
function checkHealth(env: Readonly<Record<string, string>>) {
  return spawnSync(process.execPath, [opsPath('docker', 'healthcheck.mjs')], {
    encoding: 'utf8',
    env: { PATH: process.env['PATH'] ?? '', ...env },
  });
}

test('the health check passes while the gateway lives, and fails with one line when it does not', async () => {
  const folder = temporaryFolder();
  cleanUps.push(folder.remove);
  const gateway = await startGatewayProcess(folder.path);
  cleanUps.push(() => gateway.kill9());
  const { port } = new URL(gateway.http);
  expect(checkHealth({ ESDB_GATER_PORT: port })).toMatchObject({ status: 0, stderr: '' });
  await gateway.kill9();
  const { status, stderr } = checkHealth({ ESDB_GATER_PORT: port });
  expect(status).toBe(1);
  expect(stderr).toMatch(/^connect ECONNREFUSED .*\n$/);
}, 60_000);

test('the health check asks a gateway with TLS too, and the second listener where there is one', async () => {
  const folder = temporaryFolder();
  cleanUps.push(folder.remove);
  const [cert, key] = [join(folder.path, 'cert.pem'), join(folder.path, 'key.pem')];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-subj', '/CN=elsewhere'];
  execFileSync('openssl', ['req', '-x509', '-nodes', ...curve, '-keyout', key, '-out', cert], {
    stdio: 'ignore',
  });
  const gateway = await startGatewayProcess(join(folder.path, 'data'), [
    ...['--tls-cert-file', cert, '--tls-key-file', key],
  ]);
  cleanUps.push(() => gateway.kill9());
  const { port } = new URL(gateway.http);
  expect(checkHealth({ ESDB_GATER_PORT: port }).status).toBe(1);
  const tls = { ESDB_GATER_PORT: port, ESDB_GATER_TLS_CERT_FILE: cert };
  expect(checkHealth(tls)).toMatchObject({ status: 0, stderr: '' });
  const [deadPort = 0] = await freePorts(1);
  expect(checkHealth({ ...tls, ESDB_GATER_METRICS_PORT: String(deadPort) }).status).toBe(1);
}, 60_000);

/** Whether this process may make namespaces, as a container runtime does. */
const noNamespaces = programUnavailable('unshare', ['--pid', '--fork', '--mount-proc', 'true']);

test.skipIf(noNamespaces !== undefined)(
  `the entry point of the image is process 1, and stops on SIGTERM with 0${because(noNamespaces)}`,
  async () => {
    const [, entry = ''] = /^ENTRYPOINT (\[.*\])$/m.exec(opsText('docker', 'Dockerfile')) ?? [];
    const [, command = ''] = /^CMD (\[.*\])$/m.exec(opsText('docker', 'Dockerfile')) ?? [];
    const [node, program, ...rest] = [...JSON.parse(entry), ...JSON.parse(command)] as string[];
    expect([node, program, ...rest]).toEqual(['node', '/app/apps/gateway/bin/esdb-gater.js', 'start']);

    const folder = temporaryFolder();
    cleanUps.push(folder.remove);
    const outer = spawn(
      'unshare',
      ['--pid', '--fork', '--kill-child', '--mount-proc', process.execPath, BIN, ...rest],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
        env: {
          ...cleanEnv(),
          ESDB_GATER_PORT: '0',
          ESDB_GATER_DATA_DIR: folder.path,
        },
      },
    );
    cleanUps.push(() => outer.kill('SIGKILL'));
    const exit = once(outer, 'exit') as Promise<[number | null]>;
    for await (const line of createInterface({ input: outer.stdout })) {
      if (line.includes('"msg":"listening"')) break;
    }
    const [child = ''] = readFileSync(`/proc/${outer.pid}/task/${outer.pid}/children`, 'utf8').split(' ');
    expect(readFileSync(`/proc/${child}/status`, 'utf8')).toMatch(/^NSpid:\s+\d+\s+1$/m);
    process.kill(Number(child), 'SIGTERM');
    expect((await exit)[0]).toBe(0);
  },
  60_000,
);

test('the script of the Compose file makes every secret once, for the folder of its owner only', () => {
  const folder = temporaryFolder();
  cleanUps.push(() => {
    for (const name of readdirSync(folder.path)) chmodSync(join(folder.path, name), 0o600);
    folder.remove();
  });
  const make = (): void => {
    execFileSync('sh', [opsPath('compose', 'make-secrets.sh')], {
      stdio: 'pipe',
      env: { ...process.env, SECRETS_DIR: folder.path, ESDB_GATER: `${process.execPath} ${BIN}` },
    });
  };
  make();
  const contents = () =>
    Object.fromEntries(
      readdirSync(folder.path).map((name) => [name, readFileSync(join(folder.path, name), 'utf8')]),
    );
  const first = contents();
  expect(Object.keys(first).sort()).toEqual([
    ...['cluster-secret', 'hmac-secret', 'identity.json', 'postgres-password', 'postgres-url'],
  ]);
  const password = first['postgres-password'] ?? '';
  expect(password).toMatch(/^[0-9a-f]{64}$/);
  expect(first['hmac-secret']).not.toBe(first['cluster-secret']);
  expect(first['postgres-url']).toBe(`postgres://esdb_gater:${password}@postgres:5432/esdb_gater`);
  expect(JSON.parse(first['identity.json'] ?? '')).toHaveProperty('did');
  expect(statSync(folder.path).mode & 0o077).toBe(0);
  make();
  expect(contents()).toEqual(first);
}, 60_000);
