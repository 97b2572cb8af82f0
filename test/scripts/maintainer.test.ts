import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { repository } from '../support/fixture.ts';

interface Maintainers {
  readonly maintainerOf: (env: Readonly<Record<string, string>>, author?: unknown) => string | undefined;
}

const { maintainerOf } = (await import(`${repository}/scripts/maintainer.mjs`)) as Maintainers;

describe('the maintainer of a package', () => {
  it('is who makes it, or the author, and nobody where nobody is named', () => {
    const env = { DEBFULLNAME: 'A B', DEBEMAIL: 'a@b.example' };
    assert.equal(maintainerOf(env, { name: 'C', email: 'c@d.example' }), 'A B <a@b.example>');
    assert.equal(maintainerOf({ DEBFULLNAME: 'A B' }, { name: 'C', email: 'c@d.example' }), 'C <c@d.example>');
    assert.equal(maintainerOf({}, 'C D <c@d.example> (https://d.example)'), 'C D <c@d.example>');
    for (const author of [undefined, 'C D', { name: 'C D' }]) assert.equal(maintainerOf({}, author), undefined);
  });
});
