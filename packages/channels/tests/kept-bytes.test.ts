import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';

/** Publishes messages that take fourteen times their text when parsed, in all places that keep messages. */
const PROGRAM = `
  import { createChannels } from '@esdb-gater/channels';
  const channels = createChannels();
  const text = '[' + Array(349_000).fill('[]').join(',') + ']';
  for (let n = 0; n < 40; n++) {
    for (const channel of ['events', 'health']) {
      const message = JSON.parse(text);
      await channels.publish({ channel, topic: 'a.' + n, message, id: channel + n });
    }
    await new Promise(setImmediate);
  }
  let replayed = 0;
  const end = Promise.withResolvers();
  const sink = {
    encoder: { encode: ({ params }) => Buffer.from(JSON.stringify(params)) },
    write: (deliveries) => { 
      for (const { notice } of deliveries) {
        if (notice.method === 'replayed') end.resolve();
        else replayed += 1;
      }
    },
    bufferedBytes: () => 0,
    overflow: () => { throw new Error('overflow'); },
  };
  const subscriber = channels.connect({ sink });
  await subscriber.subscribe({ channel: 'events', topic: '>', from: 'earliest' });
  await end.promise;
  console.log(replayed);
  await channels.close();
`;

test('messages that are large only when parsed do not fill the heap, wherever they are kept [R21] [T34]', {
  timeout: 120_000,
}, () => {
  const flags = ['--max-old-space-size=300', '--conditions=@esdb-gater/source', '--input-type=module'];
  const { stdout, stderr } = spawnSync(process.execPath, [...flags, '--eval', PROGRAM], {
    cwd: import.meta.dirname,
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  // 32 MiB of texts of almost 1 MiB each.
  expect(Number(stdout)).toBe(32);
});
