import { globSync, readFileSync } from 'node:fs';
import { join, matchesGlob } from 'node:path';
import { expect, test } from 'vitest';
import { CONFIG_KEYS } from '../../src/config/keys.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import { CONNECTION_BOUNDS } from '../../src/http/connection-bounds.ts';
import {
  configOf,
  imageSettings,
  isSecretFile,
  OPS,
  opsDocuments,
  opsPath,
  opsText,
  opsYaml,
  ROOT,
  type Variables,
} from '../support/ops-files.ts';

const DEFAULTS = loadConfig({});
const MANIFESTS = ['single.yaml', 'cluster.yaml'] as const;
const VERSION = (
  JSON.parse(readFileSync(join(ROOT, 'apps', 'gateway', 'package.json'), 'utf8')) as { version: string }
).version;

interface ComposeFile {
  readonly services: Readonly<Record<string, ComposeService>>;
  readonly secrets: Readonly<Record<string, { readonly file: string }>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

interface ComposeService {
  readonly image: string;
  readonly environment: Variables;
  readonly ports?: readonly string[];
  readonly secrets?: readonly string[];
  readonly volumes?: readonly string[];
  readonly stop_grace_period: string;
  readonly ulimits?: { readonly nofile: number };
  readonly build?: { readonly context: string; readonly dockerfile: string };
}

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly stringData?: Variables;
  readonly spec: {
    readonly ports?: readonly { readonly port: number; readonly targetPort: string }[];
    readonly replicas?: number;
    readonly serviceName?: string;
    readonly selector?: { readonly matchLabels?: Variables };
    readonly volumeClaimTemplates?: readonly { readonly metadata: { readonly name: string } }[];
    readonly template?: { readonly spec: PodSpec };
  };
}

interface PodSpec {
  readonly enableServiceLinks: boolean;
  readonly terminationGracePeriodSeconds: number;
  readonly securityContext: { readonly runAsUser: number };
  readonly containers: readonly [Container];
  readonly volumes: readonly { readonly name: string; readonly secret?: { readonly secretName: string } }[];
}

interface Container {
  readonly image: string;
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly env: readonly { readonly name: string; readonly value?: string }[];
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
  readonly livenessProbe: Probe;
  readonly readinessProbe: Probe;
  readonly startupProbe: Probe;
  readonly lifecycle: { readonly preStop: { readonly sleep: { readonly seconds: number } } };
}

interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string };
}

const compose = opsYaml<ComposeFile>('compose', 'compose.yaml');
const gateways = Object.entries(compose.services).filter(([name]) => name.startsWith('gateway-'));

/** Returns the containers of the gateways in a manifest, and what belongs to them. */
function statefulSet(file: string) {
  const documents = opsDocuments<Manifest>('kubernetes', file);
  const found = documents.find(({ kind }) => kind === 'StatefulSet');
  const pod = found?.spec.template?.spec;
  if (found === undefined || pod === undefined) throw new Error(`${file} has no StatefulSet`);
  const [container] = pod.containers;
  const variables = Object.fromEntries(container.env.map(({ name, value }) => [name, value ?? '']));
  return { documents, set: found, pod, container, variables };
}

/** Returns the settings of one pod. */
function variablesOfPod(variables: Variables, pod: string): Variables {
  return Object.fromEntries(
    Object.entries(variables).map(([name, value]) => [name, value.replaceAll('$(POD_NAME)', pod)]),
  );
}

test('the image listens beyond loopback, requires tokens, and keeps its data in its volume', () => {
  const dockerfile = opsText('docker', 'Dockerfile');
  const config = configOf({});
  expect(config).toMatchObject({ host: '0.0.0.0', security: { capabilities: 'required' } });
  expect(dockerfile).toContain(`EXPOSE ${config.port}\n`);
  expect(dockerfile).toContain(`VOLUME ${config.dataDir}\n`);
  expect(dockerfile).toMatch(
    new RegExp(`install --directory --owner 10001 --group 10001 --mode 0700 ${config.dataDir}\n`),
  );
  expect(config.port).toBe(DEFAULTS.port);
});

test('what the builds of the packages run is among what the image is built from', () => {
  const kept = opsText('docker', 'Dockerfile.dockerignore')
    .split('\n')
    .filter((line) => line.startsWith('!'))
    .map((line) => line.slice(1));
  const manifests = globSync(['package.json', 'packages/*/package.json', 'apps/*/package.json'], {
    cwd: ROOT,
  });
  const run = manifests.flatMap((file) => {
    const { scripts = {} } = JSON.parse(readFileSync(join(ROOT, file), 'utf8')) as { scripts?: Variables };
    return [...(scripts['build'] ?? '').matchAll(/\btools\/[\w./-]+/g)].map(([path]) => path);
  });
  expect(run).toContain('tools/build.ts');
  for (const path of run)
    expect(
      kept.some((pattern) => matchesGlob(path, pattern)),
      path,
    ).toBe(true);
});

