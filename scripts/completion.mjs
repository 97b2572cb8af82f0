// Completion for bash, zsh and fish, as files that an installation puts where the shells look. oclif's plugin for it writes a
// cache into the home of whoever runs it, starts pktcost at each shell, and knows neither fish nor the values of a flag.
import { commands, help } from './command-line.mjs';

/** @typedef {import('./command-line.mjs').CommandLine} CommandLine */
/** @typedef {import('./command-line.mjs').Flag} Flag */

const HEAD = '# Generated from the commands by scripts/completion.mjs: npm run docs';
const firstWords = [...new Set(commands.map(({ words }) => words[0] ?? ''))];
/** Commands below another, such as `rules explain`. */
const below = (/** @type {string} */ first) =>
  commands.flatMap(({ words: [word, second] }) => (word === first && second !== undefined ? [second] : []));

/** Codes are those of the command that is asked, devices and namespaces those of the moment. */
const CODES = 'pktcost rules --json 2>/dev/null | grep -ow "PKT0..." | sort -u';
const DEVICES = 'ls /sys/class/net 2>/dev/null';
const NAMESPACES = 'ls /run/netns 2>/dev/null';

/**
 * What can stand behind a flag.
 * @param {Flag} flag
 * @returns {{ words: readonly string[], from?: string, files?: 'all' | 'folders' }}
 */
function valuesOf({ name, options, value }) {
  if (options.length > 0) return { words: options };
  if (name === 'netns') return { words: ['all', 'none'], from: NAMESPACES };
  if (name === 'until') return { words: ['warning', 'critical'], from: CODES };
  if (value === 'DEVICE') return { words: [], from: DEVICES };
  if (value === 'FOLDER') return { words: [], files: 'folders' };
  if (value.startsWith('FILE')) return { words: [], files: 'all' };
  return { words: [] };
}

/** What an argument can be: the code of a rule, else a file. @param {CommandLine} command */
function argumentValues({ arguments: args }) {
  if (args.length === 0) return undefined;
  return args.some(({ name }) => name === 'CODE')
    ? { words: [], from: CODES }
    : { words: [], files: /** @type {const} */ ('all') };
}

const spellings = (/** @type {Flag} */ { name, char }) => [...(char === undefined ? [] : [`-${char}`]), `--${name}`];

