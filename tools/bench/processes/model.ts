/** Microseconds of CPU for each message that is published, by the number of subscribers. */
export interface FanOutCosts {
  /** One process: what a message costs whoever gets it, and each delivery. */
  readonly messageMicros: number;
  readonly deliveryMicros: number;
  /** What a message costs the first process more for each other process, and what it costs that one besides its deliveries. */
  readonly sendMicros: number;
  readonly takeMicros: number;
}

/** Microseconds of CPU for each append. */
export interface AppendCosts {
  /** In one process, socket to disk. */
  readonly aloneMicros: number;
  /** In the first of two processes, for all appends. */
  readonly firstMicros: number;
}

/** Messages a second that the slowest process carries, when each has a core: N = processes, S = subscribers of each message. */
export function messagesPerSecond(costs: FanOutCosts, processes: number, subscribers: number): number {
  const { messageMicros, deliveryMicros, sendMicros, takeMicros } = costs;
  const deliveries = (deliveryMicros * subscribers) / processes;
  const first = messageMicros + (processes - 1) * sendMicros + deliveries;
  const others = processes === 1 ? 0 : takeMicros + deliveries;
  return 1e6 / Math.max(first, others);
}

/**
 * Appends a second, when each process has a core and the threads of the store another one: the first process carries the
 * appends of all, those of the other processes without the work of the clients' sockets.
 */
export function appendsPerSecond({ aloneMicros, firstMicros }: AppendCosts, processes: number): number {
  // With two processes half of the appends come over the link.
  const linkMicros = Math.max(0, 2 * firstMicros - aloneMicros);
  return 1e6 / (aloneMicros / processes + (linkMicros * (processes - 1)) / processes);
}
