import type { Accept } from '@esdb-gater/broker-kafka';
import type { SignatureGate } from '@esdb-gater/channels';
import { hasKeptNumber } from '@esdb-gater/primitives';
import { type ChannelName, GaterError } from '@esdb-gater/types';

/**
 * Creates the check of records from Kafka, which any client may have written. On a channel that requires signatures,
 * MAC and binding must verify, and the age at the record's own Kafka time. Nonces are not checked again. A refused
 * record becomes a dead letter with the code, and the reason if there is one.
 */
export function acceptSigned(signed: ReadonlySet<ChannelName>, signatures: SignatureGate): Accept {
  return (channel, { topic, message }, { kafkaTimeMs }) => {
    if (!signed.has(channel)) return true;
    // A signature covers numbers as doubles, so a number that is kept as it was written is not covered.
    if (hasKeptNumber(message)) return 'invalid_signature: number';
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
