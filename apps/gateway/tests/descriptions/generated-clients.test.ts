// Clients that stock generators make from the OpenAPI description, and schemathesis, against a running gateway.
import { type ExecFileOptions, execFile } from 'node:child_process';
import { readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  DESCRIPTION_TOOLS,
  npmFolder,
  npmTool,
  pythonTool,
} from '../../../../tools/descriptions/descriptions.ts';
import { temporaryFolder } from '../support/gateway-process.ts';
import { startTestGateway, type TestGateway } from '../support/in-process.ts';

/** Runs a program. What it writes is part of the error when it fails. */
async function run(program: string, args: readonly string[], options: ExecFileOptions = {}): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)(program, args, { maxBuffer: 2 ** 26, ...options });
    return String(stdout);
  } catch (error) {
    const { stdout, stderr } = error as { readonly stdout?: unknown; readonly stderr?: unknown };
    throw new Error(`${program} failed: ${String(stdout)}\n${String(stderr)}`, { cause: error });
  }
}
const ROOT = join(import.meta.dirname, '..', '..', '..', '..');
const REQUIRED = process.env['CI'] === 'true';
const TIMEOUT_MS = 120_000;

let gateway: TestGateway;
let folder: ReturnType<typeof temporaryFolder>;
let description: string;
beforeAll(async () => {
  folder = temporaryFolder();
  gateway = await startTestGateway({ stores: '{"default":{"engine":"memory"}}' });
  description = join(folder.path, 'openapi.json');
  writeFileSync(description, await (await fetch(`${gateway.http}/openapi.json`)).text());
});
afterAll(async () => {
  await gateway.close();
  folder.remove();
});

const EXPECTED = {
  appended: { version: 1, count: 2, duplicate: false },
  read: [{ n: 1 }, 'text'],
  delivered: true,
  error: { code: 'wrong_expected_version', status: 409, retriable: false },
};

const generator = npmTool('openapi-typescript');
test.skipIf(generator === undefined && !REQUIRED)(
  'a TypeScript client of openapi-typescript compiles and works',
  { timeout: TIMEOUT_MS },
  async () => {
    if (generator === undefined) throw new Error(`openapi-typescript is missing: ${DESCRIPTION_TOOLS.npm}`);
    const path = join(folder.path, 'typescript');
    await run(process.execPath, [generator, description, '-o', join(path, 'schema.ts')], { cwd: ROOT });
    symlinkSync(join(npmFolder(), 'node_modules'), join(path, 'node_modules'));
    writeFileSync(join(path, 'package.json'), '{"type":"module"}');
    const program = readFileSync(join(import.meta.dirname, 'programs', 'typescript.txt'), 'utf8');
    writeFileSync(join(path, 'program.ts'), program);
    const options = [
      '--ignoreConfig',
      '--module',
      'nodenext',
      '--target',
      'es2022',
      '--types',
      '',
      '--allowImportingTsExtensions',
    ];
    await run(join(ROOT, 'node_modules/.bin/tsc'), [
      '--strict',
      '--noEmit',
      ...options,
      join(path, 'program.ts'),
    ]);
    const stdout = await run(process.execPath, [join(path, 'program.ts'), gateway.http]);
    expect(JSON.parse(stdout)).toEqual(EXPECTED);
  },
);

const pythonGenerator = pythonTool('openapi-python-client');
const python = pythonTool('python');
test.skipIf((pythonGenerator === undefined || python === undefined) && !REQUIRED)(
  'a Python client of openapi-python-client works',
  { timeout: TIMEOUT_MS },
  async () => {
    if (pythonGenerator === undefined || python === undefined) {
      throw new Error(`openapi-python-client is missing: ${DESCRIPTION_TOOLS.pip}`);
    }
    const args = [
      '--path',
      description,
      '--meta',
      'none',
      '--output-path',
      join(folder.path, 'gater_client'),
    ];
    const config = ['--config', join(npmFolder(), 'openapi-python-client.yaml')];
    const warnings = await run(pythonGenerator, ['generate', ...args, ...config], { cwd: folder.path });
    expect(warnings).not.toMatch(/WARNING parsing|Unable to parse/i);
    const program = join(import.meta.dirname, 'programs', 'python.py');
    const env = { ...process.env, PYTHONPATH: folder.path };
    const stdout = await run(python, [program, gateway.http], { env });
    expect(JSON.parse(stdout)).toEqual(EXPECTED);
  },
);

const schemathesis = pythonTool('schemathesis');
test.skipIf(schemathesis === undefined && !REQUIRED)(
  'schemathesis has no finding',
  { timeout: 400_000 },
  async () => {
    if (schemathesis === undefined) throw new Error(`schemathesis is missing: ${DESCRIPTION_TOOLS.pip}`);
    const config = join(npmFolder(), 'schemathesis.toml');
    const args = ['--max-examples', '10', '--request-timeout', '1', '--no-color', '--seed', '1'];
    const report = await run(
      schemathesis,
      ['--config-file', config, 'run', `${gateway.http}/openapi.json`, ...args],
      { cwd: folder.path },
    );
    // It ends with 1 when it finds something.
    expect(report).toMatch(/Coverage/);
    expect(report).not.toMatch(/❌|Failures:/);
  },
);
