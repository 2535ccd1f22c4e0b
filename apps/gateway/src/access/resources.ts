import type { Target } from '@esdb-gater/protocol';
import { resourceName } from '@esdb-gater/security';

/** Returns the `esdb://` name of the target of an action. For a pattern it is its literal beginning with `*`. */
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

/** Returns the common beginning of the names of all topics of a channel. */
export function channelPrefix(realm: string, channel: string): string {
  return resourceName.channelPattern(realm, channel, '>').slice(0, -1);
}
