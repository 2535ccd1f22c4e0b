/**
 * The platforms of the addon: the name of a platform package without its prefix, and the names in npm and cargo. `libc`
 * is set only on Linux.
 */
export const PLATFORMS = Object.freeze([
  { name: 'linux-x64-gnu', os: 'linux', cpu: 'x64', libc: 'glibc', target: 'x86_64-unknown-linux-gnu' },
  { name: 'linux-x64-musl', os: 'linux', cpu: 'x64', libc: 'musl', target: 'x86_64-unknown-linux-musl' },
  { name: 'linux-arm64-gnu', os: 'linux', cpu: 'arm64', libc: 'glibc', target: 'aarch64-unknown-linux-gnu' },
  { name: 'linux-arm64-musl', os: 'linux', cpu: 'arm64', libc: 'musl', target: 'aarch64-unknown-linux-musl' },
  { name: 'darwin-x64', os: 'darwin', cpu: 'x64', target: 'x86_64-apple-darwin' },
  { name: 'darwin-arm64', os: 'darwin', cpu: 'arm64', target: 'aarch64-apple-darwin' },
  { name: 'win32-x64-msvc', os: 'win32', cpu: 'x64', target: 'x86_64-pc-windows-msvc' },
  { name: 'win32-arm64-msvc', os: 'win32', cpu: 'arm64', target: 'aarch64-pc-windows-msvc' },
]);

/** The platforms whose addon may load here, the likeliest first. Which libc a Linux has shows in trying. */
export function platformsOf(os, cpu) {
  return PLATFORMS.filter((platform) => platform.os === os && platform.cpu === cpu);
}

/** The file name of an addon, next to the loader or in its platform package. */
export function addonFile({ name }) {
  return `esdb-gater-native.${name}.node`;
}

/** The npm package of a platform. */
export function platformPackage({ name }) {
  return `@esdb-gater/native-${name}`;
}
