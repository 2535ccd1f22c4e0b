// Builds the addon for this machine and puts it beside the loader: `npm run build:native`.
import { spawnSync } from 'node:child_process';
import { copyFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { addonFile, PLATFORMS } from '../platforms.js';

const root = join(import.meta.dirname, '..');
const LIBRARIES = {
  linux: 'libesdb_gater_native.so',
  darwin: 'libesdb_gater_native.dylib',
  win32: 'esdb_gater_native.dll',
};

process.exitCode = main();

function main() {
  const rustc = spawnSync('rustc', ['-vV'], { encoding: 'utf8' });
  if (rustc.error !== undefined || rustc.status !== 0) {
    return stop('build:native needs Rust 1.88 or newer (rustc and cargo) on the PATH');
  }
  // `--target` lets CI build for another platform with the same script.
  const flag = process.argv.indexOf('--target');
  const host = /^host: (.+)$/m.exec(rustc.stdout)?.[1];
  const target = flag === -1 ? host : process.argv[flag + 1];
  const platform = PLATFORMS.find((one) => one.target === target);
  if (platform === undefined) {
    return stop(
      `there is no platform package for ${target}; known are ${PLATFORMS.map((one) => one.target).join(', ')}`,
    );
  }
  const cross = target === host ? [] : ['--target', target];
  const cargo = spawnSync('cargo', ['build', '--release', '--locked', ...cross], {
    cwd: root,
    stdio: 'inherit',
    // Of this package whoever calls: a folder that a developer set would hide the library from the next lines.
    env: { ...process.env, CARGO_TARGET_DIR: join(root, 'target') },
  });
  if (cargo.error !== undefined) return stop('build:native needs cargo on the PATH');
  if (cargo.status !== 0) return cargo.status ?? 1;
  const built = join(root, 'target', cross.length === 0 ? '' : target, 'release', LIBRARIES[platform.os]);
  const file = join(root, addonFile(platform));
  // Renamed into place: to write over a library that a process has loaded would end that process.
  copyFileSync(built, `${file}.new`);
  renameSync(`${file}.new`, file);
  process.stdout.write(`built native/${addonFile(platform)}\n`);
  return 0;
}

function stop(message) {
  process.stderr.write(`${message}\n`);
  return 1;
}
