import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';

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
  const folder = mkdtempSync(join(tmpdir(), 'pktcost-lint-'));
  after(() => {
    rmSync(folder, { recursive: true });
  });
  writeFileSync(
    join(folder, 'words.ts'),
    "export const GONE = 'no such file';\n" +
      "export function tells(count: number, text: string): boolean { return text.startsWith('lost'); }\n" +
      "export const cut = (text: string): string => text.slice(0, text.indexOf(' '));\n",
  );
  const linter = new Linter({ cwd: folder });
  const complaints = (code: string) =>
    linter.verify(
      code,
      {
        files: ['**/*.ts'],
        languageOptions: { parser: tseslint.parser },
        plugins: { house: { rules: { prose: noProse } } },
        rules: { 'house/prose': 'error' },
      },
      join(folder, 'reader.ts'),
    );

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
    ['a search in a helper', "const tells = (text) => text.includes('lost'); if (tells(gap.reason)) skip();"],
    ['a pattern in a helper', 'function tells(text) { return /lost/.test(text); } tells(finding.summary);'],
    ['a comparison in a helper', "function gone(text) { return text === 'not there'; } gone(gap.reason);"],
    [
      'a list that is filled',
      "const all = []; for (const gap of gaps) all.push(gap.reason); all.includes('not there');",
    ],
    ['a set that is filled', "const all = new Set(); all.add(gap.reason); if (all.has('not there')) skip();"],
    ['a variable that changes', "let text; text = gap.reason; if (text.includes('lost')) skip();"],
    [
      'a variable that is added to',
      "let text = ''; for (const gap of gaps) text += gap.reason; text.includes('lost');",
    ],
    [
      'a callback with a name',
      "const isLost = (each) => each.includes('lost'); gaps.map((gap) => gap.reason).some(isLost);",
    ],
    ['what a callback with a name gives', "const of = (gap) => gap.reason; gaps.map(of).includes('not there');"],
    ['a sum of them', "gaps.reduce((all, gap) => all + gap.reason, '').includes('lost');"],
    ['a list made of them', "gaps.reduce((all, gap) => [...all, gap.reason], []).includes('not there');"],
    ['the keys of a Map', "const known = new Map(gaps.map((gap) => [gap.reason, gap])); known.get('not there');"],
    [
      'the keys of a Map that is filled',
      "const known = new Map(); known.set(gap.reason, gap); known.has('not there');",
    ],
    ['two sentences put together', "if (`${gap.path}: ` + gap.reason === 'a b') skip();"],
    ['two sentences compared', 'const told = notMeasured.some(({ reason }) => reason === probe.reason);'],
    ['a constant of another file', "import { GONE } from './words.ts'; if (gap.reason === GONE) skip();"],
    ['a helper of another file', "import { tells } from './words.ts'; if (tells(1, gap.reason)) skip();"],
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
    ['a helper that breaks lines', "const wrap = (text) => text.split(' - '); wrap(finding.summary);"],
    ['groups by what is said', 'const all = new Map(); all.set(gap.reason, [...(all.get(gap.reason) ?? []), gap]);'],
    ['a name that a helper is given', "const isTap = (text) => text.includes('tap'); isTap(program.name);"],
    ['a list of names that is filled', "const all = []; all.push(gap.path); all.includes('not there');"],
    ['a helper of another file that cuts', "import { cut } from './words.ts'; cut(gap.reason);"],
    ['a constant that is compared with a name', "import { GONE } from './words.ts'; if (gap.path === GONE) skip();"],
  ] as const)
    it(`lets pass ${kind}`, () => {
      assert.deepEqual(complaints(code), [], code);
    });
});
