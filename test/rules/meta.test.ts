import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';

import { argumentsOf } from '../../src/report/words/say.ts';
import { rules } from '../../src/rules/index.ts';
import { template } from '../../src/rules/template.ts';

/** The compiled tests are in build/test/rules. */
const root = join(import.meta.dirname, '..', '..', '..');

const headings = [
  'What it means',
  'How it is decided',
  'What to do',
  'False positives and limits',
  'Kernel source',
] as const;

function read(path: string): string {
  assert.ok(existsSync(join(root, path)), `${path} is missing`);
  return readFileSync(join(root, path), 'utf8');
}

function headingsOf(page: string): (string | undefined)[] {
  return [...page.matchAll(/^## (.+)$/gm)].map(([, heading]) => heading);
}

describe('the rules', () => {
  it('have codes and ids of their own, in the order of the codes', () => {
    const codes = rules.map(({ code }) => code);
    assert.deepEqual(codes, [...new Set(codes)].sort());
    assert.equal(new Set(rules.map(({ id }) => id)).size, rules.length);
    for (const { code, id } of rules) {
      assert.match(code, /^PKT\d{4}$/);
      assert.match(id, /^[a-z]+(-[a-z]+)*$/);
    }
  });

  it('have a template whose page has the headings, and which is no rule itself', () => {
    const page = read('test/rules/template.md');
    assert.ok(page.startsWith(`# ${template.code} ${template.title}\n`));
    assert.deepEqual(headingsOf(page), headings);
    for (const name of Object.keys(template.thresholds)) assert.ok(page.includes(`\`${name}\``), name);
    assert.ok(!rules.includes(template));
  });

  for (const rule of rules) {
    describe(`${rule.code} ${rule.id}`, () => {
      it('is the file of its name', () => {
        assert.match(read(`src/rules/${rule.id}.ts`), new RegExp(`code: '${rule.code}',\\s+id: '${rule.id}'`));
      });

      it('leaves nothing of the template to be filled in', () => {
        for (const path of [`src/rules/${rule.id}.ts`, `test/rules/${rule.id}.test.ts`, `docs/rules/${rule.code}.md`]) {
          assert.doesNotMatch(read(path), /TODO/, path);
        }
      });

      it('has a title and signals', () => {
        assert.match(rule.title, /^[A-Z].*[^.]$/);
        assert.ok(Object.keys(rule.signals).length > 0);
      });

      it('has thresholds with a unit, a meaning and a source', () => {
        // That it compares with each is asserted by ruleCases.
        for (const [name, { value, unit, help, source: from }] of Object.entries(rule.thresholds)) {
          assert.ok(Number.isFinite(value) && value > 0, name);
          for (const text of [unit, help, from]) assert.ok(text.length > 3, `${name}: "${text}"`);
        }
      });

      it('has messages whose arguments are formatted with formats that exist', () => {
        for (const [message, words] of Object.entries(rule.messages)) {
          assert.match(message, /^[a-z]+(-?[A-Za-z]+)*$/);
          assert.match(words, /\.$/, message);
          argumentsOf(words);
        }
      });

      it('prints each signal as PromQL', () => {
        for (const [name, spec] of Object.entries(rule.signals)) {
          const promql = ('kind' in spec ? spec.of : spec).promql('5m');
          assert.doesNotMatch(promql, /undefined|NaN|\[\]/, name);
        }
      });

      it('has a page with what a reader looks for', () => {
        const page = read(`docs/rules/${rule.code}.md`);
        assert.ok(page.startsWith(`# ${rule.code} ${rule.title}\n`), 'the first line is code and title');
        assert.deepEqual(headingsOf(page), headings);
        for (const section of page.split(/^## .+$/m).slice(1)) assert.ok(section.trim().length > 40, page);
        for (const name of Object.keys(rule.thresholds)) {
          assert.ok(page.includes(`\`${name}\``), `the page does not name the limit ${name}`);
        }
      });

      it('has a table of cases', () => {
        // What the table must hold is asserted by ruleCases itself.
        const name = rule.id.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
        assert.match(read(`test/rules/${rule.id}.test.ts`), new RegExp(`^ruleCases\\(${name}, \\[`, 'm'));
      });
    });
  }
});
