// The man pages: pktcost(1), and one for each command. In man(7), which every man reads.
import { exitCodes } from '../build/src/commands/arguments.js';
import { commands, help, version } from './command-line.mjs';

/** @typedef {import('./command-line.mjs').CommandLine} CommandLine */
/** @typedef {import('./command-line.mjs').Flag} Flag */

/** @type {Record<keyof typeof exitCodes, string>} */
const meanings = {
  clean: 'Nothing was found.',
  internal: 'An internal error, or an output that could not be written.',
  usage: 'Bad usage or bad input.',
  critical: 'Something critical was found.',
  warning: 'Warnings only.',
  unjudged:
    'It could not look: no check could be made, or none of the device or namespace that was asked for; of a fleet, a host is down; in a comparison, what fired before could not be judged again. With \\fB\\-\\-fail\\-on not\\-measured\\fR: when any check could not be made.',
};

/** A text as roff takes it: a hyphen that is to be copied, a backslash, and no line that looks like a request. */
const text = (/** @type {string} */ words) =>
  words
    .replaceAll('\\', '\\e')
    .replaceAll(/(?<![\w])--?(?=[a-z])/g, (dashes) => dashes.replaceAll('-', '\\-'))
    .replaceAll(/^([.'])/gm, '\\&$1');
/** A text to be typed as it stands. */
const typed = (/** @type {string} */ words) =>
  words.replaceAll('\\', '\\e').replaceAll('-', '\\-').replaceAll("'", '\\(aq');
const bold = (/** @type {string} */ words) => `\\fB${typed(words)}\\fR`;
const italic = (/** @type {string} */ words) => `\\fI${typed(words)}\\fR`;

const pageOf = (/** @type {string[]} */ words) => ['pktcost', ...words].join('-');
const seeAlso = (/** @type {string[][]} */ pages) =>
  pages.map((words, index) => `.BR ${typed(pageOf(words))} (1)${index < pages.length - 1 ? ',' : ''}`);

const lowered = (/** @type {string} */ words) => `${words.charAt(0).toLowerCase()}${words.slice(1)}`;

/** What is to be typed stands on one line, between these. */
const [TYPED, FILLED] = ['.nf', '.fi'];

/** Source lines are short, as those of others are; man fills them again. @param {string} line @param {number} at @param {string[]} all */
function broken(line, at, all) {
  const before = all.slice(0, at);
  if (line.length <= 78 || line.startsWith('.') || before.lastIndexOf(TYPED) > before.lastIndexOf(FILLED))
    return [line];
  const lines = [''];
  for (const word of line.split(/(?<!\\) /)) {
    const joined = `${lines.at(-1)} ${word}`.trimStart();
    if (joined.length <= 78) lines[lines.length - 1] = joined;
    else lines.push(word.replace(/^[.']/, '\\&$&'));
  }
  return lines;
}

/** @param {string[]} words @param {string} summary @param {string[]} lines */
function page(words, summary, lines) {
  return `${[
    '.\\" Generated from the commands by scripts/man.mjs: npm run docs',
    `.TH ${typed(pageOf(words)).toUpperCase()} 1 "" "pktcost ${typed(version)}" "pktcost"`,
    // No hyphenation and no stretched lines: names are to be found again.
    '.nh',
    '.ad l',
    '.SH NAME',
    `${typed(pageOf(words))} \\- ${text(lowered(summary.replace(/\.$/, '')))}`,
    ...lines,
  ]
    .flatMap(broken)
    .join('\n')}\n`;
}

/** @param {Flag} flag */
function synopsisOf({ name, char, boolean, value, multiple, required }) {
  const short = char === undefined ? bold(`--${name}`) : bold(`-${char}`);
  const whole = boolean ? short : `${short}\\ ${italic(value)}`;
  return required ? whole : `[${whole}]${multiple ? '...' : ''}`;
}

/** @param {Flag} flag */
function flagLines({ name, char, description, boolean, value, options, default: byDefault, multiple, required }) {
  const names = [...(char === undefined ? [] : [bold(`-${char}`)]), bold(`--${name}`)];
  const named = names
    .map((each, index) => (boolean || index < names.length - 1 ? each : `${each}=${italic(value)}`))
    .join(', ');
  const said = `${description.charAt(0).toUpperCase()}${description.slice(1)}.`;
  const facts = [
    ...(required ? ['It must be given.'] : []),
    ...(options.length > 0 && value !== options.join('|') ? [`One of: ${options.join(', ')}.`] : []),
    ...(multiple && !/repeat/.test(description) ? ['It may be given more than once.'] : []),
    ...(byDefault === undefined ? [] : [`Default: ${byDefault}.`]),
  ];
  return ['.TP', named, text([said, ...facts].join(' '))];
}

/** @param {CommandLine} command */
function commandPage({ words, summary, description, arguments: args, flags, examples }) {
  const groups = [...new Set(flags.map(({ group }) => group))];
  const below = commands.filter(
    (each) => each.words.length > words.length && words.every((word, at) => each.words[at] === word),
  );
  return page(words, summary, [
    '.SH SYNOPSIS',
    `.B ${typed(['pktcost', ...words].join(' '))}`,
    ...args.map(({ name, required }) => (required ? italic(name) : `[${italic(name)}]`)),
    ...flags.map(synopsisOf),
    ...(description === '' ? [] : ['.SH DESCRIPTION', text(description)]),
    ...(args.length === 0 ? [] : ['.SH ARGUMENTS']),
    ...args.flatMap((each) => ['.TP', italic(each.name), text(`${each.description}.`)]),
    '.SH OPTIONS',
    ...groups.flatMap((group) => [
      ...(group === '' ? [] : [`.SS ${text(group.charAt(0) + group.slice(1).toLowerCase())}`]),
      ...flags.filter((each) => each.group === group).flatMap(flagLines),
    ]),
    '.PP',
    'Each can be given by the environment, too: see',
    '.BR pktcost (1).',
    ...(examples.length === 0 ? [] : ['.SH EXAMPLES', TYPED]),
    ...examples.map((each) => typed(each.replace(/^\$ /, ''))),
    ...(examples.length === 0 ? [] : [FILLED]),
    '.SH SEE ALSO',
    ...seeAlso([[], ...below.map((each) => each.words)]),
  ]);
}

function mainPage() {
  return page([], "is this host's kernel cost per packet high, why, and what to type", [
    '.SH SYNOPSIS',
    `.B pktcost`,
    italic('COMMAND'),
    '[' + italic('FLAG') + ']...',
    '.SH DESCRIPTION',
    text(
      'A one-shot diagnostic. It samples every counter that matters twice, a window apart, measures packet times with a small eBPF probe in between, and says what is lost or what packets cost, why, which process it is, what to type, how to check it and how to take it back. It changes nothing on the host.',
    ),
    '.PP',
    'Run it as root:',
    '.B sudo pktcost diagnose',
    '.SH COMMANDS',
    ...commands.flatMap(({ words, summary }) => ['.TP', `.BR ${typed(pageOf(words))} (1)`, text(summary)]),
    '.SH OPTIONS',
    ...flagLines(help),
    ...flagLines({ ...help, name: 'version', char: 'V', description: 'the version' }),
    '.SH EXIT STATUS',
    ...Object.entries(exitCodes).flatMap(([name, code]) => [
      '.TP',
      bold(String(code)),
      meanings[/** @type {keyof typeof exitCodes} */ (name)],
    ]),
    '.PP',
    text(
      'SIGINT, SIGTERM, SIGHUP and SIGQUIT end the window: what was measured until then is reported and marked as cut short, and the exit status is 3, 4, or 128 and the number of the signal, never 0. A second one ends pktcost at once.',
    ),
    '.SH ENVIRONMENT',
    '.TP',
    bold('PKTCOST_*'),
    text(
      'Each flag by its name, such as PKTCOST_WINDOW=10s, PKTCOST_FAIL_ON=critical, PKTCOST_JSON=1. The command line goes before it.',
    ),
    '.TP',
    `${bold('NO_COLOR')}, ${bold('FORCE_COLOR')}`,
    'No colours on a terminal, or colours wherever it writes to.',
    '.TP',
    bold('COLUMNS'),
    'The width of text where there is no terminal to ask; 80 if not given.',
    '.SH FILES',
    '.TP',
    `${italic('$XDG_CONFIG_HOME/pktcost/config.json')}, ${italic('/etc/pktcost/config.json')}`,
    text(
      'Limits of your own, the first that is there, where --config names no file: {"thresholds": {"PKT0201": {"usage": 0.9}}}.',
    ),
    '.SH SEE ALSO',
    ...seeAlso(commands.map(({ words }) => words)),
  ]);
}

/** Each page by the path it has in the repository. */
export function manPages() {
  return Object.fromEntries([
    ['docs/man/pktcost.1', mainPage()],
    ...commands.map((command) => [`docs/man/${pageOf(command.words)}.1`, commandPage(command)]),
  ]);
}
