// `npm run release:fixture`: keeps what the version of this checkout writes, for the tests of later versions: a data folder, and the
// frames of its client and gateway. Run it once per release; it refuses to overwrite what a release has written.
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from '@esdb-gater/client';
import { startTestGateway } from '../../apps/gateway/tests/support/in-process.ts';
import { startRecordingRelay } from '../../apps/gateway/tests/support/recording-relay.ts';
import {
  FIXTURE_FLAGS,
  packFolder,
  RELEASES,
  writeFixture,
  writeFixtureData,
} from '../../apps/gateway/tests/support/release-fixture.ts';
import { readManifests } from './same-version.ts';

const version = readManifests(join(import.meta.dirname, '..', '..'))[0]?.version ?? '';
if (existsSync(join(RELEASES, `${version}.json.gz`))) {
  process.stderr.write(`the fixture of ${version} exists: what a release has written never changes\n`);
  process.exit(1);
}
const dataDir = mkdtempSync(join(tmpdir(), 'esdb-gater-release-'));
try {
  const gateway = await startTestGateway(FIXTURE_FLAGS, { dataDir });
  const relay = await startRecordingRelay(gateway.url);
  const client = await connect(relay.url);
  await writeFixtureData(client);
  await client.close();
  relay.close();
  await gateway.close();
  process.stdout.write(`${writeFixture({ version, files: packFolder(dataDir), frames: relay.frames })}\n`);
} finally {
  rmSync(dataDir, { recursive: true, force: true });
}