function bash() {
  const reply = (/** @type {ReturnType<typeof valuesOf>} */ { words, from, files }) => {
    if (files !== undefined) return `_pktcost_files ${files === 'folders' ? '-d' : '-f'}`;
    const fixed = words.length === 0 ? '' : `_pktcost_words "${words.join(' ')}"`;
    const listed = from === undefined ? '' : `_pktcost_lines < <(${from})`;
    return [fixed, listed].filter((each) => each !== '').join('; ') || ':';
  };
  const cases = commands.flatMap((command) => {
    const key = command.words.join(' ');
    const valued = command.flags.filter(({ boolean }) => !boolean);
    const values = argumentValues(command);
    return [
      ...valued.map(
        (flag) =>
          `    ${spellings(flag)
            .map((each) => `'${key} ${each}'`)
            .join(' | ')}) ${reply(valuesOf(flag))} ;;`,
      ),
      `    '${key} ')`,
      '      case $cur in',
      `        -*) _pktcost_words "${[...command.flags, help].flatMap(({ name }) => [`--${name}`]).join(' ')}" ;;`,
      `        *) ${values === undefined ? (command.words.length === 1 && below(command.words[0] ?? '').length > 0 ? `_pktcost_words "${below(command.words[0] ?? '').join(' ')}"` : ':') : reply(values)} ;;`,
      '      esac',
      '      ;;',
    ];
  });
  const flagsWithValue = [
    ...new Set(commands.flatMap(({ flags }) => flags.filter(({ boolean }) => !boolean).flatMap(spellings))),
  ];
  const two = firstWords.filter((word) => below(word).length > 0);
  return [
    '# bash completion for pktcost',
    HEAD,
    '',
    '_pktcost_words() {',
    '  mapfile -t COMPREPLY < <(compgen -W "$1" -- "$cur")',
    '}',
    '',
    '# Names of the host are not for compgen -W, which expands what stands in them.',
    '_pktcost_lines() {',
    '  local line',
    '  while IFS= read -r line; do',
    '    [[ $line == "$cur"* ]] && COMPREPLY+=("$(printf %q "$line")")',
    '  done',
    '}',
    '',
    '_pktcost_files() {',
    '  compopt -o filenames 2>/dev/null',
    '  mapfile -t COMPREPLY < <(compgen "$1" -- "$cur")',
    '}',
    '',
    '_pktcost() {',
    '  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]} flag=',
    '  COMPREPLY=()',
    '  if ((COMP_CWORD == 1)); then',
    `    _pktcost_words "${[...firstWords, '--help', '--version'].join(' ')}"`,
    '    return',
    '  fi',
    `  case "$command ` + '${COMP_WORDS[2]}" in',
    `    ${two.flatMap((word) => below(word).map((each) => `'${word} ${each}'`)).join(' | ')}) ((COMP_CWORD > 2)) && command="$command \${COMP_WORDS[2]}" ;;`,
    '  esac',
    '  # Readline makes three words of --flag=value.',
    '  if [[ $cur == = ]]; then',
    '    flag=$prev cur=',
    '  elif [[ $prev == = ]]; then',
    '    flag=${COMP_WORDS[COMP_CWORD - 2]}',
    '  else',
    '    case $prev in',
    `      ${flagsWithValue.join(' | ')}) flag=$prev ;;`,
    '    esac',
    '  fi',
    '  case "$command $flag" in',
    ...cases,
    '  esac',
    '}',
    '',
    'complete -F _pktcost pktcost',
    '',
  ].join('\n');
}

function zsh() {
  const quoted = (/** @type {string} */ words) => words.replaceAll("'", "'\\''").replaceAll(/[[\]:]/g, '\\$&');
  const action = (/** @type {ReturnType<typeof valuesOf>} */ { words, from, files }) => {
    if (files !== undefined) return files === 'folders' ? '_files -/' : '_files';
    if (from === undefined) return words.length === 0 ? ' ' : `(${words.join(' ')})`;
    return `{compadd -- ${[...words, `$(${from})`].join(' ')}}`;
  };
  const spec = (/** @type {Flag} */ flag) => {
    const { char, name, description, boolean, multiple, value } = flag;
    const said = `[${quoted(description)}]`;
    const taken = boolean ? '' : `:${quoted(value)}:${action(valuesOf(flag))}`;
    const once = multiple ? "'*'" : `'(${spellings(flag).join(' ')})'`;
    const long = `--${name}${boolean ? '' : '='}`;
    if (char === undefined) return `'${multiple ? '*' : ''}${long}${said}${taken}'`;
    return `${once}{-${char}${boolean ? '' : '+'},${long}}'${said}${taken}'`;
  };
  const described = (/** @type {CommandLine[]} */ list, /** @type {number} */ at) =>
    list.map(({ words, summary }) => `    '${words[at]}:${quoted(summary)}'`);
  const caseOf = (/** @type {CommandLine} */ command) => {
    const { words, flags, arguments: args } = command;
    const values = argumentValues(command);
    const positions = args.map(
      ({ name, required }, index) => `'${index + 1}:${required ? '' : ':'}${name}:${action(values ?? { words: [] })}'`,
    );
    const next = words.length === 1 ? below(words[0] ?? '') : [];
    return [
      `    ${words.length > 1 ? `'${words.join(' ')}'` : words[0]})`,
      '      _arguments -s -S \\',
      ...[...flags, help].map((flag) => `        ${spec(flag)} \\`),
      ...positions.map((each) => `        ${each} \\`),
      ...(next.length === 0 ? [] : [`        '1::COMMAND:(${next.join(' ')})' \\`]),
      '        && return 0',
      '      ;;',
    ];
  };
  const two = firstWords.filter((word) => below(word).length > 0);
  return [
    '#compdef pktcost',
    HEAD,
    '',
    '_pktcost() {',
    '  local curcontext=$curcontext context state state_descr line',
    '  typeset -A opt_args',
    '  local -a commands',
    '  commands=(',
    ...described(
      commands.filter(({ words }) => words.length === 1),
      0,
    ),
    '  )',
    '  _arguments -C \\',
    "    '(- *)'{-h,--help}'[what the command does, and its flags]' \\",
    "    '(- *)'{-V,--version}'[the version]' \\",
    "    '1:COMMAND:->command' \\",
    "    '*:: :->rest' && return 0",
    '  if [[ $state == command ]]; then',
    '    _describe -t commands command commands',
    '    return',
    '  fi',
    '  local command=$words[1]',
    ...two.flatMap((word) => [
      `  if [[ $command == ${word} && $words[2] == (${below(word).join('|')}) && CURRENT -gt 2 ]]; then`,
      '    command="$command $words[2]"',
      '    shift words',
      '    ((CURRENT--))',
      '  fi',
    ]),
    '  case $command in',
    ...commands.flatMap(caseOf),
    '  esac',
    '  return 1',
    '}',
    '',
    '_pktcost "$@"',
    '',
  ].join('\n');
}

