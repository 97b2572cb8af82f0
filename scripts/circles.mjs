// Finds circles among the imports of src/: a file that reaches itself, type imports included, has no place of its own, and of two
// rooms of a folder that know each other neither is below. A folder's own files call its rooms, which stand on other files of it: of
// those the first kind of circle is told.
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
/** Which rooms, folders of files, know which others. @type {Map<string, Set<string>>} */
const known = new Map();
for (const [file, others] of imports) {
  const room = dirname(file);
  known.set(room, new Set([...(known.get(room) ?? []), ...others.map((other) => dirname(other))]));
}
/** @param {string} above @param {string} below */
const holds = (above, below) => below.startsWith(`${above}/`);
const mutual = [...known].flatMap(([room, others]) =>
  [...others].flatMap((other) =>
    room < other && known.get(other)?.has(room) === true && !holds(room, other) && !holds(other, room)
      ? [`${room} <-> ${other}`]
      : [],
  ),
);
for (const pair of mutual) process.stderr.write(`rooms that know each other: ${pair}\n`);
process.exit(circles.length + mutual.length === 0 ? 0 : 1);
