import { invalidOption } from '@esdb-gater/primitives';

/** Where the id of a command comes from. */
export interface CommandIdRule<Command> {
  /** Returns the id of a command; undefined for a command that has none. @default its member `commandId` */
  readonly commandId?: (command: Command) => string | undefined;
}

/**
 * Returns the id of a command: the one of the call, else that of the rule, else the member `commandId` of the command.
 *
 * @throws `invalid_argument` (reason `commandId`) for an id that is not a text of 1 to 1 024 UTF-16 units
 */
export function commandIdOf<Command>(
  rule: CommandIdRule<Command>,
  command: Command,
  given: string | undefined,
): string | undefined {
  const id: unknown = given ?? (rule.commandId ?? memberOf)(command);
  if (id === undefined) return undefined;
  if (typeof id === 'string' && id.length > 0 && id.length <= 1_024) return id;
  throw invalidOption('commandId', id, 'a string of 1 to 1024 UTF-16 units');
}

function memberOf(command: unknown): string | undefined {
  if (typeof command !== 'object' || command === null) return undefined;
  return (command as { readonly commandId?: string }).commandId;
}
