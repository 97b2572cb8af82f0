// code-cache.mjs PART ARGUMENTS: writes what the V8 of the Node that runs this made of dist/PART.cjs, at the end of `pktcost ARGUMENTS`:
// the code that such a run needs, and no more, since all of it is read each time.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire, syncBuiltinESMExports } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import v8 from 'node:v8';
import vm from 'node:vm';

const [part, ...words] = process.argv.slice(2);
const dist = fileURLToPath(new URL('../dist', import.meta.url));
const sum = readFileSync(join(dist, `${part}.cjs`), 'latin1').slice(2, 34);
const file = join(dist, 'code', `${part}-${sum}-${process.versions.v8}-${process.arch}.bin`);

/** @type {vm.Script | undefined} */
let bundle;
vm.Script = class extends vm.Script {
  /** @param {string} source @param {vm.ScriptOptions} options */
  constructor(source, options) {
    super(source, options);
    if (source.startsWith(`/*${sum}*/`)) bundle = this;
  }
};
// What was compiled under other flags is refused, and they are set only when the bundle is there.
v8.setFlagsFromString = () => undefined;
syncBuiltinESMExports();
process.argv = [process.execPath, 'pktcost', ...words];
process.on('exit', (code) => {
  if (bundle === undefined || code !== 0) throw new Error(`pktcost ${words.join(' ')} did not do: exit code ${code}`);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, bundle.createCachedData());
});
createRequire(import.meta.url)('../bin/pktcost.js');
