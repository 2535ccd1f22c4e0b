// `npm run check`: all checks for a change, on any machine: lint, types, layers, unused code, the native engine if Rust
// is installed, and all tests. Tests that need a missing component are skipped and listed.
import { spawnSync } from 'node:child_process';

interface Step {
  readonly name: string;
  readonly script: string;
  readonly options?: readonly string[];
  /** A command that the step needs; without it the step is left out. */
  readonly needs?: string;
}

const STEPS: readonly Step[] = [
  { name: 'format and lint', script: 'lint' },
  { name: 'types', script: 'types' },
  { name: 'layers', script: 'layers' },
  { name: 'unused code', script: 'knip' },
  { name: 'API reports', script: 'api', options: ['--', '--check'] },
  { name: 'native engine', script: 'build:native', needs: 'cargo' },
  { name: 'WebAssembly engine', script: 'build:wasm', needs: 'cargo' },
  { name: 'OpenTelemetry Collector', script: 'collector', needs: 'go' },
  { name: 'API reference', script: 'docs:api' },
  { name: 'tests', script: 'test' },
];

for (const { name, script, options = [], needs } of STEPS) {
  if (needs !== undefined && spawnSync(needs, ['version'], { stdio: 'ignore' }).error !== undefined) {
    process.stdout.write(`- ${name}: left out, ${needs} is not installed\n`);
    continue;
  }
  const began = performance.now();
  // The tests print their output; the other steps print it only on failure.
  const quiet = script !== 'test';
  const { status, stdout, stderr } = spawnSync('npm', ['run', '--silent', script, ...options], {
    stdio: quiet ? 'pipe' : 'inherit',
    encoding: 'utf8',
  });
  if (status !== 0) {
    process.stdout.write(`${stdout ?? ''}${stderr ?? ''}\n✗ ${name} failed: npm run ${script}\n`);
    process.exit(status ?? 1);
  }
  if (quiet) process.stdout.write(`✓ ${name} (${((performance.now() - began) / 1_000).toFixed(1)} s)\n`);
}