test('the Compose file runs two gateways of one cluster with settings that the gateway accepts', () => {
  const configs = gateways.map(([name, { environment }]) => [name, configOf(environment)] as const);
  expect(configs.map(([name]) => name)).toEqual(['gateway-1', 'gateway-2']);
  for (const [name, config] of configs) {
    expect(config).toMatchObject({
      nodeId: name,
      advertiseUrl: `ws://${name}:${config.port}/v1/ws`,
      stores: { default: { engine: 'postgres' } },
      security: { capabilities: 'required' },
      cluster: { discovery: 'static' },
    });
    expect(config.cluster.peers).toEqual(configs.map(([, { advertiseUrl }]) => advertiseUrl));
    expect(config.kafka.brokers).toEqual(['kafka:9092']);
  }
  expect(compose.services['kafka']?.environment['KAFKA_ADVERTISED_LISTENERS']).toBe('PLAINTEXT://kafka:9092');
});

test('the Compose file publishes the ports that the gateways listen on, on this machine only', () => {
  for (const [, { environment, ports = [] }] of gateways) {
    const { port, metrics } = configOf(environment);
    expect(ports.map((text) => text.split(':').at(-1))).toEqual([String(port), String(metrics.port)]);
    for (const text of ports) expect(text).toMatch(/^127\.0\.0\.1:/);
  }
  const published = gateways.flatMap(([, { ports = [] }]) => ports.map((text) => text.split(':')[1]));
  expect(new Set(published).size).toBe(published.length);
});

test('each secret of the Compose file is mounted where a setting reads it, and made by the script', () => {
  const script = opsText('compose', 'make-secrets.sh');
  for (const [, { environment, secrets = [] }] of gateways) {
    const read = Object.values(environment).flatMap((value) => [
      ...value.matchAll(/\/run\/secrets\/([\w.-]+)/g),
    ]);
    expect(read.map(([, name]) => name).sort()).toEqual([...secrets].sort());
  }
  for (const [name, { file }] of Object.entries(compose.secrets)) {
    expect(file).toBe(`./secrets/${name}`);
    expect(script).toContain(name);
  }
});

test('the Compose file keeps the data of every gateway in a volume of its own, and lets it stop in time', () => {
  const folders = new Set<string>();
  for (const [name, { environment, volumes = [], stop_grace_period: grace, ulimits }] of gateways) {
    const { dataDir, shutdown, limits } = configOf(environment);
    expect(volumes).toEqual([`${name}:${dataDir}`]);
    expect(Object.keys(compose.volumes)).toContain(name);
    folders.add(name);
    expect(Number.parseInt(grace, 10) * 1_000).toBeGreaterThan(shutdown.graceMs);
    expect(ulimits?.nofile).toBeGreaterThan(limits.connections + CONNECTION_BOUNDS.spareSockets);
  }
  expect(folders.size).toBe(2);
});

test('the Compose file builds the image by the Dockerfile of this folder', () => {
  for (const [, { build }] of gateways) {
    expect(opsPath('compose', build?.context ?? '')).toBe(ROOT);
    expect(join(ROOT, build?.dockerfile ?? '')).toBe(opsPath('docker', 'Dockerfile'));
  }
});

test.each(MANIFESTS)('the gateway accepts the settings of kubernetes/%s', (file) => {
  const { variables, set } = statefulSet(file);
  const names = Array.from({ length: set.spec.replicas ?? 0 }, (_, index) => `${set.metadata.name}-${index}`);
  const configs = names.map((name) => configOf(variablesOfPod(variables, name)));
  expect(configs.map(({ nodeId }) => nodeId)).toEqual(names);
  for (const config of configs) {
    expect(config.security).toMatchObject({ capabilities: 'required', hmacSecret: 'a-secret' });
    const isCluster = file === 'cluster.yaml';
    expect(config.stores['default']?.engine).toBe(isCluster ? 'postgres' : 'sqlite');
    if (!isCluster) continue;
    expect(config.cluster.peers).toEqual(configs.map(({ advertiseUrl }) => advertiseUrl));
    expect(config.advertiseUrl).toBe(`ws://${config.nodeId}.${set.spec.serviceName}:${config.port}/v1/ws`);
  }
});

test('only the manifest of the cluster has more than one replica: a SQLite file has one process', () => {
  expect(MANIFESTS.map((file) => statefulSet(file).set.spec.replicas)).toEqual([1, 3]);
});

