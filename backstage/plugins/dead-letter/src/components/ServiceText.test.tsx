import { renderInTestApp } from '@backstage/frontend-test-utils';
import { screen } from '@testing-library/react';
import { ServiceText } from './ServiceText';
import { sayTime } from './Time';

describe('ServiceText', () => {
  it('has no time in UTC beside those that are local', async () => {
    const at = '2026-11-28T18:47:03.250Z';
    await renderInTestApp(
      <p>
        <ServiceText text={`the last one arrived at ${at}, before the fix`} />
      </p>,
    );
    expect(screen.getByText(/^the last one/)).toHaveTextContent(
      `the last one arrived at ${sayTime(new Date(at))}, before the fix`,
    );
    expect(screen.getByRole('note')).toHaveAttribute('datetime', at);
  });

  it('leaves other texts as they are', async () => {
    await renderInTestApp(<ServiceText text="312 NO_ROUTE" />);
    expect(screen.getByText('312 NO_ROUTE')).toBeInTheDocument();
    expect(screen.queryByRole('note')).toBeNull();
  });
});
