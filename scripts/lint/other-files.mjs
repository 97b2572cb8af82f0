// What another file of ours exports, as far as prose goes: constants, and helpers that look for words in what they are given.
import { existsSync, readFileSync, statSync } from 'node:fs';

import { parser } from 'typescript-eslint';

/** @typedef {any} Node of the tree that ESLint hands out: ESTree with TypeScript's own */

/** What looks for a text in a text. */
export const SEARCHES = new Set(
  'includes startsWith endsWith indexOf lastIndexOf match matchAll search split'.split(' '),
);

/** Names a word, as no layout does. @param {string | undefined} text */
export const hasWord = (text) => text !== undefined && /[a-z]{2}/i.test(text);

/** @type {Map<string, { readonly changed: number, readonly exported: ReadonlyMap<string, Node> }>} */
const files = new Map();

/** What a file of ours exports by name: the value of a constant, or a function. @param {string} path */
function exportsOf(path) {
  const changed = statSync(path).mtimeMs;
  const known = files.get(path);
  if (known?.changed === changed) return known.exported;
  const { body } = /** @type {Node} */ (parser.parseForESLint(readFileSync(path, 'utf8')).ast);
  /** @type {Map<string, Node>} */
  const exported = new Map();
  for (const { type, declaration } of /** @type {Node[]} */ (body)) {
    if (type !== 'ExportNamedDeclaration' || declaration === null) continue;
    if (declaration.type === 'FunctionDeclaration') exported.set(declaration.id.name, declaration);
    else if (declaration.type === 'VariableDeclaration' && declaration.kind === 'const')
      for (const { id, init } of declaration.declarations) if (id.type === 'Identifier') exported.set(id.name, init);
  }
  files.set(path, { changed, exported });
  return exported;
}

/** Every node below one. @param {Node} node @returns {Generator<Node>} */
function* nodesBelow(node) {
  if (typeof node?.type !== 'string') return;
  yield node;
  for (const [key, value] of Object.entries(node)) {
    if (key === 'parent') continue;
    for (const each of Array.isArray(value) ? value : [value])
      if (typeof each?.type === 'string') yield* nodesBelow(each);
  }
}

/** What is searched for, where it is written down. @param {Node} node */
const wordSearched = (node) =>
  node?.type === 'Literal' && hasWord(node.regex === undefined ? String(node.value) : node.regex.pattern);

/** Whether a function looks for a word in what it is given at a place. @param {Node} made @param {number} place */
export function searchesIn(made, place) {
  const name = made?.params?.[place]?.name;
  if (name === undefined) return false;
  const isIt = (/** @type {Node} */ node) => node?.type === 'Identifier' && node.name === name;
  return [...nodesBelow(made.body)].some(({ type, callee, arguments: given, left, right, operator }) => {
    if (type === 'BinaryExpression')
      return (
        /^[!=]==?$/.test(operator) &&
        [
          [left, right],
          [right, left],
        ].some(([a, b]) => isIt(a) && wordSearched(b))
      );
    if (type !== 'CallExpression' || callee.type !== 'MemberExpression') return false;
    const asked = callee.property.name;
    if (SEARCHES.has(asked)) return isIt(callee.object) && wordSearched(given[0]);
    return (asked === 'test' || asked === 'exec') && isIt(given[0]) && wordSearched(callee.object);
  });
}

/** What a file of ours exports under a name; undefined where there is no such file. @param {string} path @param {string} name */
export const exportOf = (path, name) => (existsSync(path) ? exportsOf(path).get(name) : undefined);