function fish() {
  const quoted = (/** @type {string} */ words) => `'${words.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
  const listOf = (/** @type {ReturnType<typeof valuesOf>} */ { words, from }) =>
    [...words, ...(from === undefined ? [] : [`(${from})`])].join(' ');
  const taking = (/** @type {ReturnType<typeof valuesOf>} */ { words, from, files }) => {
    if (files === 'folders') return " -r -f -a '(__fish_complete_directories)'";
    if (files === 'all') return ' -r -F';
    const list = listOf({ words, from });
    return list === '' ? ' -x' : ` -x -a ${quoted(list)}`;
  };
  const when = (/** @type {CommandLine} */ { words: [first = '', second] }) => {
    const next = below(first);
    if (second !== undefined) return `__fish_seen_subcommand_from ${first}; and __fish_seen_subcommand_from ${second}`;
    const not = next.length === 0 ? '' : `; and not __fish_seen_subcommand_from ${next.join(' ')}`;
    return `__fish_seen_subcommand_from ${first}${not}`;
  };
  return [
    '# fish completion for pktcost',
    HEAD,
    '',
    'complete -c pktcost -f',
    "complete -c pktcost -n __fish_use_subcommand -s h -l help -d 'what the command does, and its flags'",
    "complete -c pktcost -n __fish_use_subcommand -s V -l version -d 'the version'",
    ...commands
      .filter(({ words }) => words.length === 1)
      .map(({ words, summary }) => `complete -c pktcost -n __fish_use_subcommand -a ${words[0]} -d ${quoted(summary)}`),
    ...commands.flatMap((command) => {
      const condition = quoted(when(command));
      const front = `complete -c pktcost -n ${condition}`;
      const next = command.words.length === 1 ? below(command.words[0] ?? '') : [];
      const values = argumentValues(command);
      return [
        '',
        ...(next.length === 0 ? [] : [`${front} -a ${quoted(next.join(' '))}`]),
        ...(values === undefined
          ? []
          : [`${front}${values.files === 'all' ? ' -F' : ` -a ${quoted(listOf(values))}`}`]),
        ...[...command.flags, help].map(
          (flag) =>
            `${front}${flag.char === undefined ? '' : ` -s ${flag.char}`} -l ${flag.name}${flag.boolean ? '' : taking(valuesOf(flag))} -d ${quoted(flag.description)}`,
        ),
      ];
    }),
    '',
  ].join('\n');
}

/** Each file by the path it has in the repository. */
export function completions() {
  return {
    'contrib/completion/pktcost.bash': bash(),
    'contrib/completion/_pktcost': zsh(),
    'contrib/completion/pktcost.fish': fish(),
  };
}
