import {
  factsOf,
  type MethodName,
  type ParamsOf,
  type Requirement,
  requirementsOf,
} from '@esdb-gater/protocol';
import { type ChannelInfo, type ChannelName, GaterError, isChannelName } from '@esdb-gater/types';
import type { CapabilityMode, GatewayConfig } from '../config/types.ts';
import type { Call } from './caller.ts';
import type { VerifiedGrant } from './grants.ts';
import type { NameRange } from './name-ranges.ts';

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
   * forbidden look the same. A list is refused to whom no grant lets see anything of it: else an empty one would tell
   * that what it is a list of exists.
   *
   * @throws `unauthorized`, reason `insufficient_permissions` and others of the token
   */
  authorize<M extends MethodName>(method: M, params: ParamsOf<M>, call: Call): void;
  /** Whether one item of a list is the caller's to see. */
  isVisible(requirement: Requirement, call: Call): boolean;
  /** Where in a list that the requirement speaks of anything is that the caller may see. */
  visibleRanges(requirement: Requirement, call: Call): readonly NameRange[];
  /** The channels of which some grant of the caller speaks. */
  visibleChannels(channels: readonly ChannelInfo[], call: Call): readonly ChannelInfo[];
}

const ALL_NAMES: readonly NameRange[] = [{ text: '', open: true }];

export function createAuthorizer(config: Pick<GatewayConfig, 'channels' | 'security'>): Authorizer {
  const mode = config.security.capabilities;
  const modeOf = (name: ChannelName): CapabilityMode => config.channels[name].capabilities ?? mode;

  /** The mode that a call falls under: its channel's, where it names one. */
  function modeFor(params: unknown): CapabilityMode {
    const channel =
      typeof params === 'object' && params !== null && 'channel' in params ? params.channel : undefined;
    return isChannelName(channel) ? modeOf(channel) : mode;
  }

  function grantFor(params: unknown, call: Call): VerifiedGrant | undefined {
    return modeFor(params) === 'disabled' ? undefined : call.grant;
  }

  return {
    mode,
    demandToken(method, params, call) {
      if (call.grant !== undefined) return;
      const needs = factsOf(method)?.token;
      if (needs === 'never') return;
      const required =
        modeFor(params) === 'required' ||
        (needs === 'beyond-loopback' && mode === 'optional' && !call.caller.loopback);
      if (required) throw capabilityRequired();
    },
    authorize(method, params, call) {
      const grant = grantFor(params, call);
      if (grant === undefined) return;
      for (const requirement of requirementsOf(method, params)) {
        if (requirement.filtered !== true || grant.below(requirement).length === 0) grant.demand(requirement);
      }
    },
    isVisible(requirement, { grant }) {
      return grant === undefined || mode === 'disabled' || grant.allows(requirement);
    },
    visibleRanges(requirement, { grant }) {
      return grant === undefined || mode === 'disabled' ? ALL_NAMES : grant.below(requirement);
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