test.each(MANIFESTS)(
  'ports, probes, volumes and secrets of kubernetes/%s are those of the gateway',
  (file) => {
    const { documents, set, pod, container, variables } = statefulSet(file);
    const config = configOf(variablesOfPod(variables, 'esdb-gater-0'));
    expect(container.ports).toEqual([
      { name: 'http', containerPort: config.port },
      { name: 'metrics', containerPort: config.metrics.port },
    ]);
    expect(config.metrics.host).toBe('0.0.0.0');
    for (const { spec } of documents.filter(({ kind }) => kind === 'Service')) {
      for (const { port, targetPort } of spec.ports ?? []) {
        expect(container.ports).toContainEqual({ name: targetPort, containerPort: port });
      }
    }
    const { livenessProbe, readinessProbe, startupProbe } = container;
    expect([livenessProbe, readinessProbe, startupProbe].map(({ httpGet }) => httpGet)).toEqual([
      { path: '/livez', port: 'metrics' },
      { path: '/readyz', port: 'metrics' },
      { path: '/livez', port: 'metrics' },
    ]);
    expect(
      documents.some(({ kind, metadata }) => kind === 'Service' && metadata.name === set.spec.serviceName),
    ).toBe(true);

    const mounts = new Map(container.volumeMounts.map(({ name, mountPath }) => [name, mountPath]));
    expect(mounts.get('data')).toBe(config.dataDir);
    expect(set.spec.volumeClaimTemplates?.map(({ metadata }) => metadata.name)).toEqual(['data']);
    const [example] = opsDocuments<Manifest>('kubernetes', 'secret.example.yaml');
    expect(pod.volumes).toContainEqual(
      expect.objectContaining({ secret: expect.objectContaining({ secretName: example?.metadata.name }) }),
    );
    const prefix = `${mounts.get('secrets')}/`;
    const read = Object.values(variables).flatMap((value) =>
      value.includes(prefix) ? [/[\w.-]+/.exec(value.slice(value.indexOf(prefix) + prefix.length))?.[0]] : [],
    );
    expect(read.length).toBeGreaterThanOrEqual(2);
    expect(Object.keys(example?.stringData ?? {})).toEqual(expect.arrayContaining(read));
    expect(pod.securityContext.runAsUser).toBe(10_001);
  },
);

test.each(MANIFESTS)('a pod of kubernetes/%s has time to stop', (file) => {
  const { pod, container, variables } = statefulSet(file);
  const { shutdown } = configOf(variablesOfPod(variables, 'esdb-gater-0'));
  const pauseMs = container.lifecycle.preStop.sleep.seconds * 1_000;
  expect(pod.terminationGracePeriodSeconds * 1_000).toBeGreaterThan(pauseMs + shutdown.graceMs);
});

test.each(MANIFESTS)('variables that Kubernetes makes for the services of %s are not settings', (file) => {
  const { documents, pod } = statefulSet(file);
  expect(pod.enableServiceLinks).toBe(false);
  const warnings: string[] = [];
  const made = documents
    .filter(({ kind }) => kind === 'Service')
    .flatMap(({ metadata, spec }) => {
      const prefix = metadata.name.toUpperCase().replaceAll('-', '_');
      const { port = 0 } = spec.ports?.[0] ?? {};
      return [
        [`${prefix}_SERVICE_HOST`, '10.0.0.1'],
        [`${prefix}_SERVICE_PORT`, String(port)],
        [`${prefix}_SERVICE_PORT_HTTP`, String(port)],
        [`${prefix}_PORT`, `tcp://10.0.0.1:${port}`],
        [`${prefix}_PORT_${port}_TCP`, `tcp://10.0.0.1:${port}`],
        [`${prefix}_PORT_${port}_TCP_ADDR`, '10.0.0.1'],
      ];
    });
  const config = loadConfig({ env: Object.fromEntries(made), warn: (message) => warnings.push(message) });
  expect(config.port).toBe(DEFAULTS.port);
  expect(warnings).toHaveLength(1);
});

test('the manifests run the image of this version', () => {
  for (const file of MANIFESTS) {
    expect(statefulSet(file).container.image).toBe(`ghcr.io/esdb-gater/esdb-gater:${VERSION}`);
  }
});

