// `node tools/build.ts [PACKAGE…]`: builds these packages and their dependencies, or all packages. Prints the
// compiler's output only when it fails, and at a terminal one line while it works.
import { spawn } from 'node:child_process';
import { pathToFileURL } from 'node:url';

/**
 * Builds `packages` (npm names) with their dependencies; all packages when the list is empty. Resolves to the exit
 * code.
 */
export async function build(packages: readonly string[] = []): Promise<number> {
  const filters = packages.map((name) => `--filter=${name}...`);
  const child = spawn('turbo', ['run', 'build', '--output-logs=errors-only', ...filters], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, TURBO_TELEMETRY_DISABLED: '1', FORCE_COLOR: process.stdout.isTTY ? '1' : '0' },
  });
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk));
  const atTerminal = process.stderr.isTTY;
  if (atTerminal) process.stderr.write('building…');
  const code = await new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (exit) => resolve(exit ?? 1));
  });
  // Carriage return, then "erase to the end of the line".
  if (atTerminal) process.stderr.write('\r\u001b[K');
  if (code !== 0) process.stderr.write(Buffer.concat(chunks));
  return code;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  process.exitCode = await build(process.argv.slice(2));
}
