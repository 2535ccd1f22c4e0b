// A program that uses the built client on the runtime that runs it: arguments are the URL and the number of messages.
// Prints one JSON line with what it saw.
import { connect, GaterError } from '@esdb-gater/client';

const [url, count] = process.argv.slice(2);
const stream = { storeId: 'default', streamId: 'runtime' };
const events = Array.from({ length: 10 }, (_, n) => ({ type: 'counted', data: { n } }));

const gater = await connect(url);
const subscription = await gater.subscribe({ channel: 'system', topic: 'runtime.>' });
const appended = await gater.appendEvents({ ...stream, expectedVersion: -1, events });
const refusal = await gater.appendEvents({ ...stream, expectedVersion: -1, events }).catch((e) => e);
const read = [];
for await (const { data } of gater.events(stream)) read.push(data.n);

// All in one turn of the event loop, so that their frames are gathered.
const published = Promise.all(
  Array.from({ length: Number(count) }, (_, n) =>
    gater.publish({ channel: 'system', topic: 'runtime.message', message: { n } }),
  ),
);
const received = [];
for await (const { message } of subscription) {
  received.push(message.n);
  if (received.length === Number(count)) break;
}
await published;
const started = performance.now();
await gater.close();
console.log(
  JSON.stringify({
    version: appended.version,
    refusal: GaterError.is(refusal) ? refusal.code : String(refusal),
    read,
    inOrder: received.every((n, index) => n === index),
    received: received.length,
    closedInTime: performance.now() - started < 2_000,
  }),
);