test('the gateway accepts the settings of the systemd unit, and the unit lets it stop in time', () => {
  const unit = opsText('systemd', 'esdb-gater.service');
  const values = (name: string) =>
    [...unit.matchAll(new RegExp(`^${name}=(.*)$`, 'gm'))].map(([, value = '']) => value);
  const variables = Object.fromEntries(
    values('Environment').map((text) => text.split(/=(.*)/s).slice(0, 2) as [string, string]),
  );
  const known = new Set(CONFIG_KEYS.map(({ env }) => env));
  for (const name of Object.keys(variables).filter((one) => one.startsWith('ESDB_GATER_'))) {
    expect(known, name).toContain(name);
    if (!isSecretFile(name)) continue;
    const credential = variables[name]?.replace('%d/', '');
    expect(values('LoadCredential').map((text) => text.split(':')[0])).toContain(credential);
  }
  expect(variables['ESDB_GATER_DATA_DIR']).toBe(`%S/${values('StateDirectory')[0]}`);

  const config = loadConfig({ file: join(OPS, 'systemd', 'gateway.yaml') });
  // The proxy makes everybody a caller from loopback.
  expect(config.security.capabilities).toBe('required');
  expect(Number(values('TimeoutStopSec')[0]) * 1_000).toBeGreaterThan(config.shutdown.graceMs);
  expect(Number(values('LimitNOFILE')[0])).toBeGreaterThan(
    config.limits.connections + CONNECTION_BOUNDS.spareSockets,
  );
});

test('the proxies reach the default port, take what the gateway takes, and wait longer than it is silent', () => {
  const nginx = opsText('nginx', 'esdb-gater.conf');
  const caddy = opsText('caddy', 'Caddyfile');
  const seconds = (text: string, pattern: RegExp) =>
    [...text.matchAll(pattern)].map(([, value]) => Number(value) * 1_000);
  expect(nginx).toContain(`server 127.0.0.1:${DEFAULTS.port} `);
  expect(caddy).toContain(`reverse_proxy 127.0.0.1:${DEFAULTS.port} `);
  const mebibytes = DEFAULTS.limits.frameBytes / 1_048_576;
  expect(nginx).toContain(`client_max_body_size ${mebibytes}m;`);
  expect(caddy).toContain(`max_size ${mebibytes}MiB`);

  // The gateway asks nginx by a header not to buffer streams; this is for everything else, too.
  for (const name of ['proxy_buffering', 'proxy_request_buffering']) expect(nginx).toContain(`${name} off;`);
  expect(caddy).toContain('flush_interval -1');
  const waits = [
    ...seconds(nginx, /proxy_(?:read|send)_timeout (\d+)s;/g),
    ...seconds(caddy, /\t(?:read|write)_timeout (\d+)s/g),
  ];
  expect(waits).toHaveLength(4);
  for (const waitMs of waits) {
    expect(waitMs).toBeGreaterThan(CONNECTION_BOUNDS.pingEveryMs * 2);
    expect(waitMs).toBeGreaterThan(CONNECTION_BOUNDS.silentAfterMs);
  }
  const idle = [...seconds(nginx, /\bkeepalive_timeout (\d+)s;/g), ...seconds(caddy, /\tkeepalive (\d+)s/g)];
  expect(idle).toHaveLength(2);
  for (const idleMs of idle) expect(idleMs).toBeLessThan(CONNECTION_BOUNDS.keepAliveTimeoutMs);
});

test('every setting that a file of this folder names exists', () => {
  const known = new Set(CONFIG_KEYS.map(({ env }) => env));
  const files = [
    ['docker', 'Dockerfile'],
    ['docker', 'healthcheck.mjs'],
    ['compose', 'compose.yaml'],
    ['systemd', 'esdb-gater.service'],
    ...MANIFESTS.map((file) => ['kubernetes', file]),
  ];
  let count = 0;
  for (const file of files) {
    for (const [name] of opsText(...file).matchAll(/ESDB_GATER_[A-Z_]+[A-Z](?=[^A-Z_*]|$)/g)) {
      if (name === 'ESDB_GATER_PORT_') continue;
      expect(known, `${file.join('/')}: ${name}`).toContain(name);
      count += 1;
    }
  }
  expect(count).toBeGreaterThan(40);
  expect(Object.keys(imageSettings()).length).toBe(3);
});

test('every setting that OPERATIONS.md names exists', () => {
  const paths = CONFIG_KEYS.map(({ path }) => path);
  const members = ['engine', 'file', 'url', 'schema', 'feed', 'tamperEvident'].map(
    (name) => `stores.<id>.${name}`,
  );
  const known = [
    ...paths,
    ...members,
    ...paths.map((path) => path.replace(/^channels\.\w+/, 'channels.<name>')),
  ];
  const sections = new Set(paths.map((path) => path.split('.')[0]));
  const named = [...readFileSync(join(ROOT, 'OPERATIONS.md'), 'utf8').matchAll(/`([a-z]+\.[\w.<>*]+)`/g)]
    .map(([, name = '']) => name)
    .filter(
      (name) => sections.has(name.split('.')[0] ?? '') && !/\.(yaml|yml|json|md|service|conf)$/.test(name),
    );
  expect(named.length).toBeGreaterThan(30);
  for (const name of named) {
    const isKnown = name.endsWith('.*')
      ? paths.some((path) => path.startsWith(name.slice(0, -1)))
      : known.includes(name);
    expect(isKnown, name).toBe(true);
  }
});
