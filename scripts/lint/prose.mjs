// No logic reads prose: what a program has to know of a sentence stands beside it as data. A sentence is told by what it is
// called, wherever it is passed on to under another name; what is a search, by what is asked of it.

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

const SEARCHES = new Set('includes startsWith endsWith indexOf lastIndexOf match matchAll search split'.split(' '));
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

    /** What a constant was made of, and under which name it was taken out of something. @param {Node} node */
    function originOf(node) {
      const definition = variableOf(node)?.defs[0];
      if (definition === undefined) return {};
      const name = definition.name;
      const holder = name.parent;
      const list = listOf(definition, name);
      if (list !== undefined) return { list };
      // `{ reason: given }`, `{ reason = '' }`
      const property = holder?.type === 'AssignmentPattern' ? holder.parent : holder;
      if (property?.type === 'Property' && property.parent.type === 'ObjectPattern') return { key: property.key };
      const { init = null, id = null } = definition.type === 'Variable' ? definition.node : {};
      return id === name && definition.parent?.kind === 'const' ? { init } : {};
    }

    /** The list whose members a variable holds one by one: of a function that is called for each, of a loop. @param {Node} definition @param {Node} name */
    function listOf(definition, name) {
      const { type, node } = definition;
      if (type === 'Parameter' && node.params[0] === name && node.parent?.type === 'CallExpression') {
        const callee = bare(node.parent.callee);
        return node.parent.arguments[0] === node &&
          callee?.type === 'MemberExpression' &&
          EACH.has(callee.property.name)
          ? callee.object
          : undefined;
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
          const { key, init, list } = originOf(node);
          if (list !== undefined && sentencesListed(list, depth + 1)) return node.name;
          const name = key === undefined ? node.name : keyName(key);
          if (isSentence(name)) return isList(node, init) ? undefined : name;
          return init === undefined ? undefined : prose(init, depth + 1);
        }
        case 'MemberExpression': {
          // `missing.map(({ reason }) => reason)[0]`
          if (node.computed && sentencesListed(node.object, depth + 1)) return 'list';
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
          if (callee.property.name === 'join') return sentencesListed(callee.object, depth + 1) ? 'join' : undefined;
          if (FOUND.has(callee.property.name) && sentencesListed(callee.object, depth + 1)) return callee.property.name;
          return PIECES.has(callee.property.name) ? prose(callee.object, depth + 1) : undefined;
        }
        case 'LogicalExpression':
          return prose(node.left, depth + 1) ?? prose(node.right, depth + 1);
        case 'ConditionalExpression':
          return prose(node.consequent, depth + 1) ?? prose(node.alternate, depth + 1);
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
          const { init, list } = originOf(of);
          return list === undefined && again(init ?? null);
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
      if (SAME_LIST.has(name)) return again(callee.object);
      if (name !== 'map' && name !== 'flatMap') return false;
      return results(of.arguments[0]).some(
        (/** @type {Node} */ made) => prose(made, depth + 1) !== undefined || (name === 'flatMap' && again(made)),
      );
    }

    /** What a function gives. @param {Node} made @returns {Node[]} */
    function results(made) {
      if (made?.type !== 'ArrowFunctionExpression' && made?.type !== 'FunctionExpression') return [];
      if (made.body.type !== 'BlockStatement') return [made.body];
      return made.body.body.flatMap((/** @type {Node} */ each) =>
        each.type === 'ReturnStatement' && each.argument !== null ? [each.argument] : [],
      );
    }

    /** @param {Node} node */
    const report = (node) => context.report({ node, messageId: 'prose' });

    return {
      /** @param {Node} node */
      CallExpression(node) {
        const callee = bare(node.callee);
        if (callee.type !== 'MemberExpression' || callee.computed) return;
        const { name } = callee.property;
        const [first] = node.arguments;
        if (SEARCHES.has(name) && !isLayout(node) && first?.name !== 'undefined' && prose(callee.object) !== undefined)
          report(node);
        else if ((name === 'test' || name === 'exec') && prose(first) !== undefined) report(node);
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
        if (compared([node.left, node.right])) report(node);
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
