#!/usr/bin/env node
'use strict';
// CommonJS, and no more than what finds the bundle: Node's loader of ES modules alone costs a fifth of its start.
const { readFileSync } = require('node:fs');
const Module = require('node:module');
const { dirname, join } = require('node:path');
const { setFlagsFromString } = require('node:v8');
const { Script } = require('node:vm');

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
 */
function compiledCode(source) {
  const sum = /^\/\*([0-9a-f]{32})\*\//.exec(source)?.[1];
  try {
    return readFileSync(join(dist, 'code', `${sum}-${process.versions.v8}-${process.arch}.bin`));
  } catch {
    return undefined;
  }
}

/**
 * New objects get no more room than at first, which is a quarter of the memory, and on Node 20 code is optimised later, which is a part
 * of the CPU time; later versions have no such flag. Before the bundle is loaded: V8 refuses what it compiled under other flags.
 */
function forAShortRun() {
  setFlagsFromString('--semi-space-growth-factor=1');
  if (process.versions.node.startsWith('20.')) setFlagsFromString('--interrupt-budget=1500000');
}

function load() {
  forAShortRun();
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
  load().main(process.argv.slice(2), join(__dirname, '..')).catch(refuse);
} catch (error) {
  refuse(error);
}
