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

/** Decides whether a call may be made, for WebSocket, HTTP and server-sent events alike. */
export interface Authorizer {
  /** `security.capabilities`. */
  readonly mode: CapabilityMode;
  /**
   * Checks, before the parameters are validated, that a call has a token where it needs one.
   *
   * @throws `unauthorized`, reason `capability_required`, when this call needs a token and does not have one
   */
  demandToken(method: string, params: unknown, call: Call): void;
  /**
   * Checks the grants once the parameters are valid and before anything is looked up, so that missing and forbidden
   * look the same. A caller who may not see anything of a list gets an error: an empty list would reveal that the
   * store exists.
   *
   * @throws `unauthorized`, reason `insufficient_permissions` and others of the token
   */
  authorize<M extends MethodName>(method: M, params: ParamsOf<M>, call: Call): void;
  /** Returns whether the caller may see one item of a list. */
  isVisible(requirement: Requirement, call: Call): boolean;
  /** Returns where in a list there may be items that the caller may see; `isVisible` decides about each. */
  visibleRanges(requirement: Requirement, call: Call): readonly NameRange[];
  /** Returns true when some grant of the caller is about the store: its workers, its streams. */
  seesStore(storeId: string, call: Call): boolean;
  /** Returns the channels that some grant of the caller names. */
  visibleChannels(channels: readonly ChannelInfo[], call: Call): readonly ChannelInfo[];
}

/** A grant of one of these on anything of a store shows the store. */
const STORE_ACTIONS = ['stream/read', 'stream/append', 'stream/delete'] as const;

const ALL_NAMES: readonly NameRange[] = [{ text: '', open: true }];

export function createAuthorizer(config: Pick<GatewayConfig, 'channels' | 'security'>): Authorizer {
  const mode = config.security.capabilities;
  const modeOf = (name: ChannelName): CapabilityMode => config.channels[name].capabilities ?? mode;

  /** Returns the mode of a call: that of its channel, if it names one. */
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
    seesStore(storeId, { grant }) {
      if (grant === undefined || mode === 'disabled') return true;
      const store = { kind: 'store', storeId } as const;
      return (
        grant.allows({ action: 'worker/register', target: { kind: 'worker', storeId } }) ||
        STORE_ACTIONS.some((action) => grant.below({ action, target: store }).length > 0)
      );
    },
    visibleChannels(channels, call) {
      const { grant } = call;
      if (grant === undefined) return channels;
      return channels.filter(({ name }) => modeOf(name) === 'disabled' || grant.reachesChannel(name));
    },
  };
}

/** Makes the error of a call that needs a token and does not have one. */
function capabilityRequired(): GaterError {
  return new GaterError('unauthorized', 'a capability token is required: authenticate first', {
    details: { reason: 'capability_required' },
  });
}
