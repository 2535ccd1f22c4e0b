import type { Accept } from '@esdb-gater/broker-kafka';
import type { SignatureGate } from '@esdb-gater/channels';
import { type ChannelName, GaterError } from '@esdb-gater/types';

/**
 * Judges records out of Kafka, which anybody may have written: on a channel that requires signatures MAC and binding
 * must verify, and the age at the record's own Kafka time. Nonces are not asked again. What is refused becomes a dead
 * letter with the code, and the reason where there is one.
 */
export function acceptSigned(signed: ReadonlySet<ChannelName>, signatures: SignatureGate): Accept {
  return (channel, { topic, message }, { kafkaTimeMs }) => {
    if (!signed.has(channel)) return true;
    try {
      signatures.check(channel, topic, message, kafkaTimeMs);
      return true;
    } catch (error) {
      const { code, details } = GaterError.from(error);
      const reason = details['reason'];
      return typeof reason === 'string' ? `${code}: ${reason}` : code;
    }
  };
}
