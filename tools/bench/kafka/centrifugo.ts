import { randomUUID } from 'node:crypto';
import { startCentrifugo } from '../lib/centrifugo.ts';
import type { ServerProcess } from '../lib/server-process.ts';

/** Starts Centrifugo with its Kafka consumer on a topic. */
export function startKafkaCentrifugo(bootstrap: string, topic: string): Promise<ServerProcess> {
  return startCentrifugo({
    consumers: [
      {
        enabled: true,
        name: 'bench',
        type: 'kafka',
        kafka: {
          brokers: bootstrap.split(','),
          topics: [topic],
          consumer_group: `bench-${randomUUID()}`,
          publication_data_mode: { enabled: true },
        },
      },
    ],
  });
}
