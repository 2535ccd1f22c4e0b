import { checkBinary } from './binary.js';
import { addonFile, platformPackage, platformsOf } from './platforms.js';

/**
 * Makes a `require` that checks a binary before it loads it, see `checkBinary`.
 *
 * @param {NodeJS.Require} require
 * @param {{ os: string, cpu: string }} platform
 */
export function checkingRequire(require, platform) {
  return (id) => {
    const file = require.resolve(id);
    // Node loads a file of any other name as JavaScript.
    if (file.endsWith('.node')) checkBinary(file, platform);
    return require(file);
  };
}

/**
 * Loads the addon: the one built here if there is one, else that of the platform package.
 *
 * @param {{ require: (id: string) => unknown, version: string, os: string, cpu: string }} components `version` is the
 * version that the addon must have: another build may lack functions that this package calls
 * @returns the exports of the addon
 * @throws Error, code `ERR_NATIVE_ADDON`, with one line and one member of `attempts` for each attempt
 */
export function loadAddon({ require, version, os, cpu }) {
  const platforms = platformsOf(os, cpu);
  const candidates = [
    ...platforms.map((platform) => `./${addonFile(platform)}`),
    ...platforms.map((platform) => platformPackage(platform)),
  ];
  const attempts = [];
  for (const candidate of candidates) {
    try {
      const addon = require(candidate);
      if (addon.version === version) return addon;
      attempts.push({ candidate, error: new Error(`it is of version ${addon.version}, not ${version}`) });
    } catch (error) {
      attempts.push({ candidate, error });
    }
  }
  throw failure(os, cpu, attempts);
}

function failure(os, cpu, attempts) {
  const lines = attempts.map(({ candidate, error }) => `  ${candidate}: ${reasonOf(error)}`);
  const tried =
    attempts.length === 0 ? 'this platform is not supported' : `all ${attempts.length} attempts failed`;
  const error = new Error(
    [
      `no native addon for ${os} ${cpu}: ${tried}`,
      ...lines,
      '"npm run build:native" builds one where Rust is installed; without it @esdb-gater/security works in TypeScript',
    ].join('\n'),
  );
  return Object.assign(error, { code: 'ERR_NATIVE_ADDON', attempts });
}

/** The first line, without the stack of `require` calls that follows in Node's errors. */
function reasonOf(error) {
  return String(error?.message ?? error).split('\n', 1)[0];
}
