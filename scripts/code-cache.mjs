// Writes what the V8 of the Node that runs this made of the bundle, at the end of `pktcost --version`: the code that every start
// needs, and no more, since all of it is read each time.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import vm from 'node:vm';

const dist = fileURLToPath(new URL('../dist', import.meta.url));
const sum = readFileSync(join(dist, 'index.cjs'), 'latin1').slice(2, 34);
const file = join(dist, 'code', `${sum}-${process.versions.v8}-${process.arch}.bin`);

/** @type {vm.Script | undefined} */
let bundle;
vm.Script = class extends vm.Script {
  /** @param {string} source @param {vm.ScriptOptions} options */
  constructor(source, options) {
    super(source, options);
    bundle = this;
  }
};
process.argv = [process.execPath, 'pktcost', '--version'];
process.on('exit', () => {
  if (bundle === undefined) throw new Error('bin/pktcost.js loaded no bundle');
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, bundle.createCachedData());
});
createRequire(import.meta.url)('../bin/pktcost.js');
