// Plain JavaScript, so that an old Node can say what is wrong. npm brings the right one as a development dependency.
const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 22)) {
  process.stderr.write(
    `needs Node 22.22 or newer, this is ${process.versions.node}; "npm ci" without --ignore-scripts brings Node 24\n`,
  );
  process.exit(1);
}
