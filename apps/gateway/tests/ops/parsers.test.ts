import { copyFileSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { opsTool, opsToolUnavailable } from '../../../../tools/ops/index.ts';
import { temporaryFolder } from '../support/gateway-process.ts';
import { because, complaintsOf, opsPath, opsText, programUnavailable, ROOT } from '../support/ops-files.ts';

const noHadolint = opsToolUnavailable('hadolint');

test.skipIf(noHadolint !== undefined)(
  `hadolint accepts the Dockerfile, and refuses a broken one${because(noHadolint)}`,
  () => {
    expect(
      complaintsOf(opsTool('hadolint'), ['--failure-threshold', 'info', opsPath('docker', 'Dockerfile')]),
    ).toBe('');
    using broken = copyOf(opsText('docker', 'Dockerfile').replace(/^USER .*$/m, 'USRE 10001'));
    expect(complaintsOf(opsTool('hadolint'), [broken.path])).not.toBe('');
  },
);

const noCompose = opsToolUnavailable('compose');

test.skipIf(noCompose !== undefined)(
  `the loader of Docker Compose accepts the Compose file, and refuses an unknown member${because(noCompose)}`,
  () => {
    expect(complaintsOf(opsTool('compose'), [opsPath('compose', 'compose.yaml')])).toBe('');
    using broken = copyOf(opsText('compose', 'compose.yaml').replace('mem_limit: 1g', 'memory_limit: 1g'));
    expect(complaintsOf(opsTool('compose'), [broken.path])).toContain('memory_limit');
  },
);

const noKubernetes = opsToolUnavailable('kubernetes-validate');

describe.skipIf(noKubernetes !== undefined)(`the schemas of Kubernetes${because(noKubernetes)}`, () => {
  const validate = (version: string, file: string): string =>
    complaintsOf(opsTool('kubernetes-validate'), ['--strict', '-k', version, file]);

  test.each(['1.30', '1.37'])('accept the manifests (%s)', (version) => {
    const files = readdirSync(opsPath('kubernetes'));
    expect(files).toHaveLength(3);
    for (const file of files) expect(validate(version, opsPath('kubernetes', file)), file).toBe('');
  });

  test('refuse an unknown member', () => {
    using broken = copyOf(opsText('kubernetes', 'single.yaml').replace('readinessProbe:', 'readynessProbe:'));
    expect(validate('1.37', broken.path)).toContain('readynessProbe');
  });
});

const noSystemd = programUnavailable('systemd-analyze');

describe.skipIf(noSystemd !== undefined)(`systemd${because(noSystemd)}`, () => {
  /** Verifies the unit with the programs of this machine. */
  const verify = (text: string): string => {
    const folder = temporaryFolder();
    try {
      const unit = join(folder.path, 'esdb-gater.service');
      writeFileSync(unit, text.replace('/usr/bin/node', process.execPath));
      return complaintsOf('systemd-analyze', ['verify', '--man=no', unit]);
    } finally {
      folder.remove();
    }
  };

  test('accepts the unit, and refuses an unknown value', () => {
    const unit = opsText('systemd', 'esdb-gater.service');
    expect(verify(unit)).toBe('');
    expect(verify(unit.replace('KillMode=mixed', 'KillMode=some\nExecStart='))).not.toBe('');
  });

  test('calls the unit well protected', () => {
    // Of 100, where 0 means not exposed.
    const options = ['security', '--offline=true', '--threshold=20', '--no-pager'];
    expect(complaintsOf('systemd-analyze', [...options, opsPath('systemd', 'esdb-gater.service')])).toBe('');
  });
});

const noCaddy = programUnavailable('caddy', ['version']);

test.skipIf(noCaddy !== undefined)(
  `Caddy accepts the Caddyfile, and refuses an unknown directive${because(noCaddy)}`,
  () => {
    const validate = (file: string): string =>
      complaintsOf('caddy', ['validate', '--adapter', 'caddyfile', '--config', file]);
    expect(validate(opsPath('caddy', 'Caddyfile'))).toBe('');
    using broken = copyOf(opsText('caddy', 'Caddyfile').replace('flush_interval', 'flush_every'));
    expect(validate(broken.path)).toContain('flush_every');
  },
);

const noPromtool = programUnavailable('promtool');

describe.skipIf(noPromtool !== undefined)(`promtool${because(noPromtool)}`, () => {
  test('accepts the configuration of Prometheus with its rules', () => {
    expect(complaintsOf('promtool', ['check', 'config', opsPath('prometheus', 'prometheus.yml')])).toBe('');
  });

  test('finds that every alert fires when it must, and not before', () => {
    const run = (folder: string): string =>
      complaintsOf('promtool', ['test', 'rules', 'alert-rules.test.yml'], folder);
    expect(run(opsPath('prometheus'))).toBe('');
    const folder = temporaryFolder();
    try {
      for (const file of readdirSync(opsPath('prometheus')))
        copyFileSync(opsPath('prometheus', file), join(folder.path, file));
      const rules = opsText('prometheus', 'alert-rules.yml').replace('broker_up == 0\n', 'broker_up == 2\n');
      writeFileSync(join(folder.path, 'alert-rules.yml'), rules);
      expect(run(folder.path)).toContain('EsdbGaterBrokerDown');
    } finally {
      folder.remove();
    }
  });
});

const noActionlint = opsToolUnavailable('actionlint');

test.skipIf(noActionlint !== undefined)(
  `actionlint accepts the workflows, and refuses an unknown runner${because(noActionlint)}`,
  () => {
    const workflows = join(ROOT, '.github', 'workflows');
    const lint = (folder: string): string =>
      complaintsOf(
        opsTool('actionlint'),
        readdirSync(folder).map((file) => join(folder, file)),
        ROOT,
      );
    expect(lint(workflows)).toBe('');
    const folder = temporaryFolder();
    try {
      mkdirSync(folder.path, { recursive: true });
      writeFileSync(
        join(folder.path, 'broken.yml'),
        'on: push\njobs:\n  a:\n    runs-on: ubuntu-1.0\n    steps: [{ run: ls }]\n',
      );
      expect(lint(folder.path)).toContain('ubuntu-1.0');
    } finally {
      folder.remove();
    }
  },
);

/** Writes a text to a file that is removed afterwards. */
function copyOf(text: string): { readonly path: string; [Symbol.dispose](): void } {
  const folder = temporaryFolder();
  const path = join(folder.path, 'file.yaml');
  writeFileSync(path, text);
  return { path, [Symbol.dispose]: folder.remove };
}
