import { METHODS, type MethodName, type MethodSpec, type Requirement } from '@esdb-gater/protocol';
import { type ChannelInfo, type ChannelName, GaterError, isChannelName } from '@esdb-gater/types';
import type { Call } from '../calls/call.ts';
import type { CapabilityMode, GatewayConfig } from '../config/types.ts';
import type { VerifiedGrant } from './grants.ts';

/** Decides whether a call may be made. One decision for every door: WebSocket, HTTP, server-sent events. */
export interface Authorizer {
  /** `security.capabilities`. */
  readonly mode: CapabilityMode;
  /**
   * Asked before the parameters are looked at.
   *
   * @throws `unauthorized`, reason `capability_required`, when this call needs a token and has none
   */
  demandToken(method: string, params: unknown, call: Call): void;
  /**
   * Asked once the parameters are valid, and before anything is looked up by them: what is missing and what is
   * forbidden look the same.
   *
   * @throws `unauthorized`, reason `insufficient_permissions` and others of the token
   */
  authorize(method: MethodName, params: unknown, call: Call): void;
  /** What the caller may see of `items`, each judged by one requirement. */
  visible<T>(items: readonly T[], call: Call, requirement: (item: T) => Requirement): readonly T[];
  /** The channels of which some grant of the caller speaks. */
  visibleChannels(channels: readonly ChannelInfo[], call: Call): readonly ChannelInfo[];
}

/** What may be called without a token where one is required: it proves itself. */
const PROVES_ITSELF: ReadonlySet<string> = new Set(['authenticate', 'revokeToken']);

export function createAuthorizer(config: Pick<GatewayConfig, 'channels' | 'security'>): Authorizer {
  const mode = config.security.capabilities;
  const modeOf = (name: ChannelName): CapabilityMode => config.channels[name].capabilities ?? mode;

  /** The mode that a call falls under: its channel's, where it names one. */
  function modeFor(params: unknown): CapabilityMode {
    const channel =
      typeof params === 'object' && params !== null ? (params as { channel?: unknown }).channel : undefined;
    return isChannelName(channel) ? modeOf(channel) : mode;
  }

  function grantFor(params: unknown, call: Call): VerifiedGrant | undefined {
    return modeFor(params) === 'disabled' ? undefined : call.grant;
  }

  return {
    mode,
    demandToken(method, params, call) {
      if (call.grant !== undefined || PROVES_ITSELF.has(method)) return;
      const required =
        modeFor(params) === 'required' ||
        (method === 'registerWorker' && mode === 'optional' && !call.caller.loopback);
      if (required) throw capabilityRequired();
    },
    authorize(method, params, call) {
      const grant = grantFor(params, call);
      if (grant === undefined) return;
      const spec = METHODS[method] as unknown as MethodSpec<unknown, unknown>;
      for (const requirement of spec.requires(params)) {
        if (requirement.filtered !== true) grant.demand(requirement);
      }
    },
    visible(items, call, requirement) {
      const { grant } = call;
      if (grant === undefined || mode === 'disabled') return items;
      return items.filter((item) => grant.allows(requirement(item)));
    },
    visibleChannels(channels, call) {
      const { grant } = call;
      if (grant === undefined) return channels;
      return channels.filter(({ name }) => modeOf(name) === 'disabled' || grant.reachesChannel(name));
    },
  };
}

/** The error of a call that needs a token and has none. */
function capabilityRequired(): GaterError {
  return new GaterError('unauthorized', 'a capability token is required: authenticate first', {
    details: { reason: 'capability_required' },
  });
}
