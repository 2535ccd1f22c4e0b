#!/usr/bin/env node
// Plain JavaScript without modern syntax on purpose: an old Node must be able to say that it is too old.
const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 22)) {
  process.stderr.write(
    `esdb-gater: needs Node 22.22 or newer, this is ${process.versions.node} (${process.execPath})\n`,
  );
  process.exit(1);
}

import('../dist/cli/main.js').then(
  ({ main }) => main(process.argv.slice(2)),
  (error) => {
    process.stderr.write(
      error.code === 'ERR_MODULE_NOT_FOUND'
        ? `esdb-gater: is not built; run "npm run build" first (${error.message})\n`
        : `esdb-gater: ${error.stack}\n`,
    );
    process.exit(1);
  },
);
