/** How a store is, beyond answering at all: a full disk still lets it read. */
export interface StoreHealth {
  readonly status: 'healthy' | 'degraded' | 'unhealthy';
  /** In words, when not healthy. */
  readonly message?: string;
}
