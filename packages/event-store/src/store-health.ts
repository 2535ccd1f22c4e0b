/** The health of a store. With a full disk it can still read, for example. */
export interface StoreHealth {
  readonly status: 'healthy' | 'degraded' | 'unhealthy';
  /** The reason; present when not healthy. */
  readonly message?: string;
}
