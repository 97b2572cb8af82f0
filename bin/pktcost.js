#!/usr/bin/env node
'use strict';
// CommonJS, and no more than what finds the bundle: Node's loader of ES modules alone costs a fifth of its start.
const { readFileSync, writeSync } = require('node:fs');
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
const filename = join(dist, 'index.cjs');

/**
 * Made of one bundle by one V8, which refuses what another made but holds only the length against the source: that it was this
 * very bundle is said by the sum in its name, which the bundle begins with. Without it the bundle is compiled, which takes longer.
 * There are two, since all of one is read: of a command that runs, and of what comes before one, as the help and the version.
 */
function compiledCode(source) {
  const sum = /^\/\*([0-9a-f]{32})\*\//.exec(source)?.[1];
  const part = /^[a-z]/.test(process.argv[2] ?? '') ? 'run' : 'start';
  try {
    return readFileSync(join(dist, 'code', `${sum}-${part}-${process.versions.v8}-${process.arch}.bin`));
  } catch {
    return undefined;
  }
}

/**
 * What oclif would say, in a few of the milliseconds. @returns {boolean} whether it did: if stdout takes nothing, it is the bundle that
 * knows what to say of that
 */
function saidVersion() {
  if (!['--version', '-V', 'version'].includes(process.argv[2])) return false;
  try {
    const { name, version } = JSON.parse(readFileSync(join(__dirname, '..', 'package.json'), 'utf8'));
    writeSync(1, `${name}/${version} ${process.platform}-${process.arch} node-${process.version}\n`);
    return true;
  } catch {
    return false;
  }
}

function load() {
  const { Script } = require('node:vm');
  const source = readFileSync(filename, 'latin1');
  const script = new Script(source, { filename, cachedData: compiledCode(source) });
  const bundle = new Module(filename, module);
  bundle.filename = filename;
  bundle.loaded = true;
  // oclif asks for its commands by the path of this file.
  require.cache[filename] = bundle;
  script.runInThisContext()(bundle.exports, require, bundle, filename, dirname(filename));
  return { script, ...bundle.exports };
}

/** @param {unknown} error What the bundle itself cannot answer for, since it could not be loaded: there is no build. */
function refuse(error) {
  process.stderr.write(`pktcost: cannot be loaded: ${error instanceof Error ? error.message.split('\n')[0] : error}\n`);
  process.exitCode = 1;
}

try {
  if (!saidVersion()) load().main(process.argv.slice(2), join(__dirname, '..')).catch(refuse);
} catch (error) {
  refuse(error);
}
