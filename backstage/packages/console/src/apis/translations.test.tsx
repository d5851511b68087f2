import { createTranslationRef } from '@backstage/frontend-plugin-api';
import { render } from '@testing-library/react';
import { translations } from './translations';

const ref = createTranslationRef({
  id: 'test',
  messages: {
    plain: 'Nothing is {{what}}',
    several: 'Add {{line}} to {{file}}, {{ count }} times',
  },
});

describe('translations', () => {
  const { t } = translations().getTranslation(ref) as any;

  it('are texts', () => {
    expect(t('plain', { what: '<b>here</b>' })).toBe('Nothing is <b>here</b>');
  });

  it('hold elements where a value is one', () => {
    const { container } = render(
      t('several', {
        line: <code>a: b</code>,
        file: <b>the file</b>,
        count: 2,
      }),
    );
    expect(container.innerHTML).toBe(
      'Add <code>a: b</code> to <b>the file</b>, 2 times',
    );
  });
});
