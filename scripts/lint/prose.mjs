// No logic reads prose: what a program has to know of a sentence stands beside it as data. A sentence is told by what it is
// called, wherever it is passed on to under another name in its file: by variables that change, lists that are filled, keys of a
// Map, a callback or a helper with a name, `reduce`. What is a search is told by what is asked of it; constants and helpers of
// another file of ours are looked up there (one file deep).
//
// What gets by: a sentence that a helper of another file gives under a neutral name; one that goes through a field of an object or
// a class under another name, or through a parameter of a parameter; a helper that is kept in a table or passed two files on; words
// that are put together of pieces when they are searched for. That two groups have the same sentence (a Map by sentence that is
// asked with a sentence) is no search: what is said twice is shown once by it. Two messages or titles that are compared with
// each other may be keys, and pass. The cache of `npm run check` looks at a file again when it changes, not when another does.
import { dirname, resolve } from 'node:path';

import { exportOf, hasWord, SEARCHES, searchesIn } from './other-files.mjs';

/** The last word of a property, a variable or a function that holds or makes sentences. */
const SENTENCE =
  /(?:^|[a-z\d])(?:reason|detail|title|message|note|sentence|summary|summarie|headline|caveat|figure|action|remark|hint|refusal|advice|phrase|explanation)s?$|(?:^|[a-z\d])cause$|(?:^|[a-z\d])(?:words|why|help|says|said|told|means)$/i;
/** What the kernel calls a drop is a name of its own. */
const NO_SENTENCE = /^dropReasons?$/;
/** Functions that make one. */
const MAKES_SENTENCES = /(?:words|sentence|phrase|title|summary|headline|message)$|^say$/i;
/** Of these a key is as usual as a sentence: `message` of a rule, `action` of a flag. Only a sentence has blanks. */
const OFTEN_A_KEY = /(?:message|action|title|told|said|figure|note|cause)s?$/i;
/** The kernel's own names: reasons of drops, and counters that stand for one (`rx_missed_errors`). */
const KERNEL_NAME = /^(?:[A-Z][A-Z\d_]+|[a-z\d]+(?:_[a-z\d]+)+)$/;

/** What is left of a sentence is one. */
const PIECES = new Set(
  'slice substring trim trimStart trimEnd toLowerCase toUpperCase replace replaceAll at charAt concat normalize toString'.split(
    ' ',
  ),
);
/** What gives the members of a list to a function, one by one. */
const EACH = new Set('some every find findIndex findLast findLastIndex filter map flatMap forEach'.split(' '));
/** What gives one of them. */
const FOUND = new Set('find findLast at pop shift'.split(' '));
/** What gives a list of the same members, or some of them. */
const SAME_LIST = new Set(
  'filter slice sort toSorted reverse toReversed concat flat splice toSpliced values add'.split(' '),
);
const MEMBERS = new Set(['includes', 'has', 'indexOf', 'get']);
/** What puts one more into a list, by the place of it among what is given. */
const FILLS = new Set(['push', 'unshift', 'add', 'set']);
/** Calls that say whether two are the same. */
const SAME = new Set(['is', 'equal', 'localeCompare']);

/** @param {string} name */
const isSentence = (name) => SENTENCE.test(name) && !NO_SENTENCE.test(name);

/** @typedef {any} Node of the tree that ESLint hands out: ESTree with TypeScript's own */

