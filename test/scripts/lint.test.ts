import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { describe, it } from 'node:test';

import { Linter, type Rule } from 'eslint';
import tseslint from 'typescript-eslint';

import { repository } from '../support/fixture.ts';

type Rules = Readonly<Record<string, unknown>>;

/** The rules in force, as oxlint names them. */
const linted = JSON.parse(readFileSync(`${repository}/.oxlintrc.json`, 'utf8')) as { readonly rules: Rules };

/** Rules of typescript-eslint's strictest set that are not asked, and why. */
const leftOut = new Map([
  ['typescript/no-non-null-assertion', 'noUncheckedIndexedAccess makes a proven index need it'],
  ['typescript/no-unsafe-enum-assignment', 'there are no enums: tsconfig.json has erasableSyntaxOnly'],
  ['typescript/no-unsafe-class-instance-assignment', 'the compiler proves it where each class has something private'],
]);

const isOn = (setting: unknown) => !['off', 0].includes((Array.isArray(setting) ? setting[0] : setting) as string);

describe('what is linted', () => {
  it('is all that the strictest set of typescript-eslint asks', () => {
    const sets = tseslint.configs.strictTypeChecked as readonly { readonly rules?: Rules }[];
    const strict = Object.fromEntries(sets.flatMap(({ rules = {} }) => Object.entries(rules)));
    const wanted = Object.entries(strict)
      .filter(([, setting]) => isOn(setting))
      .map(([name]) =>
        name.startsWith('@typescript-eslint/') ? name.replace('@typescript-eslint', 'typescript') : name,
      );
    assert.ok(wanted.length > 60, `${wanted.length} rules`);
    for (const name of wanted) {
      // oxlint has what extends a rule of JavaScript under the rule's own name.
      const shown = [name, name.replace('typescript/', 'eslint/'), `eslint/${name}`, name.replace('typescript/', '')];
      const on = shown.some((each) => isOn(linted.rules[each] ?? 'off'));
      assert.notEqual(on, leftOut.has(name), `${name} is ${on ? 'on' : 'off'}`);
    }
  });

  // An object literal that merely looks like such a class does not compile: nothing but its constructor makes one.
  it('has something private in each class', () => {
    const folders = ['src', 'test', 'scripts', 'bench'];
    let classes = 0;
    for (const folder of folders) {
      for (const name of readdirSync(`${repository}/${folder}`, { recursive: true, encoding: 'utf8' })) {
        if (!/\.(?:ts|mjs)$/.test(name)) continue;
        const text = readFileSync(`${repository}/${folder}/${name}`, 'utf8');
        for (const [body, it = ''] of text.matchAll(/^(?:export )?class (\w+)(?: implements \w+)? \{$[^]*?^\}$/gm)) {
          classes += 1;
          assert.match(body, /#\w|\bprivate /, `${folder}/${name}: class ${it}`);
        }
      }
    }
    assert.ok(classes > 40, `${classes} classes`);
  });
});

describe('no logic that reads prose', async () => {
  const { noProse } = (await import(`${repository}/scripts/lint/prose.mjs`)) as { readonly noProse: Rule.RuleModule };
  const linter = new Linter();
  const complaints = (code: string) =>
    linter.verify(code, {
      languageOptions: { parser: tseslint.parser },
      plugins: { house: { rules: { prose: noProse } } },
      rules: { 'house/prose': 'error' },
    });

  for (const [kind, code] of [
    ['a search in a property', "if (gap.reason.includes('device=')) skip();"],
    ['a search under another name', "const text = finding.summary; if (text.startsWith('Taps')) skip();"],
    ['a search in what was taken apart', "const { detail: given } = gap; given?.indexOf('x');"],
    ['a search in a piece of it', "each.note!.trim().toLowerCase().endsWith('eth0');"],
    ['a pattern', '/lost/.test(finding.title);'],
    ['a pattern on what may be missing', "/lost/.exec(finding.headline ?? '');"],
    ['a comparison', "if (row.detail === 'down') skip();"],
    ['a comparison with a sentence', "if (error.message !== 'fetch failed') skip();"],
    ['a comparison of its beginning', "if (unseenWords(report).slice(0, 3) === 'a b') skip();"],
    ['a switch', "switch (gap.reason) { case 'not there': skip(); }"],
    ['a set of sentences', "const known = new Set(['not there']); known.has(gap.reason);"],
    ['a table by sentence', "const known = { 'not there': 1 }; known[gap.reason];"],
    ['a split at what it says', "const [name] = title.split(':');"],
    ['a comparison with a sentence that has a name', "const GONE = 'no such file'; if (gap.reason === GONE) skip();"],
    ['a sentence in a list of them', "if (missing.map(({ reason }) => reason).includes('not there')) skip();"],
    ['a sentence in a set of them', "const all = new Set(missing.map((each) => each.reason)); all.has('not there');"],
    ['a search for it in words', "if ('not there, not read'.includes(gap.reason)) skip();"],
    ['a table that has it or not', "const known = { 'not there': 1 }; Object.hasOwn(known, gap.reason);"],
    ['a comparison by a call', "if (Object.is(gap.reason, 'not there')) skip();"],
    ['a comparison by order', "if (gap.reason.localeCompare('not there') === 0) skip();"],
    ['a pattern on its copy', '/lost/.test(String(finding.title));'],
    ['a search in each of a list', "gaps.map(({ reason }) => reason).some((each) => each.includes('x'));"],
    ['a search in all of them', "gaps.map(({ reason }) => reason).join().includes('not there');"],
    ['a search in some of them', "gaps.map(({ reason }) => reason).filter(Boolean).join('; ').includes('EACCES');"],
    ['a search in the first of them', "gaps.map(({ reason }) => reason)[0]?.includes('x');"],
    ['a search in the last of them', "gaps.map(({ reason }) => reason).at(-1)?.includes('x');"],
    [
      'a pattern on those that there are',
      'const all = gaps.flatMap((gap) => (gap.reason === null ? [] : [gap.reason])); all.find((each) => /lost/.test(each));',
    ],
    ['a search in a loop', "for (const each of gaps.map((gap) => gap.summary)) if (each.startsWith('Taps')) skip();"],
    [
      'a comparison with each of a set',
      "[...new Set(gaps.map((gap) => { return gap.reason; }))].filter((each) => each === 'no such file');",
    ],
    ['a search in an explanation', "if (each.explanation.includes('x')) skip();"],
    ['a search in a cause', "if (each.cause.includes('x')) skip();"],
  ] as const)
    it(`finds ${kind}`, () => {
      assert.equal(complaints(code).length, 1, code);
    });

  for (const [kind, code] of [
    ['a sentence that is empty', "if (gap.reason === '') skip();"],
    ['lines and words to be broken', "words.split(' '); message.split('\\n');"],
    ['the key of a message', "if (message === 'flood') skip();"],
    ["the kernel's own names", "if (reason === 'NOT_SPECIFIED') skip(); dropReasons.includes(name);"],
    ['the pieces of a line', "const words = line.split(' '); words.includes('UP');"],
    ['words that are told on', 'paragraph(finding.summary);'],
    ['a list of names', "rows.map(({ name }) => name).some((each) => each.includes('x'));"],
    [
      'sentences that are told on',
      "paragraph(gaps.map(({ reason }) => reason).filter((each) => each !== '').join('; '));",
    ],
    ['the key of a cause', "rows.filter(({ cause }) => cause === 'flood');"],
  ] as const)
    it(`lets pass ${kind}`, () => {
      assert.deepEqual(complaints(code), [], code);
    });
});
