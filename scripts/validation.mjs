// What of docs/VALIDATION.md follows from declarations and is no measurement: which rules are provoked where. `npm run docs` writes it
// anew, and `--check` holds it against them; the rows of scenarios come from runs (scripts/scenarios.mjs).
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

export const ELSEWHERE = 'Provoked elsewhere';

/** @typedef {{ readonly code: string, readonly id: string }} Rule */

/**
 * Lines of the page by the heading above them; what stands before the first has none.
 * @param {string} page
 */
export function sectionsOf(page) {
  /** @type {string[]} */
  let lines = [];
  const sections = new Map([['', lines]]);
  for (const line of page.split('\n')) {
    if (line.startsWith('## ')) sections.set(line.slice(3), (lines = []));
    lines.push(line);
  }
  return sections;
}

/**
 * The codes of the second cell of a row.
 * @param {string} line
 * @returns {readonly string[]}
 */
function firesOf(line) {
  return line.startsWith('| ') ? (line.split(' | ')[1]?.match(/PKT\d{4}/g) ?? []) : [];
}

/** @param {string} folder @returns {string[]} */
function sourcesIn(folder) {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .sort()
    .map((name) => readFileSync(join(folder, name), 'utf8'));
}

/** Codes that a scenario says must fire, always or where the probe gives prices; a list may have a name in its file. */
function askedOfScenarios() {
  const lists = sourcesIn('test/scenarios').flatMap((text) =>
    [...text.matchAll(/\b(?:fires|priced): (\[[^\]]*\]|[A-Z]+\b)/g)].map(([, list = '']) =>
      list.startsWith('[') ? list : (new RegExp(`^const ${list} = (\\[[^\\]]*\\])`, 'm').exec(text)?.[1] ?? ''),
    ),
  );
  return new Set(lists.flatMap((list) => list.match(/PKT\d{4}/g) ?? []));
}

/** What the lab looks at, in its own words. */
function checksOfTheLab() {
  return sourcesIn('test/lab').flatMap((text) =>
    [...text.matchAll(/^ +what: (['"])(.*)\1,$/gm)].map(([, , what = '']) => what),
  );
}

/**
 * Rules without a row of their own on the page, each with where it is proven instead; and what the lab proves besides.
 * @param {readonly string[]} lines of the scenarios on the page
 * @param {readonly Rule[]} rules
 */
export function provokedElsewhere(lines, rules) {
  const told = new Set(lines.flatMap(firesOf));
  const asked = askedOfScenarios();
  const checks = checksOfTheLab();
  const inLab = (/** @type {string} */ code) =>
    checks.filter((what) => what.includes(code)).map((what) => what.replace(`${code}: `, ''));
  const rows = (/** @type {readonly Rule[]} */ chosen, /** @type {(rule: Rule) => string} */ cell) =>
    chosen.map((rule) => `| ${rule.code} ${rule.id} | ${cell(rule)} |`);
  return [
    `## ${ELSEWHERE}`,
    '',
    'Rules without a row above. Traffic in namespaces brings about no NIC, PCIe link, memory module or setting of the boot;',
    'where there is a scenario nevertheless, it runs with every `npm test`, and its rounds are not on this page yet. PKT0604 and',
    'PKT0605 are context, looked at in the scenarios "Softirq" and "Isolated CPU". Each has a table of cases, whose limits and',
    'comparisons `scripts/mutate-thresholds.mjs` guards.',
    '',
    '| rule | where |',
    '| --- | --- |',
    ...rows(
      rules.filter(({ code }) => !told.has(code)),
      ({ code, id }) =>
        [
          ...(asked.has(code) ? ['a scenario without rounds here'] : []),
          ...inLab(code).map((what) => `lab: "${what}"`),
          `cases: test/rules/${id}.test.ts`,
        ].join('; '),
    ),
    '',
    'Provoked here, and on the devices and kernels of the lab (docs/SUPPORT.md) as well:',
    '',
    '| rule | in the lab |',
    '| --- | --- |',
    ...rows(
      rules.filter(({ code }) => told.has(code) && inLab(code).length > 0),
      ({ code }) =>
        inLab(code)
          .map((what) => `"${what}"`)
          .join('; '),
    ),
    '',
  ];
}

/**
 * The page with that of it which follows from declarations as they are now.
 * @param {string} page
 * @param {readonly Rule[]} rules
 */
export function validationPage(page, rules) {
  const sections = sectionsOf(page);
  const others = [...sections].filter(([heading]) => heading !== ELSEWHERE);
  const elsewhere = provokedElsewhere(
    others.flatMap(([, lines]) => lines),
    rules,
  );
  if (!sections.has(ELSEWHERE)) sections.set(ELSEWHERE, []);
  return [...sections].flatMap(([heading, lines]) => (heading === ELSEWHERE ? elsewhere : lines)).join('\n');
}