/** @type {import('eslint').Rule.RuleModule} */
export const noProse = {
  meta: {
    type: 'problem',
    schema: [],
    messages: { prose: 'no logic reads prose: carry what it says as data beside it' },
  },
  create(context) {
    const { sourceCode } = context;

    /** @param {Node} node @returns {any} */
    function variableOf(node) {
      for (let scope = sourceCode.getScope(node); scope !== null; scope = /** @type {any} */ (scope.upper)) {
        const found = scope.set.get(node.name);
        if (found !== undefined) return found;
      }
      return undefined;
    }

    /** What a variable was made of, and under which name it was taken out of something. @param {Node} node */
    function originOf(node) {
      const variable = variableOf(node);
      const definition = variable?.defs[0];
      if (definition === undefined) return {};
      const name = definition.name;
      const holder = name.parent;
      const list = listOf(definition, name);
      if (list !== undefined) return { list };
      // `{ reason: given }`, `{ reason = '' }`
      const property = holder?.type === 'AssignmentPattern' ? holder.parent : holder;
      if (property?.type === 'Property' && property.parent.type === 'ObjectPattern') return { key: property.key };
      if (definition.type === 'ImportBinding') return { init: imported(definition) };
      const { init = null, id = null } = definition.type === 'Variable' ? definition.node : {};
      if (id !== name) return {};
      return definition.parent?.kind === 'const'
        ? { init }
        : { init: init ?? undefined, later: writtenLater(variable) };
    }

    /** What a variable is set to after its declaration. @param {any} variable @returns {Node[]} */
    const writtenLater = (variable) =>
      variable.references.flatMap((/** @type {any} */ { writeExpr, init }) =>
        writeExpr == null || init === true ? [] : [writeExpr],
      );

    /** What another file of ours exports under the name, as it stands there. @param {any} definition @returns {Node} */
    function imported({ node, parent }) {
      const from = parent?.source?.value;
      if (node.type !== 'ImportSpecifier' || typeof from !== 'string' || !from.startsWith('.')) return undefined;
      return exportOf(resolve(dirname(context.filename), from), keyName(node.imported));
    }

    /** Names of a function: of its declaration, or of the constant that holds it. @param {Node} made */
    function variablesOf(made) {
      if (made?.type === 'FunctionDeclaration') return sourceCode.getDeclaredVariables(made).slice(0, 1);
      const holder = made?.parent;
      return holder?.type === 'VariableDeclarator' && holder.init === made
        ? sourceCode.getDeclaredVariables(holder)
        : [];
    }

    /** Where a function is called, or handed on by its name. @param {Node} made @returns {Node[]} */
    const usesOf = (made) =>
      variablesOf(made).flatMap(({ references }) =>
        references.map(({ identifier }) => /** @type {Node} */ (identifier)),
      );

    /** What callers of this file give for a parameter that is no sentence by its name. @param {Node} node @returns {Node[]} */
    function givenFor(node) {
      const definition = variableOf(node)?.defs[0];
      if (definition?.type !== 'Parameter') return [];
      const place = definition.node.params.indexOf(definition.name);
      return usesOf(definition.node).flatMap(({ parent, ...identifier }) =>
        place >= 0 && parent.type === 'CallExpression' && parent.callee.range?.[0] === identifier.range[0]
          ? [parent.arguments[place]]
          : [],
      );
    }

    /** The name by which a piece of what a caller gives is a sentence. @param {Node} given @returns {string | undefined} */
    function givenSentence(given) {
      const node = bare(given);
      if (node?.type === 'CallExpression' && PIECES.has(node.callee.property?.name))
        return givenSentence(node.callee.object);
      if (node?.type !== 'Identifier') return undefined;
      return givenFor(node)
        .map((each) => prose(each))
        .find(Boolean);
    }

    /** The list whose members a variable holds one by one: of a function that is called for each, of a loop. @param {Node} definition @param {Node} name */
    function listOf(definition, name) {
      const { type, node } = definition;
      if (type === 'Parameter' && node.params[0] === name) {
        // `gaps.some((each) => ...)`, and `gaps.some(isLost)`
        for (const passed of [node, ...usesOf(node)]) {
          const call = passed.parent;
          if (call?.type !== 'CallExpression' || call.arguments[0] !== passed) continue;
          const callee = bare(call.callee);
          if (callee?.type === 'MemberExpression' && EACH.has(callee.property.name) && sentencesListed(callee.object))
            return callee.object;
        }
        return undefined;
      }
      const loop = definition.parent?.parent;
      return type === 'Variable' && node.id === name && loop?.type === 'ForOfStatement' ? loop.right : undefined;
    }

    /** @param {Node} node @returns {Node} */
    function bare(node) {
      const inner = {
        ChainExpression: 'expression',
        TSNonNullExpression: 'expression',
        TSAsExpression: 'expression',
        TSSatisfiesExpression: 'expression',
        AwaitExpression: 'argument',
      }[/** @type {string} */ (node?.type)];
      return inner === undefined ? node : bare(node[inner]);
    }

    /** @param {Node} key */
    const keyName = (key) => (key?.type === 'Identifier' ? key.name : key?.type === 'Literal' ? String(key.value) : '');

    /** The name by which an expression is prose; undefined where it is not. @param {Node} given @param {number} depth @returns {string | undefined} */
    function prose(given, depth = 0) {
      const node = bare(given);
      if (node === null || node === undefined || depth > 8) return undefined;
      switch (node.type) {
        case 'Identifier': {
          const { key, init, list, later = [] } = originOf(node);
          if (list !== undefined && sentencesListed(list, depth + 1)) return node.name;
          const name = key === undefined ? node.name : keyName(key);
          if (isSentence(name)) return isList(node, init) ? undefined : name;
          return [init, ...later].map((/** @type {Node} */ each) => prose(each, depth + 1)).find(Boolean);
        }
        case 'MemberExpression': {
          // `missing.map(({ reason }) => reason)[0]`
          if (node.computed && sentencesListed(node.object, depth + 1)) return 'list';
          // Labels of a series are names.
          if (node.object.name === 'labels') return undefined;
          const name = node.computed
            ? node.property.type === 'Literal'
              ? String(node.property.value)
              : ''
            : node.property.name;
          return isSentence(name ?? '') ? name : undefined;
        }
        case 'CallExpression': {
          const callee = bare(node.callee);
          if (callee.type === 'Identifier') {
            if (callee.name === 'String') return prose(node.arguments[0], depth + 1);
            return MAKES_SENTENCES.test(callee.name) ? callee.name : undefined;
          }
          if (callee.type !== 'MemberExpression' || callee.computed) return undefined;
          if (callee.property.name === 'reduce')
            return results(node.arguments[0])
              .map((made) => prose(made, depth + 1))
              .find(Boolean);
          if (callee.property.name === 'join') return sentencesListed(callee.object, depth + 1) ? 'join' : undefined;
          if (FOUND.has(callee.property.name) && sentencesListed(callee.object, depth + 1)) return callee.property.name;
          return PIECES.has(callee.property.name) ? prose(callee.object, depth + 1) : undefined;
        }
        case 'LogicalExpression':
          return prose(node.left, depth + 1) ?? prose(node.right, depth + 1);
        case 'ConditionalExpression':
          return prose(node.consequent, depth + 1) ?? prose(node.alternate, depth + 1);
        case 'BinaryExpression':
          return node.operator === '+' ? (prose(node.left, depth + 1) ?? prose(node.right, depth + 1)) : undefined;
        case 'TemplateLiteral':
          return node.expressions.map((/** @type {Node} */ each) => prose(each, depth + 1)).find(Boolean);
        default:
          return undefined;
      }
    }

    /** Pieces of a line that is parsed, or a table. @param {Node} node @param {Node} init */
    function isList(node, init) {
      const made = bare(init);
      if (['ArrayExpression', 'NewExpression', 'ObjectExpression'].includes(made?.type)) return true;
      const typed = variableOf(node)?.defs[0]?.name.typeAnnotation?.typeAnnotation;
      if (['TSArrayType', 'TSTypeOperator', 'TSTupleType'].includes(typed?.type)) return true;
      for (let call = made; call?.type === 'CallExpression'; call = bare(call.callee.object))
        if (call.callee.property?.name === 'split') return true;
      return false;
    }

    /** Where a line ends, or may be broken, is no question of what it says. @param {Node} call */
    const isLayout = ({ callee, arguments: [by] }) =>
      callee.property.name === 'split' && by?.type === 'Literal' && ['\n', ' '].includes(by.value);

    /** @param {Node} node @returns {string | undefined} */
    function textOf(node) {
      const of = bare(node);
      if (of?.type === 'Identifier') return textOf(originOf(of).init ?? null);
      if (of?.type === 'Literal' && typeof of.value === 'string') return of.value;
      if (of?.type === 'TemplateLiteral')
        return of.quasis.map((/** @type {Node} */ each) => each.value.cooked).join('');
      return undefined;
    }

    /** Whether it is compared with words. @param {string} name @param {Node} other */
    function isWording(name, other) {
      const text = textOf(other);
      if (text === undefined || text === '' || KERNEL_NAME.test(text)) return false;
      return / /.test(text) || !OFTEN_A_KEY.test(name);
    }

    /** @param {Node} node @returns {Node[]} */
    function wordsListed(node) {
      const of = bare(node);
      if (of?.type === 'Identifier') return wordsListed(originOf(of).init ?? null);
      if (of?.type === 'NewExpression') return wordsListed(of.arguments[0] ?? null);
      // `'all but one'.includes(reason)`
      if (textOf(of) !== undefined) return [of];
      if (of?.type === 'ArrayExpression')
        return of.elements.map((/** @type {Node} */ each) =>
          each?.type === 'ArrayExpression' ? each.elements[0] : each,
        );
      if (of?.type !== 'ObjectExpression') return [];
      return of.properties.map((/** @type {Node} */ each) =>
        each.computed ? null : { type: 'Literal', value: keyName(each.key) },
      );
    }

    /** A table that is asked for what a sentence says. @param {Node} table @param {Node} key */
    const keyedByWords = (table, key) =>
      prose(key) !== undefined && wordsListed(table).some((each) => / /.test(textOf(each) ?? ''));

    /** One is a sentence, another says which. @param {Node[]} nodes */
    const compared = (nodes) =>
      nodes.some((one) => {
        const name = prose(one);
        return name !== undefined && nodes.some((other) => other !== one && isWording(name, other));
      });

    /** `missing.map(({ reason }) => reason)`, and what is made of such a list. @param {Node} node @param {number} depth @returns {boolean} */
    function sentencesListed(node, depth = 0) {
      const of = bare(node);
      if (of === null || of === undefined || depth > 8) return false;
      const again = (/** @type {Node} */ each) => sentencesListed(each, depth + 1);
      switch (of.type) {
        case 'Identifier': {
          const { init, list, later = [] } = originOf(of);
          return list === undefined && ([init, ...later].some((each) => again(each ?? null)) || isFilled(of, depth));
        }
        case 'NewExpression':
          return again(of.arguments[0] ?? null);
        case 'ArrayExpression':
          return of.elements.some((/** @type {Node} */ each) =>
            each?.type === 'SpreadElement' ? again(each.argument) : prose(each, depth + 1) !== undefined,
          );
        case 'ConditionalExpression':
          return again(of.consequent) || again(of.alternate);
        case 'CallExpression':
          break;
        default:
          return false;
      }
      const callee = bare(of.callee);
      const name = callee?.property?.name ?? '';
      if (name === 'from') return again(of.arguments[0] ?? null);
      if (name === 'reduce') return results(of.arguments[0]).some(again) || again(of.arguments[1] ?? null);
      if (SAME_LIST.has(name)) return again(callee.object);
      if (name !== 'map' && name !== 'flatMap') return false;
      return results(of.arguments[0]).some(
        (/** @type {Node} */ made) =>
          prose(made, depth + 1) !== undefined || (name === 'flatMap' ? again(made) : isEntry(made, depth)),
      );
    }

    /** `[each.reason, each]`: what a Map finds by a sentence. @param {Node} made @param {number} depth */
    const isEntry = (made, depth) =>
      bare(made)?.type === 'ArrayExpression' && prose(bare(made).elements[0], depth + 1) !== undefined;

    /** `reasons.push(each.reason)`, `known.set(each.reason, each)` @param {Node} list @param {number} depth @returns {boolean} */
    const isFilled = (list, depth) =>
      (variableOf(list)?.references ?? []).some((/** @type {any} */ { identifier: { parent } }) => {
        const call =
          parent?.type === 'MemberExpression' && parent.object.name === list.name ? parent.parent : undefined;
        return (
          call?.type === 'CallExpression' &&
          call.callee === parent &&
          FILLS.has(parent.property.name) &&
          prose(call.arguments[0], depth + 1) !== undefined
        );
      });

    /** What a function gives. @param {Node} made @returns {Node[]} */
    function results(made) {
      if (made?.type === 'Identifier') {
        const definition = variableOf(made)?.defs[0];
        if (definition?.type === 'FunctionName') return results(definition.node);
        const { init } = originOf(made);
        return init === undefined || init?.type === 'Identifier' ? [] : results(init);
      }
      if (!/^(?:ArrowFunctionExpression|FunctionExpression|FunctionDeclaration)$/.test(made?.type)) return [];
      if (made.body.type !== 'BlockStatement') return [made.body];
      return made.body.body.flatMap((/** @type {Node} */ each) =>
        each.type === 'ReturnStatement' && each.argument !== null ? [each.argument] : [],
      );
    }

    /** @param {Node} node */
    const isImported = (node) => variableOf(node)?.defs[0]?.type === 'ImportBinding';

    /** What is searched for, a word or a pattern. @param {Node} node */
    const searchedFor = (node) => (bare(node)?.regex === undefined ? textOf(node) : bare(node).regex.pattern);

    /** @param {Node} node */
    const report = (node) => context.report({ node, messageId: 'prose' });

    return {
      /** @param {Node} node */
      CallExpression(node) {
        const callee = bare(node.callee);
        if (callee.type === 'Identifier') {
          const helper = originOf(callee).init;
          const reads = (/** @type {Node} */ given, /** @type {number} */ place) =>
            prose(given) !== undefined && searchesIn(helper, place);
          if (isImported(callee) && node.arguments.some(reads)) report(node);
          return;
        }
        if (callee.type !== 'MemberExpression' || callee.computed) return;
        const { name } = callee.property;
        const [first] = node.arguments;
        if (SEARCHES.has(name) && !isLayout(node) && first?.name !== 'undefined' && prose(callee.object) !== undefined)
          report(node);
        else if (SEARCHES.has(name) && hasWord(searchedFor(first)) && givenSentence(callee.object) !== undefined)
          report(node);
        else if ((name === 'test' || name === 'exec') && prose(first) !== undefined) report(node);
        else if (
          (name === 'test' || name === 'exec') &&
          hasWord(searchedFor(callee.object)) &&
          givenSentence(first) !== undefined
        )
          report(node);
        else if (name === 'hasOwn' && keyedByWords(node.arguments[0], node.arguments[1])) report(node);
        else if (SAME.has(name) && compared([callee.object, ...node.arguments])) report(node);
        else if (MEMBERS.has(name) && sentencesListed(callee.object) && / /.test(textOf(first) ?? '')) report(node);
        else if (MEMBERS.has(name)) {
          const asked = prose(first);
          if (asked !== undefined && wordsListed(callee.object).some((each) => isWording(asked, each))) report(node);
        }
      },
      /** @param {Node} node */
      MemberExpression(node) {
        if (node.computed && keyedByWords(node.object, node.property)) report(node);
      },
      /** @param {Node} node */
      BinaryExpression(node) {
        if (!/^[!=]==?$/.test(node.operator)) return;
        const sides = [node.left, node.right];
        const names = sides.map((each) => prose(each));
        // Two messages may be two keys.
        const alike = names.every((name) => name !== undefined && !OFTEN_A_KEY.test(name));
        const given = sides.some((one) => {
          const name = givenSentence(one);
          return name !== undefined && sides.some((other) => other !== one && isWording(name, other));
        });
        if (alike || given || compared(sides)) report(node);
      },
      /** @param {Node} node */
      SwitchStatement(node) {
        const name = prose(node.discriminant);
        if (name !== undefined && node.cases.some((/** @type {Node} */ { test }) => isWording(name, test)))
          report(node);
      },
    };
  },
};
