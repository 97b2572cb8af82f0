import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { rules } from '../../src/rules/index.ts';
import { repository } from '../support/fixture.ts';

interface Validation {
  readonly validationPage: (page: string, rules: readonly { readonly code: string; readonly id: string }[]) => string;
}

describe('where each rule is provoked', async () => {
  const { validationPage } = (await import(`${repository}/scripts/validation.mjs`)) as Validation;
  const page = [
    '# Validation',
    '',
    '## Accept queue',
    '',
    '| provoked | must fire | seen |',
    '| --- | --- | --- |',
    '| backlog 1 | PKT0401 | 5/5 |',
    '',
    '## Provoked elsewhere',
    '',
    'as it was',
    '',
    '## What went wrong',
    '',
    'Nothing.',
    '',
  ].join('\n');
  const written = validationPage(page, [...rules, { code: 'PKT0999', id: 'some-noun' }]);

  it('is told of each rule without a row of its own, the newest too', () => {
    assert.match(written, /^\| PKT0999 some-noun \| cases: test\/rules\/some-noun\.test\.ts \|$/m);
    assert.match(written, /^\| PKT0106 netfilter-cost \| a scenario without rounds here; cases: /m);
    assert.match(written, /^\| PKT0606 steal \| cases: /m);
    assert.doesNotMatch(written, /^\| PKT0401 listen-queue-overflow/m);
    assert.doesNotMatch(written, /as it was/);
  });

  it('leaves what was measured as it is', () => {
    assert.match(written, /\n\| backlog 1 \| PKT0401 \| 5\/5 \|\n/);
    assert.match(written, /\n## What went wrong\n\nNothing\.\n$/);
  });
});
