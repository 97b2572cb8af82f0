// Begins a rule from the template, which is compiled and tested like any rule: the rule, its table of cases, its page, and
// the index. What is to be filled in is marked TODO, and no TODO passes the tests.
//   npm run new:rule -- PKT0607 some-noun cpu
import { existsSync, readFileSync, writeFileSync } from 'node:fs';

import { rulesIndex } from './rules-index.mjs';

/** For each scope a counter that has just its labels, to begin with. */
const scopes = {
  host: { labels: [], metric: 'contextSwitches', at: '{}' },
  netns: { labels: ['netns'], metric: 'conntrackDrop', at: '{}' },
  device: { labels: ['device'], metric: 'receiveFifo', at: "{ device: 'eth0' }" },
  cpu: { labels: ['cpu'], metric: 'softnetDropped', at: "{ cpu: '0' }" },
  node: { labels: ['node'], metric: 'numaForeign', at: "{ node: '0' }" },
};

const [code = '', id = '', scope = ''] = process.argv.slice(2);
const wrong =
  !/^PKT\d{4}$/.test(code) || code === 'PKT0000'
    ? `${code || 'CODE'}: a code is PKT and four digits`
    : !/^[a-z]+(-[a-z]+)*$/.test(id)
      ? `${id || 'id'}: an id is words in small letters, joined by hyphens`
      : !(scope in scopes)
        ? `${scope || 'scope'}: a scope is one of ${Object.keys(scopes).join(', ')}`
        : existsSync(`docs/rules/${code}.md`)
          ? `${code} is taken, and codes are never reused`
          : existsSync(`src/rules/${id}.ts`)
            ? `src/rules/${id}.ts is there already`
            : undefined;
if (wrong !== undefined) {
  console.error(`${wrong}\nusage: npm run new:rule -- CODE id scope`);
  process.exit(2);
}

const name = id.replace(/-(\w)/g, (_, letter) => letter.toUpperCase());
const { labels, metric, at } = scopes[scope];

function filled(path) {
  return readFileSync(path, 'utf8')
    .replaceAll('PKT0000', code)
    .replaceAll("'template'", `'${id}'`)
    .replaceAll('rules/template.ts', `rules/${id}.ts`)
    .replaceAll('template', name)
    .replaceAll("['cpu']", JSON.stringify(labels).replaceAll('"', "'"))
    .replaceAll("{ cpu: '0' }", at)
    .replaceAll('softnetDropped', metric)
    .replace(/\/\*\* TODO: what .*\n/, '');
}

const files = {
  [`src/rules/${id}.ts`]: filled('src/rules/template.ts'),
  [`test/rules/${id}.test.ts`]: filled('test/rules/template.test.ts'),
  [`docs/rules/${code}.md`]: filled('test/rules/template.md'),
};
for (const [path, text] of Object.entries(files)) writeFileSync(path, text);
writeFileSync('src/rules/index.ts', rulesIndex());
console.log([...Object.keys(files), 'src/rules/index.ts'].join('\n'));
console.log(
  'Fill in what is marked TODO, and name it in CHANGELOG.md. Where traffic can provoke it: a scenario in test/scenarios/.',
);
console.log('Then: npm run docs; npm run check; npm test');
