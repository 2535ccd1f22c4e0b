// Producer of the throughput bench: `node producer.ts BOOTSTRAP TOPIC RUN`, gets the highest number that it may write
// by messages. It writes as fast as it can, up to 500 records at a time.
import { openProducer, recordOf } from './bare-client.ts';
import { fail } from './waiting.ts';

const BATCH = 500;
const [bootstrap = '', topic = '', run = ''] = process.argv.slice(2);
const producer = await openProducer(bootstrap);
let next = 0;
let end = 0;
let isWriting = false;

process.on('message', (upTo: number) => {
  end = upTo;
  if (!isWriting) write().catch(fail);
});
process.once('disconnect', () => process.exit(0));
process.send?.('ready');

async function write(): Promise<void> {
  isWriting = true;
  while (next < end) {
    const from = next;
    next = Math.min(end, from + BATCH);
    const messages = Array.from({ length: next - from }, (_, index) => recordOf(run, from + index));
    await producer.send({ topic, acks: -1, messages });
  }
  isWriting = false;
}
