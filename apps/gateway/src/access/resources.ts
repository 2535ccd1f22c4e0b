import type { Target } from '@esdb-gater/protocol';
import { resourceName } from '@esdb-gater/security';

/** The `esdb://` name of what an action is done to. For a pattern it is its literal beginning with `*`. */
export function resourceOf(realm: string, target: Target): string {
  switch (target.kind) {
    case 'stream':
      return resourceName.stream(realm, target.storeId, target.streamId);
    case 'store':
      return resourceName.allStreams(realm, target.storeId);
    case 'snapshot':
      return resourceName.snapshot(realm, target.storeId, target.streamUuid);
    case 'subscription':
      return resourceName.subscription(realm, target.storeId, target.name);
    case 'subscriptions':
      return `${resourceName.subscription(realm, target.storeId, 'x').slice(0, -1)}*`;
    case 'channel':
      return resourceName.channelPattern(realm, target.channel, target.topic);
    case 'worker':
      return resourceName.worker(realm, target.storeId);
  }
}

/** What the names of all topics of a channel begin with. */
export function channelPrefix(realm: string, channel: string): string {
  return resourceName.channelPattern(realm, channel, '>').slice(0, -1);
}
