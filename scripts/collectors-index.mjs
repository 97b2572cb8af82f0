import { readdirSync, readFileSync } from 'node:fs';

/** src/collectors/index.ts: every file of src/collectors that defines a collector, in the order of their turns. */
export function collectorsIndex() {
  const collectors = readdirSync('src/collectors')
    .filter((file) => file.endsWith('.ts') && file !== 'template.ts')
    .flatMap((file) => {
      const text = readFileSync(`src/collectors/${file}`, 'utf8');
      const name = /^export const (\w+) = defineCollector\(\{$/m.exec(text)?.[1];
      if (name === undefined) return [];
      const turn = /^ {2}turn: (\d+),/m.exec(text)?.[1];
      if (turn === undefined) throw new Error(`src/collectors/${file} has no turn`);
      return [{ file, name, turn: Number(turn) }];
    });
  return [
    '/* Made from the files of this folder by `npm run generate`: do not edit. */',
    ...[...collectors, { file: 'collector.ts', name: 'type Collector' }]
      .sort((a, b) => (a.file < b.file ? -1 : 1))
      .map(({ file, name }) => `import { ${name} } from './${file}';`),
    '',
    '/** Every collector, in the order they run. */',
    'export const collectors: readonly Collector[] = [',
    ...collectors.sort((a, b) => a.turn - b.turn).map(({ name }) => `  ${name},`),
    '];',
    '',
  ].join('\n');
}
