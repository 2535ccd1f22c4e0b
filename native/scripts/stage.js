// What publishing needs and a checkout does not.
//
//   node scripts/stage.js layout     writes npm/<platform>/package.json and README.md from platforms.js
//   node scripts/stage.js publish    copies the addons found here into npm/<platform>, and names the platform
//                                    packages as optional dependencies in package.json
//
// In the repository package.json names none of them, so that `npm ci` never looks for a package that is not there.
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { addonFile, PLATFORMS, platformPackage } from '../platforms.js';

const root = join(import.meta.dirname, '..');
const manifestFile = join(root, 'package.json');
const manifest = JSON.parse(readFileSync(manifestFile, 'utf8'));

const commands = { layout, publish };
const command = commands[process.argv[2]];
if (command === undefined) {
  process.stderr.write(`node scripts/stage.js ${Object.keys(commands).join('|')}\n`);
  process.exitCode = 2;
} else {
  command();
}

function layout() {
  for (const platform of PLATFORMS) {
    const folder = folderOf(platform);
    mkdirSync(folder, { recursive: true });
    writeJson(join(folder, 'package.json'), {
      name: platformPackage(platform),
      version: manifest.version,
      description: `The addon of ${manifest.name} for ${platform.target}`,
      license: manifest.license,
      main: addonFile(platform),
      files: [addonFile(platform)],
      engines: manifest.engines,
      os: [platform.os],
      cpu: [platform.cpu],
      ...(platform.libc === undefined ? {} : { libc: [platform.libc] }),
    });
    writeFileSync(
      join(folder, 'README.md'),
      `# ${platformPackage(platform)}\n\nThe addon of \`${manifest.name}\` for \`${platform.target}\`. Install that package, not this one.\n`,
    );
  }
}

function publish() {
  const missing = PLATFORMS.filter((platform) => !existsSync(join(root, addonFile(platform))));
  if (missing.length > 0) {
    process.stderr.write(`not built: ${missing.map(addonFile).join(', ')}\n`);
    process.exitCode = 1;
    return;
  }
  layout();
  for (const platform of PLATFORMS) {
    copyFileSync(join(root, addonFile(platform)), join(folderOf(platform), addonFile(platform)));
  }
  const names = PLATFORMS.map((platform) => [platformPackage(platform), manifest.version]);
  writeJson(manifestFile, { ...manifest, optionalDependencies: Object.fromEntries(names) });
}

function folderOf({ name }) {
  return join(root, 'npm', name);
}

function writeJson(file, value) {
  writeFileSync(file, `${JSON.stringify(value, undefined, 2)}\n`);
}
