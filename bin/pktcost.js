#!/usr/bin/env node
'use strict';
// CommonJS, and no more than what finds the bundle: Node's loader of ES modules alone costs a fifth of its start.
const { fstatSync, readFileSync, writeSync } = require('node:fs');
const Module = require('node:module');
const { dirname, join } = require('node:path');

// Node's own handler of SIGUSR1 opens a debugger to every user of the machine.
process.on('SIGUSR1', () => undefined);

// oclif asks for the home and the shell of the user; in a container there may be none of them, and nothing hangs on it.
process.env.HOME ??= '/nonexistent';
process.env.SHELL ??= '/bin/sh';

// No module.enableCompileCache() here: without a folder it trusts one in /tmp that any local user can make first, and root
// would run the code they left there. What V8 compiled ships beside the bundle, made with it, and is as trusted as it is.
const dist = join(__dirname, '..', 'dist');

/** The parts of pktcost that run commands; dist/index.cjs answers what is no command, or a question about one. */
const parts = {
  live: ['diagnose', 'doctor', 'fleet', 'metrics', 'record', 'taps', 'watch'],
  recorded: ['compare', 'replay'],
  rulebook: ['rules'],
};

/** @returns {string} the part to ask first */
function partOf([word = '']) {
  const [command] = word.split(':');
  return Object.keys(parts).find((part) => parts[part].includes(command)) ?? 'index';
}

/**
 * Made of one bundle by one V8, which refuses what another made but holds only the length against the source: that it was this
 * very bundle is said by the sum in its name, which the bundle begins with. Without it the bundle is compiled, which takes longer.
 */
function compiledCode(part, source) {
  const sum = /^\/\*([0-9a-f]{32})\*\//.exec(source)?.[1];
  try {
    return readFileSync(join(dist, 'code', `${part}-${sum}-${process.versions.v8}-${process.arch}.bin`));
  } catch {
    return undefined;
  }
}

function version() {
  const { name, version } = JSON.parse(readFileSync(join(__dirname, '..', 'package.json'), 'utf8'));
  return `${name}/${version} ${process.platform}-${process.arch} node-${process.version}`;
}

/** @returns {string | undefined} the command whose help is asked for, '' for pktcost itself */
function helpAsked([first, ...others]) {
  if (first === undefined) return '';
  const words = [first, ...others];
  if (first === 'help') return others.join(':');
  return ['--help', '-h'].includes(words.pop()) ? words.join(':') : undefined;
}

/** How wide a terminal is only the bundle knows, and whether it is to be told in colours. */
function helpLooksTheSame() {
  const { mode, rdev } = fstatSync(1);
  const terminal = (mode & 0o170000) === 0o020000 && rdev !== DEV_NULL;
  return !terminal && process.env.FORCE_COLOR === undefined && process.env.OCLIF_COLUMNS === undefined;
}
const DEV_NULL = 0x103;

/** @returns {string | undefined} what can be said without the bundle, as it would say it */
function sayable(words) {
  if (['--version', '-V', 'version'].includes(words[0])) return `${version()}\n`;
  const command = helpAsked(words);
  if (command === undefined || !helpLooksTheSame()) return undefined;
  const pages = JSON.parse(readFileSync(join(dist, 'help.json'), 'utf8'));
  return Object.hasOwn(pages, command) ? pages[command].replace('{version}', version) : undefined;
}

/**
 * In a few of the milliseconds. @returns {boolean} whether it was said: if stdout takes nothing, it is the bundle that knows what to say
 * of that
 */
function said() {
  try {
    const text = sayable(process.argv.slice(2));
    if (text === undefined) return false;
    const bytes = Buffer.from(text);
    // A disk that is nearly full takes a part; a pipe takes all of so little, or none.
    for (let at = 0; at < bytes.length; at += writeSync(1, bytes, at));
    return true;
  } catch {
    return false;
  }
}

function load(part) {
  const { Script } = require('node:vm');
  const filename = join(dist, `${part}.cjs`);
  const source = readFileSync(filename, 'latin1');
  const script = new Script(source, { filename, cachedData: compiledCode(part, source) });
  const bundle = new Module(filename, module);
  bundle.filename = filename;
  bundle.loaded = true;
  // oclif asks for its commands by the path of this file.
  require.cache[filename] = bundle;
  script.runInThisContext()(bundle.exports, require, bundle, filename, dirname(filename));
  return bundle.exports;
}

async function run(words) {
  const root = join(__dirname, '..');
  const part = helpAsked(words) === undefined ? partOf(words) : 'index';
  if (!(await load(part).default(words, root))) await load('index').default(words, root);
}

/** @param {unknown} error What the bundle itself cannot answer for, since it could not be loaded: there is no build. */
function refuse(error) {
  process.stderr.write(`pktcost: cannot be loaded: ${error instanceof Error ? error.message.split('\n')[0] : error}\n`);
  process.exitCode = 1;
}

try {
  if (!said()) run(process.argv.slice(2)).catch(refuse);
} catch (error) {
  refuse(error);
}
