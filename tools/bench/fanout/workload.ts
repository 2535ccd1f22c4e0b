/** What one round of the fan-out bench does. */
export interface Workload {
  readonly subscribers: number;
  /** Subscriber n listens to topic n modulo this; messages take the topics in turn. */
  readonly topics: number;
  /** Publishes that wait for their answers at a time. */
  readonly inFlight?: number;
  /** Instead of `inFlight`: publishes a second, whether answered or not. */
  readonly perSecond?: number;
  readonly messages: number;
}
