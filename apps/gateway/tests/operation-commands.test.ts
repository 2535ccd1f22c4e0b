// The commands that show and measure a gateway, and those for settings, contexts and shells.
import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestGateway, type TestGateway } from './support/in-process.ts';
import { runInProcess } from './support/terminal.ts';

let gateway: TestGateway;
let folder: string;
beforeAll(async () => {
  gateway = await startTestGateway({ stores: '{"default":{"engine":"memory"}}' });
  folder = mkdtempSync(join(tmpdir(), 'esdb-gater-'));
});
afterAll(async () => {
  await gateway.close();
  rmSync(folder, { recursive: true, force: true });
});

type Options = NonNullable<Parameters<typeof runInProcess>[1]>;
const cli = (args: readonly string[], { env, ...options }: Options = {}) =>
  runInProcess(args, { env: { ESDB_GATER_URL: gateway.url, ...env }, ...options });
const values = <Value = Record<string, unknown>>(text: string): Value[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Value);

const ESCAPE = '\u001b[';

describe('channels and health', () => {
  test('print a table at a terminal, and JSON for programs', async () => {
    const table = await cli(['channels'], { isTTY: true });
    expect(table.code).toBe(0);
    expect(table.stdout.split('\n')[0]).toContain('CHANNEL');
    expect(table.stdout).toMatch(/^diagnostics \(off\) .*low/m);
    const json = values((await cli(['channels'])).stdout);
    expect(json).toHaveLength(10);
    expect(json[0]).toMatchObject({ name: 'alerts', requireSignature: true });
  });

  test('have colours only at a terminal, and none with NO_COLOR', async () => {
    for (const command of ['channels', 'health']) {
      expect((await cli([command], { isTTY: true })).stdout, command).toContain(ESCAPE);
      expect((await cli([command])).stdout, command).not.toContain(ESCAPE);
      expect((await cli([command, '--json'], { isTTY: true })).stdout, command).not.toContain(ESCAPE);
      const plain = await cli([command], { isTTY: true, env: { NO_COLOR: '1' } });
      expect(plain.stdout, command).not.toContain(ESCAPE);
    }
  });

  test('with --watch show the state until Ctrl-C, which is not a failure', async () => {
    const stop = new AbortController();
    const result = await cli(['health', '--watch', '--interval', '0.1'], {
      interrupted: stop.signal,
      onOutput: (text) => {
        if (text.split('healthy\n').length > 3) stop.abort();
      },
    });
    expect(result).toMatchObject({ code: 0, stderr: '' });
    expect((await cli(['health', '--watch', '--interval', '0'])).code).toBe(2);
  });
});

describe('the commands that show a state', () => {
  test.each(['health', 'channels', 'nodes', 'workers', 'streams watched-', 'subscription list'])(
    '%s shows it again and again with --watch, until Ctrl-C',
    async (words) => {
      const command = words.split(' ');
      await cli(['append', 'watched-1', '--type', 'seen']);
      await cli(['subscription', 'create', 'watching', '--all']);
      const once = (await cli([...command, '--json'])).stdout;
      const lines = once.split('\n').length - 1;
      expect(lines).toBeGreaterThan(0);
      const stop = new AbortController();
      const watched = await cli([...command, '--json', '--watch', '--interval', '0.1'], {
        interrupted: stop.signal,
        onOutput: (text) => {
          if (text.split('\n').length > 3 * lines) stop.abort();
        },
      });
      expect(watched).toMatchObject({ code: 0, stderr: '' });
      expect(values(watched.stdout).length).toBeGreaterThanOrEqual(3 * lines);
    },
  );

  test.each([
    [['nodes'], /^NODE +STATUS +WORKERS/],
    [['workers'], /^STORE +WORKER +NODE/],
    [['subscription', 'list'], /^NAME +CHECKPOINT +LAG/],
  ])('%j are a table at a terminal, which takes the place of the one before', async (command, head) => {
    await cli(['subscription', 'create', 'watching', '--all']);
    expect((await cli(command, { isTTY: true })).stdout).toMatch(head);
    const stop = new AbortController();
    const screen = await cli([...command, '--watch', '--interval', '0.1'], {
      isTTY: true,
      interrupted: stop.signal,
      onOutput: (text) => {
        if (text.split(`${ESCAPE}H${ESCAPE}J`).length > 3) stop.abort();
      },
    });
    const [before, ...tables] = screen.stdout.split(`${ESCAPE}H${ESCAPE}J`);
    expect(before).toBe('');
    expect(tables[1]).toMatch(head);
  });

  test('streams --watch shows a stream that was added meanwhile', async () => {
    const stop = new AbortController();
    const watched = cli(['streams', 'later-', '--watch', '--interval', '0.1'], {
      interrupted: stop.signal,
      onOutput: (text) => {
        if (text.includes('later-2')) stop.abort();
      },
    });
    await cli(['append', 'later-1', '--type', 'seen']);
    await cli(['append', 'later-2', '--type', 'seen']);
    expect(values<{ streamId: string }>((await watched).stdout).at(-1)).toEqual({ streamId: 'later-2' });
  });
});

