// Builds the engine as WebAssembly: `npm run build:wasm`. Needs the target, which rustup adds.
import { spawnSync } from 'node:child_process';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';

const TARGET = 'wasm32-unknown-unknown';
const root = join(import.meta.dirname, '..');

const cargo = spawnSync(
  'cargo',
  ['build', '--release', '--locked', '--no-default-features', '--target', TARGET],
  { cwd: root, stdio: 'inherit', env: { ...process.env, CARGO_TARGET_DIR: join(root, 'target') } },
);
if (cargo.error !== undefined) {
  process.stderr.write('build:wasm needs Rust 1.88 or newer (rustc and cargo) on the PATH\n');
  process.exitCode = 1;
} else if (cargo.status !== 0) {
  process.stderr.write(`when the target is missing: rustup target add ${TARGET}\n`);
  process.exitCode = cargo.status ?? 1;
} else {
  const file = 'esdb-gater-native.wasm';
  copyFileSync(join(root, 'target', TARGET, 'release', 'esdb_gater_native.wasm'), join(root, file));
  process.stdout.write(`built native/${file}\n`);
}
