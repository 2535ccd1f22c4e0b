// Load: writers that append through some gateways, each over the connection of one of them. Prints the appends per second.
import { connect } from '@esdb-gater/client';
import { driveAppends } from '../stores/drive.ts';
import { eventData } from '../stores/workload.ts';

const STORE = { storeId: 'bench' };

const [urls = '', writers, durationMs] = process.argv.slice(2);
const clients = await Promise.all(urls.split(',').map((url) => connect(url)));
const clientOf = (writer: number) => clients[writer % clients.length] as (typeof clients)[number];
const streamOf = (writer: number) => ({ ...STORE, streamId: `stream-${writer}` });

const { acknowledged, ...figures } = await driveAppends(
  Number(writers),
  Number(durationMs),
  async (writer, version) => {
    const events = [{ type: 'happened', data: eventData(writer, version) }];
    await clientOf(writer).appendEvents({ ...streamOf(writer), expectedVersion: version - 1, events });
  },
);
for (const [writer, count] of acknowledged.entries()) {
  // Through the next gateway, which must see what this one has acknowledged.
  const { version } = await clientOf(writer + 1).getVersion(streamOf(writer));
  if (version !== count - 1) throw new Error(`stream ${writer} is at ${version}, acknowledged ${count}`);
}
await Promise.all(clients.map((client) => client.close()));
process.stdout.write(`${JSON.stringify(figures)}\n`);
