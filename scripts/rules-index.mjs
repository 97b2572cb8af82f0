import { readdirSync, readFileSync } from 'node:fs';

/** src/rules/index.ts: every file of src/rules that defines a rule, in the order of the codes. */
export function rulesIndex() {
  const rules = readdirSync('src/rules')
    .filter((file) => file.endsWith('.ts') && file !== 'template.ts')
    .flatMap((file) => {
      const [, name, code] =
        /^export const (\w+) = defineRule\(\{\n {2}code: '(PKT\d{4})',/m.exec(
          readFileSync(`src/rules/${file}`, 'utf8'),
        ) ?? [];
      return name === undefined ? [] : [{ file, name, code }];
    });
  return [
    '/* Made from the files of this folder by `npm run generate`: do not edit. */',
    ...[...rules, { file: 'rule.ts', name: 'type Rule' }]
      .sort((a, b) => (a.file < b.file ? -1 : 1))
      .map(({ file, name }) => `import { ${name} } from './${file}';`),
    '',
    '/** Every rule, in the order of its code. */',
    'export const rules: readonly Rule[] = [',
    ...rules.sort((a, b) => (a.code < b.code ? -1 : 1)).map(({ name }) => `  ${name},`),
    '];',
    '',
  ].join('\n');
}
