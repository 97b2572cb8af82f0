/** npm run fuzz -- --minutes 10 [--inputs N] [--seed N]: what is found is kept in build/fuzz/, to become a test. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { repository } from '../support/fixture.ts';
import { fuzz } from './run.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '1' },
    inputs: { type: 'string', default: 'Infinity' },
    seed: { type: 'string' },
  },
});
const seed = Number(values.seed ?? Date.now() % 2 ** 31);
const { tried, finds } = await fuzz({ inputs: Number(values.inputs), minutes: Number(values.minutes), seed });
const folder = join(repository, 'build/fuzz');
mkdirSync(folder, { recursive: true });
for (const [index, { door, error, input }] of finds.entries()) {
  const path = join(folder, `${seed}-${index}-${door}`);
  writeFileSync(path, input);
  process.stdout.write(`${door}: ${error}\n  input: ${path}\n`);
}
process.stdout.write(`seed ${seed}: ${tried} inputs, ${finds.length} finds\n`);
process.exitCode = finds.length === 0 ? 0 : 1;
