import type { Command } from 'commander';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

/** What can follow the words of a command. */
interface Place {
  /** The words so far, such as `subscription list`; empty for the program itself. */
  readonly words: string;
  readonly commands: readonly Word[];
  readonly options: readonly Word[];
}

interface Word {
  readonly text: string;
  readonly description: string;
}

/** Returns the script that completes the commands and options of a program. It is made from the table of its commands. */
export function completionScript(program: Command, shell: Shell): string {
  const places = placesOf(program, '');
  const name = program.name();
  if (shell === 'bash') return bash(name, places);
  return shell === 'zsh' ? zsh(name, places) : fish(name, places);
}

function placesOf(command: Command, words: string): readonly Place[] {
  const own: Place = {
    words,
    commands: command.commands.map((one) => ({ text: one.name(), description: one.description() })),
    options: [
      ...command.options
        .filter(({ long, hidden }) => long !== undefined && !hidden)
        .map((option) => ({ text: option.long ?? '', description: option.description })),
      { text: '--help', description: 'display help for command' },
    ],
  };
  return [own, ...command.commands.flatMap((one) => placesOf(one, `${words} ${one.name()}`.trim()))];
}

const textsOf = (words: readonly Word[]): string => words.map(({ text }) => text).join(' ');

/** Writes text within single quotes, as POSIX shells read it. */
const quoted = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`;

/** The first clause of a description, as a menu has little room. */
const short = ({ description }: Word): string => (description.split(/[;(]/, 1)[0] ?? '').trim();

/** Walks over the words before the cursor and keeps those that name a command; both shells read this. */
const walk = (places: readonly Place[], list: string, last: string): string => `  local at="" word
  for word in ${list}; do
    [[ "$word" == -* ]] && continue
    case "\${at:+$at }$word" in
      ${places
        .filter(({ words }) => words !== '')
        .map(({ words }) => quoted(words))
        .join('|')}) at="\${at:+$at }$word" ;;
    esac
  done
  local current="${last}"`;

function bash(name: string, places: readonly Place[]): string {
  const cases = places.map(
    ({ words, commands, options }) =>
      `    ${quoted(words)}) commands=${quoted(textsOf(commands))} options=${quoted(textsOf(options))} ;;`,
  );
  return `# Completion of ${name} for bash: source <(${name} completion bash)
_${id(name)}() {
${walk(places, `"\${COMP_WORDS[@]:1:COMP_CWORD-1}"`, `\${COMP_WORDS[COMP_CWORD]}`)}
  local commands options
  case "$at" in
${cases.join('\n')}
  esac
  COMPREPLY=()
  if [[ "$current" == -* ]]; then
    COMPREPLY=($(compgen -W "$options" -- "$current"))
  elif [[ -n "$commands" ]]; then
    COMPREPLY=($(compgen -W "$commands" -- "$current"))
  else
    COMPREPLY=($(compgen -f -- "$current"))
  fi
}
complete -o filenames -F _${id(name)} ${name}
`;
}

function zsh(name: string, places: readonly Place[]): string {
  const described = (words: readonly Word[]): string =>
    words.map((word) => quoted(`${word.text.replaceAll(':', '\\:')}:${short(word)}`)).join(' ');
  const cases = places.map(
    ({ words, commands, options }) =>
      `    ${quoted(words)}) commands=(${described(commands)}) options=(${described(options)}) ;;`,
  );
  return `#compdef ${name}
# Completion of ${name} for zsh: source <(${name} completion zsh)
_${id(name)}() {
${walk(places, `"\${(@)words[2,CURRENT-1]}"`, `\${words[CURRENT]}`)}
  local -a commands options
  case "$at" in
${cases.join('\n')}
  esac
  if [[ "$current" == -* ]]; then
    _describe -o option options
  elif (( \${#commands} )); then
    _describe command commands
  else
    _files
  fi
}
compdef _${id(name)} ${name}
`;
}

function fish(name: string, places: readonly Place[]): string {
  const function_ = `__${id(name)}_at`;
  const lines = places.flatMap(({ words, commands, options }) => {
    // The words of commands need no quotes of their own.
    const condition = `-n '${function_} "${words}"'`;
    return [
      ...commands.map(
        (one) =>
          `complete -c ${name} ${condition} -f -a ${fishQuoted(one.text)} -d ${fishQuoted(short(one))}`,
      ),
      ...options.map(
        (one) =>
          `complete -c ${name} ${condition} -l ${fishQuoted(one.text.slice(2))} -d ${fishQuoted(short(one))}`,
      ),
    ];
  });
  const known = places.filter(({ words }) => words !== '').map(({ words }) => fishQuoted(words));
  return `# Completion of ${name} for fish: ${name} completion fish | source
function ${function_}
  set -l known ${known.join(' ')}
  set -l at ''
  for word in (commandline -opc)[2..-1]
    string match -q -- '-*' $word; and continue
    set -l next (string trim -- "$at $word")
    contains -- $next $known; and set at $next
  end
  test "$at" = "$argv[1]"
end
${lines.join('\n')}
`;
}

function fishQuoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}

function id(name: string): string {
  return name.replaceAll('-', '_');
}