describe('top', () => {
  test('prints a line for each state where no terminal is, or JSON', async () => {
    const lines = await cli(['top', '--count', '2', '--interval', '0.1']);
    expect(lines.code).toBe(0);
    expect(lines.stdout).toMatch(
      /^(\S+Z healthy stores=1 workers=1 nodes=1 in=\S+\/s out=\S+\/s dropped=0\n){2}$/,
    );
    const [state] = values((await cli(['top', '--count', '1', '--json'])).stdout);
    expect(state).toMatchObject({ health: { status: 'healthy' }, channels: expect.any(Array) as unknown });
  });

  test('fills the screen at a terminal, and gives it back at the end', async () => {
    const { stdout } = await cli(['top', '--count', '1'], { isTTY: true });
    expect(stdout.startsWith('\u001b[?1049h')).toBe(true);
    expect(stdout.endsWith('\u001b[?25h\u001b[?1049l')).toBe(true);
    expect(stdout).toContain('store default');
    // 24 rows, as the terminal does not say how many it has.
    expect(stdout.split('\n').length).toBeLessThanOrEqual(24);
  });
});

describe('bench', () => {
  test('measures appends, reads and fan-out, and deletes its streams', async () => {
    const args = ['bench', '--events', '40', '--writers', '4', '--messages', '20', '--subscribers', '3'];
    const { stdout, code } = await cli(args);
    expect(code).toBe(0);
    const rows = values<{ name: string; count: number; perSecond: number; p50Ms: number; p99Ms: number }>(
      stdout,
    );
    expect(rows.map(({ name, count }) => [name, count])).toEqual([
      ['appends', 40],
      ['reads', 40],
      ['fan-out', 60],
    ]);
    for (const row of rows) {
      expect(row.perSecond).toBeGreaterThan(0);
      expect(row.p99Ms).toBeGreaterThanOrEqual(row.p50Ms);
    }
    expect((await cli(['streams', 'bench-'])).stdout).toBe('');
    const table = await cli([...args, '--bytes', '10'], { isTTY: true });
    expect(table.stdout).toMatch(/^WORK +COUNT +SECONDS/);
  });

  test('refuses what would fill a store', async () => {
    expect(await cli(['bench', '--events', '100001'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--events must be at most 100000') as string,
    });
  });
});

describe('config', () => {
  test('print shows the settings in force with their origin, and no secret', async () => {
    const file = join(folder, 'settings.yaml');
    writeFileSync(file, 'realm: shop\nlimits:\n  inFlightPerConnection: 7\n');
    const secretFile = join(folder, 'secret');
    writeFileSync(secretFile, 'hidden');
    const env = { ESDB_GATER_URL: '', ESDB_GATER_SECURITY_HMAC_SECRET_FILE: secretFile };
    const result = await cli(['config', 'print', '--config', file, '--port', '0', '--json'], { env });
    expect(result).toMatchObject({ code: 0, stderr: '' });
    const settings = new Map(
      values<{ key: string; value: unknown; origin: string }>(result.stdout).map((one) => [one.key, one]),
    );
    expect(settings.get('realm')).toMatchObject({ value: 'shop', origin: `file ${file}` });
    expect(settings.get('limits.inFlightPerConnection')).toMatchObject({ value: 7 });
    expect(settings.get('port')).toMatchObject({ value: 0, origin: '--port' });
    expect(settings.get('host')).toMatchObject({ value: '127.0.0.1', origin: 'default' });
    expect(settings.get('security.capabilities')).toMatchObject({ value: 'optional', origin: 'default' });
    expect(settings.get('security.hmacSecret')).toMatchObject({
      value: '(secret)',
      origin: 'ESDB_GATER_SECURITY_HMAC_SECRET_FILE',
    });
    expect(result.stdout).not.toContain('hidden');
    expect(settings.has('channels.alerts.maxRate')).toBe(false);
    const all = await cli(['config', 'print', '--all'], { env });
    expect(all.stdout).toContain('channels.alerts.maxRate');
    const table = await cli(['config', 'print'], { isTTY: true, env });
    expect(table.stdout).toMatch(/^KEY +VALUE +ORIGIN/);
  });

  test('check says what is wrong, in one line', async () => {
    const env = { ESDB_GATER_URL: '' };
    expect(await cli(['config', 'check'], { env })).toMatchObject({
      code: 0,
      stdout: 'the settings are valid\n',
    });
    const wrong = await cli(['config', 'check', '--port', 'x'], { env });
    expect(wrong).toMatchObject({ code: 1, stdout: '' });
    expect(wrong.stderr).toMatch(/^invalid_argument: `--port` .*\n$/);
    expect((await cli(['config', 'check', '--prot', '1'], { env })).code).toBe(2);
  });
});

describe('contexts', () => {
  const config = () => join(folder, 'config');
  const named = (args: readonly string[], more: Readonly<Record<string, string>> = {}) =>
    runInProcess(args, { env: { XDG_CONFIG_HOME: config(), ...more } });

  test('are kept in a file of their owner, and are used by their name or as the current one', async () => {
    expect(values((await named(['context', 'list'])).stdout)).toEqual([]);
    const added = await named(['context', 'add', 'here', '--url', gateway.url, '--json']);
    expect(values(added.stdout)).toEqual([{ name: 'here', current: true, url: gateway.url }]);
    await named([
      'context',
      'add',
      'away',
      '--url',
      'ws://127.0.0.1:9',
      '--store',
      'other',
      '--token-file',
      'token',
    ]);
    const file = join(config(), 'esdb-gater', 'contexts.json');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({
      current: 'here',
      contexts: {
        here: { url: gateway.url },
        away: { url: 'ws://127.0.0.1:9/v1/ws', store: 'other', tokenFile: join(process.cwd(), 'token') },
      },
    });
    expect((await named(['health'])).stdout).toMatch(/^healthy/);
    await named(['context', 'use', 'away']);
    expect((await named(['health', '--context', 'here'])).stdout).toMatch(/^healthy/);
    const list = await runInProcess(['context', 'list'], { isTTY: true, env: { XDG_CONFIG_HOME: config() } });
    expect(list.stdout).toMatch(/^\* {2}away/m);
  });

  test('the current one does not count beside a URL, so that its token goes to no other gateway', async () => {
    // It names a token file that does not exist.
    await named(['context', 'use', 'away']);
    expect((await named(['health'])).stderr).toContain('--token-file');
    expect((await named(['health', '--url', gateway.url])).stdout).toMatch(/^healthy/);
    expect((await named(['health'], { ESDB_GATER_URL: gateway.url })).stdout).toMatch(/^healthy/);
    const both = await named(['health', '--url', gateway.url, '--context', 'here']);
    expect(both).toMatchObject({ code: 2, stdout: '' });
  });

  test('an unknown name, a wrong name and a wrong file are refused', async () => {
    expect((await named(['health', '--context', 'nowhere'])).stderr).toContain('there are: here, away');
    expect((await named(['context', 'add', 'a/b', '--url', gateway.url])).code).toBe(2);
    expect((await named(['context', 'add', '__proto__', '--url', gateway.url])).code).toBe(0);
    expect((await named(['context', 'remove', '__proto__'])).code).toBe(0);
    expect((await named(['context', 'remove', 'away'])).code).toBe(0);
    expect((await named(['context', 'remove', 'away'])).code).toBe(2);
    const file = join(config(), 'esdb-gater', 'contexts.json');
    writeFileSync(file, '{"contexts":{"a":{"url":1}}}');
    expect((await named(['health'])).stderr).toContain(file);
  });
});

describe('completion', () => {
  const script = async (shell: string): Promise<string> => (await cli(['completion', shell])).stdout;
  const has = (shell: string): boolean => {
    try {
      execFileSync(shell, ['--version'], { stdio: 'ignore' });
      return true;
    } catch {
      return false;
    }
  };
  const required = process.env['CI'] === 'true';

  test.skipIf(!has('bash') && !required)('works in bash', async () => {
    const file = join(folder, 'completion.bash');
    writeFileSync(file, await script('bash'));
    const complete = async (...words: string[]): Promise<string[]> => {
      const list = ['esdb-gater', ...words].map((word) => `'${word}'`).join(' ');
      const program = `source '${file}'; COMP_WORDS=(${list}); COMP_CWORD=${words.length}; _esdb_gater; printf '%s\\n' "\${COMPREPLY[@]}"`;
      const { stdout } = await promisify(execFile)('bash', ['--norc', '-c', program]);
      return stdout.split('\n').filter((word) => word !== '');
    };
    expect(await complete('sub')).toEqual(['subscribe', 'subscription']);
    expect(await complete('subscription', 'par')).toEqual(['parked']);
    expect(await complete('append', 'a-stream', '--expected')).toEqual(['--expected-version']);
    expect(await complete('start', '--kafka-bro')).toEqual(['--kafka-brokers']);
    expect(await complete('config', '')).toEqual(['print', 'check']);
  });

  test.skipIf(!has('zsh') && !required)('works in zsh', async () => {
    const file = join(folder, 'completion.zsh');
    writeFileSync(file, await script('zsh'));
    const complete = async (...words: string[]): Promise<string> => {
      const list = ['esdb-gater', ...words].map((word) => `'${word}'`).join(' ');
      const program = `compdef() { :; }; _describe() { print -l -- \${(P)\${@[-1]}}; }; _files() { :; }; source '${file}'; words=(${list}); CURRENT=${words.length + 1}; _esdb_gater`;
      return (await promisify(execFile)('zsh', ['-f', '-c', program])).stdout;
    };
    expect(await complete('sub')).toContain('subscription:');
    expect(await complete('subscription', '')).toContain('parked:');
    expect(await complete('append', 's', '--')).toContain('--expected-version:');
  });

  test.skipIf(!has('fish') && !required)('works in fish', async () => {
    const file = join(folder, 'completion.fish');
    writeFileSync(file, await script('fish'));
    const complete = async (line: string): Promise<string> => {
      const program = `source '${file}'; complete -C 'esdb-gater ${line}'`;
      return (await promisify(execFile)('fish', ['--no-config', '-c', program])).stdout;
    };
    expect(await complete('sub')).toMatch(/^subscribe\t/m);
    expect(await complete('subscription par')).toMatch(/^parked\t/m);
    expect(await complete('append s --expected')).toMatch(/^--expected-version\t/m);
  });

  test('has every command, and refuses other shells', async () => {
    const help = (await cli(['--help'])).stdout;
    const names = [...help.matchAll(/^ {2}([a-z]+)/gm)]
      .map(([, name]) => name)
      .filter((name) => name !== 'help');
    expect(names.length).toBeGreaterThan(20);
    for (const shell of ['bash', 'zsh', 'fish']) {
      const text = await script(shell);
      for (const name of names) expect(text, `${shell} ${name}`).toContain(name);
    }
    expect((await cli(['completion', 'tcsh'])).code).toBe(2);
  });
});
