// docs/REPORT.md from schema/report.v1.json, schema/comparison.v1.json and schema/fleet.v1.json: every field, and what readers may rely on.
import { readFileSync } from 'node:fs';

const promise = `
## What you may rely on

The version stands in \`schemaVersion\`, \`major.minor\`; the file \`schema/report.v1.json\` (JSON Schema 2020-12) is the contract
and ships in the package as \`pktcost/schema/report.v1.json\`.

Within one major version:

- Every field listed here is always there, under the same name, in the same place, with the same meaning and unit, but for
  those that came with a minor version (\`data\` of a finding and \`netRxTimedRuns\` with 1.1), which older reports lack. What
  is not known is \`null\`, never left out and never zero.
- The fields stand in the order of the schema, so that two reports can be compared as text.
- Codes of rules (\`PKT0101\`) are stable and never given to another rule. A rule that is taken out leaves its code unused.
- Namespaces are told apart by \`netns\`; an empty string is the one pktcost ran in.

A minor version may:

- add fields to any object;
- add values to \`rule\`, \`message\`, \`signal\`, \`metric\`, \`unit\`, \`source\`, \`tier\`, \`span\`, \`mode\`, \`hook\`, \`kind\`,
  \`floorMethod\`, \`lostBy\`, \`features\` and the ids of collectors, which are open lists;
- add rules, and so findings and codes;
- change the words of \`headline\`, \`title\`, \`summary\`, \`action\` and \`reason\`: they are for people. Programs use \`code\`,
  \`message\`, \`args\` and the numbers;
- change where the bounds of \`histogram\` lie and how many there are.

Only a major version may take a field away, rename it, change its type, unit or meaning, let a field be \`null\` that was not,
or add a value to a closed list (those with their values given below). It comes with a schema file of its own.

What this asks of a reader: ignore fields you do not know, take an unknown value of an open list as just that, and treat
\`not-measured\` as neither good nor bad. Strings that come from the host (names of processes, devices and namespaces) are given
as they are, and the process itself chooses its name: escape them before you show them.

## Fields
`;

const anchor = (name) => name.toLowerCase();
const cell = (text) => text.replaceAll('|', '\\|').replaceAll('\n', ' ');

function typeOf(schema) {
  if (schema.$ref !== undefined) {
    const name = schema.$ref.replace(/^.*#\/\$defs\//, '');
    return `[${name}](#${anchor(name)})`;
  }
  if (schema.const !== undefined) return `\`${JSON.stringify(schema.const)}\``;
  if (schema.enum !== undefined) return schema.enum.map((value) => `\`${JSON.stringify(value)}\``).join(', ');
  if (schema.anyOf !== undefined) return schema.anyOf.map(typeOf).join(' or ');
  if (schema.type === 'array') return `list of ${typeOf(schema.items)}`;
  if (schema.type === 'object' && schema.additionalProperties === true) return 'object';
  if (schema.type === 'object') return `object of ${typeOf(schema.additionalProperties)} by name`;
  return [schema.type].flat().join(' or ');
}

function limitsOf({ minimum, maximum, pattern }) {
  return [
    ...(minimum === undefined ? [] : [`at least ${minimum}`]),
    ...(maximum === undefined ? [] : [`at most ${maximum}`]),
    ...(pattern === undefined ? [] : [`like \`${pattern}\``]),
  ].join(', ');
}

function fieldsOf({ properties, required = [] }) {
  const missing = Object.keys(properties).filter(
    (name) => !required.includes(name) && properties[name].$comment === undefined,
  );
  if (missing.length > 0) throw new Error(`every field of the report is always there, but not: ${missing.join(', ')}`);
  const rows = Object.entries(properties).map(([name, schema]) => {
    if ((schema.description ?? '') === '' && schema.$ref === undefined) throw new Error(`${name} has no description`);
    const limits = limitsOf(schema);
    const type = limits === '' ? typeOf(schema) : `${typeOf(schema)}, ${limits}`;
    return `| \`${name}\` | ${cell(type)} | ${cell(schema.description ?? '')} |`;
  });
  return ['| field | type | meaning |', '|---|---|---|', ...rows, ''];
}

function definitions({ $defs }) {
  return Object.entries($defs).flatMap(([name, each]) => [
    `### ${name}`,
    '',
    each.description,
    '',
    ...(each.properties !== undefined
      ? fieldsOf(each)
      : [each.enum === undefined ? `An ${typeOf(each)}.` : `One of ${typeOf(each)}.`, '']),
  ]);
}

function schemaOf(name) {
  return JSON.parse(readFileSync(new URL(`../schema/${name}.v1.json`, import.meta.url), 'utf8'));
}

/** docs/REPORT.md */
export function reportPage() {
  const [report, comparison, fleet] = ['report', 'comparison', 'fleet'].map(schemaOf);
  const lines = [
    '# The report',
    '',
    'Generated from `schema/report.v1.json` by `npm run docs`. This is what `pktcost diagnose --json` prints, what a bundle holds',
    'as `report.json`, and what every HTML report carries inside it.',
    promise,
    `### ${report.title}`,
    '',
    report.description,
    '',
    ...fieldsOf(report),
    ...definitions(report),
    '## Fields of a comparison',
    '',
    'From `schema/comparison.v1.json`, in the package as `pktcost/schema/comparison.v1.json`, with the same promise; its version',
    'stands in `comparisonVersion`. `place`, `figure`, `headline`, `caveats` and `reason` are words for people.',
    '',
    `### ${comparison.title}`,
    '',
    comparison.description,
    '',
    ...fieldsOf(comparison),
    ...definitions(comparison),
    '## Fields of a fleet',
    '',
    'From `schema/fleet.v1.json`, in the package as `pktcost/schema/fleet.v1.json`, with the same promise; its version stands in',
    '`fleetVersion`. `headline`, `reason` and `warnings` are words for people.',
    '',
    `### ${fleet.title}`,
    '',
    fleet.description,
    '',
    ...fieldsOf(fleet),
    ...definitions(fleet),
  ];
  return `${lines.join('\n')}\n`;
}
