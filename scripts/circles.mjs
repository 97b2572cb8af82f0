// Finds circles among the imports of src/: a file that reaches itself, type imports included, has no place of its own.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

const root = process.argv[2] ?? 'src';
const files = readdirSync(root, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => join(root, name));

/** @param {string} file */
function importsOf(file) {
  const found = readFileSync(file, 'utf8').matchAll(/\b(?:from|import)\s*\(?\s*'(\.{1,2}\/[^']+)'/g);
  return [...found].map(([, path]) => normalize(join(dirname(file), path ?? '')));
}

const imports = new Map(files.map((file) => [file, importsOf(file)]));

// Tarjan: files that reach each other are one component.
/** @type {Map<string, number>} */
const index = new Map();
/** @type {Map<string, number>} */
const low = new Map();
/** @type {string[]} */
const stack = [];
/** @type {string[][]} */
const circles = [];

/** @param {string} file */
function visit(file) {
  index.set(file, index.size);
  low.set(file, index.get(file) ?? 0);
  stack.push(file);
  for (const other of imports.get(file) ?? []) {
    if (!imports.has(other)) continue;
    if (!index.has(other)) visit(other);
    if (stack.includes(other)) low.set(file, Math.min(low.get(file) ?? 0, low.get(other) ?? 0));
  }
  if (low.get(file) !== index.get(file)) return;
  const members = stack.splice(stack.indexOf(file));
  if (members.length > 1 || (imports.get(file) ?? []).includes(file)) circles.push(members);
}

for (const file of files) if (!index.has(file)) visit(file);

for (const members of circles) process.stderr.write(`circle: ${members.join(' <-> ')}\n`);
process.exit(circles.length === 0 ? 0 : 1);
