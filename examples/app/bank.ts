// A bank: a transfer withdraws from one account and deposits to another, by a process manager that may be killed between any two steps.
import { commandHandler, type EventOf, type Reactor, reactor } from '@esdb-gater/app';
import type { Gater } from '@esdb-gater/client';

interface Transfer {
  readonly transfer: string;
  readonly from: string;
  readonly to: string;
  readonly cents: number;
}

export type BankEvent = EventOf<{
  account_opened: { readonly account: string };
  deposited: { readonly account: string; readonly cents: number };
  withdrawn: { readonly account: string; readonly cents: number };
  transfer_requested: Transfer;
  transfer_completed: { readonly transfer: string };
  transfer_refused: { readonly transfer: string; readonly reason: string };
}>;

export type AccountCommand = { readonly account: string } & (
  | { readonly kind: 'open' }
  | { readonly kind: 'deposit' | 'withdraw'; readonly cents: number }
);

/** A rule of the bank that a command breaks. */
export class Refused extends Error {}

export function accounts(gater: Gater<BankEvent>) {
  return commandHandler({
    gater,
    streamId: ({ account }: AccountCommand) => `account-${account}`,
    initialState: { isOpen: false, cents: 0 },
    evolve(state, { type, data }) {
      if (type === 'account_opened') return { ...state, isOpen: true };
      if (type === 'deposited') return { ...state, cents: state.cents + data.cents };
      if (type === 'withdrawn') return { ...state, cents: state.cents - data.cents };
      return state;
    },
    decide(command, { isOpen, cents }) {
      const { account } = command;
      if (command.kind === 'open') return isOpen ? [] : { type: 'account_opened', data: { account } };
      if (!isOpen) throw new Refused(`there is no account ${account}`);
      const data = { account, cents: command.cents };
      if (command.kind === 'deposit') return { type: 'deposited', data };
      if (cents < command.cents) throw new Refused(`account ${account} has only ${cents}`);
      return { type: 'withdrawn', data };
    },
    snapshot: { name: 'balance', every: 100 },
  });
}

export type TransferCommand =
  | ({ readonly kind: 'request' } & Transfer)
  | { readonly kind: 'complete'; readonly transfer: string }
  | { readonly kind: 'refuse'; readonly transfer: string; readonly reason: string };

export function transfers(gater: Gater<BankEvent>) {
  return commandHandler({
    gater,
    streamId: ({ transfer }: TransferCommand) => `transfer-${transfer}`,
    initialState: 'new',
    evolve: (_, { type }): string => (type === 'transfer_requested' ? 'requested' : 'ended'),
    decide(command, state) {
      const { transfer } = command;
      if (command.kind === 'request') {
        if (state !== 'new') throw new Refused(`transfer ${transfer} exists already`);
        if (command.cents <= 0) throw new Refused('the amount must be positive');
        const { from, to, cents } = command;
        return { type: 'transfer_requested', data: { transfer, from, to, cents } };
      }
      if (state !== 'requested') return [];
      if (command.kind === 'complete') return { type: 'transfer_completed', data: { transfer } };
      return { type: 'transfer_refused', data: { transfer, reason: command.reason } };
    },
  });
}

/**
 * Carries out the transfers that were requested. After a kill the reaction runs again from its beginning: the steps that were done have the
 * same command ids, and do nothing. `onStep` is for the test, which kills the process there.
 */
export function transferAgent(gater: Gater<BankEvent>, onStep: (step: string) => void = () => {}): Reactor {
  const account = accounts(gater);
  const transfer = transfers(gater);
  return reactor({
    gater,
    name: 'transfer-agent',
    on: ['transfer_requested'],
    async react({ data }, effects) {
      const { transfer: id, from, to, cents } = data;
      const withdrawn = await attempt(() =>
        effects.handle(account, { kind: 'withdraw', account: from, cents }),
      );
      onStep('withdrawn');
      if (withdrawn !== undefined) {
        await effects.handle(transfer, { kind: 'refuse', transfer: id, reason: withdrawn });
        return;
      }
      const deposited = await attempt(() => effects.handle(account, { kind: 'deposit', account: to, cents }));
      onStep('deposited');
      if (deposited === undefined) {
        await effects.handle(transfer, { kind: 'complete', transfer: id });
      } else {
        // The money goes back to where it came from.
        await effects.handle(account, { kind: 'deposit', account: from, cents });
        onStep('returned');
        await effects.handle(transfer, { kind: 'refuse', transfer: id, reason: deposited });
      }
      onStep('ended');
    },
  });
}

/** Returns why the bank refused, or undefined when it did not. Other errors are for the reactor, which tries again. */
async function attempt(run: () => Promise<unknown>): Promise<string | undefined> {
  try {
    await run();
    return undefined;
  } catch (error) {
    if (error instanceof Refused) return error.message;
    throw error;
  }
}
