// Begins a collector from the template, which is compiled and tested like any collector: the collector, its test, its
// metrics, and both indexes. What is to be filled in is marked TODO, and no TODO passes the tests.
//   npm run new:collector -- skbpool
import { existsSync, readFileSync, writeFileSync } from 'node:fs';

import { collectorsIndex } from './collectors-index.mjs';

const [id = ''] = process.argv.slice(2);
const taken = [`src/collectors/${id}.ts`, `src/metrics/catalogue/${id}.ts`].find((path) => existsSync(path));
const wrong = !/^[a-z][a-z0-9]*$/.test(id)
  ? `${id || 'id'}: an id is one word in small letters`
  : taken !== undefined
    ? `${taken} is there already`
    : undefined;
if (wrong !== undefined) {
  console.error(`${wrong}\nusage: npm run new:collector -- id`);
  process.exit(2);
}

function filled(path) {
  return readFileSync(path, 'utf8')
    .replace(/\/\*\* TODO: what .*\n/, '')
    .replaceAll('Template', id[0].toUpperCase() + id.slice(1))
    .replaceAll('template', id);
}

const catalogue = 'src/metrics/catalogue/index.ts';
const files = {
  [`src/collectors/${id}.ts`]: filled('src/collectors/template.ts'),
  [`test/collectors/${id}.test.ts`]: filled('test/collectors/template.test.ts'),
  [`src/metrics/catalogue/${id}.ts`]: filled('src/metrics/catalogue/template.ts'),
  [catalogue]: `${readFileSync(catalogue, 'utf8')}export * from './${id}.ts';\n`,
};
for (const [path, text] of Object.entries(files)) writeFileSync(path, text);
writeFileSync('src/collectors/index.ts', collectorsIndex());
console.log([...Object.keys(files), 'src/collectors/index.ts'].join('\n'));
console.log('Fill in what is marked TODO, then: npm run docs; npm run check; npm test');
