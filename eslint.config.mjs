import tseslint from 'typescript-eslint';

// The probe's reading is plain JSON; its collector knows its shape and nothing else of the probe.
const beneath = ['**/ffi/*', '**/probe/*', '**/sources/*', '**/rules/*', '**/report/*', 'node:*', 'koffi'];

export default tseslint.config(
  { ignores: ['build/', 'dist/', 'src/generated/', 'test/fixtures/', '**/*.mjs', 'bin/'] },
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: { parserOptions: { project: './tsconfig.json' } },
    rules: {
      '@typescript-eslint/no-non-null-assertion': 'off', // noUncheckedIndexedAccess makes a proven index need it
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      'no-empty': ['error', { allowEmptyCatch: false }],
    },
  },
  {
    // The arrows of docs/ARCHITECTURE.md: metrics know nothing, rules know metrics, nothing downstream reads the host.
    files: ['src/metrics/**/*.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            '**/collectors/*',
            '**/ffi/*',
            '**/probe/*',
            '**/sources/*',
            '**/rules/*',
            '**/report/*',
            'node:*',
          ],
        },
      ],
    },
  },
  {
    files: ['src/rules/**/*.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        { patterns: ['**/collectors/*', '**/ffi/*', '**/probe/*', '**/sources/*', '**/report/*', 'node:*'] },
      ],
    },
  },
  {
    files: ['src/collectors/**/*.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        { patterns: [...beneath, '!**/probe/answer.ts', '!**/probe/histogram.ts', '!**/probe/reading.ts'] },
      ],
    },
  },
  {
    files: ['src/report/**/*.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            '**/ffi/*',
            '**/probe/*',
            '**/sources/*',
            '**/collectors/*',
            'node:fs',
            'node:child_process',
            'koffi',
          ],
        },
      ],
    },
  },
  {
    // Foreign calls stand on a floor of their own, which knows nothing but how a result looks.
    files: ['src/ffi/**/*.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        { patterns: ['**/collectors/*', '**/probe/*', '**/sources/*', '**/rules/*', '**/report/*'] },
      ],
    },
  },
  {
    // Nobody above it calls foreign functions, but for libbpf, which has one door.
    files: ['src/probe/**/*.ts', 'src/sources/**/*.ts'],
    ignores: ['src/probe/libbpf.ts', 'src/probe/libbpf/**'],
    rules: { 'no-restricted-imports': ['error', { patterns: ['koffi', '**/libbpf/*'] }] },
  },
  {
    // node:test's describe() and it() return promises that the runner itself awaits.
    files: ['test/**/*.ts'],
    rules: { '@typescript-eslint/no-floating-promises': 'off' },
  },
);
