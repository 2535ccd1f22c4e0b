import { spawn } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { CACHE_DIR, OPS_TOOLS, opsTool } from './index.ts';

/** The tools that Go builds, by the name of their binary. */
const GO_TOOLS = {
  actionlint: 'github.com/rhysd/actionlint/cmd/actionlint@v1.7.12',
  // The loader that Docker Compose itself uses. Its command is named `cmd`.
  cmd: 'github.com/compose-spec/compose-go/v2/cmd@v2.16.2',
} as const;

/**
 * Installs the tools that the tests of `apps/gateway/ops` use, unless they are there: Python packages in a folder of their
 * own, and programs that Go builds.
 *
 * @throws an error of one line when Python or Go is missing or fails
 */
export async function installOpsTools(say: (line: string) => void): Promise<void> {
  if (OPS_TOOLS.every((tool) => existsSync(opsTool(tool)))) return;
  say('installing the tools that check apps/gateway/ops (once, a minute)');
  mkdirSync(CACHE_DIR, { recursive: true });
  const venv = join(CACHE_DIR, 'venv');
  await run('python3', ['-m', 'venv', venv]);
  const pip = ['install', '--quiet', '--disable-pip-version-check', '--only-binary', ':all:'];
  await run(join(venv, 'bin', 'pip'), [...pip, '-r', join(import.meta.dirname, 'requirements.txt')]);
  for (const [name, module] of Object.entries(GO_TOOLS)) {
    if (existsSync(join(CACHE_DIR, 'go', name))) continue;
    await run('go', ['install', '-trimpath', '-ldflags=-s -w', module], {
      GOBIN: join(CACHE_DIR, 'go'),
      GOTOOLCHAIN: 'local',
      GOWORK: 'off',
      GOFLAGS: '',
      CGO_ENABLED: '0',
    });
  }
}

function run(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, ...env },
    });
    let complaint = '';
    child.stderr.on('data', (data: Buffer) => {
      complaint = `${complaint}${data.toString()}`.slice(-2_000);
    });
    child.once('error', (error) => reject(new Error(`cannot run ${command}: ${error.message}`)));
    child.once('close', (code) => {
      const last = complaint.trim().split('\n').at(-1);
      if (code === 0) resolve();
      else reject(new Error(`${[command, ...args].join(' ')} ended with ${code}: ${last}`));
    });
  });
}
