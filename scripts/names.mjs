// Finds declarations of src/ that share a name: whoever reads a name should not have to look at its import to know what it
// stands for, nor take it for one that the language has. Generated ones count. What a file keeps to itself may be called as what
// another keeps; a type or a CONSTANT of it may not be called as one that is exported. Functions of a file may: they are read
// beside their calls. A function that another file has in the same words is one too many, under whichever names.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = process.argv[2] ?? 'src';

/** Where one name in several places is right, and why. */
const right = [
  {
    why: 'a subject: its collector, its metrics, its rule',
    places: /^(collectors|metrics\/catalogue|rules)\/[^/]+$/,
    names: /^[a-z]/,
  },
  {
    why: 'what each format draws in its own way',
    places: /^report\/(text|markdown|html)\/[^/]+$/,
    names: /^(render\w*|draw\w+|folded|\w+Section)$/,
  },
  {
    why: 'the words of the language of rules, which know no Result',
    places: /^(base|rules\/rule\.ts)/,
    names: /^(ok|list)$/,
  },
  {
    why: 'names and values of labels, as metrics/ knows them without the report and as the report has them',
    places: /^(metrics|generated)\//,
    names: /^Labels$/,
  },
];

/** @type {Map<string, string[]>} */
const placesOf = new Map();
/** Functions by what they do, whatever they are called. @type {Map<string, string[]>} */
const doing = new Map();
const written = /^(?:export )?(?:async )?function\*? (\w+)(\([^]*?\n\})$/gm;
/** What is shorter is as plain as a call. */
const WORTH_A_NAME = 60;
/** @type {Map<string, string[]>} */
const keptIn = new Map();
const declared = /^(export )?(?:declare |abstract |async )*(?:const|let|function\*?|class|interface|type|enum) (\w+)/gm;
const held = /^[A-Z]/;
for (const file of readdirSync(root, { recursive: true, encoding: 'utf8' })) {
  if (!file.endsWith('.ts')) continue;
  const text = readFileSync(join(root, file), 'utf8');
  const found = [...text.matchAll(declared)];
  if (!file.startsWith('generated'))
    for (const [, name = '', rest = ''] of text.matchAll(written)) {
      const body = rest.replace(/\s+/g, ' ');
      if (body.length >= WORTH_A_NAME) doing.set(body, [...(doing.get(body) ?? []), `${name} of ${file}`]);
    }
  for (const [places, exported] of /** @type {const} */ ([
    [placesOf, true],
    [keptIn, false],
  ])) {
    const names = found.filter(([, prefix]) => (prefix !== undefined) === exported).map(([, , name]) => name ?? '');
    // Overloads of one function are one declaration.
    for (const name of new Set(names)) places.set(name, [...(places.get(name) ?? []), file]);
  }
}

for (const [name, files] of placesOf) {
  const own = held.test(name) ? (keptIn.get(name) ?? []) : [];
  placesOf.set(name, [...new Set([...files, ...own])]);
}

const twice = [...placesOf].filter(
  ([name, files]) =>
    files.length > 1 &&
    !right.some(({ places, names }) => names.test(name) && files.every((file) => places.test(file))),
);
const builtIn = new Set([
  ...Object.getOwnPropertyNames(globalThis).filter((name) => /^[A-Z]/.test(name)),
  ...[
    'Readonly',
    'Partial',
    'Required',
    'Pick',
    'Omit',
    'Exclude',
    'Extract',
    'Record',
    'Parameters',
    'ReturnType',
    'Awaited',
  ],
]);
const hiding = [...placesOf].filter(([name]) => builtIn.has(name));
for (const [name, files] of hiding)
  process.stderr.write(`hides what the language has: ${name} (${files.join(', ')})\n`);
for (const [name, files] of twice)
  process.stderr.write(`one name for several things: ${name} (${files.sort().join(', ')})\n`);
const copies = [...doing.values()].filter((functions) => functions.length > 1);
for (const functions of copies) process.stderr.write(`one function written twice: ${functions.sort().join(', ')}\n`);
process.exit(twice.length + hiding.length + copies.length === 0 ? 0 : 1);
