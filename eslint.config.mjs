// The house's own rules: the arrows between folders, and what no published rule asks. Everything else, with types or without,
// is .oxlintrc.json, a linter that takes a tenth of the time (test/scripts/lint.test.ts holds the two together).
import tseslint from 'typescript-eslint';

import { noProse } from './scripts/lint/prose.mjs';

/**
 * The arrows of docs/ARCHITECTURE.md: each folder of src/ and the folders it may import from, besides src/generated/.
 * Whoever adds a folder adds a line.
 */
export const arrows = {
  base: [],
  metrics: ['base'],
  readings: ['base'],
  profile: ['base'],
  ffi: ['base'],
  collectors: ['base', 'metrics', 'readings', 'profile'],
  facts: ['base', 'metrics', 'profile'],
  rules: ['base', 'metrics', 'facts', 'profile'],
  report: ['base', 'metrics', 'profile', 'facts', 'rules'],
  probe: ['base', 'metrics', 'readings', 'profile', 'ffi', 'collectors'],
  sources: ['base', 'metrics', 'readings', 'ffi', 'collectors', 'probe'],
  bundle: ['base', 'metrics', 'collectors', 'facts', 'rules', 'report', 'sources'],
  jobs: [
    'base',
    'metrics',
    'readings',
    'profile',
    'collectors',
    'facts',
    'rules',
    'report',
    'ffi',
    'probe',
    'sources',
    'bundle',
  ],
  commands: ['base', 'metrics', 'facts', 'rules', 'report', 'jobs'],
};

/** What a folder may ask of Node besides: nothing where only values are worked on. */
const withoutNode = ['metrics', 'readings', 'profile', 'collectors', 'facts', 'rules'];
const withoutFiles = ['report'];
/** Foreign functions are called in ffi/ and through one door of the probe, which alone looks behind it. */
const door = ['src/probe/libbpf.ts', 'src/probe/libbpf/**'];

function modulesBarred(folder, throughDoor) {
  return [
    ...(withoutNode.includes(folder) ? ['node:*'] : []),
    ...(withoutFiles.includes(folder) ? ['node:fs', 'node:fs/*', 'node:child_process'] : []),
    ...(folder === 'ffi' || throughDoor ? [] : ['koffi', '**/libbpf/*']),
  ];
}

function arrow(folder, files = [`src/${folder}/**/*.ts`], known = arrows[folder]) {
  const barred = Object.keys(arrows).filter((other) => other !== folder && !known.includes(other));
  const patterns = [
    {
      group: [...barred.map((other) => `**/${other}/**`), ...(known === arrows[folder] ? [] : ['**/build/*'])],
      message: `src/${folder}/ knows nothing of it: see the arrows in docs/ARCHITECTURE.md`,
      // A command passes on what the floors below it made, and needs the names of their types.
      allowTypeImports: folder === 'commands',
    },
    { group: modulesBarred(folder, files === door), message: `not from src/${folder}/: see docs/ARCHITECTURE.md` },
  ];
  return {
    files,
    rules: {
      '@typescript-eslint/no-restricted-imports': [
        'error',
        { patterns: patterns.filter(({ group }) => group.length > 0) },
      ],
    },
  };
}

/** What is imported when it is needed goes the same ways; the rule above does not look at that. */
function lateArrow(folder, known = arrows[folder] ?? ['commands']) {
  const barred = Object.keys(arrows).filter((other) => other !== folder && !known.includes(other));
  return {
    files: [folder === '' ? 'src/*.ts' : `src/${folder}/**/*.ts`],
    rules: {
      'no-restricted-syntax': [
        'error',
        byHand,
        {
          selector: `ImportExpression[source.value=/[/](?:${barred.join('|')})[/]/]`,
          message: `src/${folder} knows nothing of it: see the arrows in docs/ARCHITECTURE.md`,
        },
        { selector: 'ImportExpression[source.type!="Literal"]', message: 'Name the file that is imported.' },
      ],
    },
  };
}

const byHand = {
  selector: 'ImportSpecifier[imported.name=/^(readFile|readFileSync)$/]',
  message: 'Files are read through base/file.ts.',
};

/** Where a library's words are put into ours: oclif and fetch say what is wrong in a sentence and nowhere else. */
const wordsOfLibraries = ['src/commands/failure.ts', 'src/sources/pages/http.ts'];
/** Where arguments are filled into words. */
const wordsFilledIn = 'src/report/words/say.ts';

export default tseslint.config(
  { files: ['src/**/*.ts'], extends: [tseslint.configs.base] },
  ...Object.keys(arrows).map((folder) => arrow(folder)),
  arrow('probe', door),
  // Words, and what draws the finished report, know nothing of what it is built from.
  arrow('report', ['src/report/{words,tables,text,markdown,html}/**/*.ts'], ['base', 'profile', 'rules']),
  {
    // Nothing lies loose beside the entry, which knows commands only.
    files: ['src/*.ts'],
    rules: {
      '@typescript-eslint/no-restricted-imports': [
        'error',
        { patterns: Object.keys(arrows).flatMap((folder) => (folder === 'commands' ? [] : [`**/${folder}/**`])) },
      ],
    },
  },
  {
    // Sentences are for readers: what a program has to know of one stands beside it as data. And a path may come from
    // anywhere: base/file.ts never waits for it, nor reads it without an end.
    files: ['src/**/*.ts'],
    plugins: { house: { rules: { 'no-prose': noProse } } },
    rules: { 'house/no-prose': 'error' },
  },
  ...['', ...Object.keys(arrows)].map((folder) => lateArrow(folder)),
  { files: [...wordsOfLibraries, wordsFilledIn], rules: { 'house/no-prose': 'off' } },
  { files: ['src/base/file.ts'], rules: { 'no-restricted-syntax': 'off' } },
  // Not written by hand. Looked at, as a file that is ignored is a warning to whoever names it.
  {
    files: ['src/generated/**'],
    rules: { 'house/no-prose': 'off', 'no-restricted-syntax': 'off' },
    linterOptions: { reportUnusedDisableDirectives: 'off' },
  },
);
