/**
 * Makes src/generated from the schemas: types (json-schema-to-typescript) and validators (ajv, compiled ahead). `--check`
 * compares instead of writing, and fails when they have drifted. The result is TypeScript, so that tsc and esbuild both
 * find it without copying anything.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { Ajv2020 } from 'ajv/dist/2020.js';
import standalone from 'ajv/dist/standalone/index.js';
import { build } from 'esbuild';
import { compile } from 'json-schema-to-typescript';

import { collectorsIndex } from './collectors-index.mjs';
import { kernelLayout } from './kernel-layout.mjs';
import { rulesIndex } from './rules-index.mjs';

const root = new URL('../', import.meta.url);
const checking = process.argv.includes('--check');
const banner = (names) =>
  `/* Made from ${[...names].map((name) => `schema/${name}.v1.json`).join(' and ')} by \`npm run generate\`: do not edit. */`;

/** What a schema takes from another's definitions, as an import of their types. */
function borrowed(schema, imports = new Map()) {
  if (Array.isArray(schema)) return schema.map((each) => borrowed(each, imports));
  if (typeof schema !== 'object' || schema === null) return schema;
  const [, from, type] = /^(\w+)\.v1\.json#\/\$defs\/(\w+)$/.exec(schema.$ref ?? '') ?? [];
  if (type !== undefined) {
    imports.set(from, (imports.get(from) ?? new Set()).add(type));
    return { tsType: type };
  }
  return Object.fromEntries(Object.entries(schema).map(([key, each]) => [key, borrowed(each, imports)]));
}

async function typesOf(name, whole) {
  const imports = new Map();
  const schema = borrowed(whole, imports);
  const lines = [...imports].map(
    ([from, types]) => `import type { ${[...types].sort().join(', ')} } from './${from}.ts';`,
  );
  return compile(schema, schema.title, {
    bannerComment: [banner([name]), ...lines].join('\n'),
    // Readers allow fields they do not know; the writer's types do not.
    additionalProperties: false,
    ignoreMinAndMaxItems: true,
    style: { singleQuote: true, printWidth: 120 },
  });
}

/** Without what only people read of it: a third of the code that ajv makes, which has the whole schema in it. */
function bare(schema) {
  if (Array.isArray(schema)) return schema.map(bare);
  if (typeof schema !== 'object' || schema === null) return schema;
  const kept = Object.entries(schema).filter(
    ([key, each]) => typeof each !== 'string' || (key !== 'description' && key !== '$comment'),
  );
  return Object.fromEntries(kept.map(([key, each]) => [key, bare(each)]));
}

/** ajv's standalone code still calls require() for its helpers; bundling it takes them in. */
async function validatorsOf(schemas, exported = [...schemas.keys()]) {
  const own = exported.map((name) => schemas.get(name));
  const ajv = new Ajv2020({
    schemas: [...schemas.values()].map(bare),
    allErrors: true,
    strict: true,
    allowUnionTypes: true,
    // One function per definition and a loop over required fields, instead of a copy of each: a fraction of the size.
    inlineRefs: false,
    loopRequired: 2,
    code: { source: true, esm: true },
  });
  const names = Object.fromEntries(own.map((schema) => [schema.title, schema.$id]));
  const bundled = await build({
    stdin: { contents: standalone.default(ajv, names), resolveDir: fileURLToPath(root), loader: 'js' },
    bundle: true,
    write: false,
    format: 'iife',
    globalName: 'compiled',
    target: 'node20',
    charset: 'ascii',
    legalComments: 'none',
    minifySyntax: true,
    minifyWhitespace: true,
  });
  return [
    '// @ts-nocheck: the code in the middle is what ajv made.',
    banner(schemas.keys()),
    ...exported.map((name, index) => `import type { ${own[index].title} } from './${name}.ts';`),
    '',
    'interface Complaint {',
    '  /** JSON pointer into the value. */',
    '  readonly instancePath: string;',
    '  readonly keyword: string;',
    '  readonly params: Readonly<Record<string, unknown>>;',
    '  readonly message?: string;',
    '}',
    '',
    'interface Validate<T> {',
    '  (value: unknown): value is T;',
    '  /** What is wrong, after a call that answered no. */',
    '  errors?: readonly Complaint[] | null;',
    '}',
    '',
    bundled.outputFiles[0].text.replace('"use strict";', '').trimEnd(),
    '',
    ...own.map(({ title }) => `export const validate${title}: Validate<${title}> = compiled.${title} as never;`),
    '',
  ].join('\n');
}

function read(...names) {
  return new Map(
    names.map((name) => [name, JSON.parse(readFileSync(new URL(`schema/${name}.v1.json`, root), 'utf8'))]),
  );
}

const outputs = new Map();
for (const [name, schema] of read('report', 'config', 'fleet')) {
  outputs.set(`src/generated/${name}.ts`, await typesOf(name, structuredClone(schema)));
}
outputs.set('src/generated/validate.ts', await validatorsOf(read('report', 'config')));
// By itself: a replay reads reports, and nothing that pktcost does reads a fleet.
outputs.set('src/generated/validate-fleet.ts', await validatorsOf(read('report', 'fleet'), ['fleet']));

outputs.set('src/rules/index.ts', rulesIndex());
outputs.set('src/generated/kernel-layout.ts', kernelLayout());
outputs.set('src/collectors/index.ts', collectorsIndex());

mkdirSync(new URL('src/generated/', root), { recursive: true });
const drifted = [];
for (const [path, text] of outputs) {
  const file = new URL(path, root);
  if (existsSync(file) && readFileSync(file, 'utf8') === text) continue;
  drifted.push(path);
  if (!checking) writeFileSync(file, text);
}
if (checking && drifted.length > 0) {
  console.error(`not what it is made from (${drifted.join(', ')}): run npm run generate`);
  process.exitCode = 1;
}
